"""This file counts turns: which turn of a rotation an instant, or each stretch of a range, belongs to.

Rule 1: counting is done on the wall clock, as far as it has been reached, so every change of offset is somebody's
longer or shorter turn and never a second hand-off. Only the ends of what was found become instants.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from nightbell.core.calendar import DAY, WEEK, Hours, Span, instant, midnight, months_later, reached
from nightbell.core.schedule import Advance, Rotation, Turn, Unit

_UNIT = {Unit.HOUR: timedelta(hours=1), Unit.DAY: DAY, Unit.WEEK: WEEK}


class Slot(NamedTuple):
    """Instants in which one turn is on call without a break."""

    start: datetime
    end: datetime
    #: The number of the turn since the anchor.
    turn: int
    #: What it would be if the rotation's own bounds did not cut it.
    whole: Span


def served_by(rotation: Rotation, turn: int) -> Turn:
    """Return who serves a turn; nobody where the rotation has no members."""
    turns = rotation.turns
    return turns[(turn + rotation.phase) % len(turns)] if turns else ()


def turn_at(rotation: Rotation, at: datetime) -> int | None:
    """Return the turn that is on call at an instant; None when none is. Costs the same for every instant."""
    if (rotation.starts_at and at < rotation.starts_at) or (rotation.ends_at and at >= rotation.ends_at):
        return None
    shown = reached(at, rotation.zone)
    if by_day(rotation):
        return _turn_on_day(rotation, shown)
    period = _period(rotation, shown)
    active = rotation.hours is None or rotation.hours.day_of(shown) is not None
    return _turn_of_period(rotation, period) if active and not _over(rotation, period, at) else None


def turn_running(rotation: Rotation, at: datetime) -> int:
    """Return the turn that an instant counts towards, whether it is on call then or not."""
    shown = reached(at, rotation.zone)
    if not by_day(rotation):
        return _period(rotation, shown) // _periods_per_turn(rotation)
    day = rotation.hours.day_of(shown) if rotation.hours else None
    day = _handed_over(rotation, shown) if day in (None, midnight(shown)) else day
    return _count(rotation, day or shown) // _per_turn(rotation)


def slots(rotation: Rotation, start: datetime, end: datetime) -> list[Slot]:
    """Return the slots that touch [start, end), whole, in order and apart."""
    low = max(start, rotation.starts_at) if rotation.starts_at else start
    high = min(end, rotation.ends_at) if rotation.ends_at else end
    if low >= high or not rotation.turns:
        return []
    found = _by_days(rotation, low, high) if by_day(rotation) else _by_periods(rotation, low, high)
    bounded = (_bounded(rotation, slot) for slot in found)
    return [slot for slot in bounded if slot.start < slot.end and slot.end > start and slot.start < end]


def _bounded(rotation: Rotation, slot: Slot) -> Slot:
    start = max(slot.start, rotation.starts_at) if rotation.starts_at else slot.start
    end = min(slot.end, rotation.ends_at) if rotation.ends_at else slot.end
    return Slot(start, end, slot.turn, slot.whole)


# ---------------------------------------------------------------- periods: the n-th stretch of wall clock


def hand_off(rotation: Rotation, period: int) -> datetime:
    """Return the wall clock at which a period begins."""
    if rotation.unit is Unit.MONTH:
        return months_later(rotation.anchor, period * rotation.every)
    return rotation.anchor + period * _length(rotation)


def _length(rotation: Rotation) -> timedelta:
    return _UNIT[rotation.unit] * (1 if rotation.advance is Advance.CALENDAR_SKIP else rotation.every)


def _period(rotation: Rotation, shown: datetime) -> int:
    anchor = rotation.anchor
    if rotation.unit is not Unit.MONTH:
        return (shown - anchor) // _length(rotation)
    months = (shown.year - anchor.year) * 12 + shown.month - anchor.month
    period = months // rotation.every
    return period if hand_off(rotation, period) <= shown else period - 1


def _periods_per_turn(rotation: Rotation) -> int:
    return rotation.every if rotation.advance is Advance.CALENDAR_SKIP else 1


def _turn_of_period(rotation: Rotation, period: int) -> int | None:
    turn, rest = divmod(period, _periods_per_turn(rotation))
    return None if rest else turn


def _over(rotation: Rotation, period: int, at: datetime) -> bool:
    if rotation.turn_length is None:
        return False
    return at >= instant(hand_off(rotation, period), rotation.zone) + rotation.turn_length


def _by_periods(rotation: Rotation, start: datetime, end: datetime) -> Iterator[Slot]:
    first = _period(rotation, reached(start, rotation.zone))
    hand_offs = _hand_offs(rotation, first, end)
    for number, span in _worked(hand_offs, rotation.hours):
        turn = _turn_of_period(rotation, first + number)
        if turn is not None:
            yield _of_period(rotation, span, turn, hand_offs[number])


def _hand_offs(rotation: Rotation, period: int, end: datetime) -> list[datetime]:
    """Return the wall clocks at which periods begin, from one period to the first hand-off that is not before `end`."""
    last = reached(end, rotation.zone)
    found = [hand_off(rotation, period)]
    while found[-1] <= last:
        period += 1
        found.append(hand_off(rotation, period))
    return found


def _worked(hand_offs: list[datetime], hours: Hours | None) -> Iterator[tuple[int, Span]]:
    """Yield the active stretches of each period and the period's place in the list."""
    if hours is None:
        yield from (
            (number, Span(*pair)) for number, pair in enumerate(zip(hand_offs, hand_offs[1:], strict=False))
        )
        return
    number = 0
    for start, end in hours.spans(hand_offs[0], hand_offs[-1]):
        while hand_offs[number + 1] <= start:
            number += 1
        inside = number
        while inside + 1 < len(hand_offs) and hand_offs[inside] < end:
            yield inside, Span(max(start, hand_offs[inside]), min(end, hand_offs[inside + 1]))
            inside += 1


def _of_period(rotation: Rotation, span: Span, turn: int, handed: datetime) -> Slot:
    slot = _slot(rotation, span, turn)
    if rotation.turn_length is None:
        return slot
    end = min(slot.end, instant(handed, rotation.zone) + rotation.turn_length)
    return Slot(slot.start, end, turn, Span(slot.start, end))


def _slot(rotation: Rotation, span: Span, turn: int) -> Slot:
    whole = Span(instant(span.start, rotation.zone), instant(span.end, rotation.zone))
    return Slot(whole.start, whole.end, turn, whole)


# ---------------------------------------------------------------- days: a night belongs whole to the day it began


def by_day(rotation: Rotation) -> bool:
    """Return whether turns are counted in whole days and nights rather than in stretches of wall clock."""
    return rotation.advance is not Advance.ELAPSED and rotation.unit is not Unit.HOUR


def _turn_on_day(rotation: Rotation, shown: datetime) -> int | None:
    today = midnight(shown)
    day = rotation.hours.day_of(shown) if rotation.hours else today
    if day is None:
        return None
    return _turn_of_day(rotation, _handed_over(rotation, shown) if day == today else day)


def _handed_over(rotation: Rotation, shown: datetime) -> datetime:
    """Return the day whose turn serves at a wall clock: until the hour of hand-off it is still yesterday's."""
    early = rotation.advance is Advance.ACTIVE_DAYS and shown.time() < rotation.anchor.time()
    return midnight(shown) - DAY if early else midnight(shown)


def _turn_of_day(rotation: Rotation, day: datetime) -> int | None:
    turn, rest = divmod(_count(rotation, day), _per_turn(rotation))
    return None if rest and rotation.advance is Advance.CALENDAR_SKIP else turn


def _per_turn(rotation: Rotation) -> int:
    if rotation.advance is Advance.ACTIVE_DAYS and rotation.unit is Unit.WEEK:
        return rotation.every * len(_active(rotation))
    return rotation.every


def _count(rotation: Rotation, day: datetime) -> int:
    """Return how many days, weeks, months or active days lie between the anchor's and this one."""
    anchor = midnight(rotation.anchor)
    if rotation.advance is Advance.ACTIVE_DAYS:
        return _active_days(rotation, anchor, midnight(day))
    if rotation.unit is Unit.MONTH:
        return (day.year - anchor.year) * 12 + day.month - anchor.month
    if rotation.unit is Unit.WEEK:
        return (_monday(day) - _monday(anchor)) // WEEK
    return (midnight(day) - anchor) // DAY


def _active_days(rotation: Rotation, anchor: datetime, day: datetime) -> int:
    """Return the number of a day among the active ones since the anchor; an idle day has that of the one before it."""
    active = _active(rotation)
    weeks, rest = divmod((day - anchor) // DAY + 1, 7)
    number = weeks * len(active) + sum((anchor.weekday() + n) % 7 in active for n in range(rest)) - 1
    return max(number, 0) if day >= anchor else number


def _active(rotation: Rotation) -> frozenset[int]:
    return rotation.hours.days() if rotation.hours else frozenset(range(7))


def _monday(day: datetime) -> datetime:
    return midnight(day) - day.weekday() * DAY


def _by_days(rotation: Rotation, start: datetime, end: datetime) -> Iterator[Slot]:
    if not _active(rotation):
        return
    first = _edge(rotation, midnight(reached(start, rotation.zone)) - DAY, -DAY)
    last = _edge(rotation, midnight(reached(end, rotation.zone)), DAY)
    for span, turn in _runs(rotation, first, last):
        yield _slot(rotation, span, turn)


def _edge(rotation: Rotation, day: datetime, step: timedelta) -> datetime:
    """Return the first, or last, day of the turn that a day belongs to."""
    turn = _turn_of_day(rotation, day)
    while turn is not None and _turn_of_day(rotation, day + step) == turn:
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
            turn = _turn_of_day(rotation, owner)
            if turn is not None and span.start < span.end:
                yield span, turn
