"""Time looks at many alerts at once: what is decided for all that stand alike is what each would have come to alone."""

import contextlib
import subprocess
import sys
from datetime import timedelta

import pytest

from nightbell.engine import tick
from nightbell.engine.directory import Directories
from nightbell.store.write import facts
from nightbell.testing import payloads

#: What is new, and differs each time it is written.
NEW = {
    "alerts": (),
    "escalations": ("token",),
    "pages": ("id",),
    "notifications": ("id", "page_id", "idempotency_key"),
    "alert_events": ("id",),
    "attempts": (),
}
#: Messages that are not of the page they say, and pages that are not of their alert's climb.
STRAY = """
    SELECT 1 FROM notifications n LEFT JOIN pages p ON p.id = n.page_id AND p.alert_id = n.alert_id
        AND p.user_id = n.user_id AND starts_with(n.idempotency_key, p.id::text)
    WHERE n.purpose = 'page' AND p.id IS NULL
    UNION ALL
    SELECT 1 FROM pages p LEFT JOIN escalations e ON e.id = p.escalation_id AND e.alert_id = p.alert_id
    WHERE e.id IS NULL"""


async def rows(db):
    """Return every row that a climb writes, each alert's in the order they were made."""
    found = {}
    for table, new in NEW.items():
        order = "id" if table in ("alerts", "attempts") else "alert_id, id"
        stored = await db.fetch(f"SELECT * FROM {table} ORDER BY {order}")  # noqa: S608  names of ours
        found[table] = [{name: value for name, value in row.items() if name not in new} for row in stored]
    assert not await db.fetch(STRAY)
    return found


async def climbs(scene, *levels, alerts=8, repeat=1):
    """Let alerts page the first of some levels, all at once."""
    source = await scene.cast.source(
        identity="fingerprint", pages=await scene.cast.policy(*levels, repeat=repeat)
    )
    group = scene.group(source, "Storm", {})
    group.fires(*(f"host-{n}" for n in range(alerts)), at=scene.clock())
    scene.awake = False
    await scene.post(payloads.body(group.document()), source=source)
    await scene.db.run("UPDATE notifications SET state = 'sent', finished_at = send_at")


async def ticked(scene, *, minutes, limit=tick.MANY):
    """Do what is due after so many minutes; return how many alerts were decided together, and how many alone."""
    now = scene.clock() + timedelta(minutes=minutes)
    committed = await tick.tick(scene.db, Directories(), now, limit=limit)
    return committed.decided - len(committed.decisions), len(committed.decisions)


@pytest.fixture
async def people(scene):
    return [await scene.cast.person(name, "sms", "voice+5") for name in ("Ana", "Ben", "Cal")]


class _Undone(Exception):
    """The transaction is not to be."""


async def alone(scene, *, minutes):
    """Return what the rows come to when each alert is decided for itself; nothing of it stays."""
    found = {}
    with contextlib.suppress(_Undone):
        async with scene.db.tx() as tx:
            now = scene.clock() + timedelta(minutes=minutes)
            for ident in await facts.due(tx, now, tick.MANY):
                await tick.step(tx, [ident], Directories(), now)
            found = await rows(tx)
            raise _Undone
    return found


async def test_alerts_that_stand_alike_come_together_to_what_each_would_have_come_to_alone(scene, people):
    ana, ben, cal = people
    nobody = await scene.cast.person("Nobody")
    levels = [([ana], 3), ([ben, cal, nobody], 2), ([nobody], 1), ([cal], 4)]
    await climbs(scene, *levels)
    together = []
    for minutes in (3, 5, 9, 10, 13, 15, 19, 30):
        await scene.db.run("UPDATE pages SET wake_at = NULL")
        expected = await alone(scene, minutes=minutes)
        together.append(await ticked(scene, minutes=minutes))
        assert await rows(scene.db) == expected
    assert together.count((8, 0)) >= 6


#: A worker that steps what is due in small bites and says after each how many it decided.
WORKER = """
import asyncio, sys
from datetime import datetime
from nightbell.engine import tick
from nightbell.engine.directory import Directories
from nightbell.store.db import connect

async def lane(db, directories, now, limit):
    while decided := (await tick.tick(db, directories, now, limit=limit)).decided:
        print(decided, flush=True)

async def main():
    db, directories, now = await connect(sys.argv[1], 2), Directories(), datetime.fromisoformat(sys.argv[2])
    await directories.configuration(db)
    print("0", flush=True)
    sys.stdin.readline()
    # One lane finds climbs that stand alike, the other decides each for itself.
    await asyncio.gather(lane(db, directories, now, 16), lane(db, directories, now, 5))
    await db.close()

asyncio.run(main())
"""
#: Lines of the second level and pages of it, for each climb; every pair of numbers must be the same.
_STEPPED = """
    SELECT (SELECT count(*) FROM alert_events v WHERE v.alert_id = e.alert_id AND v.code = 'page.created' AND v.level = 2),
        (SELECT count(*) FROM pages p WHERE p.escalation_id = e.id AND p.level = 2),
        (SELECT count(*) FROM notifications n JOIN pages p ON p.id = n.page_id WHERE p.escalation_id = e.id AND p.level = 2),
        e.level, e.fired
    FROM escalations e"""


def worker(url, now):
    """Start a process that steps what is due once it is told to."""
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, url, now.isoformat()],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "0\n", "it is ready"
    return process


async def test_two_workers_never_step_a_climb_twice(scene, people, database_url):
    ana, ben, _ = people
    await climbs(scene, ([ana], 5), ([ben], 5), alerts=200)
    workers = [worker(database_url, scene.clock() + timedelta(minutes=5)) for _ in range(2)]
    for process in workers:
        process.stdin.write("go\n")
        process.stdin.flush()
    did = [process.communicate()[0].split() for process in workers]
    assert sum(map(int, did[0] + did[1])) == 200
    assert all(did), "one of them was told of nothing"
    assert {tuple(row.values()) for row in await scene.db.fetch(_STEPPED)} == {(1, 1, 1, 2, 2)}


async def test_what_a_killed_worker_had_not_committed_is_stepped_by_another_and_nothing_twice(
    scene, people, database_url
):
    ana, ben, _ = people
    await climbs(scene, ([ana], 5), ([ben], 5), alerts=200)
    now = scene.clock() + timedelta(minutes=5)
    killed, other = worker(database_url, now), worker(database_url, now)
    killed.stdin.write("go\n")
    killed.stdin.flush()
    killed.stdout.readline()
    killed.kill()
    killed.communicate()
    other.communicate("go\n")
    assert {tuple(row.values()) for row in await scene.db.fetch(_STEPPED)} == {(1, 1, 1, 2, 2)}
    assert await tick.due(scene.db, now) == []


async def test_climbs_of_other_policies_are_told_apart_and_a_few_of_a_kind_are_decided_one_by_one(
    scene, people
):
    ana, ben, cal = people
    await climbs(scene, ([ana], 3), ([ben], 5))
    await climbs(scene, ([ana], 3), ([cal], 5), alerts=tick.FEWEST - 1)
    assert await ticked(scene, minutes=3) == (8, tick.FEWEST - 1)
    paged = await scene.db.fetch("SELECT user_id, count(*) FROM pages WHERE level = 2 GROUP BY 1 ORDER BY 1")
    assert [tuple(row) for row in paged] == [(ben.id, 8), (cal.id, tick.FEWEST - 1)]


async def test_rules_of_people_that_fall_due_are_decided_together_too_with_the_next_level_or_without(scene):
    ana = await scene.cast.person("Ana", "sms", "voice+3", "sms+5", "voice+5", "sms+9")
    ben = await scene.cast.person("Ben", "sms", "voice+2")
    await climbs(scene, ([ana], 5), ([ben, ana], 4), ([ben], 0))
    together = {}
    for minutes in (3, 5, 7, 9, 12, 14):
        expected = await alone(scene, minutes=minutes)
        together[minutes] = await ticked(scene, minutes=minutes)
        assert await rows(scene.db) == expected
    # At 9 and at 12 two pages of each are due.
    assert together == {3: (8, 0), 5: (8, 0), 7: (8, 0), 9: (0, 8), 12: (0, 8), 14: (8, 0)}


async def test_whatever_else_is_due_of_an_alert_it_is_decided_for_itself(scene, people):
    ana, ben, _ = people
    await climbs(scene, ([ana], 9), ([ben], 5), alerts=9)
    await scene.db.run("UPDATE alerts SET wake_at = $1", scene.clock() + timedelta(minutes=2))
    assert await ticked(scene, minutes=5) == (0, 9)


async def test_an_alert_that_is_deleted_takes_everything_of_it_along(scene, people):
    ana, ben, _ = people
    await climbs(scene, ([ana], 5), ([ben], 5))
    await ticked(scene, minutes=5)
    kept = await scene.db.fetch(
        "DELETE FROM alerts WHERE id <> (SELECT min(id::text)::uuid FROM alerts) RETURNING 1"
    )
    assert len(kept) == 7
    for table in ("alert_details", "alert_members", "alert_events", "escalations", "pages", "notifications"):
        left = await scene.db.fetch(f"SELECT DISTINCT alert_id FROM {table}")  # noqa: S608  names of ours
        assert len(left) == 1, table


async def test_climbs_of_one_policy_hold_one_plan(scene, people):
    ana, ben, _ = people
    await climbs(scene, ([ana], 5), ([ben], 5))
    assert (await scene.db.fetch("SELECT count(*), count(DISTINCT plan_id) FROM escalations"))[0][1] == 1
    assert (await scene.db.fetch("SELECT count(*) FROM plans"))[0][0] == 1
