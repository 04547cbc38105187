"""This file counts turns that last so many active days, or that change with the calendar.

Rule 1: a night belongs whole to the day it began. No hand-off falls into the part of it after midnight.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from nightbell.core.calendar import DAY, WEEK, Span, instant, midnight, reached
from nightbell.core.schedule import Advance, Rotation, Unit


def turn_by_day(rotation: Rotation, shown: datetime) -> int | None:
    """Return the turn that is on call at a wall clock; None when none is."""
    turns = (_turn_of(rotation, day) for day in _days_at(rotation, shown))
    return next((turn for turn in turns if turn is not None), None)


def running_by_day(rotation: Rotation, shown: datetime) -> int:
    """Return the turn that a wall clock counts towards, whether it is on call then or not."""
    day = next(_days_at(rotation, shown), _handed_over(rotation, shown))
    return _count(rotation, day) // _per_turn(rotation)


def beginning_by_day(rotation: Rotation, shown: datetime) -> int:
    """Return the turn of the day that a wall clock belongs to, whatever night of the day before still lasts."""
    return _count(rotation, _handed_over(rotation, shown)) // _per_turn(rotation)


def spans_by_day(rotation: Rotation, start: datetime, end: datetime) -> Iterator[tuple[Span, int]]:
    """Yield instants in which one turn is on call without a break, and the turn, wherever they touch a range."""
    if not _active(rotation):
        return
    first = _edge(rotation, midnight(reached(start, rotation.zone)) - DAY, -DAY)
    last = _edge(rotation, midnight(reached(end, rotation.zone)), DAY)
    # A night of the day before cuts the first day; the hours before the hand-off after the last are still its own.
    for span, turn in _runs(rotation, first - DAY, last + DAY):
        yield Span(instant(span.start, rotation.zone), instant(span.end, rotation.zone)), turn


# ---------------------------------------------------------------- counting days


def _days_at(rotation: Rotation, shown: datetime) -> Iterator[datetime]:
    """Yield the days whose turn may be on call at a wall clock, the one that began first before the other."""
    today = midnight(shown)
    for day in rotation.hours.days_of(shown) if rotation.hours else (today,):
        yield _handed_over(rotation, shown) if day == today else day


def _handed_over(rotation: Rotation, shown: datetime) -> datetime:
    """Return the day whose turn it is at a wall clock: until the hour of hand-off it is still yesterday's."""
    early = rotation.advance is Advance.ACTIVE_DAYS and shown.time() < rotation.anchor.time()
    return midnight(shown) - DAY if early else midnight(shown)


def _turn_of(rotation: Rotation, day: datetime) -> int | None:
    turn, rest = divmod(_count(rotation, day), _per_turn(rotation))
    return None if rest and rotation.advance is Advance.CALENDAR_SKIP else turn


def _per_turn(rotation: Rotation) -> int:
    """Return how many days, weeks, months or active days, as `_count` counts them, make a turn."""
    if rotation.advance is Advance.ACTIVE_DAYS and rotation.unit is Unit.WEEK:
        return rotation.every * len(_active(rotation))
    return rotation.every


def _count(rotation: Rotation, day: datetime) -> int:
    """Return how many days, weeks, months or active days lie between the anchor's and this one."""
    anchor = midnight(rotation.anchor)
    if rotation.advance is Advance.ACTIVE_DAYS:
        return _active_days(rotation, anchor, day)
    if rotation.unit is Unit.MONTH:
        return (day.year - anchor.year) * 12 + day.month - anchor.month
    if rotation.unit is Unit.WEEK:
        return (_monday(day) - _monday(anchor)) // WEEK
    return (day - anchor) // DAY


def _active_days(rotation: Rotation, anchor: datetime, day: datetime) -> int:
    """Return the number of a day among the active ones since the anchor; an idle day has that of the one before it."""
    active = _active(rotation)
    weeks, rest = divmod((day - anchor) // DAY + 1, 7)
    number = weeks * len(active) + sum((anchor.weekday() + n) % 7 in active for n in range(rest)) - 1
    return max(number, 0) if day >= anchor else number


def _active(rotation: Rotation) -> frozenset[int]:
    return rotation.hours.days() if rotation.hours else frozenset(range(7))


def _monday(day: datetime) -> datetime:
    return day - day.weekday() * DAY


# ---------------------------------------------------------------- runs


def _edge(rotation: Rotation, day: datetime, step: timedelta) -> datetime:
    """Return the first, or last, day of the turn that a day belongs to."""
    turn = _turn_of(rotation, day)
    while turn is not None and _turn_of(rotation, day + step) == turn:
        day += step
    return day


def _runs(rotation: Rotation, first: datetime, last: datetime) -> Iterator[tuple[Span, int]]:
    """Yield stretches of one turn without a break, from the first day to the last."""
    run: Span | None = None
    serving = 0
    day = first
    while day <= last:
        for span, turn in _pieces(rotation, day):
            start = max(span.start, run.end) if run else span.start
            if run and run.end == start and serving == turn:
                run = Span(run.start, max(run.end, span.end))
            elif start < span.end:
                if run:
                    yield run, serving
                run, serving = Span(start, span.end), turn
        day += DAY
    if run:
        yield run, serving


def _pieces(rotation: Rotation, day: datetime) -> Iterator[tuple[Span, int]]:
    """Yield what of a day's hours falls to yesterday's turn, until the hand-off, and to the day's own."""
    handed = day
    if rotation.advance is Advance.ACTIVE_DAYS:
        handed = day + (rotation.anchor - midnight(rotation.anchor))
    for start, end in rotation.hours.on(day) if rotation.hours else [Span(day, day + DAY)]:
        for owner, span in ((day - DAY, Span(start, min(end, handed))), (day, Span(max(start, handed), end))):
            turn = _turn_of(rotation, owner)
            if turn is not None and span.start < span.end:
                yield span, turn
