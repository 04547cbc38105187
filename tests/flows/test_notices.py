"""What people are told of their shifts: before, at the hand-over, and when nobody could reach them; once each."""

from datetime import UTC, datetime

import pytest

from nightbell.core.delivery import Purpose, Refused
from nightbell.engine import notices
from nightbell.testing.scenario import Scene

START = datetime(2026, 11, 23, 6, tzinfo=UTC)


@pytest.fixture
async def scene(db):
    made = Scene(db, start=START)
    await made.start()
    made.notices = True
    yield made
    await made.stop()


async def wishes(scene, person, **fields):
    for name, value in fields.items():
        await scene.db.run(f"UPDATE users SET {name} = $1 WHERE id = $2", value, person.id)


async def two_days(scene, ana, ben):
    """Ana and Ben take a day each from nine to nine; Ana is on call today."""
    return await scene.cast.schedule(ana, ben, handoff="09:00")


def said(scene, person):
    return [h.message.title for h in scene.phones.heard if h.message.recipient == person.name]


async def test_each_shift_is_told_before_it_at_its_start_and_at_its_end_once(scene):
    ana, ben = await scene.cast.person("Ana", "sms"), await scene.cast.person("Ben", "sms")
    for one in (ana, ben):
        await wishes(scene, one, notice_hours=[4])
    await two_days(scene, ana, ben)
    await scene.go(datetime(2026, 11, 24, 12, tzinfo=UTC), strict=False)
    for one in (ana, ben):
        titles = said(scene, one)
        assert len(titles) == len(set(titles)), titles
    first, second = (ana, ben) if "now" in said(scene, ana)[0] else (ben, ana)
    assert sum("over" in t for t in said(scene, first)) == 1
    assert [("from" in t, "now" in t) for t in said(scene, second)][:2] == [(True, False), (False, True)]
    scene.phones.unclaimed.clear()


async def test_two_nodes_and_a_restart_say_it_once(db):
    scene = Scene(db, nodes=2, start=START)
    await scene.start()
    scene.notices = True
    ana, ben = await scene.cast.person("Ana", "sms"), await scene.cast.person("Ben", "sms")
    await two_days(scene, ana, ben)
    await scene.settle()
    before = len(scene.phones.heard)
    assert before
    await scene.restart()
    await scene.settle()
    assert len(scene.phones.heard) == before
    await scene.stop()


async def test_whoever_wants_no_notices_gets_none(scene):
    ana, ben = await scene.cast.person("Ana", "sms"), await scene.cast.person("Ben", "sms")
    for one in (ana, ben):
        await wishes(scene, one, notice_hours=[], handoff_notices=False)
    await two_days(scene, ana, ben)
    await scene.go(datetime(2026, 11, 25, 12, tzinfo=UTC), strict=True)
    scene.phones.verify()


async def test_a_node_that_was_away_does_not_catch_up_aloud(scene):
    ana, ben = await scene.cast.person("Ana", "sms"), await scene.cast.person("Ben", "sms")
    for one in (ana, ben):
        await wishes(scene, one, notice_hours=[20, 8, 1], handoff_notices=False)
    await two_days(scene, ana, ben)
    scene.awake = False
    scene.clock.move_to(datetime(2026, 11, 24, 8, 30, tzinfo=UTC))
    scene.awake = True
    await scene.settle()
    assert len(scene.phones.heard) == 1


async def test_whoever_nobody_can_reach_is_told_before_and_the_admins_when_it_begins(scene):
    ana, ben = await scene.cast.person("Ana", "email"), await scene.cast.person("Ben", "sms")
    boss = await scene.cast.person("Boss", "sms", role="owner")
    for one in (ana, ben, boss):
        await wishes(scene, one, notice_hours=[], handoff_notices=False)
    await two_days(scene, ben, ana)
    await scene.settle()
    scene.phones.unclaimed.clear()
    await scene.db.run("UPDATE contact_methods SET verified_at = NULL WHERE user_id = $1", ana.id)
    await scene.db.run("UPDATE configuration SET version = version + 1")
    await scene.go(datetime(2026, 11, 24, 8, 59, tzinfo=UTC), strict=False)
    warned = [h for h in scene.phones.heard if h.message.recipient == "Ana"]
    assert warned, scene.phones.heard
    assert all("may not reach you" in h.message.title for h in warned)
    assert any("No contact method is verified" in h.message.body for h in warned)
    await scene.go(datetime(2026, 11, 24, 10, tzinfo=UTC), strict=False)
    alarms = [h for h in scene.phones.heard if h.message.recipient == "Boss"]
    assert [("Ana" in h.message.title, "cannot be reached" in h.message.title) for h in alarms] == [
        (True, True)
    ]
    scene.phones.unclaimed.clear()


async def test_an_address_where_the_last_message_did_not_arrive_is_remembered_until_one_does(scene):
    scene.notices = False
    ana = await scene.cast.person("Ana", "sms")
    await scene.cast.source(pages=ana)
    scene.phones["sms"].will(Refused(why="number disconnected"))
    await scene.now.firing("One").pages(ana)
    assert list((await notices.failing_methods(scene.db)).values()) == ["number disconnected"]
    await scene.now.firing("Two").pages(ana)
    assert await notices.failing_methods(scene.db) == {}


async def test_a_notice_is_a_message_of_its_own_kind(scene):
    ana, ben = await scene.cast.person("Ana", "sms"), await scene.cast.person("Ben", "sms")
    await two_days(scene, ana, ben)
    await scene.settle()
    heard = scene.phones.heard[0].message
    assert heard.purpose is Purpose.NOTICE
    assert not heard.acknowledge_url
    assert "on call" in heard.title
    scene.phones.unclaimed.clear()
