"""Which of several climbs is held and begins again, and what is put off: whole nights, without a database."""

from datetime import time
from uuid import UUID

import pytest
from msgspec.structs import replace

from nightbell.core.alert import Status
from nightbell.core.calendar import Window, hours
from nightbell.core.directory import Level, LevelTarget, Maintenance, Path, PathRule, Windows
from nightbell.core.events import Acknowledge, Escalate, Snooze
from nightbell.core.journal import person
from support.pure import SOURCE, World, at, directory, on, policy, service, signal, source, to, user

ANA = person(1, "user 1")
BOB = person(2, "user 2")
#: One level that is left at once: its climb has come to its end as soon as it has paged.
SHORT = policy(0x10, ([on(1)], 0))
LONG = policy(0x11, ([on(1)], 10), ([on(2)], 10))


def night(*things, target, **more):
    """A house of four; its source pages the target."""
    people = (user(1, ("sms", 0)), user(2, ("sms", 0)), user(3, ("sms", 0)), user(4, ("sms", 0)))
    return World(directory(*people, *things, source(default_target=target), **more))


def told(world):
    """Who was paged at which minute."""
    return [(minute, who) for minute, who, _ in world.paged]


def status(world: World) -> str:
    """Where the alert stands, as nothing a type checker remembers."""
    return world.alert.status


def work(ident=1, *, starts=-30.0, ends=30.0):
    return Maintenance(
        id=UUID(int=ident), name=f"work {ident}", service_ids=frozenset(), source_ids=frozenset({SOURCE}),
        starts_at=at(starts), ends_at=at(ends), windows=None,
    )  # fmt: skip


def beside(*first, wait, then=()):
    """A policy whose first level calls these and the climb of a service beside them."""
    called = [*(on(one) for one in first), LevelTarget(type="service", id=str(UUID(int=0x30)))]
    return policy(0x12, (called, wait), *([([on(one) for one in then], 10)] if then else []))


# ---------------------------------------------------------------- what is held


def test_an_acknowledgement_holds_the_climb_that_goes_on_beside_one_that_came_to_its_end():
    world = night(service(0x30, policy_id=0x11), LONG, beside(3, wait=0), target=to("EscalationPolicy", 0x12))
    world.reported(signal())
    world.happens(Acknowledge(by=ANA), minutes=1)
    world.left_alone()
    assert told(world) == [(0, 3), (0, 1)]


def test_what_came_to_its_end_before_a_snooze_does_not_begin_again_beside_what_was_escalated():
    both = beside(3, wait=10, then=(4,))
    world = night(service(0x30, policy_id=0x10), SHORT, both, target=to("EscalationPolicy", 0x12))
    world.reported(signal())
    world.happens(Snooze(by=ANA, until=at(60)), minutes=1)
    world.happens(Escalate(by=ANA), minutes=2)
    world.left_alone()
    assert told(world) == [(0, 3), (0, 1), (2, 4)]


def test_an_acknowledgement_of_what_came_to_its_end_is_over_in_its_time_too():
    world = night(SHORT, target=to("EscalationPolicy", 0x10), acknowledge_default=30)
    world.reported(signal())
    world.happens(Acknowledge(by=ANA), minutes=5)
    world.left_alone()
    assert told(world) == [(0, 1), (35, 1)]
    assert status(world) is Status.TRIGGERED


# ---------------------------------------------------------------- what begins again


def test_after_a_snooze_the_policy_is_climbed_again_and_not_the_fallback_that_followed_it():
    world = night(SHORT, target=to("EscalationPolicy", 0x10), fallback_user_ids=(4,))
    world.reported(signal())
    world.failed(1)
    assert told(world) == [(0, 1), (0, 4)]
    world.happens(Snooze(by=ANA, until=at(60)), minutes=5)
    world.left_alone()
    assert told(world)[2:] == [(60, 1)]


def test_a_fallback_alone_whose_snooze_ends_during_planned_work_begins_again_after_it():
    mute = work(starts=10, ends=60)
    world = night(service(0x30), target=to("Service", 0x30), fallback_user_ids=(4,), maintenances=(mute,))
    world.reported(signal())
    world.happens(Snooze(by=ANA, until=at(20)), minutes=2)
    world.left_alone()
    assert told(world) == [(0, 4), (60, 4)]


# ---------------------------------------------------------------- put off, or paging


def test_an_alert_stays_put_off_where_one_planned_work_follows_another():
    mutes = (work(), work(2, starts=28, ends=50))
    world = night(LONG, target=to("EscalationPolicy", 0x11), maintenances=mutes)
    world.reported(signal())
    world.left_alone(until=40)
    assert told(world) == []
    assert status(world) is Status.DEFERRED


def test_planned_work_that_begins_after_somebody_was_paged_puts_nothing_off_though_members_join():
    world = night(LONG, target=to("EscalationPolicy", 0x11), maintenances=(work(starts=5, ends=30),))
    world.reported(signal("a"))
    world.left_alone(until=12)
    world.reported(signal("a"), signal("b", starts=11), minutes=12)
    assert status(world) is Status.TRIGGERED
    world.left_alone()
    assert told(world) == [(0, 1), (30, 2)]


def test_a_firing_in_doubt_is_held_for_its_time_after_the_delay_of_its_policy():
    late = policy(0x10, ([on(1)], 10), delay=3)
    world = night(late, target=to("EscalationPolicy", 0x10))
    world.reported(signal())
    world.left_alone(until=4)
    world.reported(signal(ends=5), minutes=6)
    assert status(world) is Status.RESOLVED
    # Alertmanager sends again what it had sent before the end.
    world.reported(signal(), minutes=7)
    assert world.codes.count("alert.reopened") == 1
    world.left_alone()
    assert told(world) == [(3, 1), (11, 1)]


# ---------------------------------------------------------------- some pages of many


def test_where_everybody_must_acknowledge_the_last_one_takes_it():
    level = Level(
        position=1, delay_minutes=10, targets=(on(1), on(2)), all_must_acknowledge=True, id=UUID(int=0x88)
    )
    every = replace(LONG, paths=(replace(LONG.paths[0], levels=(level,)),))
    world = night(every, target=to("EscalationPolicy", 0x11))
    world.reported(signal())
    world.happens(Acknowledge(by=ANA), minutes=1)
    assert status(world) is Status.TRIGGERED
    assert [page.user_id for page in world.facts.pages] == [2]
    world.happens(Acknowledge(by=BOB), minutes=2)
    assert status(world) is Status.ACKNOWLEDGED


# ---------------------------------------------------------------- deferrals that name what follows


def deferred(ident, starts, ends, **more):
    """A path that pages nobody between two times of day."""
    made = hours([Window(start=time.fromisoformat(starts), end=time.fromisoformat(ends))])
    assert made is not None
    rule = PathRule(kind="deferral_window", windows=Windows(hours=made, zone="Etc/UTC"))
    return Path(
        id=UUID(int=ident), name="Later", is_default=False, loudness="audible", repeat=None, repeat_count=None,
        initial_delay_minutes=0, levels=(), kind="deferral", rules=(rule,), **more,
    )  # fmt: skip


#: Taken only by a deferral that names it.
CALM = Path(
    id=UUID(int=0x78), name="Calm", is_default=False, loudness="audible", repeat=None, repeat_count=None,
    initial_delay_minutes=0, levels=(Level(position=1, delay_minutes=5, targets=(on(4),)),),
    rules=(PathRule(kind="alert_urgency"),),
)  # fmt: skip
UNTIL_THREE = deferred(0x77, "01:00", "03:00", after="execute_path", after_path_id=CALM.id)


def test_a_deferral_that_ended_during_planned_work_is_followed_by_the_path_it_names():
    late = replace(LONG, paths=(UNTIL_THREE, CALM, *LONG.paths))
    world = night(late, target=to("EscalationPolicy", 0x11), maintenances=(work(ends=90),))
    world.reported(signal())
    world.left_alone()
    assert told(world) == [(90, 4)]


def test_a_deferral_that_names_its_path_is_not_put_off_by_the_next_one():
    next_one = deferred(0x76, "02:30", "05:00", after="re_evaluate")
    late = replace(LONG, paths=(UNTIL_THREE, next_one, CALM, *LONG.paths))
    world = night(late, target=to("EscalationPolicy", 0x11))
    world.reported(signal())
    world.left_alone()
    assert told(world) == [(60, 4)]


@pytest.mark.parametrize(
    ("event", "more", "paged"),
    [
        (Acknowledge(by=BOB), {}, []),
        (Acknowledge(by=BOB), {"acknowledge_default": 120}, [(127, 1)]),
        (Snooze(by=BOB, until=at(200)), {}, [(200, 1)]),
    ],
)
def test_a_fallback_that_planned_work_keeps_back_does_not_go_on_under_whoever_took_the_alert(
    event, more, paged
):
    world = night(
        SHORT,
        target=to("EscalationPolicy", 0x10),
        fallback_user_ids=(4,),
        maintenances=(work(starts=3, ends=30),),
        **more,
    )
    world.reported(signal())
    world.now = at(5)
    world.failed(1)
    world.happens(event, minutes=7)
    world.left_alone(until=205)
    assert [one for one in told(world) if one[0] > 7][: len(paged) or None] == paged
