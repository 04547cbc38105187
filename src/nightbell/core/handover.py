"""This file says when other people take over, and where nobody is. It looks a week ahead, and only then further.

Rule 1: one look serves every question about it; who is on call at an instant is what the shifts of the look say.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from nightbell.core.calendar import WEEK, Span, joined, rest
from nightbell.core.schedule import Schedule
from nightbell.core.shift import Shift
from nightbell.core.shifts import shifts

#: How far ahead somebody who asks "until when?" is told.
HORIZON = timedelta(days=35)
#: Most turns are over sooner than a week, and computing less is quicker.
_STEPS = (timedelta(days=1), WEEK, HORIZON)


class Outlook(Struct, frozen=True, kw_only=True):
    """A schedule at an instant and what comes next."""

    #: Of those on call; empty in a gap.
    serving: tuple[Shift, ...]
    #: When other people are on call, or nobody; None when not within the horizon.
    until: datetime | None
    #: When, within a week, nobody is on call next, or has been since the instant; None for no gap.
    gap: datetime | None


def outlook(schedule: Schedule, at: datetime) -> Outlook:
    """Return who is on call at an instant, until when, and when nobody is."""
    start = at.astimezone(UTC)
    ahead = shifts(schedule, start=start, end=start + WEEK)
    covered = joined(Span(shift.start, shift.end) for shift in ahead)
    free = next(rest(Span(start, start + WEEK), covered), None)
    return Outlook(
        serving=tuple(shift for shift in ahead if shift.start <= start),
        until=_changed(ahead, _people(ahead, start), Span(start, start + WEEK))
        or _later(schedule, _people(ahead, start), start, start + WEEK),
        gap=free.start if free else None,
    )


def next_change(schedule: Schedule, at: datetime, *, within: timedelta = HORIZON) -> datetime | None:
    """Return when, after an instant, other people than then are on call, or nobody; None for not within a while."""
    start = at.astimezone(UTC)
    end = start + min(_STEPS[0], within)
    ahead = shifts(schedule, start=start, end=end)
    people = _people(ahead, start)
    return _changed(ahead, people, Span(start, end)) or _later(schedule, people, start, end, within=within)


def _later(
    schedule: Schedule,
    people: frozenset[int],
    at: datetime,
    start: datetime,
    *,
    within: timedelta = HORIZON,
) -> datetime | None:
    """Return when others than these are on call, from a later instant on: it may be that very instant."""
    for length in _STEPS:
        end = at + min(length, within)
        if end <= start:
            continue
        ahead = shifts(schedule, start=start, end=end)
        if _people(ahead, start) != people:
            return start
        if found := _changed(ahead, people, Span(start, end)):
            return found
        start = end
    return None


def _changed(ahead: Iterable[Shift], people: frozenset[int], look: Span) -> datetime | None:
    """Return the first instant inside a look at which others than these are on call."""
    known = list(ahead)
    edges = sorted({edge for shift in known for edge in (shift.start, shift.end)})
    inside = (edge for edge in edges if look.start < edge < look.end)
    return next((edge for edge in inside if _people(known, edge) != people), None)


def _people(ahead: Iterable[Shift], at: datetime) -> frozenset[int]:
    return frozenset(shift.user for shift in ahead if shift.start <= at < shift.end)
