"""A fault put into each promise is seen by the auditor, told to the operators once, and over when it is mended."""

from datetime import timedelta
from uuid import uuid4

import pytest

from nightbell.audit.auditor import Auditor
from nightbell.core.delivery import Purpose
from nightbell.engine.sealing import WIDE, seal
from nightbell.telemetry import metrics
from nightbell.worker.alarms import Alarms


@pytest.fixture
async def olga(scene):
    """An owner, whom the auditor tells; by e-mail, so that pages and alarms are told apart."""
    return await scene.cast.person("Olga", "email", role="owner")


@pytest.fixture
async def ana(scene):
    return await scene.cast.person("Ana", "sms")


@pytest.fixture
def auditor(scene):
    engine = scene.engine
    alarms = Alarms(scene.db, engine.directories, engine.act, engine_node(scene))
    return Auditor(scene.db.dsn, scene.clock, alarms.alarm, alarms.calm)


def engine_node(scene):
    class Me:
        clock = scene.clock

    return Me()


@pytest.fixture
async def paged(scene, ana, olga):
    """An alert that pages Ana, and would page somebody again in ten minutes."""
    policy = await scene.cast.policy(([ana], 10), ([ana], 10))
    await scene.cast.source(pages=await scene.cast.service(policy=policy))
    await scene.at("02:00").firing("DiskFull").pages(ana)
    return (await scene.alert("DiskFull"))["id"]


async def told(scene, purpose=Purpose.PAGE):
    """Take what the auditor said to Olga; nobody else was told anything, and she nothing else."""
    await scene.settle()
    scene.phones.claim("Olga", "email", purpose)
    scene.phones.verify()


def gauge(invariant):
    return metrics.AUDIT_FINDINGS.labels(invariant=invariant)._value.get()


async def findings(scene):
    sql = "SELECT invariant, subject, told, gone_at FROM findings ORDER BY id"
    return [dict(row.items()) for row in await scene.db.fetch(sql)]


async def test_where_all_is_well_nothing_is_found(scene, auditor, paged):
    await seal(scene.db, scene.clock(), reach=WIDE)
    assert await auditor.round() == {}
    assert await auditor.round() == {}
    assert [gauge(name) for name in ("next_action", "page_once", "in_time", "ledger")] == [0, 0, 0, 0]


async def test_an_alert_that_waits_for_nothing_is_found_told_once_and_over_when_mended(scene, auditor, paged):
    sql = "UPDATE escalations SET phase = $1, wake_at = $2 WHERE alert_id = $3"
    await scene.db.run("UPDATE pages SET phase = 'ended', wake_at = NULL WHERE alert_id = $1", paged)
    await scene.db.run(sql, "ended", None, paged)
    assert await auditor.round() == {"next_action": 1}
    assert gauge("next_action") == 1
    await told(scene)
    assert await auditor.round() == {"next_action": 1}
    await scene.settle()
    scene.phones.verify()
    assert "waits for nothing" in (await findings(scene))[0]["told"]

    await scene.db.run(sql, "climbing", scene.clock() + timedelta(minutes=5), paged)
    assert await auditor.round() == {}
    assert gauge("next_action") == 0
    await told(scene, Purpose.UPDATE)
    assert (await scene.alert("NightbellAuditor"))["status"] == "resolved"


async def test_an_alert_that_names_somebody_and_pages_nobody_without_a_reason_is_found(scene, auditor, paged):
    await scene.db.run("UPDATE escalations SET phase = 'ended', wake_at = NULL WHERE alert_id = $1", paged)
    await scene.db.run("UPDATE alerts SET status = 'open' WHERE id = $1", paged)
    assert await auditor.round() == {"next_action": 1}
    await told(scene)


async def test_a_reason_in_the_journal_is_enough(scene, auditor, ana):
    await scene.cast.source(pages=ana)
    await scene.at("02:00").firing("DiskFull").pages(ana).at("02:30").says("escalation.exhausted")
    await seal(scene.db, scene.clock())
    assert await auditor.round() == {}


async def test_an_alert_that_asks_for_nobody_needs_no_action(scene, auditor):
    await scene.cast.source()
    await scene.at("02:00").firing("DiskFull").status("open")
    assert await auditor.round() == {}


async def test_a_page_made_twice_is_found(scene, auditor, paged):
    await scene.db.run("DROP INDEX one_page_per_cycle")
    columns = (
        "alert_id, escalation_id, user_id, occurrence, level, cycle, loudness, phase, created_at, updated_at"
    )
    ident = (await scene.db.fetch("SELECT max(id::text) AS id FROM pages"))[0]["id"][:-6] + "ffffff"
    await scene.db.run(f"INSERT INTO pages (id, {columns}) SELECT $1::uuid, {columns} FROM pages", ident)
    assert await auditor.round() == {"page_once": 1}
    await told(scene)


async def test_a_message_sent_again_after_it_was_taken_is_found(scene, auditor, paged):
    sql = """INSERT INTO attempts (id, notification_id, number, worker, started_at, created_at, updated_at)
        SELECT $1::uuid, notification_id, 2, 'twin', $2, $2, $2 FROM attempts"""
    ident = (await scene.db.fetch("SELECT max(id::text) AS id FROM attempts"))[0]["id"][:-6] + "ffffff"
    await scene.db.run(sql, ident, scene.clock() + timedelta(seconds=3))
    assert await auditor.round() == {"page_once": 1}
    await told(scene)


@pytest.mark.parametrize(
    ("kind", "sql"),
    [
        ("climb", "UPDATE escalations SET wake_at = $1"),
        ("page", "UPDATE pages SET wake_at = $1, phase = 'paging'"),
        ("alert", "UPDATE alerts SET wake_at = $1"),
        ("message", "UPDATE notifications SET state = 'waiting', send_at = $1"),
        ("lease", "UPDATE notifications SET state = 'sending', lease_until = $1"),
        ("doubt", "UPDATE notifications SET trace_at = $1"),
    ],
)
async def test_what_is_due_for_too_long_is_found_when_it_stays_so(scene, auditor, paged, kind, sql):
    scene.awake = False
    await scene.db.run(sql, scene.clock() - timedelta(hours=1))
    assert await auditor.round() == {"in_time": 1}
    assert [(f["invariant"], f["subject"]) for f in await findings(scene)] == [("in_time", kind)]
    assert await scene.db.fetch("SELECT FROM alerts WHERE alertname = 'NightbellAuditor'") == []
    await auditor.round()
    assert len(await scene.db.fetch("SELECT FROM alerts WHERE alertname = 'NightbellAuditor'")) == 1


async def test_a_heartbeat_that_nobody_misses_is_found(scene, auditor, paged):
    await scene.db.run(
        """INSERT INTO heartbeats (id, name, alert_summary, interval_count, interval_unit, target, status, secret_hash,
            sealed, mail_name, expires_at, wake_at, created_at, updated_at)
        VALUES ($1, 'x', 'x', 5, 'minutes', '{}', 'active', 'x', 'x', 'x', $2, $2, $2, $2)""",
        uuid4(), scene.clock() - timedelta(hours=1),
    )  # fmt: skip
    assert await auditor.round() == {"in_time": 1}


async def test_pages_that_nobody_seals_are_found(scene, auditor, paged):
    scene.awake = False
    scene.clock.move_to(scene.clock() + timedelta(minutes=6))
    await scene.db.run("UPDATE escalations SET wake_at = $1", scene.clock())
    assert await auditor.round() == {"in_time": 1}
    assert (await findings(scene))[0]["subject"] == "seal"
    await seal(scene.db, scene.clock())
    assert await auditor.round() == {}


LEDGER_FAULTS = {
    "changed": "UPDATE ledger SET entry = replace(entry, 'sms', 'fax') WHERE position = 2",
    "another digest": "UPDATE ledger SET digest = 'x' WHERE position = 2",
    "left out": "DELETE FROM ledger WHERE position = 2",
    "column": "UPDATE ledger SET step = 'refused' WHERE position = 2",
    "cut off": "DELETE FROM ledger WHERE position = (SELECT max(position) FROM ledger)",
    "denied": "UPDATE pages SET created_at = created_at - interval '1 hour'",
}


@pytest.mark.parametrize("fault", LEDGER_FAULTS.values(), ids=LEDGER_FAULTS)
async def test_a_ledger_that_was_touched_is_found_and_stays_found(scene, auditor, paged, fault):
    assert await seal(scene.db, scene.clock(), reach=WIDE) >= 4
    assert await auditor.round() == {}
    await scene.db.run(fault)
    assert (await auditor.round())["ledger"] >= 1
    await told(scene)
    assert (await auditor.round())["ledger"] >= 1
    await scene.settle()
    scene.phones.verify()


async def test_a_ledger_cut_off_while_nobody_looked_is_found_at_the_next_start(scene, auditor, paged):
    await seal(scene.db, scene.clock(), reach=WIDE)
    await auditor.round()
    await scene.db.run(LEDGER_FAULTS["cut off"])
    again = Auditor(scene.db.dsn, scene.clock, auditor._alarm, auditor._calm)
    assert await again.round() == {"ledger": 1}
    await told(scene)


async def test_where_the_operators_cannot_be_told_the_next_round_tries_again(scene, paged):
    said = []

    async def alarm(name, promise, found):
        said.append(name)
        if len(said) == 1:
            raise OSError("the engine is broken")

    async def calm(name):
        said.append(f"{name} holds")

    auditor = Auditor(scene.db.dsn, scene.clock, alarm, calm)
    await scene.db.run("UPDATE escalations SET phase = 'ended', wake_at = NULL")
    await scene.db.run("UPDATE pages SET phase = 'ended', wake_at = NULL")
    with pytest.raises(OSError, match="broken"):
        await auditor.round()
    await auditor.round()
    await auditor.round()
    await scene.db.run("UPDATE escalations SET phase = 'exhausted'")
    await auditor.round()
    assert said == ["next_action", "next_action", "next_action holds"]


async def test_of_two_auditors_one_goes_round_at_a_time(scene, auditor, paged):
    async with scene.db.tx() as tx:
        assert await tx.value("audit_lock")
        await scene.db.run("UPDATE escalations SET phase = 'ended', wake_at = NULL")
        await scene.db.run("UPDATE pages SET phase = 'ended', wake_at = NULL")
        assert await auditor.round() == {}
    assert await auditor.round() == {"next_action": 1}
    await told(scene)
