"""This file counts turns that last so many hours, days, weeks or months of wall clock.

Rule 1: the n-th hand-off is counted from the anchor, never from the hand-off before it, so nothing drifts: not after
a change of offset, and not after a month too short for the day of the anchor.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from nightbell.core.calendar import DAY, WEEK, Span, instant, months_later, reached
from nightbell.core.schedule import Advance, Rotation, Unit

_UNIT = {Unit.HOUR: timedelta(hours=1), Unit.DAY: DAY, Unit.WEEK: WEEK}


def turn_by_clock(rotation: Rotation, shown: datetime, at: datetime) -> int | None:
    """Return the turn that is on call at an instant, whose wall clock is given too; None when none is."""
    if rotation.hours is not None and not rotation.hours.cover(shown):
        return None
    period = _period(rotation, shown)
    return None if _over(rotation, period, at) else _turn_of(rotation, period)


def running_by_clock(rotation: Rotation, shown: datetime) -> int:
    """Return the turn that a wall clock counts towards, whether it is on call then or not."""
    return _period(rotation, shown) // _per_turn(rotation)


def spans_by_clock(rotation: Rotation, start: datetime, end: datetime) -> Iterator[tuple[Span, int]]:
    """Yield instants in which one turn is on call without a break, and the turn, wherever they touch a range."""
    first = _period(rotation, reached(start, rotation.zone))
    hand_offs = _hand_offs(rotation, first, end)
    for number, span in _worked(rotation, hand_offs):
        turn = _turn_of(rotation, first + number)
        if turn is not None:
            yield span, turn


# ---------------------------------------------------------------- counting periods


def _hand_off(rotation: Rotation, period: int) -> datetime:
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
    return period if _hand_off(rotation, period) <= shown else period - 1


def _per_turn(rotation: Rotation) -> int:
    return rotation.every if rotation.advance is Advance.CALENDAR_SKIP else 1


def _turn_of(rotation: Rotation, period: int) -> int | None:
    turn, rest = divmod(period, _per_turn(rotation))
    return None if rest else turn


def _over(rotation: Rotation, period: int, at: datetime) -> bool:
    if rotation.turn_length is None:
        return False
    return at >= instant(_hand_off(rotation, period), rotation.zone) + rotation.turn_length


# ---------------------------------------------------------------- stretches


def _hand_offs(rotation: Rotation, period: int, end: datetime) -> list[datetime]:
    """Return the wall clocks at which periods begin, from one period to the first hand-off that is not before `end`."""
    last = reached(end, rotation.zone)
    found = [_hand_off(rotation, period)]
    while found[-1] <= last:
        period += 1
        found.append(_hand_off(rotation, period))
    return found


def _worked(rotation: Rotation, hand_offs: list[datetime]) -> Iterator[tuple[int, Span]]:
    """Yield the active instants of each period and the period's place in the list."""
    handed = [instant(hand_off, rotation.zone) for hand_off in hand_offs]
    length = rotation.turn_length
    if rotation.hours is None:
        for number, (start, end) in enumerate(pairwise(handed)):
            yield number, Span(start, min(end, start + length) if length else end)
        return
    for number, span in _inside(rotation.hours.spans(hand_offs[0], hand_offs[-1]), hand_offs):
        start, end = instant(span.start, rotation.zone), instant(span.end, rotation.zone)
        yield number, Span(start, min(end, handed[number] + length) if length else end)


def _inside(active: list[Span], hand_offs: list[datetime]) -> Iterator[tuple[int, Span]]:
    """Yield active stretches, cut where a period ends, and the place of the period."""
    number = 0
    for start, end in active:
        while hand_offs[number + 1] <= start:
            number += 1
        inside = number
        while inside + 1 < len(hand_offs) and hand_offs[inside] < end:
            yield inside, Span(max(start, hand_offs[inside]), min(end, hand_offs[inside + 1]))
            inside += 1
