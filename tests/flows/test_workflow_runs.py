"""Runs of workflows: one for each thing that happened, their tasks in order, resumed wherever they were interrupted."""

import asyncio
from datetime import timedelta

import pytest

from nightbell.core.errors import Invalid, Stale
from nightbell.core.journal import person
from nightbell.engine.incident_edits import IncidentEdit
from nightbell.engine.node import Node
from nightbell.engine.tasks.contract import done, failed, retry
from nightbell.engine.workflow_runs import About, Wish
from nightbell.store.write import runs
from nightbell.worker.workflows import Lanes
from support.workflows import Automation, Killed, nobody, task


@pytest.fixture
async def ana(scene):
    ana = await scene.cast.person("Ana", "sms")
    await scene.cast.source(pages=await scene.cast.policy(([ana], 600)))
    return ana


@pytest.fixture
def auto(scene, ana):
    return Automation(scene)


@pytest.fixture
def fires(scene, ana):
    async def fires(name="DiskFull", at="02:00"):
        await scene.at(at).firing(name).pages(ana)
        return (await scene.db.fetch("SELECT * FROM alerts ORDER BY id DESC LIMIT 1"))[0]

    return fires


async def test_an_alert_runs_the_workflows_that_wait_for_it(auto, fires):
    said = await auto.workflow("Say it", ("print", {"message": "{{ alert.summary }} on {{ alert.source }}"}))
    await auto.workflow("Not me", ("print", {"message": "x"}), triggers=["alert_status_updated"])
    alert = await fires()
    await auto.settle()
    (run,) = await auto.db.fetch("SELECT * FROM workflow_runs")
    assert (run["workflow_id"], run["status"], run["triggered_by"]) == (said, "completed", "system")
    assert (run["alert_id"], run["occurrence"], run["trigger"]) == (alert["id"], 1, "alert_created")
    (step,) = await auto.db.fetch("SELECT * FROM workflow_steps")
    assert step["output"] == {"message": "DiskFull on alertmanager"}
    assert step["input"] == {"message": "DiskFull on alertmanager"}
    (line,) = await auto.db.fetch("SELECT * FROM alert_events WHERE code LIKE 'workflow%'")
    assert (line["source"], line["details"]) == ("workflow", "Workflow Say it: done. It did: Print.")


async def test_one_run_for_each_occurrence_however_often_the_alert_is_sent(scene, auto, ana):
    await auto.workflow("Once each", ("print", {"message": "x"}))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .at("02:10").firing("DiskFull")
        .at("02:20").resolved("DiskFull").told(ana)
        .at("03:00").firing("DiskFull").pages(ana)
    )  # fmt: skip
    await auto.settle()
    assert await auto.statuses() == ["completed"]


async def test_what_is_matched_twice_runs_once(auto, fires):
    await auto.workflow("Once", ("print", {"message": "x"}))
    await fires()
    await auto.match()
    await auto.db.run("UPDATE happenings SET matched_at = NULL")
    assert await auto.match() == 0
    assert await auto.statuses() == ["queued"]


async def test_a_storm_is_one_run_for_each_alert(scene, auto, ana):
    await auto.workflow("Storm", ("print", {"message": "x"}))
    for number in range(12):
        await scene.at("02:00").firing(f"Disk{number}").pages(ana)
    assert await auto.match() == 12
    assert await auto.match() == 0


async def test_a_task_that_fails_ends_the_run_and_what_is_after_it_is_not_done(auto, fires):
    async def fails(hands, params, step):
        return failed("the sink says no")

    with task("fails", fails):
        await auto.workflow("Fails", ("fails", {}, {"name": "Ask"}), ("print", {"message": "never"}))
        await fires()
        await auto.settle()
    (run,) = await auto.db.fetch("SELECT * FROM workflow_runs")
    assert (run["status"], run["status_message"]) == ("failed", "Ask: the sink says no")
    assert run["failed_at"] and run["started_at"]
    assert await auto.steps() == [("fails", "failed")]


async def test_a_task_that_may_fail_lets_the_run_go_on_with_errors(auto, fires):
    async def fails(hands, params, step):
        return failed("no")

    with task("fails", fails):
        await auto.workflow(
            "Goes on", ("fails", {}, {"skip_on_failure": True}), ("print", {"message": "yes"})
        )
        await fires()
        await auto.settle()
    assert await auto.statuses() == ["completed_with_errors"]
    assert await auto.steps() == [("fails", "failed"), ("print", "completed")]


async def test_a_task_with_a_defect_does_not_lose_the_run(auto, fires):
    async def breaks(hands, params, step):
        raise KeyError("oops")

    with task("breaks", breaks):
        await auto.workflow(
            "Breaks", ("breaks", {}, {"skip_on_failure": True}), ("print", {"message": "yes"})
        )
        await fires()
        await auto.settle()
    assert await auto.statuses() == ["completed_with_errors"]


async def test_what_nothing_here_does_is_said_and_the_run_goes_on(auto, fires):
    await auto.workflow("Foreign", ("create_jira_issue", {"title": "x"}), ("print", {"message": "yes"}))
    await fires()
    await auto.settle()
    assert await auto.statuses() == ["completed_with_errors"]
    assert await auto.steps() == [("create_jira_issue", "not_configured"), ("print", "completed")]


async def test_what_may_work_later_is_attempted_again_with_the_same_key(auto, fires):
    keys = []

    async def flaky(hands, params, step):
        keys.append((step.key, step.attempt, step.began_at))
        return done() if len(keys) == 3 else retry("busy", step.now)

    with task("flaky", flaky):
        await auto.workflow("Flaky", ("flaky", {}))
        await fires()
        await auto.settle()
        assert (await auto.statuses(), len(keys)) == (["started"], 1)
        await auto.later(1)
        await auto.later(1)
    assert await auto.statuses() == ["completed"]
    assert len({(key, began) for key, _, began in keys}) == 1
    assert [attempt for _, attempt, _ in keys] == [1, 2, 3]


async def test_what_never_works_fails_in_the_end(auto, fires):
    async def busy(hands, params, step):
        return retry("busy", step.now)

    with task("busy", busy, attempts=2):
        await auto.workflow("Busy", ("busy", {}))
        await fires()
        await auto.settle()
        await auto.later(1)
    (run,) = await auto.db.fetch("SELECT * FROM workflow_runs")
    assert (run["status"], run["status_message"]) == ("failed", "busy: busy")


async def test_a_task_that_waits_holds_up_what_is_after_it(auto, fires):
    await auto.workflow("Waits", ("wait", {"duration": "10 min"}), ("print", {"message": "later"}))
    await fires()
    await auto.settle()
    assert await auto.steps() == [("wait", "waiting")]
    await auto.later(9)
    assert await auto.statuses() == ["started"]
    await auto.later(1)
    assert await auto.statuses() == ["completed"]


async def test_a_workflow_waits_before_it_begins_and_asks_again_then(scene, auto, ana, fires):
    condition = {"alert_condition_status": "IS", "alert_statuses": ["triggered"]}
    await auto.workflow("Patient", ("print", {"message": "x"}), wait="10 min", trigger_params=condition)
    await fires()
    await auto.settle()
    assert await auto.statuses() == ["queued"]
    await scene.at("02:05").acknowledged(ana)
    await auto.later(5)
    (run,) = await auto.db.fetch("SELECT * FROM workflow_runs")
    assert run["status"] == "canceled"
    assert run["status_message"].startswith("Its conditions hold no more: ")


async def test_a_workflow_goes_round_until_it_is_told_not_to(auto, fires):
    await auto.workflow(
        "Round",
        ("print", {"message": "again"}),
        repeat_every_duration="10 min",
        repeat_condition_number_of_repeats=2,
    )
    await fires()
    await auto.settle()
    for _ in range(5):
        await auto.later(10)
    rows = await auto.db.fetch("SELECT * FROM workflow_runs ORDER BY id")
    assert [(r["status"], r["repeat_count"]) for r in rows] == [
        ("completed", 0),
        ("completed", 1),
        ("completed", 2),
    ]
    assert rows[2]["started_at"] - rows[0]["started_at"] == timedelta(minutes=20)


async def test_a_workflow_stops_going_round_when_its_conditions_hold_no_more(scene, auto, ana, fires):
    condition = {"alert_condition_status": "IS", "alert_statuses": ["triggered"]}
    await auto.workflow(
        "Round", ("print", {"message": "again"}), repeat_every_duration="10 min", trigger_params=condition
    )
    await fires()
    await auto.settle()
    await auto.later(10)
    await scene.at("02:15").acknowledged(ana)
    await auto.later(5)
    await auto.later(10)
    assert await auto.statuses() == ["completed", "completed", "canceled"]


async def test_a_run_holds_the_workflow_as_it_was(auto, fires):
    ident = await auto.workflow("Frozen", ("wait", {"duration": "10 min"}), ("print", {"message": "old"}))
    await fires()
    await auto.settle()
    await auto.db.run("DELETE FROM workflow_tasks WHERE workflow_id = $1", ident)
    await auto.later(10)
    assert await auto.steps() == [("wait", "completed"), ("print", "completed")]


async def test_a_run_can_be_canceled_and_done_again(scene, auto, ana, fires):
    await auto.workflow("Long", ("wait", {"duration": "10 min"}), ("print", {"message": "x"}))
    await fires()
    await auto.settle()
    (run,) = await auto.db.fetch("SELECT id FROM workflow_runs")
    by = person(ana.id, "Ana")
    await auto.runs.cancel(run["id"], by=by, now=auto.clock())
    with pytest.raises(Stale):
        await auto.runs.cancel(run["id"], by=by, now=auto.clock())
    assert await auto.steps() == [("wait", "canceled")]
    again = await auto.runs.again(run["id"], by=by, now=auto.clock())
    await auto.settle()
    await auto.later(10)
    rows = {r["id"]: r for r in await auto.db.fetch("SELECT * FROM workflow_runs")}
    assert rows[run["id"]]["status_message"] == "Canceled by Ana."
    assert (rows[again]["status"], rows[again]["triggered_by"], rows[again]["user_id"]) == (
        "completed",
        "user",
        ana.id,
    )


async def test_a_run_by_hand_needs_what_its_workflow_is_about(auto, ana, fires):
    await auto.workflow(
        "By hand",
        ("print", {"message": "{{ context.reason }}"}),
        trigger_params={"alert_condition_status": "IS", "alert_statuses": ["resolved"]},
    )
    alert = await fires()
    await auto.settle()
    by = person(ana.id, "Ana")
    with pytest.raises(Invalid, match="about an alert"):
        await auto.runs.begin("by-hand", Wish(), by=by, now=auto.clock())
    about = About(alert_id=alert["id"])
    with pytest.raises(Invalid, match="conditions do not hold"):
        await auto.runs.begin("by-hand", Wish(about=about, check_conditions=True), by=by, now=auto.clock())
    await auto.runs.begin(
        "by-hand", Wish(about=about, context={"reason": "why not"}), by=by, now=auto.clock()
    )
    await auto.settle()
    (step,) = await auto.db.fetch("SELECT * FROM workflow_steps")
    assert step["output"] == {"message": "why not"}


async def test_a_workflow_that_causes_itself_is_cut(auto, fires):
    triggers = ["alert_created", "alert_status_updated"]
    await auto.workflow("Ouroboros", ("resolve_alert", {}), triggers=triggers)
    await fires()
    await auto.settle()
    auto.scene.phones.unclaimed.clear()
    rows = await auto.db.fetch("SELECT * FROM workflow_runs ORDER BY id")
    assert [r["status"] for r in rows] == ["completed", "canceled"]
    assert rows[1]["status_message"].startswith("Loop cut: this workflow caused itself")
    assert (rows[1]["cause_run_id"], rows[1]["depth"], rows[1]["triggered_by"]) == (
        rows[0]["id"],
        1,
        "workflow",
    )


@pytest.mark.parametrize("crash_at", range(4))
async def test_a_run_that_is_killed_anywhere_comes_to_the_same_end(scene, auto, fires, crash_at):
    deeds, turns = [], 0

    async def deed(hands, params, step):
        nonlocal turns
        turns += 1
        if turns == crash_at:
            raise Killed
        deeds.append((params.message, step.key))
        turns += 1
        if turns == crash_at:
            raise Killed
        return done(said=params.message)

    with task("deed", deed):
        await auto.workflow("Deeds", ("deed", {"message": "one"}), ("deed", {"message": "two"}))
        await fires()
        try:
            await auto.settle()
        except Killed:
            auto.start()
            await auto.running.recover(("node",))
            await auto.settle()
    assert await auto.statuses() == ["completed"]
    assert list(dict.fromkeys(said for said, _ in deeds)) == ["one", "two"]
    assert len({key for _, key in deeds}) == 2
    rows = await auto.db.fetch("SELECT attempts FROM workflow_steps ORDER BY position")
    assert sum(r["attempts"] for r in rows) == (2 if crash_at == 0 else 3)


async def test_another_node_takes_up_a_run_when_its_lease_is_over(scene, auto, fires):
    await auto.workflow("Two hands", ("print", {"message": "x"}))
    await fires()
    await auto.match()
    (hand,) = await auto.running.claim(4)
    assert await auto.running.claim(4) == []
    await auto.later(2)
    assert await auto.statuses() == ["completed"]
    await auto.running.go(hand, nobody)
    assert await auto.statuses() == ["completed"]
    assert len(await auto.steps()) == 1


async def test_a_run_goes_on_at_once_when_the_database_is_back(scene, auto, fires, monkeypatch):
    await auto.workflow("Goes on", ("print", {"message": "x"}))
    await fires()
    await auto.match()
    lanes = Lanes(
        auto.db, auto.matching, auto.running, Node(name="node", clock=auto.clock, woken=lambda _: None)
    )
    carry_out = auto.running.go

    async def cut_off(hand, polite):
        monkeypatch.setattr(auto.running, "go", carry_out)
        raise ConnectionResetError("the server is gone")

    monkeypatch.setattr(auto.running, "go", cut_off)
    for _ in range(3):
        lanes.ring()
        await lanes.run()
        await asyncio.gather(*lanes.under_way, return_exceptions=True)
    assert await auto.statuses() == ["completed"]
    lanes.ring()
    await lanes.run()
    assert not lanes.under_way


async def test_what_is_in_hands_is_not_let_go(auto, fires):
    for name in ("One", "Two"):
        await auto.workflow(name, ("print", {"message": name}))
    await fires()
    await auto.match()
    kept, lost = await auto.running.claim(4)
    assert await auto.running.let_go([kept.run.id]) == 1
    assert [hand.run.id for hand in await auto.running.claim(4)] == [lost.run.id]


async def test_what_opens_something_is_not_kept(auto, fires):
    async def deed(hands, params, step):
        return done(authorization="Bearer abc", said="token=abc")

    with task("deed", deed):
        await auto.workflow("Secrets", ("deed", {"message": "https://ana:secret@host/?api_key=abc"}))
        await fires()
        await auto.settle()
    (step,) = await auto.db.fetch("SELECT * FROM workflow_steps")
    assert step["output"] == {"authorization": "•••", "said": "token=•••"}
    assert step["input"] == {"message": "https://•••@host/?api_key=•••"}


async def test_endpoints_outside_hear_of_runs_where_they_want_to(auto, fires):
    await auto.workflow("Heard", ("print", {"message": "x"}))
    await auto.db.run(
        """INSERT INTO webhooks_endpoints (id, name, slug, url, event_types, sealed, enabled, created_at, updated_at)
        VALUES (gen_random_uuid(), 'Ears', 'ears', 'http://example.org', $1, '', true, now(), now())""",
        ["genius_workflow_run.queued", "genius_workflow_run.completed"],
    )
    await auto.db.execute("bump_configuration")
    await fires()
    await auto.settle()
    rows = await auto.db.fetch("SELECT * FROM happenings WHERE run_id IS NOT NULL ORDER BY id")
    assert [r["kind"] for r in rows] == ["workflow_run_queued", "workflow_run_completed"]
    assert rows[1]["data"]["status"] == "completed" and rows[1]["data"]["workflow"] == "Heard"


async def test_what_everybody_heard_of_and_what_is_over_is_forgotten_in_time(auto, fires):
    await auto.workflow("Old", ("print", {"message": "x"}))
    await fires()
    await auto.settle()
    now = auto.clock()
    later = now + timedelta(days=8)
    await auto.db.execute("forget_happenings", later - timedelta(days=7))
    assert len(await auto.db.fetch("SELECT 1 FROM happenings")) == 1
    await auto.db.run("UPDATE happenings SET relayed_at = $1", now)
    await auto.db.execute("forget_happenings", now - timedelta(days=7))
    assert len(await auto.db.fetch("SELECT 1 FROM happenings")) == 1
    await auto.db.execute("forget_happenings", later - timedelta(days=7))
    assert await auto.db.fetch("SELECT 1 FROM happenings") == []
    await auto.db.execute("forget_runs", now)
    assert await auto.statuses() == ["completed"]
    await auto.db.execute("forget_runs", now + timedelta(seconds=1))
    assert await auto.statuses() == []
    assert await auto.steps() == []


async def test_one_change_of_an_incident_is_one_run_however_many_triggers_it_means(scene, auto, ana):
    incidents = auto.incidents
    by = person(ana.id, "Ana")
    await auto.workflow(
        "Any change",
        ("print", {"message": "{{ incident.title }}"}),
        kind="incident",
        triggers=["incident_updated", "title_updated", "summary_updated"],
    )
    made = await incidents.create(IncidentEdit(title="Boiler"), by=by, now=auto.clock())
    await auto.settle()
    assert await auto.statuses() == []
    await auto.later(1)
    await incidents.update(made.id, IncidentEdit(title="Boiler!", summary="Wet"), by=by, now=auto.clock())
    await auto.settle()
    assert await auto.statuses() == ["completed"]
    (step,) = await auto.db.fetch("SELECT output FROM workflow_steps")
    assert step["output"] == {"message": "Boiler!"}


async def test_an_alert_that_a_workflow_snoozes_knows_by_what_run(auto, fires):
    await auto.workflow("Later", ("snooze_alert", {"duration": "5 min"}), triggers=["alert_status_updated"])
    await auto.workflow("Hush", ("snooze_alert", {"duration": "30 min"}))
    await fires()
    await auto.settle()
    rows = await auto.db.fetch("SELECT * FROM workflow_runs ORDER BY depth, id")
    assert [(r["triggered_by"], r["cause_run_id"]) for r in rows[:2]] == [
        ("system", None),
        ("workflow", rows[0]["id"]),
    ]


async def test_workflows_that_cause_each_other_are_cut(auto, fires):
    ping = await auto.workflow("Ping", ("print", {"message": "x"}))
    pong = await auto.workflow("Pong", ("print", {"message": "x"}), triggers=["alert_status_updated"])
    # Saved one by one neither is a loop; made so behind the back of whoever checks.
    for one, other in ((ping, "pong"), (pong, "ping")):
        params = {"task_type": "trigger_workflow", "kind": "alert", "workflow": {"id": other}}
        await auto.db.run(
            "UPDATE workflow_tasks SET kind = 'trigger_workflow', params = $2 WHERE workflow_id = $1",
            one,
            params,
        )
    await auto.db.execute("bump_configuration")
    await fires()
    await auto.settle()
    rows = await auto.db.fetch("SELECT * FROM workflow_runs ORDER BY depth")
    assert [(r["status"], r["depth"]) for r in rows] == [("completed", 0), ("completed", 1), ("canceled", 2)]
    assert rows[2]["status_message"].startswith("Loop cut")


async def test_a_run_that_cannot_be_read_fails_and_the_others_go_on(auto, fires):
    for name in ("One", "Two"):
        await auto.workflow(name, ("print", {"message": name}))
    await fires()
    await auto.match()
    await auto.db.run(
        """UPDATE workflow_runs SET plan = '{"tasks": [{"what": 1}]}' WHERE plan->>'name' = 'One'"""
    )
    await auto.settle()
    assert sorted(await auto.statuses()) == ["completed", "failed"]


async def test_what_cannot_be_matched_does_not_hold_up_what_happened_after_it(auto, fires, monkeypatch):
    await auto.workflow("Seen", ("print", {"message": "x"}))
    await fires("Poison")
    await fires("Fine", at="02:05")
    queued = runs.queue

    async def breaks(tx, wanted, now):
        rows = await tx.fetch(
            "SELECT summary FROM alerts WHERE id = ANY($1)", [one.alert_id for one in wanted]
        )
        if any(row["summary"] == "Poison" for row in rows):
            raise ValueError("poison")
        return await queued(tx, wanted, now)

    monkeypatch.setattr(runs, "queue", breaks)
    await auto.settle()
    rows = await auto.db.fetch("SELECT a.summary FROM workflow_runs r JOIN alerts a ON a.id = r.alert_id")
    assert [row["summary"] for row in rows] == ["Fine"]
    assert await auto.db.fetch("SELECT 1 FROM happenings WHERE matched_at IS NULL") == []
