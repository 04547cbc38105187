"""This file judges a schedule: gaps, overlaps, absences in the way, and how the load lies on people.

Rule 1: nights, weekends and working hours are those of the person, where they live, not of the schedule.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from msgspec import Struct

from nightbell.core.calendar import DAY, Hours, Span, Window, hours, instant, joined, midnight, rest, wall
from nightbell.core.schedule import Absence, Schedule
from nightbell.core.shift import Shift
from nightbell.core.shifts import gaps, shifts

NIGHT = Window(start=time(0), end=time(6))
WEEKEND = Window(start=time(0), end=time(0), days=frozenset((5, 6)))
_NIGHTS, _WEEKENDS = hours((NIGHT,)), hours((WEEKEND,))


class Habits(Struct, frozen=True, kw_only=True):
    """Where somebody lives and when they work; None: no hours are known."""

    zone: ZoneInfo
    working: Hours | None = None


class Conflict(Struct, frozen=True, kw_only=True):
    """Somebody is on call while away."""

    shift: Shift
    absence: Absence
    span: Span


class Load(Struct, frozen=True, kw_only=True):
    """What a person carries."""

    user: int
    total: timedelta
    weekends: timedelta
    #: None where no working hours are known.
    outside_work: timedelta | None
    nights: int
    #: The longest row of nights without one off.
    nights_in_a_row: int


class Report(Struct, frozen=True, kw_only=True):
    """How good a schedule is over a range."""

    gaps: tuple[Span, ...]
    #: When two shifts run at once.
    overlaps: tuple[Span, ...]
    conflicts: tuple[Conflict, ...]
    loads: tuple[Load, ...]

    @property
    def balance(self) -> float:
        """What the least loaded person carries, as a part of what the most loaded one does: 1 is fair."""
        totals = [load.total for load in self.loads]
        return min(totals) / max(totals) if totals else 1.0


def report(schedule: Schedule, habits: Mapping[int, Habits], *, start: datetime, end: datetime) -> Report:
    """Return how good a schedule is in [start, end).

    Shape: everybody who serves has a load; those without habits are left out of it.
    Raises: WindowTooLong over 400 days.
    """
    found = shifts(schedule, start=start, end=end)
    known = sorted({shift.user for shift in found} & habits.keys())
    return Report(
        gaps=gaps(schedule, start=start, end=end),
        overlaps=tuple(_overlaps(found)),
        conflicts=conflicts(schedule, start=start, end=end),
        loads=tuple(_load(user, habits[user], _of(user, found)) for user in known),
    )


def conflicts(schedule: Schedule, *, start: datetime, end: datetime) -> tuple[Conflict, ...]:
    """Return who, in [start, end), is on call while away."""
    found = shifts(schedule, start=start, end=end)
    pairs = (
        (shift, absence) for shift in found for absence in schedule.absences if absence.user == shift.user
    )
    return tuple(
        Conflict(
            shift=shift,
            absence=absence,
            span=Span(max(shift.start, absence.start), min(shift.end, absence.end)),
        )
        for shift, absence in pairs
        if shift.start < absence.end and absence.start < shift.end
    )


def _overlaps(found: Iterable[Shift]) -> list[Span]:
    until: datetime | None = None
    twice = []
    for shift in found:
        if until is not None and shift.start < until:
            twice.append(Span(shift.start, min(shift.end, until)))
        until = shift.end if until is None else max(until, shift.end)
    return joined(twice)


def _of(user: int, found: Iterable[Shift]) -> list[Span]:
    return joined(Span(shift.start, shift.end) for shift in found if shift.user == user)


def _load(user: int, habits: Habits, spans: list[Span]) -> Load:
    nights = sorted(set(_nights(spans, habits.zone)))
    outside = None if habits.working is None else _length(spans) - _within(spans, habits.working, habits.zone)
    return Load(
        user=user,
        total=_length(spans),
        weekends=_within(spans, _WEEKENDS, habits.zone),
        outside_work=outside,
        nights=len(nights),
        nights_in_a_row=_longest_row(nights),
    )


def _length(spans: Iterable[Span]) -> timedelta:
    return sum((span.end - span.start for span in spans), timedelta())


def _within(spans: Iterable[Span], active: Hours | None, place: ZoneInfo) -> timedelta:
    """Return how much of some spans lies in the active hours of a place."""
    inside = timedelta()
    for span in spans:
        free = rest(span, _as_instants(span, active, place))
        inside += span.end - span.start - _length(free)
    return inside


def _as_instants(span: Span, active: Hours | None, place: ZoneInfo) -> Iterator[Span]:
    if active is None:
        yield span
        return
    for local in active.spans(wall(span.start, place) - DAY, wall(span.end, place) + DAY):
        yield Span(instant(local.start, place), instant(local.end, place))


def _nights(spans: Iterable[Span], place: ZoneInfo) -> Iterator[datetime]:
    """Yield the mornings of the nights that some spans touch."""
    for span in spans:
        touched = (n for n in _as_instants(span, _NIGHTS, place) if n.start < span.end and n.end > span.start)
        yield from (midnight(wall(night.start, place)) for night in touched)


def _longest_row(nights: list[datetime]) -> int:
    longest = row = min(len(nights), 1)
    for before, after in pairwise(nights):
        row = row + 1 if after - before == DAY else 1
        longest = max(longest, row)
    return longest
