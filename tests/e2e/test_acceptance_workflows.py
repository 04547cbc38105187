"""Workflows asked from outside: rows C6a to C6d of the acceptance table, C13 and A4 as far as they speak of workflows.

With captured bytes, and once with a real Alertmanager, whose alert opens an incident, pages, posts and closes it again.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from conftest import require_real
from support.household import WEBHOOK, House, Json, Sender, flat, opened
from support.programs import Alertmanager, eventually, installed, unpacked

pytestmark = [pytest.mark.timeout(120)]

SINGLE = "single_firing"
CRITICAL = {
    "trigger_type": "alert",
    "triggers": ["alert_created"],
    "alert_condition": "ALL",
    "alert_condition_payload": "IS",
    "alert_query_payload": "$.commonLabels.severity",
    "alert_payload": ["critical"],
}
RESOLVED = {
    "trigger_type": "alert",
    "triggers": ["alert_status_updated"],
    "alert_condition_status": "IS",
    "alert_statuses": ["resolved"],
}
TITLE = "{{ alert.summary }} on {{ alert.data.commonLabels.job }}"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """An installation of these tests' own: their workflows would work on everybody's alerts."""
    with opened(tmp_path_factory.mktemp("workflows")) as opened_house:
        yield opened_house


@pytest.fixture
def source(house: House) -> Sender:
    """A source of this test alone."""
    return house.source()


@pytest.fixture(autouse=True)
def alone(house: House) -> Iterator[None]:
    """Switch off the workflows of a test after it."""
    yield
    for one in house.api.list("/workflows"):
        house.api.ask("PUT", f"/workflows/{one['id']}", {"enabled": False})


def automation(house: House, name: str, trigger: Json, *tasks: Json, **more: object) -> Json:
    """Make a workflow with tasks in order."""
    workflow = house.api.add("/workflows", name=name, trigger_params=trigger, **more)
    for params in tasks:
        outside = {key: params.pop(key) for key in ("skip_on_failure",) if key in params}
        house.api.add(f"/workflows/{workflow['id']}/workflow_tasks", task_params=params, **outside)
    return workflow


def ran(house: House, workflow: Json, many: int = 1) -> list[Json]:
    """Return the runs of a workflow, the oldest first, once so many of them are over."""

    def look() -> list[Json] | None:
        runs = house.api.list(f"/workflows/{workflow['id']}/workflow_runs")
        over = [run for run in runs if run["status"] not in ("queued", "started")]
        return runs[::-1] if len(over) >= many and len(over) == len(runs) else None

    found = eventually(look, within=20, what=f"{many} runs of {workflow['name']}")
    assert found is not None
    return found


def steps_of(house: House, run: Json) -> list[Json]:
    """Return the steps of a run, in order."""
    found = house.api.ask("GET", f"/workflow_runs/{run['id']}?include=genius_task_runs")
    return [flat(one) for one in found["included"]]


def severity(house: House) -> Json:
    """Return a severity."""
    known = house.api.list("/severities", name="Critical")
    return known[0] if known else house.api.add("/severities", name="Critical", severity="critical")


def test_an_alert_workflow_creates_an_incident(house: House, source: Sender):
    """C6a, A4: once, however often the alert is sent."""
    worst = severity(house)
    task = {"task_type": "create_incident", "title": TITLE, "severity_id": worst["id"]}
    workflow = automation(house, "Open an incident", CRITICAL, task)
    source.send(SINGLE, SINGLE)
    alert = source.alert()
    (run,) = ran(house, workflow)
    assert (run["status"], run["alert_id"], run["triggered_by"]) == ("completed", alert["id"], "system")
    incident = house.api.one(f"/incidents/{run['incident_id']}")
    assert incident["title"] == "HighErrorRate on api"
    assert incident["severity"]["data"]["id"] == worst["id"]
    attached = house.api.list(f"/incidents/{incident['id']}/alerts")
    assert [one["id"] for one in attached] == [alert["id"]]
    assert "attached" in [event["action"] for event in house.events(alert)]
    lines = house.api.list(f"/incidents/{incident['id']}/events")
    assert any("Open an incident" in json.dumps(line) for line in lines), lines
    assert "workflow.completed" in house.codes(alert)


def test_a_workflow_follows_up(house: House, source: Sender):
    """C6b: everything is done in order; what fails and may fail does not hold up the others."""
    tasks: tuple[Json, ...] = (
        {"task_type": "create_incident", "title": TITLE},
        {"task_type": "add_to_timeline", "event": "Seen {{ alert.summary }}"},
        {
            "task_type": "add_action_item",
            "summary": "Look at {{ alert.data.commonLabels.job }}",
            "priority": "high",
            "status": "open",
        },
        {
            "task_type": "page_rootly_on_call_responders",
            "summary": "Help with {{ alert.summary }}",
            "escalation_policy_target": {"id": house.other_policy["id"], "name": "Bo"},
        },
        {
            "task_type": "http_client",
            "url": "http://10.0.0.{{ 1 }}/nobody",
            "method": "GET",
            "skip_on_failure": True,
        },
        {
            "task_type": "http_client",
            "url": f"{house.phone.url}/sink",
            "method": "POST",
            "headers": '{"Authorization": "Bearer shh"}',
            "body": '{"said": "{{ alert.summary }} on {{ alert.data.commonLabels.job }}"}',
            "succeed_on_status": "200",
        },
        {
            "task_type": "send_email",
            "to": ["team@example.org"],
            "subject": "{{ alert.summary }}",
            "body": "On {{ alert.data.commonLabels.job }}",
        },
    )
    kinds = [task["task_type"] for task in tasks]
    workflow = automation(house, "Follow up", CRITICAL, *tasks)
    source.send(SINGLE)
    alert = source.alert()
    (run,) = ran(house, workflow)
    steps = steps_of(house, run)
    assert run["status"] == "completed_with_errors", (run["status_message"], steps)
    assert [step["task_type"] for step in steps] == kinds
    assert [step["status"] for step in steps] == ["completed"] * 4 + ["failed"] + ["completed"] * 2, steps
    incident = house.api.one(f"/incidents/{run['incident_id']}")
    assert any(
        "Seen HighErrorRate" in line["event"]
        for line in house.api.list(f"/incidents/{incident['id']}/events")
    )
    items = house.api.list(f"/incidents/{incident['id']}/action_items")
    assert [(item["summary"], item["priority"]) for item in items] == [("Look at api", "high")]
    posted = [one for one in house.phone.requests if one.path == "/sink"]
    assert [one.json() for one in posted] == [{"said": "HighErrorRate on api"}]
    assert posted[0].headers["authorization"] == "Bearer shh"
    assert "shh" not in json.dumps(steps)
    eventually(lambda: "Bo" in house.paged(alert), what="a page to Bo")
    mails = [mail for mail in list(house.mailbox.mails) if mail.recipients == ["team@example.org"]]
    assert [mail.message["Subject"] for mail in mails] == ["HighErrorRate"]


def test_a_task_that_must_not_fail_ends_the_run(house: House, source: Sender):
    """C6b: a failed task."""
    broken = {
        "task_type": "http_client",
        "url": "http://10.0.0.{{ 1 }}/nobody",
        "method": "GET",
        "retry_count": 0,
    }
    workflow = automation(house, "Stop there", CRITICAL, broken, {"task_type": "print", "message": "never"})
    source.send(SINGLE)
    (run,) = ran(house, workflow)
    assert (run["status"], bool(run["failed_at"])) == ("failed", True)
    assert [step["status"] for step in steps_of(house, run)] == ["failed"]


def test_what_does_not_match_does_not_run(house: House, source: Sender):
    """C6c: and the dry run says why."""
    warning = {**CRITICAL, "alert_payload": ["warning"]}
    workflow = automation(house, "Only warnings", warning, {"task_type": "create_incident", "title": TITLE})
    other = automation(house, "Everything critical", CRITICAL, {"task_type": "print", "message": "seen"})
    source.send(SINGLE)
    ran(house, other)
    assert house.api.list(f"/workflows/{workflow['id']}/workflow_runs") == []
    assert house.api.one(f"/alerts/{source.alert()['id']}").get("incidents") in ([], None)
    tried = house.api.ask("POST", f"/workflows/{workflow['id']}/dry_run", {"alert_id": source.alert()["id"]})
    told = tried["data"]["attributes"]
    assert told["matched"] is False
    assert any("severity" in why and "critical" in why for why in told["why_not"]), told["why_not"]


def test_a_resolve_resolves_the_incident(house: House, source: Sender):
    """C6d."""
    opening = automation(house, "Open", CRITICAL, {"task_type": "create_incident", "title": TITLE})
    closing = automation(house, "Close", RESOLVED, {"task_type": "update_status", "status": "resolved"})
    source.send(SINGLE)
    (opened_run,) = ran(house, opening)
    assert house.api.one(f"/incidents/{opened_run['incident_id']}")["status"] != "resolved"
    house.api.ask("POST", f"/alerts/{source.alert()['id']}/resolve")
    (run,) = ran(house, closing)
    assert run["status"] == "completed", steps_of(house, run)
    assert house.api.one(f"/incidents/{opened_run['incident_id']}")["status"] == "resolved"


def test_an_alert_that_flaps_is_created_once_and_changes_each_time(house: House, source: Sender):
    """C13: created ran once, status updated twice."""
    once = automation(
        house,
        "Once",
        {"trigger_type": "alert", "triggers": ["alert_created"]},
        {"task_type": "print", "message": "1"},
    )
    each = automation(
        house,
        "Each",
        {"trigger_type": "alert", "triggers": ["alert_status_updated"]},
        {"task_type": "print", "message": "{{ alert.status }}"},
    )
    suffix = f"/notify/User/{house.ana['id']}"
    source.send("flap_1_firing", "flap_2_resolved", "flap_3_firing_again", suffix=suffix)
    assert len(source.alerts()) == 1
    assert [run["status"] for run in ran(house, each, 2)] == ["completed", "completed"]
    assert len(ran(house, once)) == 1


# ---------------------------------------------------------------- killed in the middle


def test_a_run_goes_on_after_the_program_was_killed(house: House, source: Sender):
    """C6b: at least once, with the same key, and nothing that was done is done again."""
    sink = f"{house.phone.url}/crash"
    tasks: list[Json] = [
        {
            "task_type": "http_client",
            "url": f"{sink}/{n}",
            "method": "POST",
            "body": "x",
            "succeed_on_status": "200",
        }
        for n in range(6)
    ]
    tasks.insert(3, {"task_type": "wait", "duration": "3 seconds"})
    workflow = automation(house, "Killed", CRITICAL, *tasks)
    source.send(SINGLE)
    eventually(lambda: any(one.path == "/crash/2" for one in house.phone.requests), what="the third post")
    house.program.kill()
    house.program.start()
    (run,) = ran(house, workflow)
    assert run["status"] == "completed", steps_of(house, run)
    posted = [one.path for one in house.phone.requests if one.path.startswith("/crash")]
    assert list(dict.fromkeys(posted)) == [f"/crash/{n}" for n in range(6)]
    # Only what was under way when it was killed may have been done twice.
    assert len(posted) <= len(set(posted)) + 1
    assert [step["status"] for step in steps_of(house, run)] == ["completed"] * len(tasks)


# ---------------------------------------------------------------- a real Alertmanager

CONFIG = """
route: {{receiver: nightbell, group_by: [alertname], group_wait: 1s, group_interval: 1s, repeat_interval: 1h}}
receivers:
- name: nightbell
  webhook_configs:
  - url: '{url}'
    send_resolved: true
    http_config: {{authorization: {{type: Bearer, credentials: {secret}}}}}
"""


@pytest.mark.real
def test_an_alert_of_a_real_alertmanager_opens_an_incident_and_its_end_closes_it(
    house: House, source: Sender, tmp_path
):
    """C6a, C6b, C6d: it pages, and posts what was filled in."""
    binary = unpacked("prometheus-alertmanager") or installed("prometheus-alertmanager", "alertmanager")
    if binary is None:
        require_real("an Alertmanager")
    assert binary is not None
    opening = automation(
        house,
        "Coordinate",
        CRITICAL,
        {"task_type": "create_incident", "title": "{{ alert.summary }} on {{ alert.labels.job }}"},
        {
            "task_type": "http_client",
            "url": f"{house.phone.url}/real",
            "method": "POST",
            "body": '{"title": "{{ incident.title }}", "alert": "{{ alert.short_id }}"}',
            "succeed_on_status": "200",
        },
    )
    closing = automation(house, "Done", RESOLVED, {"task_type": "update_status", "status": "resolved"})
    url = f"{house.program.url}{WEBHOOK}/notify/User/{house.ana['id']}"
    with Alertmanager(binary, tmp_path / "am", CONFIG.format(url=url, secret=source.secret)) as manager:
        _tell(manager, fires=True)
        (run,) = ran(house, opening)
        assert run["status"] == "completed", steps_of(house, run)
        alert = source.alert()
        assert house.paged(alert) == ["Ana"]
        house.mailed(alert, house.ana)
        (posted,) = [one for one in house.phone.requests if one.path == "/real"]
        assert posted.json() == {"title": "DiskFull on backup", "alert": alert["short_id"]}
        _tell(manager, fires=False)
        (ended,) = ran(house, closing)
    assert ended["status"] == "completed", steps_of(house, ended)
    assert source.alert()["status"] == "resolved"
    assert house.api.one(f"/incidents/{run['incident_id']}")["status"] == "resolved"


def _tell(manager: Alertmanager, *, fires: bool) -> None:
    labels = {"alertname": "DiskFull", "job": "backup", "severity": "critical"}
    alert: Json = {"labels": labels, "annotations": {"summary": "DiskFull"}}
    if not fires:
        alert["endsAt"] = datetime.now(UTC).isoformat()
    httpx.post(f"{manager.url}/api/v2/alerts", json=[alert], timeout=10).raise_for_status()
