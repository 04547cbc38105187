"""Levels that take turns, wait, count, or ask everybody to acknowledge."""

from uuid import UUID

import pytest

from nightbell.core.delivery import Purpose, Refused
from nightbell.core.journal import SYSTEM
from nightbell.engine import edits

STRATEGY = "paging_strategy_configuration_strategy"
CYCLE = "paging_strategy_configuration_"


@pytest.fixture
async def ana(scene):
    return await scene.cast.person("Ana", "sms")


@pytest.fixture
async def ben(scene):
    return await scene.cast.person("Ben", "sms")


@pytest.fixture
async def cal(scene):
    return await scene.cast.person("Cal", "sms")


async def laddered(scene, *levels, **path):
    """A policy of (whom, minutes, settings) that the default source pages."""
    policy = await scene.cast.policy(**path)
    made = [await scene.cast.level(policy, whom, wait, **said) for whom, wait, said in levels]
    await scene.cast.source(pages=policy)
    return policy, made


# ---------------------------------------------------------------- everybody must acknowledge


@pytest.fixture
async def bob(scene):
    return await scene.cast.person("Bob", "sms", "sms+30")


@pytest.fixture
async def jane(scene):
    return await scene.cast.person("Jane", "sms", "sms+30")


ALL = {"require_all_acknowledgements": True}


async def test_where_all_must_acknowledge_one_does_not_silence_the_others(scene, bob, jane):
    await laddered(scene, ([bob, jane], 60, ALL))
    await (
        scene.at("02:00").firing("DiskFull").pages(bob, jane)
        .at("02:01").acknowledged(bob).status("triggered").says("alert.acknowledged_in_part", times=1)
        .at("02:30").pages(jane)
        .quiet_until("02:59")
    )  # fmt: skip


async def test_the_last_acknowledgement_is_everybodys(scene, ana, ben):
    await laddered(scene, ([ana, ben], 60, ALL), ([ana], 60, {}))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana, ben)
        .at("02:01").acknowledged(ana).status("triggered")
        .at("02:02").acknowledged(ben).status("acknowledged")
        .says("alert.acknowledged_in_part", times=1).says("alert.acknowledged", times=1)
        .quiet_until("09:00")
    )  # fmt: skip


async def test_acknowledging_twice_does_not_count_for_somebody_else(scene, bob, jane):
    await laddered(scene, ([bob, jane], 60, ALL))
    await (
        scene.at("02:00").firing("DiskFull").pages(bob, jane)
        .at("02:01").acknowledged(bob).acknowledged(bob)
        .status("triggered").says("alert.acknowledged_in_part", times=1)
        .at("02:30").pages(jane)
    )  # fmt: skip


async def test_all_must_acknowledge_also_where_the_last_level_waits_for_nothing(scene, bob, jane):
    await laddered(scene, ([bob, jane], 0, ALL))
    await (
        scene.at("02:00").firing("DiskFull").pages(bob, jane)
        .at("02:01").acknowledged(bob).status("triggered")
        .at("02:30").pages(jane)
        .acknowledged(jane).status("acknowledged")
    )  # fmt: skip


async def test_an_acknowledgement_of_an_earlier_level_counts_for_no_later_one(scene, bob, ana):
    await laddered(scene, ([bob], 60, ALL), ([bob, ana], 60, ALL))
    await (
        scene.at("02:00").firing("DiskFull").pages(bob)
        .at("02:01").acknowledged(bob).status("acknowledged")
        .at("02:02").escalated(ana).pages(bob, ana)
        .at("02:03").acknowledged(ana).status("triggered")
        .at("02:32").pages(bob)
        .quiet_until("03:01")
    )  # fmt: skip


async def test_resolving_ends_everybodys_pages_though_all_must_acknowledge(scene, bob, jane):
    await laddered(scene, ([bob, jane], 60, ALL))
    await (
        scene.at("02:00").firing("DiskFull").pages(bob, jane)
        .at("02:01").resolved_by(bob).told(jane)
        .quiet_until("09:00")
    )  # fmt: skip


async def test_a_level_that_not_all_acknowledged_in_time_moves_on(scene, ana, ben, cal):
    await laddered(scene, ([ana, ben], 30, ALL), ([cal], 30, {}))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana, ben)
        .at("02:01").acknowledged(ana)
        .at("02:30").pages(cal)
        .acknowledged(cal).told(ana, ben).status("acknowledged")
        .quiet_until("09:00")
    )  # fmt: skip


# ---------------------------------------------------------------- levels that wait


async def test_the_level_after_a_wait_begins_when_the_wait_is_over(scene, ana):
    await laddered(scene, ([], 15, {"level_type": "wait"}), ([ana], 0, {}))
    await (
        scene.at("02:00").firing("DiskFull")
        .quiet_until("02:14")
        .at("02:15").pages(ana)
        .quiet_until("09:00")
    )  # fmt: skip


THRESHOLD = {"level_type": "threshold", "threshold_count": 3, "threshold_minutes": 1}


async def test_a_threshold_lets_go_when_more_members_began_than_it_counts_to(scene, ana):
    await laddered(scene, ([], 0, THRESHOLD), ([ana], 0, {}))
    await (
        scene.at("02:00").firing("DiskFull", "db-1", "db-2").quiet()
        .at("02:00:30").firing("DiskFull", "db-3", "db-4").pages(ana)
        .quiet_until("09:00")
    )  # fmt: skip


async def test_members_that_trickle_in_never_pass_a_threshold(scene, ana):
    await laddered(scene, ([], 0, THRESHOLD), ([ana], 0, {}))
    await (
        scene.at("02:00").firing("DiskFull", "db-1", "db-2")
        .at("02:02").firing("DiskFull", "db-3")
        .at("02:04").firing("DiskFull", "db-4", "db-5")
        .quiet_until("02:10").status("triggered")
    )  # fmt: skip


async def test_a_threshold_does_not_shorten_the_wait_before_it(scene, ana, ben):
    await laddered(scene, ([ana], 30, {}), ([], 0, THRESHOLD), ([ben], 0, {}))
    await (
        scene.at("02:00").firing("DiskFull", "db-1").pages(ana)
        .at("02:01").firing("DiskFull", "db-2", "db-3", "db-4", "db-5")
        .quiet_until("02:29:59")
        .at("02:30").quiet()
        .at("02:40").firing("DiskFull", "db-6", "db-7", "db-8", "db-9").pages(ben)
    )  # fmt: skip


async def test_a_threshold_does_not_shorten_the_initial_delay(scene, ana):
    await laddered(scene, ([], 0, THRESHOLD), ([ana], 0, {}), initial_delay_minutes=5)
    await (
        scene.at("02:00").firing("DiskFull", "db-1")
        .at("02:01").firing("DiskFull", "db-2", "db-3", "db-4", "db-5")
        .quiet_until("02:05")
    )  # fmt: skip


async def test_members_whose_sender_held_them_back_count_when_they_arrive(scene, ana):
    await laddered(scene, ([], 0, THRESHOLD), ([ana], 0, {}))
    await scene.at("02:00").firing("DiskFull", "db-1")
    group = scene.group(await scene.sender(), "DiskFull", {})
    group.fires("db-2", "db-3", "db-4", at=scene.clock())
    await scene.at("02:05").firing("DiskFull").pages(ana)


async def test_a_level_waits_for_its_window(scene, ana, ben):
    window = {
        "time_zone": "Europe/Berlin",
        "blocks": [{"days": list("MTWRF"), "start_time": "08:00", "end_time": "18:00"}],
    }
    await laddered(
        scene, ([ana], 10, {}), ([], 0, {"level_type": "window", "window": window}), ([ben], 0, {})
    )
    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .quiet_until("06:59")
        .at("07:00").pages(ben)
        .quiet_until("09:00")
    )  # fmt: skip


async def test_a_policy_that_only_waits_pages_the_fallback(scene, ana):
    await scene.cast.fallback(ana)
    await laddered(scene, ([], 15, {"level_type": "wait"}))
    await (
        scene.at("02:00").firing("DiskFull")
        .quiet_until("02:14")
        .at("02:15").pages(ana).says("escalation.fallback")
    )  # fmt: skip


# ---------------------------------------------------------------- turns


async def test_each_new_alert_goes_to_the_next_person_also_after_a_restart(scene, ana, ben, cal):
    await laddered(scene, ([ana, ben, cal], 60, {STRATEGY: "alert"}))
    await (
        scene.at("02:00").firing("One").pages(ana)
        .at("02:01").firing("Two").pages(ben)
        .at("02:02").killed().firing("Three").pages(cal)
        .at("02:03").firing("Four").pages(ana)
    )  # fmt: skip


async def test_two_nodes_never_give_one_turn_twice(two_nodes):
    scene = two_nodes
    people = [await scene.cast.person(name, "sms") for name in ("Ana", "Ben", "Cal")]
    await laddered(scene, (people, 60, {STRATEGY: "alert"}))
    story = scene.at("02:00")
    for number in range(6):
        story = story.firing(f"Alert{number}").pages(people[number % 3])
    await story


async def test_whoever_cannot_be_reached_has_no_turn(scene, ana, ben):
    nobody = await scene.cast.person("Nobody")
    await laddered(scene, ([ana, nobody, ben], 60, {STRATEGY: "alert"}))
    await (
        scene.at("02:00").firing("One").pages(ana)
        .firing("Two").pages(ben)
        .firing("Three").pages(ana)
    )  # fmt: skip


async def test_people_of_a_cycle_are_paged_one_after_another(scene, ana, ben, cal):
    await laddered(scene, ([ana, ben], 5, {STRATEGY: "cycle"}), ([cal], 5, {}))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .at("02:05").pages(ben)
        .at("02:10").pages(cal)
        .quiet_until("09:00")
    )  # fmt: skip


async def test_a_cycle_goes_round_as_often_as_it_says(scene, ana, ben, cal):
    await laddered(scene, ([ana, ben], 5, {STRATEGY: "cycle", CYCLE + "repeats": 2}), ([cal], 5, {}))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .at("02:05").pages(ben)
        .at("02:10").pages(ana)
        .at("02:15").pages(ben)
        .at("02:20").pages(cal)
        .quiet_until("09:00")
    )  # fmt: skip


async def test_a_cycle_may_page_so_many_people_in_all(scene, ana, ben, cal):
    said = {STRATEGY: "cycle", CYCLE + "repeats": 3, CYCLE + "repeats_mode": "users"}
    await laddered(scene, ([ana, ben], 5, said), ([cal], 5, {}))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .at("02:05").pages(ben)
        .at("02:10").pages(ana)
        .at("02:15").pages(cal)
        .quiet_until("09:00")
    )  # fmt: skip


async def test_a_cycle_may_page_several_at_a_time(scene, ana, ben, cal):
    said = {
        STRATEGY: "cycle",
        CYCLE + "page_users_count": 2,
        CYCLE + "repeats": 9,
        CYCLE + "repeats_mode": "all",
    }
    await laddered(scene, ([ana, ben, cal], 5, said))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana, ben)
        .at("02:05").pages(cal)
        .quiet_until("09:00")
    )  # fmt: skip


async def test_acknowledging_stops_a_cycle(scene, ana, ben):
    await laddered(scene, ([ana, ben], 5, {STRATEGY: "cycle"}))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .at("02:01").acknowledged(ana)
        .quiet_until("09:00")
    )  # fmt: skip


async def test_a_cycle_begins_anew_in_each_round(scene, ana, ben):
    await laddered(scene, ([ana, ben], 5, {STRATEGY: "cycle"}), repeat=1)
    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .at("02:05").pages(ben)
        .at("02:10").pages(ana)
        .at("02:15").pages(ben)
        .quiet_until("09:00")
    )  # fmt: skip


async def test_a_random_level_pages_exactly_one(scene, ana, ben, cal):
    await laddered(scene, ([ana, ben, cal], 60, {STRATEGY: "random"}))
    chosen = []

    async def claim():
        (one,) = scene.phones.unclaimed
        chosen.append(scene.phones.claim(one.message.recipient, "sms", Purpose.PAGE).message.recipient)

    for number in range(12):
        await scene.now.firing(f"Alert{number}").then(claim)
    assert len(chosen) == 12
    assert len(set(chosen)) > 1, "chance never chose anybody else"


async def test_a_level_deleted_while_an_alert_climbs_to_it_still_pages(scene, ana, ben, cal):
    _, (_, second) = await laddered(scene, ([ana], 10, {}), ([ben, cal], 10, {STRATEGY: "alert"}))

    async def delete():
        await scene.configure.delete_level(second, by=SYSTEM, now=scene.clock())

    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .at("02:01").then(delete)
        .at("02:10").pages(ben)
        .quiet_until("09:00")
    )  # fmt: skip


# ---------------------------------------------------------------- schedules


async def test_a_schedule_pages_whoever_is_on_call(scene, ana, ben):
    schedule = await scene.cast.schedule(ana, ben)
    await laddered(scene, ([schedule], 60, {}))
    await (
        scene.at("02:00").firing("One").pages(ana)
        .acknowledged(ana)
        .at("23:59").firing("Two").pages(ana)
        .acknowledged(ana)
        .at("00:00").firing("Three").pages(ben)
    )  # fmt: skip


async def test_who_is_on_call_is_asked_when_the_level_fires(scene, ana, ben, cal):
    schedule = await scene.cast.schedule(ana, ben, handoff="02:05")
    await laddered(scene, ([cal], 10, {}), ([schedule], 10, {}))
    await (
        scene.at("02:00").firing("DiskFull").pages(cal)
        .at("02:10").pages(ben)
    )  # fmt: skip


async def test_everybody_on_a_schedule_is_paged_where_the_level_says_so(scene, ana, ben):
    schedule = await scene.cast.schedule(ana, ben)
    everyone = {"paging_strategy_configuration_schedule_strategy": "everyone"}
    await laddered(scene, ([schedule], 60, everyone))
    await scene.at("02:00").firing("DiskFull").pages(ana, ben)


async def test_a_schedule_that_is_gone_is_skipped_at_once(scene, ana, ben):
    schedule = await scene.cast.schedule(ana)
    await laddered(scene, ([schedule], 60, {}), ([ben], 60, {}))

    async def delete():
        await scene.configure.delete_schedule(UUID(schedule.id), by=SYSTEM, now=scene.clock())

    await scene.at("02:00").then(delete).firing("DiskFull").pages(ben).says("escalation.level_skipped")


# ---------------------------------------------------------------- edits


async def test_a_policy_edited_in_flight_changes_nothing_of_the_climb(scene, ana, ben, cal):
    policy, (_, second) = await laddered(scene, ([ana], 10, {}), ([ben], 10, {}))

    async def edit():
        said = edits.LevelEdit(
            targets=[{"type": "user", "id": str(cal.id)}], delay_minutes=1, settings={STRATEGY: "cycle"}
        )
        await scene.configure.update_level(second, said, by=SYSTEM, now=scene.clock())
        await scene.cast.level(policy, [cal], 5)

    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .at("02:01").then(edit)
        .at("02:10").pages(ben)
        .quiet_until("09:00")
    )  # fmt: skip


# ---------------------------------------------------------------- nobody was reached


async def test_where_the_last_level_is_refused_while_it_waits_the_fallback_is_paged(scene, ana):
    owner = await scene.cast.person("Olga", "voice", role="owner")
    await laddered(scene, ([ana], 30, {}))
    await (
        scene.at("02:00").answering("sms", Refused(why="no such number"))
        .firing("DiskFull").pages(ana).pages(owner, by="voice").says("escalation.fallback", times=1)
        .quiet_until("02:31")
    )  # fmt: skip


async def test_where_an_earlier_level_was_reached_no_fallback_follows(scene, ana, ben):
    await scene.cast.person("Olga", "voice", role="owner")
    await laddered(scene, ([ana], 5, {}), ([ben], 30, {}))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana).answering("sms", Refused(why="no such number"))
        .at("02:05").pages(ben).says("page.unreachable", times=1)
        .says("escalation.exhausted", times=1).says("escalation.fallback", times=0)
    )  # fmt: skip
