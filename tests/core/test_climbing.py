"""What holds a climb, what starts one beside it, and what is left when it reached nobody: whole nights, without a database."""

from datetime import time, timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from nightbell.core.alert import Status
from nightbell.core.calendar import Window, hours
from nightbell.core.directory import Level, LevelTarget, Maintenance, Path, PathRule, Windows
from nightbell.core.errors import Invalid
from nightbell.core.escalation import Phase
from nightbell.core.events import Acknowledge, Due, Escalate, Resolve, Restart, Snooze
from nightbell.core.journal import person
from nightbell.engine.jsonpath import compiled
from support.pure import (
    NOW,
    SOURCE,
    World,
    at,
    directory,
    on,
    policy,
    service,
    signal,
    source,
    to,
    user,
)

ANA = person(1, "user 1")
POLICY = policy(0x10, ([on(1)], 10), ([on(2)], 10))
OTHER = policy(0x11, ([on(3)], 10))


def night(*things, of=POLICY, target=None, **more):
    """A house of four; its source pages the first policy."""
    people = (user(1, ("sms", 0)), user(2, ("sms", 0)), user(3, ("sms", 0)), user(4, ("sms", 0)))
    known = {one.id: one for one in (*people, of, OTHER, *things)}
    sender = source(default_target=target or to("EscalationPolicy", 0x10))
    return World(directory(*known.values(), sender, **more))


def told(world):
    """Who was paged at which minute."""
    return [(minute, who) for minute, who, _ in world.paged]


def said(world, code):
    """What the journal says under a code."""
    entries = [e for d in world.decisions for e in d.entries if e.code == code]
    return " / ".join(entry.details for entry in entries)


def status(world: World) -> str:
    """Where the alert stands, as nothing a type checker remembers."""
    return world.alert.status


def windows(start, end):
    made = hours([Window(start=time.fromisoformat(start), end=time.fromisoformat(end))])
    assert made is not None
    return Windows(hours=made, zone="Etc/UTC")


# ---------------------------------------------------------------- planned work


def work(ident=1, *, starts=-30.0, ends=30.0):
    return Maintenance(
        id=UUID(int=ident), name=f"work {ident}", service_ids=frozenset(), source_ids=frozenset({SOURCE}),
        starts_at=at(starts), ends_at=at(ends), windows=None,
    )  # fmt: skip


def test_planned_work_puts_an_alert_off_and_pages_it_from_the_first_level_when_it_is_over():
    world = night(maintenances=(work(),))
    world.reported(signal())
    assert world.codes == ["alert.created", "maintenance.muted"]
    assert "work 1 goes on until 2026-11-23 02:30 UTC; policy policy 16 is paged then" in said(
        world, "maintenance.muted"
    )
    assert status(world) is Status.DEFERRED
    [climb] = world.facts.escalations
    assert (climb.phase, climb.wake_at, climb.muted_by) == (Phase.HELD, at(30), UUID(int=1))
    world.left_alone()
    assert told(world) == [(30, 1), (40, 2)]
    assert status(world) is Status.TRIGGERED
    assert "still fires; policy 16 is paged now" in said(world, "maintenance.over")


def test_a_person_who_is_paged_directly_is_named_without_a_policy():
    world = night(target=to("User", 1), maintenances=(work(),))
    world.reported(signal())
    assert "; user 1 is paged then" in said(world, "maintenance.muted")
    other = night(target=to("User", 1))
    other.reported(signal())
    assert said(other, "escalation.started").startswith("Paging user 1, because ")


def test_work_that_begins_while_a_climb_waits_holds_it_and_one_after_the_other_is_said_once_each():
    world = night(maintenances=(work(starts=5, ends=30), work(2, starts=28, ends=50)))
    world.reported(signal())
    world.left_alone()
    assert told(world) == [(0, 1), (50, 2)]
    assert said(world, "maintenance.muted").count("goes on until") == 2
    assert "policy 16 goes on then" in said(world, "maintenance.muted")
    assert said(world, "maintenance.over") == ""


def test_an_alert_that_is_resolved_during_work_pages_nobody():
    world = night(maintenances=(work(),))
    world.reported(signal())
    world.happens(Resolve(by=ANA), minutes=5)
    world.left_alone()
    assert told(world) == []
    assert status(world) is Status.RESOLVED


def test_a_snooze_that_ends_during_work_waits_for_its_end():
    world = night(maintenances=(work(starts=10, ends=60),))
    world.reported(signal())
    world.happens(Snooze(by=ANA, until=at(20)), minutes=2)
    world.left_alone()
    assert told(world) == [(0, 1), (60, 1), (70, 2)]


# ---------------------------------------------------------------- deferrals


def putting_off(*, after="re_evaluate", after_path_id=None, starts="01:00", ends="03:00"):
    """A policy that pages nobody until three, and then says what."""
    rule = PathRule(kind="deferral_window", windows=windows(starts, ends))
    later = Path(
        id=UUID(int=0x77), name="Later", is_default=False, loudness="audible", repeat=None, repeat_count=None,
        initial_delay_minutes=0, levels=(), kind="deferral", rules=(rule,), after=after, after_path_id=after_path_id,
    )  # fmt: skip
    calm = Path(
        id=UUID(int=0x78), name="Calm", is_default=False, loudness="audible", repeat=None, repeat_count=None,
        initial_delay_minutes=0, levels=(Level(position=1, delay_minutes=5, targets=(on(4),)),),
        rules=(PathRule(kind="alert_urgency"),),
    )  # fmt: skip
    return replace(POLICY, paths=(later, calm, *POLICY.paths))


def test_a_deferral_puts_an_alert_off_and_is_chosen_anew_when_it_is_over():
    world = night(of=putting_off())
    world.reported(signal())
    assert status(world) is Status.DEFERRED
    assert said(world, "escalation.deferred").startswith(
        "Put off until 2026-11-23 03:00 UTC: path Later defers it"
    )
    world.left_alone()
    assert told(world) == [(60, 1), (70, 2)]
    assert status(world) is Status.TRIGGERED
    assert "because its deferral is over" in said(world, "escalation.started")


def test_a_deferral_may_name_the_path_that_follows():
    world = night(of=putting_off(after="execute_path", after_path_id=UUID(int=0x78)))
    world.reported(signal())
    world.left_alone()
    assert told(world) == [(60, 4)]


def test_a_deferral_within_planned_work_that_ends_before_it_is_put_off_again():
    for after, then in (("re_evaluate", 1), ("execute_path", 4)):
        follows = UUID(int=0x78) if after == "execute_path" else None
        world = night(of=putting_off(after=after, after_path_id=follows), maintenances=(work(),))
        world.reported(signal())
        world.left_alone()
        assert told(world)[0] == (60, then), after
        assert status(world) is Status.TRIGGERED


def test_a_deferral_whose_policy_is_gone_pages_the_people_of_last_resort():
    world = night(of=putting_off(), fallback_user_ids=(4,))
    world.reported(signal())
    gone = replace(world.facts.directory, policies={})
    world.facts = replace(world.facts, directory=gone)
    world.left_alone()
    assert told(world) == [(60, 4)]
    assert "policy 16, Later is gone" in said(world, "escalation.fallback")


def test_an_alert_of_which_one_climb_is_put_off_and_another_pages_is_triggered():
    both = policy(0x12, ([on(3), LevelTarget(type="service", id=str(UUID(int=0x30)))], 5))
    world = night(service(0x30, policy_id=0x10), both, of=putting_off(), target=to("EscalationPolicy", 0x12))
    world.reported(signal())
    assert status(world) is Status.TRIGGERED
    world.left_alone()
    assert told(world) == [(0, 3), (60, 1), (70, 2)]


# ---------------------------------------------------------------- levels


@pytest.mark.parametrize(("level", "fine"), [(-1, False), (1, True), (2, True), (3, False)])
def test_a_climb_begins_at_a_level_that_there_is(level, fine):
    world = night(target=to("User", 3))
    world.reported(signal())
    act = Escalate(by=ANA, policy=to("EscalationPolicy", 0x10), level=level)
    if not fine:
        with pytest.raises(Invalid, match="levels 1 to 2"):
            world.happens(act, minutes=1)
        return
    world.happens(act, minutes=1)
    assert told(world)[-1] == (1, level)


def threshold(count=2, minutes=5):
    gate = Level(position=2, delay_minutes=0, targets=(), kind="threshold", count=count, minutes=minutes)
    first, last = POLICY.paths[0].levels
    levels = (first, gate, replace(last, position=3))
    return replace(POLICY, paths=(replace(POLICY.paths[0], levels=levels),))


def test_a_threshold_counts_members_that_began_lately_or_are_told_of_now():
    world = night(of=threshold())
    world.reported(signal("a"))
    world.left_alone(until=20)
    world.reported(signal("a"), signal("b", starts=21), minutes=22)
    assert told(world) == [(0, 1)]
    # Both are told of for the first time, one of them began long ago.
    world.reported(
        signal("a"), signal("b", starts=21), signal("c", starts=1), signal("d", starts=22), minutes=23
    )
    assert (23, 2) in told(world)


def test_members_do_not_hurry_a_climb_that_has_not_come_to_its_threshold():
    world = night(of=threshold(count=0))
    world.reported(signal("a"))
    world.reported(signal("a"), signal("b", starts=1), minutes=1)
    assert told(world) == [(0, 1)]
    world.left_alone(until=11)
    world.reported(signal("a"), signal("b", starts=1), signal("c", starts=11), minutes=11)
    assert (11, 2) in told(world) or (10, 2) in told(world)


def test_a_level_that_names_a_service_starts_its_climb_beside_it_once():
    names = policy(0x10, ([on(1), LevelTarget(type="service", id=str(UUID(int=0x30)))], 20), repeat=1)
    world = night(service(0x30, policy_id=0x11), of=names)
    world.reported(signal())
    world.left_alone()
    assert [who for minute, who in told(world) if minute == 0] == [1, 3]
    assert "because level 1 names them" in said(world, "escalation.started")
    assert [minute for minute, who in told(world) if who == 3] == [0, 20]


def test_a_service_without_anybody_leaves_the_fallback_and_says_which_target_gave_nobody():
    world = night(service(0x30), target=to("Service", 0x30), fallback_user_ids=(4,))
    world.reported(signal())
    assert "Nobody to page for Service" in said(world, "routing.empty_target")
    assert told(world) == [(0, 4)]
    assert world.alert.unpaged
    assert "none of the targets could be paged" in said(world, "escalation.fallback")


def test_whoever_keeps_quiet_hours_is_passed_over_where_others_are_left():
    sleeper = user(1, ("sms", 0), quiet=windows("22:00", "07:00"), quiet_audible=True)
    both = policy(0x10, ([on(1), on(2)], 10), ([on(3)], 10))
    world = night(sleeper, of=both)
    world.reported(signal())
    assert told(world) == [(0, 2)]
    assert said(world, "page.quiet_hours").startswith(
        "Passed over user 1, who keeps quiet hours until 2026-11-23 07:00"
    )
    awake = night(of=both)
    awake.reported(signal())
    assert said(awake, "page.quiet_hours") == ""


def test_a_round_robin_goes_on_with_each_alert():
    level = replace(POLICY.paths[0].levels[0], id=UUID(int=0x88), strategy="alert", targets=(on(1), on(2)))
    turns = replace(POLICY, paths=(replace(POLICY.paths[0], levels=(level,)),))
    world = night(of=turns)
    decision = world.reported(signal())
    assert decision.turned == {UUID(int=0x88): 1}


# ---------------------------------------------------------------- the end


def test_a_climb_that_is_over_says_who_might_have_followed():
    world = night()
    world.reported(signal())
    world.left_alone()
    assert said(world, "escalation.exhausted") == "policy 16 has nobody further to page."
    alone = night(target=to("User", 1))
    alone.reported(signal())
    alone.left_alone()
    assert said(alone, "escalation.exhausted") == "user 1 was paged directly; nobody follows."


def test_where_every_message_was_refused_the_last_resort_is_paged_and_nobody_twice():
    world = night(fallback_user_ids=(4,))
    world.reported(signal())
    world.failed(1)
    world.happens(Due(), minutes=10)
    world.failed(2)
    world.left_alone()
    assert [who for _, who in told(world)].count(4) == 1
    assert said(world, "escalation.fallback").count("Paging the fallback people") == 1


def test_a_fallback_person_who_cannot_be_reached_is_nobody():
    world = night(user(5), of=policy(0x10), fallback_user_ids=(5,))
    decision = world.reported(signal())
    assert decision.fallback == "nobody"
    assert "no fallback person can be reached" in said(world, "escalation.unpaged")
    assert world.alert.unpaged


def test_an_acknowledgement_calls_off_what_waits_and_a_restart_begins_anew():
    slow = user(1, ("sms", 0), ("voice", 5))
    world = night(slow)
    world.reported(signal())
    decision = world.happens(Acknowledge(by=ANA), minutes=1)
    assert decision.cancel
    assert all(page.ended and page.wake_at is None for page in world.facts.pages)
    world.left_alone()
    assert told(world) == [(0, 1)]
    world.happens(Restart(by=ANA, targets=(to("EscalationPolicy", 0x10),)), minutes=90)
    assert told(world)[-1] == (90, 1)
    assert status(world) is Status.TRIGGERED


def test_after_a_snooze_the_fallback_is_not_climbed_again_beside_what_fell_back():
    world = night(of=policy(0x10, ([on(9)], 5)), fallback_user_ids=(4,))
    world.reported(signal())
    assert told(world) == [(0, 4)]
    world.happens(Snooze(by=ANA, until=at(60)), minutes=1)
    world.left_alone()
    assert told(world) == [(0, 4), (60, 4)]


def test_a_climb_is_due_at_its_first_delay_and_not_before():
    late = policy(0x10, ([on(1)], 10), delay=3)
    world = night(of=late)
    world.reported(signal())
    assert told(world) == []
    [climb] = world.facts.escalations
    assert climb.wake_at == NOW + timedelta(minutes=3)
    assert (climb.level, climb.round, climb.fired, climb.reached, climb.turn) == (0, 1, 0, 0, 0)
    world.left_alone()
    assert told(world) == [(3, 1)]


# ---------------------------------------------------------------- what paths may look at


def looking(*rules):
    """The policy with a path before its default that pages the fourth person, where these rules hold."""
    path = Path(
        id=UUID(int=0x79), name="Special", is_default=False, loudness="audible", repeat=None, repeat_count=None,
        initial_delay_minutes=0, levels=(Level(position=1, delay_minutes=5, targets=(on(4),)),), rules=rules,
    )  # fmt: skip
    return replace(POLICY, paths=(path, *POLICY.paths))


@pytest.mark.parametrize(("kind", "who"), [("alertmanager", 4), ("api", 1)])
def test_a_path_may_look_at_the_kind_of_source(kind, who):
    world = night(of=looking(PathRule(kind="source", operator="is", values=(kind,))))
    world.reported(signal())
    assert told(world) == [(0, who)]


def test_a_path_looks_at_what_is_stored_where_no_delivery_is_at_hand():
    rule = PathRule(
        kind="json_path", find=compiled("$.alerts[*].labels.alertname"), operator="is", values=("DiskFull",)
    )
    later, *_ = putting_off().paths
    world = night(of=replace(POLICY, paths=(later, *looking(rule).paths)))
    world.reported(signal())
    world.facts = replace(world.facts, labels={"alertname": "DiskFull"})
    world.left_alone()
    assert told(world) == [(60, 4)]


def test_work_on_a_service_holds_what_is_for_that_service():
    mute = replace(work(), source_ids=frozenset(), service_ids=frozenset({str(UUID(int=0x30))}))
    world = night(service(0x30, policy_id=0x11), target=to("Service", 0x30), maintenances=(mute,))
    world.reported(signal())
    assert told(world) == []
    assert status(world) is Status.DEFERRED


# ---------------------------------------------------------------- beginning again


def test_a_snooze_that_ends_during_work_puts_the_alert_off():
    world = night(maintenances=(work(starts=10, ends=60),))
    world.reported(signal())
    world.happens(Snooze(by=ANA, until=at(20)), minutes=2)
    world.left_alone(until=30)
    assert status(world) is Status.DEFERRED


@pytest.mark.parametrize(
    ("targets", "who", "code"),
    [((to("EscalationPolicy", 0x11),), 3, "escalation.started"), ((), 4, "escalation.fallback")],
)
def test_what_was_never_climbed_for_pages_its_targets_or_the_last_resort_when_a_snooze_is_over(
    targets, who, code
):
    """It followed another alert, which paged for it, until somebody took it out of that group."""
    world = night(fallback_user_ids=(4,))
    world.reported(signal())
    world.happens(Snooze(by=ANA, until=at(20)), minutes=2)
    world.facts = replace(world.facts, escalations=(), pages=(), sent=(), targets=targets)
    world.happens(Due(), minutes=20)
    assert told(world)[1:] == [(20, who)]
    assert ("it pages by itself now" if targets else "nobody was ever paged for it") in said(world, code)


def test_a_person_who_was_reached_by_another_climb_is_enough_where_one_ends():
    """One message refused and another taken: somebody knows, so the last resort sleeps."""
    both = policy(0x10, ([on(1), on(2)], 0))
    world = night(of=both, fallback_user_ids=(4,))
    world.reported(signal())
    world.failed(2)
    world.left_alone()
    assert 4 not in [who for _, who in told(world)]


def test_a_new_member_at_the_last_level_counts_for_nothing():
    world = night()
    world.reported(signal("a"))
    world.left_alone(until=11)
    world.reported(signal("a"), signal("b", starts=12), minutes=12)
    assert told(world) == [(0, 1), (10, 2)]


def test_after_a_snooze_all_rounds_are_gone_again_each_from_the_first_of_a_cycle():
    first = replace(POLICY.paths[0].levels[0], strategy="cycle", targets=(on(1), on(2)))
    world = night(of=replace(POLICY, repeat_count=1, paths=(replace(POLICY.paths[0], levels=(first,)),)))
    world.reported(signal())
    world.left_alone(until=12)
    assert told(world) == [(0, 1), (10, 2)]
    world.happens(Snooze(by=ANA, until=at(60)), minutes=15)
    world.left_alone()
    assert told(world)[2:] == [(60, 1), (70, 2), (80, 1), (90, 2)]


def test_members_that_are_only_told_of_again_do_not_count_towards_a_threshold():
    old = [signal(host) for host in "abc"]
    world = night(of=threshold())
    world.reported(*old)
    world.left_alone(until=20)
    world.reported(*old, signal("d", starts=21), minutes=22)
    assert told(world) == [(0, 1)]


def test_a_member_that_began_just_as_long_ago_as_a_threshold_looks_back_counts():
    world = night(of=threshold(count=1))
    world.reported(signal("a"))
    world.left_alone(until=20)
    world.reported(signal("a"), signal("b", starts=22), minutes=22)
    assert told(world) == [(0, 1)]
    world.reported(signal("a"), signal("b", starts=22), signal("c", starts=27), minutes=27)
    assert told(world)[-1] == (27, 2)
