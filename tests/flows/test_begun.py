"""That somebody's time on call began is told outside: once, at the hand-over, and only where somebody listens."""

from datetime import UTC, datetime

import pytest

from nightbell.core.journal import SYSTEM
from nightbell.engine.configure_webhooks import EndpointEdit
from nightbell.testing.scenario import Scene


@pytest.fixture
async def scene(db):
    made = Scene(db, start=datetime(2026, 11, 23, 6, tzinfo=UTC))
    await made.start()
    made.notices = True
    yield made
    await made.stop()


async def begun(scene):
    rows = await scene.db.fetch("SELECT at, data FROM happenings WHERE kind = 'shift_started' ORDER BY at")
    return [(row["at"].hour, row["data"]["user"]["name"], row["data"]["schedule"]["name"]) for row in rows]


async def two_days(scene, *, listens):
    ana, ben = await scene.cast.person("Ana", "sms"), await scene.cast.person("Ben", "sms")
    for one in (ana, ben):
        await scene.db.run(
            "UPDATE users SET notice_hours = '{}', handoff_notices = false WHERE id = $1", one.id
        )
    if listens:
        edit = EndpointEdit(name="sink", url="https://example.org/hook", event_types=["shift.started"])
        await scene.configure.create_endpoint(edit, by=SYSTEM, now=scene.clock())
    return await scene.cast.schedule(ana, ben, handoff="09:00")


async def test_each_hand_over_is_told_once(scene):
    await two_days(scene, listens=True)
    await scene.at("06:30").quiet_until("08:59")
    assert await begun(scene) == []
    await scene.at("09:00").quiet_until("12:00")
    told = await begun(scene)
    assert [(hour, name) for hour, name, _ in told] == [(9, told[0][1])]
    await scene.at("12:01").quiet_until("11:00")
    assert len(await begun(scene)) == 2
    assert {name for _, name, _ in await begun(scene)} == {"Ana", "Ben"}


async def test_where_nobody_listens_nothing_is_kept(scene):
    await two_days(scene, listens=False)
    await scene.at("06:30").quiet_until("12:00")
    assert await begun(scene) == []
