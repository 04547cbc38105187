"""This file says who is on call at one instant. Its cost grows with the layers, never with how far the instant is.

Rule 1: it must agree with `core/shifts.py` at every instant; `tests/properties/test_schedule.py` holds both to it.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby

from nightbell.core.absence import away_at, exchanged_in, serving
from nightbell.core.overriding import people_at
from nightbell.core.rotation import turn_at
from nightbell.core.schedule import Feed, Member, Nested, Person, Rotation, Schedule, covers
from nightbell.core.serving import everybody


def on_call(schedule: Schedule, at: datetime) -> frozenset[int]:
    """Return who is on call at an instant: nobody in a gap.

    Units: an aware datetime.
    """
    people = people_at(_by_layers(schedule, at), schedule.overrides, at)
    return people_at(people, schedule.swaps, at)


def shadows_of(schedule: Schedule, user: int, at: datetime, *, everyone: bool = False) -> frozenset[int]:
    """Return who hears, at an instant, what this person is told through a schedule, or through one nested in it.

    Shape: nobody where the person is not on call there; with `everyone`, whoever has a turn at all counts.
    """
    found = {s.user for s in schedule.shadows if covers(s, at) and s.of in (None, user) and s.user != user}
    for inner in _nested(schedule):
        found |= shadows_of(inner, user, at, everyone=everyone)
    if not found:
        return frozenset()
    people = everybody(schedule) if everyone else on_call(schedule, at)
    return frozenset(found) if user in people else frozenset()


def _nested(schedule: Schedule) -> Iterator[Schedule]:
    members = (member for lane in schedule.rotations for turn in lane.turns for member in turn)
    yield from {m.schedule.id: m.schedule for m in members if isinstance(m, Nested)}.values()


def _by_layers(schedule: Schedule, at: datetime) -> frozenset[int]:
    """Return who is on call by the highest layer that has somebody."""
    lanes: list[Rotation | Feed] = [*schedule.rotations, *schedule.feeds]
    lanes.sort(key=lambda lane: -lane.position)
    for _, layer in groupby(lanes, key=lambda lane: lane.position):
        people = frozenset(user for lane in layer for user in _by_lane(lane, schedule, at))
        if people:
            return people
    return frozenset()


def _by_lane(lane: Rotation | Feed, schedule: Schedule, at: datetime) -> Iterator[int]:
    if isinstance(lane, Feed):
        yield from (booking.user for booking in lane.bookings if covers(booking, at))
        return
    turn = turn_at(lane, at)
    if turn is not None:
        away = away_at(exchanged_in(lane, schedule.absences), at) if schedule.absences else {}
        for service in serving(lane, turn, away):
            yield from _people(service.member, at)


def _people(member: Member, at: datetime) -> frozenset[int]:
    return frozenset((member.user,)) if isinstance(member, Person) else on_call(member.schedule, at)
