"""Who was reached when a climb ends, with shadows, refusals and several climbs: whole nights, without a database."""

from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from nightbell.core.alert import Status
from nightbell.core.directory import LevelTarget
from nightbell.core.events import Acknowledge
from nightbell.core.journal import person
from nightbell.core.schedule import Shadow
from support.pure import World, at, directory, on, policy, service, signal, source, to, user
from support.schedules import rotation, schedule

ROTA = UUID(int=0x40)
BESIDE = LevelTarget(type="service", id=str(UUID(int=0x30)))
LISTENED_TO = LevelTarget(type="schedule", id=str(ROTA))


def night(of, *things):
    """A house of four, the fourth of last resort; the second shadows the first, who alone is on call in a schedule."""
    people = [user(ident, ("sms", 0)) for ident in (1, 2, 3, 4)]
    known = {one.id: one for one in (*people, of, *things)}
    sender = source(default_target=to("EscalationPolicy", 0x10))
    listens = Shadow(id=UUID(int=9), user=2, start=at(-60), end=at(600))
    daily = rotation(1, anchor=datetime.fromisoformat("2026-11-01T09:00"))
    rota = schedule(daily, id=ROTA, shadows=(listens,))
    return World(
        directory(*known.values(), sender, schedules={str(ROTA): rota}, fallback_user_ids=(4,)),
    )


def told(world):
    """Who was told at which minute."""
    return [(minute, who) for minute, who, _ in world.paged]


def said(world, code):
    """What the journal says under a code."""
    return [entry.details for d in world.decisions for entry in d.entries if entry.code == code]


def test_somebody_who_only_listens_was_not_reached_where_the_one_they_shadow_refused():
    world = night(policy(0x10, ([LISTENED_TO], 10)))
    world.reported(signal())
    assert told(world) == [(0, 1), (0, 2)]
    world.failed(1)
    assert told(world) == [(0, 1), (0, 2), (0, 4)]
    assert world.alert.unpaged
    assert said(world, "escalation.fallback") == ["Paging the fallback people: policy 16 reached no one."]


def test_a_policy_without_levels_is_told_from_one_that_reached_nobody():
    world = night(policy(0x10))
    world.reported(signal())
    assert told(world) == [(0, 4)]
    assert said(world, "escalation.fallback") == ["Paging the fallback people: policy 16 has no levels."]


def test_somebody_whose_first_message_is_still_to_come_may_be_reached_whoever_listens():
    """Their page goes on by its later rule after the last level had its time; the shadow's is beside it."""
    world = night(policy(0x10, ([LISTENED_TO], 3)), user(1, ("sms", 5)))
    world.reported(signal())
    world.left_alone()
    assert told(world) == [(0, 2), (5, 1)]
    assert said(world, "escalation.exhausted") == ["policy 16 has nobody further to page."]


def test_whoever_acknowledged_was_reached_though_another_refused_where_everybody_must():
    plain = policy(0x10, ([on(1), on(2)], 10))
    [path] = plain.paths
    [level] = path.levels
    everybody = replace(level, all_must_acknowledge=True)
    world = night(replace(plain, paths=(replace(path, levels=(everybody,)),)))
    world.reported(signal())
    world.happens(Acknowledge(by=person(1, "user 1")), minutes=1)
    assert world.alert.status is Status.TRIGGERED
    assert [page.user_id for page in world.facts.pages] == [2]
    world.failed(2)
    world.left_alone()
    assert told(world) == [(0, 1), (0, 2)]
    assert said(world, "escalation.fallback") == []


def test_a_climb_that_may_still_come_to_somebody_lets_the_last_resort_sleep():
    world = night(
        policy(0x10, ([on(1), BESIDE], 10)),
        service(0x30, policy_id=0x11),
        policy(0x11, ([on(3)], 10), delay=30),
    )
    world.reported(signal())
    world.failed(1)
    world.left_alone()
    assert told(world) == [(0, 1), (30, 3)]
    assert said(world, "escalation.fallback") == []


def test_a_new_member_after_the_last_level_pages_nobody_again():
    world = night(policy(0x10, ([on(1)], 10), ([on(2)], 10)))
    world.reported(signal("a"))
    world.left_alone()
    assert [climb.phase for climb in world.facts.escalations] == ["exhausted"]
    world.reported(signal("a"), signal("b", starts=30), minutes=30)
    world.left_alone()
    assert told(world) == [(0, 1), (10, 2)]


def test_whoever_only_listens_was_not_reached_though_their_page_is_over():
    world = night(policy(0x10, ([LISTENED_TO], 10)))
    world.reported(signal())
    world.failed(2, state="unknown")
    world.failed(1)
    world.left_alone()
    assert (0, 4) in told(world)
