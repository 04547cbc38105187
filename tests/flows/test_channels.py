"""A level tells a channel beside its people: once, for everybody who reads there, and never instead of somebody."""

from datetime import timedelta
from uuid import UUID

import pytest

from nightbell.audit.auditor import Auditor
from nightbell.core.delivery import Refused, Retry, Unsure
from nightbell.core.holes import holes
from nightbell.engine.ids import new_id
from nightbell.engine.sealing import seal
from nightbell.testing.cast import Channel
from nightbell.testing.phones import FakePhone, Hang
from nightbell.testing.scenario import Scene

OPS, WEB = Channel("C0OPS0001"), Channel("C0WEB0001")


async def set_up(scene, **settings):
    """Tell what is known of Slack."""
    await scene.db.execute("set_provider", new_id(scene.clock()), "slack", settings, scene.clock())
    await scene.db.execute("bump_configuration")


@pytest.fixture
async def scene(db):
    scene = Scene(db)
    scene.phones.by_kind["slack"] = FakePhone("slack", scene.phones._hear)
    await scene.start()
    await set_up(scene, bot_token="xoxb-1")
    yield scene
    await scene.stop()
    scene.phones.verify()


@pytest.fixture
async def ana(scene):
    return await scene.cast.person("Ana", "sms")


@pytest.fixture
async def olga(scene):
    """Whom a run that reached no one falls back to."""
    return await scene.cast.person("Olga", "voice", role="owner")


async def codes(scene):
    rows = await scene.db.fetch("SELECT code FROM alert_events ORDER BY id")
    return [row["code"] for row in rows]


async def test_a_channel_is_told_beside_the_people_of_its_level_once_in_each_cycle(scene, ana):
    policy = await scene.cast.policy(([ana, OPS], 5), ([ana], 5), repeat=1)
    await scene.cast.source(pages=policy)
    await (
        scene.at("02:00").firing("DiskFull").pages(ana).pages(OPS, by="slack").says("channel.posted", times=1)
        .at("02:05").pages(ana)
        .at("02:10").pages(ana).pages(OPS, by="slack").says("channel.posted", times=2)
        .at("02:11").acknowledged(ana).quiet_until("05:00")
    )  # fmt: skip
    keys = await scene.db.fetch("SELECT DISTINCT idempotency_key FROM notifications WHERE user_id = 0")
    assert len(keys) == 2


async def test_a_level_of_channels_only_is_told_and_left_at_once(scene, ana):
    await scene.cast.source(pages=await scene.cast.policy(([OPS, WEB], 30), ([ana], 5)))
    await (
        scene.at("02:00").firing("DiskFull").pages(OPS, WEB, by="slack").pages(ana)
        .says("escalation.level_skipped", times=1).quiet_until("05:00")
    )  # fmt: skip


async def test_a_run_that_told_channels_only_ends_at_the_fallback(scene, olga):
    await scene.cast.source(pages=await scene.cast.policy(([OPS], 30), repeat=3))
    await (
        scene.at("02:00").firing("DiskFull").pages(OPS, by="slack").pages(olga, by="voice")
        .says("escalation.fallback", times=1).quiet_until("05:00")
    )  # fmt: skip


async def test_two_climbs_that_name_a_channel_at_one_moment_tell_it_once(scene, ana):
    beside = await scene.cast.service(policy=await scene.cast.policy(([OPS, ana], 5)))
    await scene.cast.source(pages=await scene.cast.policy(([OPS, beside], 5)))
    await scene.at("02:00").firing("DiskFull").pages(OPS, by="slack").pages(ana)


@pytest.mark.parametrize("outcome", [Refused(why="not_in_channel"), Unsure(why="no answer in 10 s")])
async def test_a_post_that_did_not_arrive_is_recorded_and_wakes_nobody_by_another_way(scene, ana, outcome):
    await scene.cast.rule(ana, "voice+30")
    await scene.cast.source(pages=await scene.cast.policy(([ana, OPS], 60)))
    await (
        scene.at("02:00").answering("slack", outcome).firing("DiskFull").pages(ana).pages(OPS, by="slack")
        .says("channel.failed", times=1).acknowledged(ana).quiet_until("05:00")
    )  # fmt: skip
    [row] = await scene.db.fetch("SELECT details FROM alert_events WHERE code = 'channel.failed'")
    assert outcome.why in row["details"]


async def test_a_post_that_was_not_taken_is_tried_again_until_somebody_has_the_alert(scene, ana):
    await scene.cast.source(pages=await scene.cast.policy(([ana, OPS], 60)))
    await (
        scene.at("02:00").answering("slack", *[Retry(why="ratelimited", after=timedelta(seconds=30))] * 2)
        .firing("DiskFull").pages(ana).pages(OPS, by="slack")
        .at("02:00:30").pages(OPS, by="slack")
        .at("02:00:40").acknowledged(ana).quiet_until("02:50")
    )  # fmt: skip


async def test_a_post_whose_process_was_killed_is_never_posted_again(scene, ana):
    await scene.cast.source(pages=await scene.cast.policy(([ana, OPS], 60)))
    await (
        scene.at("02:00").answering("slack", Hang()).firing("DiskFull").pages(ana).pages(OPS, by="slack")
        .at("02:01").killed().acknowledged(ana).quiet_until("05:00")
    )  # fmt: skip
    [row] = await scene.db.fetch("SELECT state FROM notifications WHERE user_id = 0")
    assert row["state"] == "unknown" and (await codes(scene)).count("channel.failed") == 1


async def test_a_channel_of_a_service_that_is_not_set_up_is_skipped_and_said_so(scene, ana):
    await set_up(scene)
    policy = await scene.cast.policy(([ana, OPS], 60))
    await scene.cast.source(pages=policy)
    directory = await scene.engine.directories.current(scene.db)
    assert [one.code for one in holes(directory.policies[policy.id], directory)] == ["no_provider"]
    await scene.at("02:00").firing("DiskFull").pages(ana).says("escalation.target_skipped", times=1)


async def test_many_alerts_of_one_moment_are_one_post(scene, ana):
    source = await scene.cast.source(pages=await scene.cast.policy(([ana, OPS, WEB], 60)))
    scene.awake = False
    for n in range(4):
        await scene.now.firing(f"Alert{n}", source=source)
    scene.awake = True
    await scene.settle()
    await (
        scene.now.pages(ana, alerts=4)
        .pages(OPS, by="slack", alerts=4).pages(WEB, by="slack", alerts=4)
    )  # fmt: skip


async def test_neither_ledger_nor_auditor_takes_a_channel_for_a_person(scene, ana):
    await scene.cast.source(pages=await scene.cast.policy(([ana, OPS], 60)))
    await scene.at("02:00").firing("DiskFull").pages(ana).pages(OPS, by="slack")
    while await seal(scene.db, scene.clock()):
        pass
    rows = await scene.db.fetch("SELECT entry FROM ledger")
    assert rows and not any('"person":0' in row["entry"] for row in rows)
    told = []

    async def alarm(*said):
        told.append(said)
        return True

    async def calm(*said):
        return None

    await Auditor(scene.db.dsn, scene.clock, alarm, calm).round()
    assert told == [] and not await scene.db.fetch("SELECT 1 FROM findings")


async def test_a_post_is_never_without_an_address_and_never_of_a_page(scene, ana):
    await scene.cast.source(pages=await scene.cast.policy(([ana, OPS], 60)))
    await scene.at("02:00").firing("DiskFull").pages(ana).pages(OPS, by="slack")
    rows = await scene.db.fetch("SELECT user_id, address, page_id FROM notifications ORDER BY user_id")
    assert [(r["user_id"], r["address"], isinstance(r["page_id"], UUID)) for r in rows] == [
        (0, OPS.name, False), (ana.id, None, True)]  # fmt: skip
