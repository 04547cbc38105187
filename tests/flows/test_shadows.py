"""People who shadow somebody hear what that person is told. Nothing waits for them, and nobody is paged less for it."""

from datetime import timedelta

import pytest

from nightbell.core.delivery import Refused


@pytest.fixture
async def ana(scene):
    return await scene.cast.person("Ana", "sms")


@pytest.fixture
async def ben(scene):
    return await scene.cast.person("Ben", "sms")


@pytest.fixture
async def cal(scene):
    return await scene.cast.person("Cal", "voice", "voice+10")


async def watched(scene, *serving, minutes=30, then=()):
    """A schedule that the default source pages."""
    schedule = await scene.cast.schedule(*serving)
    policy = await scene.cast.policy(([schedule], minutes), *(([one], minutes) for one in then))
    await scene.cast.source(pages=policy)
    return schedule


async def test_whoever_shadows_hears_what_the_person_on_call_is_told(scene, ana, cal):
    schedule = await watched(scene, ana)
    await scene.cast.shadow(cal, schedule)
    await (
        scene.at("02:00").firing("DiskFull").pages(ana).pages(cal, by="voice")
        .says("page.created", times=1).says("page.shadowed", times=1)
        .at("02:10").pages(cal, by="voice")
        .at("02:11").acknowledged(ana).status("acknowledged").quiet_until("02:20")
        .at("02:20").resolved("DiskFull").told(ana)
    )  # fmt: skip


async def test_a_shadow_is_told_whose_alert_it_is_and_takes_nothing_by_a_tap(scene, ana, cal):
    schedule = await watched(scene, ana)
    await scene.cast.shadow(cal, schedule, of=ana)
    await scene.at("02:00").firing("DiskFull").pages(ana).pages(cal, by="voice")
    theirs, hers = [h.message for h in sorted(scene.phones.heard, key=lambda h: h.kind == "sms")]
    assert theirs.body.startswith("You shadow Ana, whose alert this is.")
    assert theirs.acknowledge_url == theirs.escalate_url == theirs.snooze_url == ""
    assert theirs.alert_url == hers.alert_url and hers.acknowledge_url


async def test_only_who_is_on_call_is_followed(scene, ana, ben, cal):
    schedule = await watched(scene, ana, ben)
    await scene.cast.shadow(cal, schedule, of=ben, days=3)
    await scene.at("02:00").firing("DiskFull").pages(ana).acknowledged(ana)
    assert scene.phones.unclaimed == []


async def test_a_shadow_who_cannot_be_reached_holds_up_nobody_and_skips_no_level(scene, ana, ben, cal):
    schedule = await watched(scene, ana, then=(ben,))
    await scene.cast.shadow(cal, schedule)
    await (
        scene.at("02:00").answering("voice", Refused(why="no such number"))
        .firing("DiskFull").pages(ana).pages(cal, by="voice").says("page.unreachable", times=0)
        .quiet_until("02:29").at("02:30").pages(ben).says("escalation.fallback", times=0)
    )  # fmt: skip


async def test_where_only_a_shadow_was_reached_the_next_level_follows_at_once(scene, ana, ben, cal):
    schedule = await watched(scene, ana, then=(ben,))
    await scene.cast.shadow(cal, schedule)
    await (
        scene.at("02:00").answering("sms", Refused(why="no such number"))
        .firing("DiskFull").pages(ana, ben).pages(cal, by="voice")
        .says("page.unreachable", times=1)
    )  # fmt: skip


async def test_a_run_that_reached_only_a_shadow_reached_no_one(scene, ana, ben, cal):
    owner = await scene.cast.person("Olga", "voice", role="owner")
    schedule = await watched(scene, ana)
    await scene.cast.shadow(cal, schedule)
    await (
        scene.at("02:00").answering("sms", Refused(why="no such number"))
        .firing("DiskFull").pages(ana).pages(cal, owner, by="voice")
        .says("escalation.fallback", times=1)
    )  # fmt: skip


async def test_nobody_on_call_means_nobody_is_told(scene, ana, cal):
    empty = await scene.cast.schedule()
    await scene.cast.shadow(cal, empty)
    policy = await scene.cast.policy(([empty], 10), ([ana], 10))
    await scene.cast.source(pages=policy)
    await scene.at("02:00").firing("DiskFull").pages(ana).says("escalation.level_skipped", times=1)


async def test_whoever_is_called_too_is_called_and_not_only_told(scene, ana, ben):
    schedule = await scene.cast.schedule(ana)
    await scene.cast.shadow(ben, schedule)
    policy = await scene.cast.policy(([schedule, ben], 10))
    await scene.cast.source(pages=policy)
    await (
        scene.at("02:00").firing("DiskFull").pages(ana, ben)
        .says("page.created", times=2).says("page.shadowed", times=0)
    )  # fmt: skip


async def test_a_shadow_is_not_among_those_who_must_acknowledge(scene, ana, ben, cal):
    schedule = await scene.cast.schedule(ana)
    await scene.cast.shadow(cal, schedule)
    policy = await scene.cast.policy()
    await scene.cast.level(policy, [schedule, ben], 60, require_all_acknowledgements=True)
    await scene.cast.source(pages=policy)
    await (
        scene.at("02:00").firing("DiskFull").pages(ana, ben).pages(cal, by="voice")
        .at("02:01").acknowledged(ana).status("triggered")
        .at("02:02").acknowledged(ben).status("acknowledged").quiet_until("03:30")
    )  # fmt: skip


async def test_a_shadow_of_a_nested_schedule_hears_what_is_paged_through_the_outer_one(scene, ana, cal):
    inner = await scene.cast.schedule(ana)
    outer = await scene.cast.schedule(inner)
    await scene.cast.shadow(cal, inner)
    await scene.cast.source(pages=await scene.cast.policy(([outer], 10)))
    await scene.at("02:00").firing("DiskFull").pages(ana).pages(cal, by="voice")


async def test_a_shadow_that_is_over_hears_nothing_more(scene, ana, cal):
    schedule = await watched(scene, ana)
    await scene.cast.shadow(cal, schedule, days=1)
    await (
        scene.at("02:00").firing("A").pages(ana).pages(cal, by="voice").acknowledged(ana)
        .at(timedelta(days=1)).firing("B").pages(ana)
    )  # fmt: skip
