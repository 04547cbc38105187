"""Time looks at many alerts at once: what is decided for all that stand alike is what each would have come to alone."""

import contextlib
from datetime import timedelta

import pytest

from nightbell.engine import tick
from nightbell.engine.directory import Directories
from nightbell.store.write import facts

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


async def climbs(scene, *, alerts, levels, repeat=1):
    """Let alerts page the first of some levels."""
    source = await scene.cast.source(pages=await scene.cast.policy(*levels, repeat=repeat))
    scene.awake = False
    for n in range(alerts):
        await scene.now.firing(f"Alert{n}", source=source)
    scene.awake = True
    await scene.settle()
    scene.phones.unclaimed.clear()


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
    await climbs(scene, alerts=tick.FEWEST, levels=levels, repeat=1)
    together = []
    for minutes in (3, 5, 9, 10, 13, 15, 19, 30):
        await scene.db.run("UPDATE pages SET wake_at = NULL")
        expected = await alone(scene, minutes=minutes)
        together.append(await ticked(scene, minutes=minutes))
        assert await rows(scene.db) == expected
    assert together.count((tick.FEWEST, 0)) >= 6
