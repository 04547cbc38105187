"""A table for each task of workflows: what it does to alerts, incidents and people, once and again."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from msgspec import structs

from nightbell.core.incident import Status
from nightbell.core.journal import SYSTEM
from nightbell.engine.act import NewAlert
from nightbell.engine.edits import ServiceEdit, UserEdit
from nightbell.engine.incident_edits import IncidentEdit
from nightbell.engine.tasks import registry
from nightbell.net.guard import Guard
from support.tasks import Tasks


@pytest.fixture
async def tasks(scene):
    async with Tasks(scene) as tasks:
        yield tasks


@pytest.fixture
async def alert(scene):
    """An alert of the service API, which pages nobody."""
    scene.cast_service = await scene.configure.create_service(
        ServiceEdit(name="API"), by=SYSTEM, now=scene.clock()
    )
    made = await scene.engine.act.create(
        NewAlert(
            summary="DiskFull on db1",
            labels={"severity": "critical", "alertname": "DiskFull", "cluster": "eu"},
            description="/dev/sda1",
        ),
        by=SYSTEM,
        now=scene.clock(),
    )
    await scene.db.run(
        "UPDATE alert_details SET service_ids = $2 WHERE alert_id = $1", made.id, [scene.cast_service]
    )
    return made.id


@pytest.fixture
async def ana(scene):
    return await scene.configure.create_user(
        UserEdit(name="Ana", email="ana@example.org", role="owner"), by=SYSTEM, now=scene.clock()
    )


@pytest.fixture
async def incident(tasks, scene):
    made = await tasks.hands.incidents.create(
        IncidentEdit(title="Disks fill up"), by=SYSTEM, now=scene.clock()
    )
    return made.id


async def of_incident(scene, ident):
    return (await scene.db.fetch("SELECT * FROM incidents WHERE id = $1", UUID(str(ident))))[0]


async def count(scene, table):
    return (await scene.db.fetch(f"SELECT count(*) FROM {table}"))[0][0]


async def status_of(scene, alert):
    return (await scene.db.fetch("SELECT status FROM alerts WHERE id = $1", alert))[0][0]


# ---------------------------------------------------------------- incidents


async def test_an_incident_is_made_from_an_alert_with_its_services(scene, tasks, alert):
    said = await tasks.do(
        "create_incident",
        {
            "title": "{{ alert.summary }}",
            "summary": "{{ alert.labels.severity | upcase }}",
            "severity_id": "sev1",
        },
        alert=alert,
    )
    assert said.outcome == "done", said.why
    row = await of_incident(scene, said.output["incident_id"])
    assert (row["title"], row["summary"], row["status"], row["source"]) == (
        "DiskFull on db1", "CRITICAL", "started", "workflow",
    )  # fmt: skip
    linked = await scene.db.fetch(
        "SELECT service_id FROM incident_services WHERE incident_id = $1", row["id"]
    )
    assert [one[0] for one in linked] == [scene.cast_service]
    attached = await scene.db.fetch("SELECT alert_id FROM incident_alerts WHERE incident_id = $1", row["id"])
    assert [one[0] for one in attached] == [alert]
    line = (
        await scene.db.fetch("SELECT * FROM incident_events WHERE incident_id = $1 ORDER BY id", row["id"])
    )[0]
    assert (line["actor"], line["because"]["workflow"]) == ("Night shift", "Night shift")


async def test_one_workflow_makes_one_incident_for_one_occurrence(scene, tasks, alert):
    first = await tasks.do("create_incident", {"title": "one"}, alert=alert)
    again = await tasks.do("create_incident", {"title": "two"}, alert=alert, key="run-2/0")
    assert first.output["incident_id"] == again.output["incident_id"]
    tasks.workflow_id = UUID(int=8)
    other = await tasks.do("create_incident", {"title": "another workflow"}, alert=alert)
    assert other.output["incident_id"] != first.output["incident_id"]
    assert await count(scene, "incidents") == 2


async def test_an_alert_goes_to_the_open_incident_of_its_service(scene, tasks, alert):
    first = await tasks.do("create_incident", {"title": "one", "attach_to_open": "service"}, alert=alert)
    tasks.workflow_id = UUID(int=8)
    other = await tasks.do("create_incident", {"title": "two", "attach_to_open": "service"}, alert=alert)
    assert other.output == {"incident_id": first.output["incident_id"], "made": False, "attached": False}
    await tasks.hands.incidents.move(
        UUID(first.output["incident_id"]), Status.RESOLVED, by=SYSTEM, now=scene.clock()
    )
    tasks.workflow_id = UUID(int=9)
    after = await tasks.do("create_incident", {"title": "three", "attach_to_open": "service"}, alert=alert)
    assert after.output["incident_id"] != first.output["incident_id"]


async def test_an_alert_goes_to_the_open_incident_of_its_label(scene, tasks, alert):
    wish = {
        "title": "Cluster {{ alert.labels.cluster }}",
        "attach_to_open": "label",
        "attach_label": "cluster",
    }
    first = await tasks.do("create_incident", wish, alert=alert)
    second = await scene.engine.act.create(
        NewAlert(summary="CPU", labels={"cluster": "eu"}), by=SYSTEM, now=scene.clock()
    )
    other = await tasks.do("create_incident", wish, alert=second.id)
    assert other.output == {"incident_id": first.output["incident_id"], "made": False, "attached": True}
    third = await scene.engine.act.create(
        NewAlert(summary="CPU", labels={"cluster": "us"}), by=SYSTEM, now=scene.clock()
    )
    assert (await tasks.do("create_incident", wish, alert=third.id)).output["title"] == "Cluster us"
    none = await scene.engine.act.create(NewAlert(summary="no label"), by=SYSTEM, now=scene.clock())
    said = await tasks.do("create_incident", wish, alert=none.id)
    assert (said.outcome, "has no label 'cluster'" in said.why) == ("failed", True)


async def test_alerts_that_come_together_open_one_incident(scene, tasks):
    wish = {
        "title": "Cluster {{ alert.labels.cluster }}",
        "attach_to_open": "label",
        "attach_label": "cluster",
    }
    made = [
        await scene.engine.act.create(
            NewAlert(summary=f"CPU {n}", labels={"cluster": "eu"}), by=SYSTEM, now=scene.clock()
        )
        for n in range(12)
    ]
    said = await asyncio.gather(*(tasks.do("create_incident", wish, alert=one.id) for one in made))
    assert {one.outcome for one in said} == {"done"}
    assert (await count(scene, "incidents"), await count(scene, "incident_alerts")) == (1, 12)


async def test_what_there_is_not_is_said(tasks, alert):
    said = await tasks.do("create_incident", {"title": "x", "severity_id": "{{ 'nope' }}"}, alert=alert)
    assert (said.outcome, "There is no severity " in said.why) == ("failed", True)
    said = await tasks.do("create_incident", {"title": "{{ alert.nothing }}"}, alert=alert)
    assert (said.outcome, said.why) == ("failed", "title: Title can't be blank")


async def test_an_alert_is_attached_to_what_is_open_or_named(scene, tasks, alert, incident):
    nothing = await tasks.do("attach_alert", {}, alert=alert)
    assert (nothing.outcome, nothing.why) == ("done", "No incident is open that it belongs to.")
    said = await tasks.do("attach_alert", {"incident_id": "1"}, alert=alert)
    assert said.output == {"incident_id": str(incident), "made": False, "attached": True}
    said = await tasks.do("attach_alert", {"incident_id": "99"}, alert=alert)
    assert said.outcome == "failed"


async def test_an_incident_is_made_below_another(scene, tasks, incident):
    said = await tasks.do("create_sub_incident", {"title": "Below"}, incident=incident)
    row = await of_incident(scene, said.output["sub_incident_id"])
    assert (row["parent_incident_id"], row["kind"]) == (incident, "normal_sub")
    await tasks.do("create_sub_incident", {"title": "Below"}, incident=incident)
    assert await count(scene, "incidents") == 2


async def test_an_incident_is_rewritten_and_goes_on(scene, tasks, incident):
    said = await tasks.do(
        "update_incident",
        {
            "incident_id": "{{ incident.id }}",
            "title": "{{ incident.title }}!",
            "severity_id": "SEV0",
            "summary": "{{ nothing }}",
        },
        incident=incident,
    )
    row = await of_incident(scene, incident)
    assert (said.outcome, row["title"], row["summary"], row["severity_id"] is not None) == (
        "done", "Disks fill up!", None, True,
    )  # fmt: skip
    said = await tasks.do(
        "update_status", {"status": "mitigated", "message": "rolled back"}, incident=incident
    )
    assert said.output["status"] == "mitigated"
    await tasks.do("update_status", {"status": "closed"}, incident=incident)
    said = await tasks.do("update_incident", {"incident_id": "1", "attribute_to_query_by": "sequential_id", "started_at": "{{ 'yesterday' }}"}, incident=incident)  # fmt: skip
    assert (said.outcome, "no instant" in said.why) == ("failed", True)
    said = await tasks.do("update_incident", {"incident_id": "x", "attribute_to_query_by": "jira_issue_id"})
    assert said.outcome == "failed"


async def test_the_alerts_of_an_incident_are_taken_and_ended_with_it(scene, tasks, alert, ana):
    made = await tasks.do("create_incident", {"title": "x"}, alert=alert)
    incident = UUID(made.output["incident_id"])
    await scene.db.run("UPDATE alerts SET status = 'triggered' WHERE id = $1", alert)
    assert (
        await tasks.do("update_attached_alerts", {"status": "acknowledged"}, incident=incident)
    ).output == {"alerts": 1}
    assert await status_of(scene, alert) == "acknowledged"
    assert (
        await tasks.do("update_attached_alerts", {"status": "acknowledged"}, incident=incident)
    ).output == {"alerts": 0}
    assert (await tasks.do("update_attached_alerts", {"status": "resolved"}, incident=incident)).output == {
        "alerts": 1
    }
    assert await status_of(scene, alert) == "resolved"


async def test_a_line_is_written_once_for_one_step(scene, tasks, incident):
    step = await tasks.step(incident=incident)
    for _ in range(2):
        said = await tasks.again(
            "add_to_timeline", {"event": "Seen {{ incident.status }}", "url": "https://x.org/"}, step
        )
        assert said.outcome == "done", said.why
    rows = await scene.db.fetch(
        "SELECT event FROM incident_events WHERE incident_id = $1 AND event LIKE 'Seen%'", incident
    )
    assert [row["event"] for row in rows] == ["Seen started"]


async def test_an_action_item_is_added_once_and_changed(scene, tasks, incident, ana):
    step = await tasks.step(incident=incident)
    wish = {"summary": "Grow disks of {{ incident.title }}", "priority": "high", "status": "open", "assigned_to_user": {"id": str(ana)}}  # fmt: skip
    first, again = [await tasks.again("add_action_item", wish, step) for _ in range(2)]
    assert first.output == again.output
    row = (await scene.db.fetch("SELECT * FROM incident_action_items"))[0]
    assert (row["summary"], row["assigned_to_user_id"]) == ("Grow disks of Disks fill up", ana)
    said = await tasks.do(
        "update_action_item", {"query_value": first.output["action_item_id"], "status": "done"}
    )
    assert said.outcome == "done", said.why
    wrong = await tasks.do(
        "add_action_item", {**wish, "assigned_to_user": {"name": "Zoe"}}, incident=incident
    )
    assert wrong.outcome == "failed" and "nobody called 'Zoe'" in wrong.why


async def test_roles_teams_and_subscribers_are_given(scene, tasks, incident, ana):
    role = (await scene.db.fetch("SELECT id, slug FROM incident_roles ORDER BY position LIMIT 1"))[0]
    said = await tasks.do("add_role", {"incident_role_id": role["slug"], "assigned_to_user": {"id": "ana@example.org"}}, incident=incident)  # fmt: skip
    assert said.output == {"user_ids": [ana]}
    team = await scene.cast.team()
    said = await tasks.do("add_team", {"group_id": team.id}, incident=incident)
    assert said.outcome == "done", said.why
    assert await count(scene, "incident_teams") == 1
    said = await tasks.do("add_subscribers", {"user_ids": ["Ana"], "emails": ["{{ 'x@example.org, y@example.org' }}"]}, incident=incident)  # fmt: skip
    assert said.outcome == "done", said.why
    assert await count(scene, "incident_subscribers") == 3


async def test_a_role_goes_to_whoever_is_on_call(scene, tasks, incident):
    ben = await scene.cast.person("Ben", "sms")
    schedule = await scene.cast.schedule(ben)
    policy = await scene.cast.policy(([schedule], 10))
    role = (await scene.db.fetch("SELECT slug FROM incident_roles ORDER BY position LIMIT 1"))[0]["slug"]
    for target in ({"schedule_target": {"id": schedule.id}}, {"escalation_policy_target": {"id": policy.id}}):
        said = await tasks.do(
            "auto_assign_role_rootly", {"incident_role_id": role, **target}, incident=incident
        )
        assert said.output == {"user_ids": [ben.id]}, said.why
    said = await tasks.do(
        "auto_assign_role_rootly",
        {"incident_role_id": role, "user_target": {"id": "{{ '' }}"}},
        incident=incident,
    )
    assert said.outcome == "failed"


async def test_a_task_about_an_incident_says_that_there_is_none(tasks, alert):
    for kind, params in (
        ("update_status", {"status": "resolved"}),
        ("add_to_timeline", {"event": "x"}),
        ("create_sub_incident", {"title": "x"}),
    ):
        said = await tasks.do(kind, params, alert=alert)
        assert said.outcome == "failed" and said.why.startswith("This run is about no incident."), said


# ---------------------------------------------------------------- alerts and people


async def test_an_alert_is_taken_noted_and_ended(scene, tasks, alert):
    urgency = (await scene.db.fetch("SELECT id, name FROM urgencies ORDER BY position LIMIT 1"))[0]
    said = await tasks.do("update_alert_urgency", {"alert_urgency_id": urgency["name"]}, alert=alert)
    assert said.output == {"alert_urgency_id": str(urgency["id"])}
    await scene.db.run("UPDATE alerts SET status = 'triggered' WHERE id = $1", alert)
    assert (await tasks.do("acknowledge_alert", {}, alert=alert)).output == {"status": "acknowledged"}
    assert (await tasks.do("snooze_alert", {"duration": "2 hours"}, alert=alert)).outcome == "done"
    step = await tasks.step(alert=alert)
    for _ in range(2):
        assert (
            await tasks.again("add_note_to_alert", {"note": "{{ alert.labels.cluster }}"}, step)
        ).outcome == "done"
    notes = await scene.db.fetch(
        "SELECT details FROM alert_events WHERE alert_id = $1 AND code = 'note'", alert
    )
    assert [row["details"] for row in notes] == ["eu"]
    assert (await tasks.do("resolve_alert", {}, alert=alert)).output == {"status": "resolved"}
    late = await tasks.do("acknowledge_alert", {}, alert=alert)
    assert late.outcome == "done" and late.why
    assert (await tasks.do("resolve_alert", {})).outcome == "failed"


async def test_people_are_paged_beside_an_alert_and_by_one_of_their_own(scene, tasks, alert):
    ben = await scene.cast.person("Ben", "sms")
    policy = await scene.cast.policy(([ben], 10))
    wish = {"summary": "Help with {{ alert.summary }}", "escalation_policy_target": {"id": policy.id}, "escalation_note": "please"}  # fmt: skip
    first = await tasks.do("page_rootly_on_call_responders", wish, alert=alert)
    assert first.output["what"] == "responders_added", first.why
    again = await tasks.do("page_rootly_on_call_responders", wish, alert=alert)
    assert again.output["what"] == "already_responding"
    await scene.at("02:00").pages(ben)
    step = await tasks.step(alert=alert)
    own = [
        await tasks.again("page_rootly_on_call_responders", {**wish, "create_new_alert": True}, step)
        for _ in range(2)
    ]
    assert own[0].output["alert_id"] == own[1].output["alert_id"] != str(alert)
    await scene.at("02:00").pages(ben)
    nobody = registry.problems("page_rootly_on_call_responders", {"summary": "x"})
    assert [problem.place for problem in nobody] == ["escalation_policy_target"]
    missing = await tasks.do(
        "page_rootly_on_call_responders", {"summary": "x", "service_target": {"id": "none"}}, alert=alert
    )
    assert missing.outcome == "failed" and "no Service 'none'" in missing.why


async def test_alerts_of_late_are_looked_up(scene, tasks, alert):
    said = await tasks.do(
        "get_alerts", {"past_duration": "1 hour", "labels": ["severity:critical"]}, alert=alert
    )
    assert (said.output["count"], said.output["alerts"][0]["summary"]) == (1, "DiskFull on db1")
    assert (await tasks.do("get_alerts", {"past_duration": "1 hour", "labels": ["severity:low"]})).output[
        "count"
    ] == 0
    assert (await tasks.do("get_alerts", {"past_duration": "1 hour", "sources": ["api"]})).output[
        "count"
    ] == 1
    service = {"past_duration": "1 hour", "service_ids": ["API"]}
    assert (await tasks.do("get_alerts", service)).output["count"] == 1


# ---------------------------------------------------------------- flow


async def test_a_run_says_waits_and_starts_another(scene, tasks, alert):
    assert (await tasks.do("print", {"message": "{{ alert.short_id }}"}, alert=alert)).output["message"]
    began = scene.clock()
    first = await tasks.do("wait", {"duration": "10 min"}, began_at=began)
    assert (first.outcome, first.until) == ("wait", began + timedelta(minutes=10))
    over = await tasks.do("wait", {"duration": "10 min"}, began_at=began - timedelta(minutes=10))
    assert over.outcome == "done"
    bad = await tasks.do("wait", {"duration": "{{ 'soon' }}"})
    assert bad.outcome == "failed" and "no duration" in bad.why
    wish = {"workflow": {"id": "other"}, "kind": "alert", "resource": {}, "attribute_to_query_by": "id"}
    said = await tasks.do("trigger_workflow", wish, alert=alert, depth=2)
    assert said.outcome == "done"
    assert (tasks.triggered[0].workflow, tasks.triggered[0].alert_id, tasks.triggered[0].depth) == (
        "other",
        alert,
        3,
    )
    gone = await tasks.do("trigger_workflow", {**wish, "workflow": {"id": "none"}}, alert=alert)
    assert (gone.outcome, gone.why) == ("failed", "There is no such workflow.")


def test_an_address_that_can_never_be_called_is_refused_when_it_is_saved():
    def reach(url: str) -> str:
        return Guard().objection(url)

    for url in ("http://10.0.0.1/", "ftp://example.org/", "http://[::1]/"):
        wrong = registry.problems("http_client", {"url": url, "succeed_on_status": "200"}, reach=reach)
        assert [problem.place for problem in wrong] == ["url"], url
        wrong = registry.problems("create_alertmanager_silence", {"alertmanager_url": url}, reach=reach)
        assert [problem.place for problem in wrong] == ["alertmanager_url"], url
    fine = {"url": "https://hooks.example.org/{{ alert.id }}", "succeed_on_status": "200"}
    assert registry.problems("http_client", fine, reach=reach) == []


async def test_tasks_of_other_vendors_are_not_configured(tasks):
    said = await tasks.do("create_jira_issue", {"title": "x"})
    assert said.outcome == "not_configured"


@pytest.mark.parametrize("kind", sorted(registry.TASKS))
def test_every_task_names_the_fields_it_lacks(kind):
    required = {f.encode_name for f in structs.fields(registry.TASKS[kind].params) if f.required}
    assert {problem.place for problem in registry.problems(kind, {"task_type": kind})} >= required
    named = {f.encode_name: "{{ broken " for f in structs.fields(registry.TASKS[kind].params)}
    places = {problem.place for problem in registry.problems(kind, named)}
    assert places == set(named)


@pytest.mark.parametrize(
    ("kind", "params", "place"),
    [
        ("http_client", {"url": "{{ alert.url }}", "succeed_on_status": "2[0"}, "succeed_on_status"),
        ("http_client", {"url": "{{ alert.url }}", "succeed_on_status": "200", "headers": "{nope"}, "headers"),
        ("http_client", {"url": "{{ alert.url }}", "succeed_on_status": "200", "params": "[1]"}, "params"),
        ("http_client", {"url": "{{ alert.url }}", "succeed_on_status": "200", "retry_count": 9}, "retry_count"),
        ("create_incident", {"title": "{{ alert.summary }}", "attach_to_open": "label"}, "attach_label"),
        ("page_rootly_on_call_responders", {"summary": "{{ alert.summary }}"}, "escalation_policy_target"),
        ("page_rootly_on_call_responders", {"summary": "x", "user_target": {"id": ""}}, "escalation_policy_target"),
        ("update_incident", {"title": "{{ alert.summary }}", "status": "exploded"}, "status"),
        ("update_incident", {"title": "{{ alert.summary }}", "started_at": "yesterday"}, "started_at"),
        ("add_action_item", {"summary": "{{ alert.summary }}", "status": "open"}, "priority"),
        ("add_role", {"incident_role_id": "commander"}, "assigned_to_user"),
        ("auto_assign_role_rootly", {"incident_role_id": "commander"}, "schedule_target"),
        ("add_subscribers", {}, "user_ids"),
        ("send_email", {"to": ["{{ alert.labels.mail }}", "nobody"], "subject": "x", "body": "x"}, "to"),
        ("send_sms", {"phone_numbers": ["555"], "content": "{{ alert.summary }}"}, "phone_numbers"),
        ("send_slack_message", {"text": "{{ alert.summary }}"}, "channels"),
        ("send_telegram_message", {"text": "{{ alert.summary }}", "channels": [{}]}, "channels"),
        ("get_alerts", {"past_duration": "a while"}, "past_duration"),
        ("get_alerts", {"past_duration": "1 h", "labels": ["nothing"]}, "labels"),
        ("wait", {"duration": "-1 min"}, "duration"),
        ("snooze_alert", {"duration": "eternity"}, "duration"),
        ("create_alertmanager_silence", {"comment": "{{ alert.summary }}", "matchers": "a=~"}, "matchers"),
        ("trigger_workflow", {"workflow": {}, "resource": {"id": "{{ alert.id }}"}}, "workflow"),
    ],
)  # fmt: skip
def test_what_can_never_work_is_refused_when_it_is_saved_also_beside_templates(kind, params, place):
    assert [problem.place for problem in registry.problems(kind, params)] == [place]


def test_what_a_template_will_say_is_not_judged_before():
    for kind, params in (
        ("send_email", {"to": ["{{ alert.labels.mail }}"], "subject": "x", "body": "x"}),
        ("wait", {"duration": "{{ alert.labels.pause }}"}),
        ("http_client", {"url": "{{ alert.url }}", "succeed_on_status": "200", "headers": '{"a": "{{ alert.id }}"}'}),
        ("update_incident", {"status": "{{ alert.labels.status }}"}),
        ("page_rootly_on_call_responders", {"summary": "x", "user_target": {"id": "{{ alert.labels.who }}"}}),
    ):  # fmt: skip
        assert registry.problems(kind, params) == [], kind
