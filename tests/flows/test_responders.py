"""Asking others for help, handing over and starting over, as timetables."""

from uuid import UUID

import pytest

from nightbell.core.delivery import Refused
from nightbell.core.directory import Target
from nightbell.core.errors import Invalid, Stale, Unknown
from nightbell.engine.edits import LevelEdit, ServiceEdit

NIGHT = {
    "rule_type": "deferral_window",
    "time_zone": "Etc/UTC",
    "time_blocks": [
        {day: True, "start_time": "00:00", "end_time": "09:00"}
        for day in ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    ],
}


@pytest.fixture
async def ana(scene):
    return await scene.cast.person("Ana", "sms")


@pytest.fixture
async def ben(scene):
    return await scene.cast.person("Ben", "sms")


@pytest.fixture
async def cal(scene):
    return await scene.cast.person("Cal", "sms")


async def test_whoever_is_asked_is_paged_at_once_and_the_climb_goes_on(scene, ana, ben, cal):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 10), ([ben], 10)))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .at("02:04").asked(cal, by=ana).pages(cal).says("alert.responders_added")
        .at("02:10").pages(ben)
    )  # fmt: skip


async def test_an_acknowledgement_of_somebody_asked_takes_the_alert(scene, ana, ben):
    dee = await scene.cast.person("Dee", "sms", "voice+5")
    await scene.cast.source(pages=await scene.cast.policy(([ana], 10), ([ben], 10)))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .at("02:01").asked(dee, by=ana).pages(dee)
        .at("02:02").acknowledged(dee).told(ana).status("acknowledged")
        .quiet_until("04:00")
    )  # fmt: skip


async def test_an_acknowledgement_of_somebody_else_silences_whoever_was_asked(scene, ana):
    dee = await scene.cast.person("Dee", "sms", "voice+5")
    await scene.cast.source(pages=await scene.cast.policy(([ana], 10)))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .asked(dee, by=ana).pages(dee)
        .at("02:01").acknowledged(ana).told(dee)
        .quiet_until("04:00")
    )  # fmt: skip


async def test_an_acknowledged_alert_stays_so_and_whoever_is_asked_is_paged_until_they_answer(
    scene, ana, ben
):
    dee = await scene.cast.person("Dee", "sms", "voice+5", "sms+20")
    await scene.cast.source(pages=await scene.cast.policy(([ana], 10), ([ben], 10)))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana).acknowledged(ana)
        .at("02:01").asked(dee, by=ana).pages(dee).status("acknowledged")
        .at("02:06").pages(dee, by="voice")
        .at("02:07").acknowledged(dee).status("acknowledged").says("alert.joined", times=1)
        .acknowledged(dee).acknowledged(ana).says("alert.joined", times=1)
        .quiet_until("04:00")
    )  # fmt: skip


async def test_a_policy_asked_for_beside_an_acknowledged_alert_climbs_until_one_of_its_people_answers(
    scene, ana, ben, cal
):
    other = await scene.cast.policy(([ben], 5), ([cal], 5))
    await scene.cast.source(pages=await scene.cast.policy(([ana], 10)))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana).acknowledged(ana)
        .at("02:01").asked(other, by=ana).pages(ben)
        .at("02:06").pages(cal)
        .at("02:07").acknowledged(cal).status("acknowledged")
        .quiet_until("04:00")
    )  # fmt: skip


async def test_an_initial_delay_or_a_deferral_does_not_hold_back_whoever_is_asked(scene, ana, ben):
    slow = await scene.cast.policy(([ben], 5), initial_delay_minutes=30)
    await scene.cast.path(slow, path_type="deferral", rules=[NIGHT])
    await scene.cast.source(pages=await scene.cast.policy(([ana], 60)))
    await scene.at("02:00").firing("DiskFull").pages(ana).at("02:01").asked(slow, by=ana).pages(ben)


async def test_whoever_is_being_paged_is_not_paged_twice(scene, ana, ben):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 60)))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .asked(ana, by=ben).says("alert.responders_added", times=0)
        .asked(ben, by=ana).pages(ben)
        .asked(ben, by=ana).says("alert.responders_added", times=1)
    )  # fmt: skip


async def test_whoever_answered_can_be_asked_again(scene, ana, ben):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 60)))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana).acknowledged(ana)
        .asked(ben, by=ana).pages(ben).acknowledged(ben)
        .at("03:00").asked(ben, by=ana).pages(ben)
    )  # fmt: skip


async def test_an_alert_that_pages_nobody_is_triggered_by_asking(scene, ana, ben):
    await scene.cast.source()
    await (
        scene.at("02:00").firing("DiskFull").status("open").asked(ben, by=ana).pages(ben).status("triggered")
    )


async def test_when_the_acknowledgement_is_over_everybody_is_paged_again(scene, ana, ben):
    policy = await scene.cast.policy(([ana], 60), settings={"retrigger_timeout_minutes": 10})
    await scene.cast.source(pages=policy)
    await (
        scene.at("02:00").firing("DiskFull").pages(ana).acknowledged(ana)
        .at("02:02").asked(ben, by=ana).pages(ben).acknowledged(ben)
        .at("02:10").pages(ana, ben).status("triggered")
    )  # fmt: skip


async def test_a_message_that_is_refused_is_followed_by_the_next_also_where_it_is_acknowledged(scene, ana):
    dee = await scene.cast.person("Dee", "sms", "voice+5")
    await scene.cast.source(pages=await scene.cast.policy(([ana], 60)))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana).acknowledged(ana)
        .answering("sms", Refused(why="no such number"))
        .at("02:01").asked(dee, by=ana).pages(dee).pages(dee, by="voice")
        .at("02:06").pages(dee, by="voice")
    )  # fmt: skip


async def test_whoever_cannot_be_paged_is_refused_by_name(scene, ana):
    mute = await scene.cast.person("Mute")
    await scene.cast.source(pages=await scene.cast.policy(([ana], 60)))
    await scene.at("02:00").firing("DiskFull").pages(ana)
    with pytest.raises(Invalid, match="Mute has no verified"):
        await scene.at("02:01").asked(mute, by=ana)
    with pytest.raises(Invalid, match="neither an escalation policy nor members"):
        await scene.at("02:01").asked(await scene.cast.team(), by=ana)
    with pytest.raises(Unknown):
        await scene.at("02:01").asked(Target(type="User", id="999999"), by=ana)
    with pytest.raises(Invalid, match="at least one"):
        await scene.at("02:01").asked(by=ana)


async def test_nobody_is_asked_to_help_with_what_is_over_or_in_maintenance(scene, ana, ben):
    service = await scene.cast.service(policy=await scene.cast.policy(([ana], 60)))
    await scene.cast.source(pages=service)
    await scene.at("02:00").firing("DiskFull").pages(ana)
    await scene.cast.maintenance(service, minutes=30)
    with pytest.raises(Stale, match="maintenance"):
        await scene.at("02:01").asked(ben, by=ana)
    with pytest.raises(Stale, match="maintenance"):
        await scene.at("02:01").started_over(ana)
    await scene.at("02:02").resolved("DiskFull").told(ana)
    with pytest.raises(Stale, match="resolved"):
        await scene.at("02:03").asked(ben, by=ana)
    with pytest.raises(Stale, match="resolved"):
        await scene.at("02:03").started_over(ana)


async def test_a_helper_that_nobody_can_reach_is_recorded_and_wakes_no_fallback(scene, ana, ben, cal):
    empty = await scene.cast.policy(([await scene.cast.team()], 5))
    await scene.cast.fallback(cal)
    await scene.cast.source(pages=await scene.cast.policy(([ana], 60)))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana).acknowledged(ana)
        .asked(empty, by=ana).says("escalation.no_help").status("acknowledged")
        .quiet_until("04:00")
    )  # fmt: skip


async def test_escalating_moves_the_alerts_own_climb_and_not_the_helpers(scene, ana, ben, cal):
    other = await scene.cast.policy(([cal], 60), ([ana], 60))
    await scene.cast.source(pages=await scene.cast.policy(([ana], 60), ([ben], 60)))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .at("02:01").asked(other, by=ana).pages(cal)
        .at("02:02").escalated(ana).pages(ben)
    )  # fmt: skip


async def test_what_a_helpers_policy_calls_beside_it_is_no_climb_of_the_alerts_own(scene, ana, ben, cal):
    dee = await scene.cast.person("Dee", "sms")
    beside = await scene.cast.service(policy=await scene.cast.policy(([cal], 30), ([dee], 30)))
    other = await scene.cast.policy(([beside], 30))
    await scene.cast.source(pages=await scene.cast.policy(([ana], 10), ([ben], 10)))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana).acknowledged(ana)
        .at("02:01").asked(other, by=ana).pages(cal).status("acknowledged")
        .at("02:02").escalated(ana).pages(ben).status("triggered")
    )  # fmt: skip


async def test_what_pages_already_is_not_paged_again_by_a_helpers_policy(scene, ana, ben):
    service = await scene.cast.service(policy=await scene.cast.policy(([ana], 30)))
    other = await scene.cast.policy(([ben, service], 30))
    await scene.cast.source(pages=service)
    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .at("02:01").asked(other, by=ben).pages(ben)
        .at("02:02").acknowledged(ana).told(ben)
        .at("02:03").asked(other, by=ana).pages(ben).pages(ana)
    )  # fmt: skip


async def test_asked_for_help_survives_a_restart(scene, ana):
    dee = await scene.cast.person("Dee", "sms", "voice+5")
    await scene.cast.source(pages=await scene.cast.policy(([ana], 60)))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana).acknowledged(ana)
        .asked(dee, by=ana).pages(dee).killed()
        .at("02:05").pages(dee, by="voice")
    )  # fmt: skip


# ---------------------------------------------------------------- starting over


async def test_starting_over_takes_the_policy_as_it_is_now(scene, ana, ben, cal):
    policy = await scene.cast.policy(([ana], 30))
    await scene.cast.source(pages=policy)
    await scene.at("02:00").firing("DiskFull").pages(ana)
    directory = await scene.engine.directories.current(scene.db)
    level = directory.policies[policy.id].paths[-1].levels[0]
    edit = LevelEdit(targets=[{"type": "user", "id": str(ben.id)}], delay_minutes=5)
    await scene.configure.update_level(level.id, edit, by=ana.actor, now=scene.clock())
    await scene.cast.level(policy, [cal], 5)
    await (
        scene.at("02:10")
        .started_over(ana).pages(ben).status("triggered").says("alert.restarted")
        .at("02:15").pages(cal)
        .quiet_until("04:00")
    )  # fmt: skip


async def test_starting_over_follows_a_service_to_its_new_policy(scene, ana, ben):
    service = await scene.cast.service(policy=await scene.cast.policy(([ana], 30)))
    other = await scene.cast.policy(([ben], 30))
    await scene.cast.source(pages=service)
    await scene.at("02:00").firing("DiskFull").pages(ana).acknowledged(ana)
    edit = ServiceEdit(escalation_policy_id=UUID(other.id))
    await scene.configure.update_service(UUID(service.id), edit, by=ana.actor, now=scene.clock())
    await scene.at("02:10").started_over(ana).pages(ben).status("triggered").quiet_until("02:39")


async def test_only_an_alert_that_is_for_somebody_starts_over(scene, ana):
    await scene.cast.source()
    await scene.at("02:00").firing("DiskFull")
    with pytest.raises(Stale, match="Nobody is paged"):
        await scene.at("02:01").started_over(ana)


async def test_starting_over_leaves_out_a_target_that_is_gone(scene, ana, ben):
    first = await scene.cast.policy(([ana], 30))
    await scene.cast.source(pages=ana)
    await scene.at("02:00").firing("DiskFull").pages(ana).reassigned(first, ben, by=ana).pages(ana, ben)
    await scene.configure.delete_policy(UUID(first.id), by=ana.actor, now=scene.clock())
    await scene.at("02:01").started_over(ana).pages(ben)


# ---------------------------------------------------------------- policies without levels


async def test_a_policy_without_levels_is_skipped_at_once_whatever_its_delay(scene, ana):
    await scene.cast.fallback(ana)
    await scene.cast.source(pages=await scene.cast.policy(initial_delay_minutes=30))
    await scene.at("02:00").firing("DiskFull").pages(ana).says("escalation.fallback").quiet_until("04:00")
    (why,) = [row["details"] for row in await scene.journal() if row["code"] == "escalation.fallback"]
    assert "has no levels" in why


# ---------------------------------------------------------------- acts on what is put off


async def test_a_deferred_alert_that_is_snoozed_and_wakes_is_put_off_or_paged_as_of_then(scene, ana):
    slow = await scene.cast.policy(([ana], 60))
    await scene.cast.path(slow, path_type="deferral", rules=[NIGHT])
    await scene.cast.source(pages=slow)
    await (
        scene.at("02:00").firing("DiskFull").status("deferred")
        .at("02:10").snoozed(30, ana).status("acknowledged")
        .at("02:40").status("deferred")
        .quiet_until("08:59")
        .at("09:00").pages(ana).status("triggered")
    )  # fmt: skip


async def test_somebody_asked_for_a_deferred_alert_is_paged_and_the_deferral_goes_on(scene, ana, ben):
    slow = await scene.cast.policy(([ana], 60))
    await scene.cast.path(slow, path_type="deferral", rules=[NIGHT])
    await scene.cast.source(pages=slow)
    await (
        scene.at("02:00").firing("DiskFull").status("deferred")
        .at("02:10").asked(ben, by=ana).pages(ben).status("triggered")
        .quiet_until("08:59")
        .at("09:00").pages(ana).status("triggered")
    )  # fmt: skip


async def test_starting_over_asks_the_deferral_again(scene, ana):
    slow = await scene.cast.policy(([ana], 60))
    await scene.cast.path(slow, path_type="deferral", rules=[NIGHT])
    await scene.cast.source(pages=slow)
    await (
        scene.at("02:00").firing("DiskFull").status("deferred")
        .at("02:10").started_over(ana).status("deferred")
        .quiet_until("08:59")
        .at("09:00").pages(ana)
    )  # fmt: skip


async def test_a_helper_in_a_level_where_all_must_acknowledge_ends_only_their_own_page(scene, ana, ben, cal):
    both = await scene.cast.policy()
    dee = await scene.cast.person("Dee", "sms", "voice+5")
    await scene.cast.level(both, [ben, dee], 60, require_all_acknowledgements=True)
    await scene.cast.source(pages=await scene.cast.policy(([ana], 60)))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana).acknowledged(ana)
        .at("02:01").asked(both, by=ana).pages(ben, dee)
        .at("02:02").acknowledged(ben)
        .at("02:06").pages(dee, by="voice").acknowledged(dee)
        .quiet_until("04:00").says("alert.joined", times=2)
    )  # fmt: skip


async def test_a_new_occurrence_asks_nobody_for_help_by_itself(scene, ana, ben):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 60)))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .asked(ben, by=ana).pages(ben)
        .at("02:10").resolved("DiskFull").told(ana, ben)
        .at("03:00").firing("DiskFull").pages(ana)
        .quiet_until("03:59")
    )  # fmt: skip


async def test_a_new_member_of_an_acknowledged_alert_pages_everybody_who_was_asked(scene, ana, ben):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 60)))
    await (
        scene.at("02:00").firing("DiskFull", "host-1").pages(ana).acknowledged(ana)
        .asked(ben, by=ana).pages(ben).acknowledged(ben)
        .at("02:30").firing("DiskFull", "host-2").pages(ana, ben).status("triggered")
    )  # fmt: skip
