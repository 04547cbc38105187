"""Climbs of policies, as timetables: who hears what and when, and nobody else ever."""

import pytest

from nightbell.core.errors import Invalid, Stale


@pytest.fixture
async def ana(scene):
    return await scene.cast.person("Ana", "sms")


@pytest.fixture
async def ben(scene):
    return await scene.cast.person("Ben", "sms")


@pytest.fixture
async def cal(scene):
    return await scene.cast.person("Cal", "sms")


async def test_an_alert_nobody_takes_moves_to_the_next_level_after_the_delay(scene, ana, ben):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 30), ([ben], 60)))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .quiet_until("02:29")
        .at("02:30").pages(ben)
    )  # fmt: skip


async def test_acknowledging_stops_later_rules_and_later_levels(scene, ben):
    ana = await scene.cast.person("Ana", "sms", "voice+5")
    await scene.cast.source(pages=await scene.cast.policy(([ana], 10), ([ben], 10)))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .at("02:03").acknowledged(ana).status("acknowledged")
        .quiet_until("03:00")
    )  # fmt: skip


async def test_everyone_on_a_level_is_paged(scene, ana, ben, cal):
    await scene.cast.source(pages=await scene.cast.policy(([ana, ben, cal], 60)))
    await scene.at("02:00").firing("DiskFull").pages(ana, ben, cal).quiet_until("02:59")


async def test_personal_rules_run_at_their_minutes(scene):
    ana = await scene.cast.person("Ana", "sms", "voice", "sms+30")
    await scene.cast.source(pages=await scene.cast.policy(([ana], 120)))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana).pages(ana, by="voice")
        .at("02:30").pages(ana)
        .quiet_until("03:59")
    )  # fmt: skip


async def test_two_pages_that_come_to_one_device_in_one_minute_are_one_message(scene):
    ana = await scene.cast.person("Ana", "sms", "voice", "sms+30")
    await scene.cast.source(pages=await scene.cast.policy(([ana], 60), repeat=9))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana).pages(ana, by="voice")
        .escalated(ana).pages(ana).pages(ana, by="voice")
        .at("02:30").pages(ana)
        .quiet_until("02:59")
    )  # fmt: skip


async def test_escalating_an_acknowledged_alert_pages_the_next_level_and_triggers_it_again(scene, ana, ben):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 60), ([ben], 60), repeat=9))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana).acknowledged(ana)
        .quiet_until("02:10")
        .escalated(ana).pages(ben).status("triggered")
    )  # fmt: skip


async def test_two_requests_that_answer_one_page_escalate_once(scene, ana, ben, cal):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 60), ([ben], 60), ([cal], 60)))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .at("02:01").escalated(ana, as_of=1).escalated(ben, as_of=1).pages(ben)
        .says("alert.escalated", times=1)
    )  # fmt: skip


async def test_a_link_carries_the_page_it_answers(scene, ana, ben):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 60), ([ben], 60)))
    await scene.at("02:00").firing("DiskFull").pages(ana)
    message = scene.phones.heard[0].message
    assert message.escalate_url.startswith("http://nightbell.example/a/")
    assert message.level == 1


async def test_a_rule_added_while_its_person_is_paged_counts_if_its_minute_is_still_to_come(scene):
    ana = await scene.cast.person("Ana", "sms2")
    await scene.cast.source(pages=await scene.cast.policy(([ana], 60), repeat=9))

    async def add() -> None:
        await scene.cast.rule(ana, "sms")
        await scene.cast.rule(ana, "sms+30")

    await (
        scene.at("02:00").firing("DiskFull").pages(ana, by="sms2")
        .at("02:01").then(add)
        .quiet_until("02:29")
        .at("02:30").pages(ana, by="sms")
        .quiet_until("02:59")
    )  # fmt: skip


async def test_after_a_stop_rules_of_one_device_that_fell_due_together_are_one_message(scene):
    ana = await scene.cast.person("Ana", "sms+1", "sms+2")
    await scene.cast.source(pages=await scene.cast.policy(([ana], 60)))
    await (
        scene.at("02:00").firing("DiskFull").asleep()
        .at("02:03").awake().pages(ana)
        .quiet_until("02:59")
    )  # fmt: skip


async def test_a_policy_is_climbed_once_and_as_often_again_as_it_says(scene, ana):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 5), repeat=2))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .at("02:05").pages(ana)
        .at("02:10").pages(ana)
        .quiet_until("06:00").status("triggered").says("escalation.exhausted", times=1)
    )  # fmt: skip


async def test_three_rounds_of_two_levels_fire_every_five_minutes(scene, ana, ben):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 5), ([ben], 5), repeat=2))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .at("02:05").pages(ben)
        .at("02:10").pages(ana)
        .at("02:15").pages(ben)
        .at("02:20").pages(ana)
        .at("02:25").pages(ben)
        .quiet_until("08:00").status("triggered").says("escalation.exhausted", times=1)
    )  # fmt: skip


async def test_an_alert_that_still_fires_pages_again_from_the_first_level_after_a_snooze(scene, ana, ben):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 10), ([ben], 10)))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .at("02:02").snoozed(60, ana).status("acknowledged")
        .quiet_until("03:01")
        .at("03:02").pages(ana).status("triggered").says("alert.snooze_over")
        .at("03:12").pages(ben)
    )  # fmt: skip


async def test_a_resolve_during_a_snooze_cancels_it(scene, ana):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 10)))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .at("02:02").snoozed(60, ana)
        .at("02:30").resolved("DiskFull").told(ana)
        .quiet_until("05:00").status("resolved")
    )  # fmt: skip


async def test_a_resolve_ends_the_climb_and_a_new_firing_starts_another(scene, ana, ben):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 10), ([ben], 10)))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .at("02:04").resolved("DiskFull").told(ana).status("resolved")
        .quiet_until("02:19")
        .at("02:20").firing("DiskFull").pages(ana).status("triggered")
        .at("02:30").pages(ben)
    )  # fmt: skip
    assert len(await scene.alerts()) == 1


async def test_two_people_acknowledging_is_one_acknowledgement_and_no_error(scene, ana, ben):
    await scene.cast.source(pages=await scene.cast.policy(([ana, ben], 10)))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana, ben)
        .at("02:01").acknowledged(ana).told(ben).acknowledged(ben)
        .status("acknowledged").says("alert.acknowledged", times=1)
        .quiet_until("04:00")
    )  # fmt: skip
    assert (await scene.alert())["acknowledged_by"] == ana.id


async def test_a_person_resolving_cancels_what_is_to_come_and_tells_the_others(scene, ana, ben):
    await scene.cast.source(pages=await scene.cast.policy(([ana, ben], 10)))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana, ben)
        .at("02:01").resolved_by(ben).told(ana)
        .quiet_until("04:00").status("resolved")
    )  # fmt: skip


async def test_only_a_triggered_alert_can_be_acknowledged(scene, ana):
    await scene.at("02:00").firing("DiskFull").status("open")
    with pytest.raises(Stale, match="open"):
        await scene.now.acknowledged(ana)
    await scene.now.resolved("DiskFull")
    with pytest.raises(Stale, match="resolved"):
        await scene.now.acknowledged(ana)
    await scene.now.resolved_by(ana).status("resolved")


async def test_a_level_there_is_not_is_refused_and_nothing_changes(scene, ana):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 10)))
    other = await scene.cast.policy(([ana], 10))
    await scene.at("02:00").firing("DiskFull").pages(ana)
    for level in (99, -1):
        with pytest.raises(Invalid, match="levels 1 to 1"):
            await scene.now.escalated(ana, level=level)
        with pytest.raises(Invalid, match="levels 1 to 1"):
            await scene.now.escalated(ana, to=other, level=level)
    await scene.now.quiet_until("02:01")


async def test_escalating_to_another_policy_begins_there_and_ends_the_first(scene, ana, ben, cal):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 10), ([ben], 10)))
    other = await scene.cast.policy(([cal], 10))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .at("02:01").escalated(ana, to=other).pages(cal)
        .quiet_until("04:00")
    )  # fmt: skip


async def test_reassigning_pages_the_new_people_and_nobody_else_any_more(scene, ana, ben, cal):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 10), ([ben], 10)))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .at("02:01").reassigned(cal, by=ana).pages(cal)
        .quiet_until("04:00")
    )  # fmt: skip


async def test_a_snoozed_alert_with_two_targets_that_one_of_them_escalated_pages_the_other_when_the_snooze_ends(
    scene, ana, ben
):
    first, second = await scene.cast.policy(([ana], 30)), await scene.cast.policy(([ben], 30))
    both = f'{{"alerting_targets": [{{"type": "EscalationPolicy", "id": "{first.id}"}}, {{"type": "EscalationPolicy", "id": "{second.id}"}}]}}'
    await (
        scene.at("02:00").firing("DiskFull", rootly=both).pages(ana, ben)
        .snoozed(60, ana)
        .at("02:10").escalated(ana).pages(ana)
        .at("03:00").pages(ben)
        .quiet_until("06:00")
    )  # fmt: skip


async def test_after_a_snooze_everybody_who_was_named_is_paged_again(scene, ana, ben, cal):
    policy = await scene.cast.policy(([cal], 30))
    three = f'{{"alerting_targets": [{{"type": "User", "id": {ana.id}}}, {{"type": "User", "id": {ben.id}}}, {{"type": "EscalationPolicy", "id": "{policy.id}"}}]}}'
    await (
        scene.at("02:00").firing("DiskFull", rootly=three).pages(ana, ben, cal)
        .snoozed(60, ana)
        .at("03:00").pages(ana, ben, cal)
        .quiet_until("06:00")
    )  # fmt: skip


# ---------------------------------------------------------------- nobody there


async def test_a_level_with_nobody_is_left_at_once(scene, ben):
    nobody = await scene.cast.person("Nobody")
    empty = await scene.cast.team()
    await scene.cast.source(pages=await scene.cast.policy(([nobody], 30), ([empty], 30), ([ben], 30)))
    await (
        scene.at("02:00").firing("DiskFull").pages(ben)
        .says("escalation.level_skipped", times=2)
        .quiet_until("06:00")
    )  # fmt: skip


async def test_a_climb_that_reached_no_one_pages_the_fallback_and_says_so(scene, cal):
    nobody = await scene.cast.person("Nobody")
    await scene.cast.method(nobody, "sms", verified=False)
    await scene.cast.fallback(cal)
    await scene.cast.source(pages=await scene.cast.policy(([nobody], 30), repeat=3))
    await (
        scene.at("02:00").firing("DiskFull").pages(cal)
        .says("escalation.fallback", times=1)
        .quiet_until("06:00").status("triggered")
    )  # fmt: skip
    assert (await scene.alert())["unpaged"]


async def test_without_a_fallback_the_alert_is_flagged(scene):
    nobody = await scene.cast.person("Nobody")
    await scene.cast.source(pages=nobody)
    await (
        scene.at("02:00").firing("DiskFull").says("escalation.unpaged", times=1)
        .quiet_until("06:00").status("triggered")
    )  # fmt: skip
    assert (await scene.alert())["unpaged"]


async def test_a_snooze_of_an_alert_that_reached_no_one_ends_too(scene, ana):
    await scene.cast.source(pages=await scene.cast.team())
    await (
        scene.at("02:00").firing("DiskFull").says("escalation.unpaged", times=1)
        .snoozed(30, ana)
        .at("02:30").status("triggered").says("escalation.unpaged", times=2)
    )  # fmt: skip


async def test_a_person_without_rules_is_paged_by_every_verified_method_at_once(scene):
    ana = await scene.cast.person("Ana")
    await scene.cast.method(ana, "sms")
    await scene.cast.method(ana, "voice")
    await scene.cast.method(ana, "email", verified=False)
    await scene.cast.source(pages=ana)
    await scene.at("02:00").firing("DiskFull").pages(ana).pages(ana, by="voice").quiet_until("04:00")


async def test_a_quiet_path_uses_the_quiet_rules(scene):
    ana = await scene.cast.person("Ana", "voice", quiet=("email+1",))
    await scene.cast.source(pages=await scene.cast.policy(([ana], 30), loudness="quiet"))
    await scene.at("02:00").firing("DiskFull").at("02:01").pages(ana, by="email").quiet_until("04:00")


# ---------------------------------------------------------------- shapes of policies


async def test_levels_without_a_delay_page_together_each_person_once(scene, ana, ben):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 0), ([ana, ben], 0), repeat=1))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana, ben)
        .at("02:01").pages(ana, ben)
        .quiet_until("04:00")
    )  # fmt: skip


async def test_an_initial_delay_comes_before_the_first_level(scene, ana):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 5), initial_delay_minutes=15))
    await scene.at("02:00").firing("DiskFull").quiet_until("02:14").at("02:15").pages(ana)


async def test_a_service_on_a_level_starts_its_policy_beside_ours(scene, ana, ben, cal):
    its = await scene.cast.policy(([ben], 10), ([cal], 10))
    service = await scene.cast.service(policy=its)
    await scene.cast.source(pages=await scene.cast.policy(([ana, service], 15), ([ana], 15)))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana, ben)
        .at("02:10").pages(cal)
        .at("02:15").pages(ana)
        .quiet_until("06:00")
    )  # fmt: skip


async def test_each_round_starts_the_policy_of_a_service_again(scene, ana, ben):
    service = await scene.cast.service(policy=await scene.cast.policy(([ben], 5)))
    await scene.cast.source(pages=await scene.cast.policy(([ana, service], 30), repeat=1))
    await (
        scene.at("02:00").firing("DiskFull").pages(ana, ben)
        .at("02:30").pages(ana, ben)
        .quiet_until("06:00")
    )  # fmt: skip


@pytest.mark.parametrize("wait", [0, 10])
async def test_a_policy_that_names_its_own_service_comes_to_an_end(scene, ana, wait):
    policy = await scene.cast.policy(([ana], 10))
    service = await scene.cast.service(policy=policy)
    await scene.cast.level(policy, [service], wait)
    await scene.cast.source(pages=service)
    await (
        scene.at("02:00").firing("DiskFull").pages(ana)
        .quiet_until("08:00").says("escalation.exhausted", times=1)
    )  # fmt: skip


async def test_a_team_on_a_level_is_everybody_in_it(scene, ana, ben):
    team = await scene.cast.team(ana, ben)
    await scene.cast.source(pages=await scene.cast.policy(([team], 5)))
    await scene.at("02:00").firing("DiskFull").pages(ana, ben).quiet_until("04:00")


async def test_an_edit_of_a_policy_does_not_disturb_a_climb_under_way(scene, ana, ben, cal):
    policy = await scene.cast.policy(([ana], 10), ([ben], 10))
    await scene.cast.source(pages=policy)

    async def edit() -> None:
        await scene.cast.level(policy, [cal], 10)

    await (
        scene.at("02:00").firing("DiskFull").pages(ana).then(edit)
        .at("02:10").pages(ben)
        .quiet_until("05:00")
    )  # fmt: skip
