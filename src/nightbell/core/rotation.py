"""This file counts turns: which turn of a rotation an instant, or each stretch of a range, belongs to.

Rule 1: counting is done on the wall clock, as far as it has been reached, so every change of offset is somebody's
longer or shorter turn and never a second hand-off. Only the ends of what was found become instants.
"""

from datetime import datetime
from typing import NamedTuple

from nightbell.core.calendar import Span, reached
from nightbell.core.schedule import Advance, Rotation, Turn, Unit
from nightbell.core.turns_by_clock import running_by_clock, spans_by_clock, turn_by_clock
from nightbell.core.turns_by_day import beginning_by_day, running_by_day, spans_by_day, turn_by_day


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
    return turn_by_day(rotation, shown) if _by_day(rotation) else turn_by_clock(rotation, shown, at)


def turn_running(rotation: Rotation, at: datetime) -> int:
    """Return the turn that an instant counts towards, whether it is on call then or not."""
    shown = reached(at, rotation.zone)
    return running_by_day(rotation, shown) if _by_day(rotation) else running_by_clock(rotation, shown)


def turn_beginning(rotation: Rotation, at: datetime) -> int:
    """Return the turn that is the first of a rotation which begins at an instant.

    Shape: a night that began the day before counts towards that day, and so is not the whole of anybody's first turn.
    """
    shown = reached(at, rotation.zone)
    return beginning_by_day(rotation, shown) if _by_day(rotation) else running_by_clock(rotation, shown)


def slots(rotation: Rotation, start: datetime, end: datetime) -> list[Slot]:
    """Return the slots that touch [start, end), whole, in order and apart."""
    low = max(start, rotation.starts_at) if rotation.starts_at else start
    high = min(end, rotation.ends_at) if rotation.ends_at else end
    if low >= high or not rotation.turns:
        return []
    spans = spans_by_day(rotation, low, high) if _by_day(rotation) else spans_by_clock(rotation, low, high)
    found = (_slot(rotation, span, turn) for span, turn in spans)
    return [slot for slot in found if slot.start < slot.end and slot.end > start and slot.start < end]


def _slot(rotation: Rotation, span: Span, turn: int) -> Slot:
    start = max(span.start, rotation.starts_at) if rotation.starts_at else span.start
    end = min(span.end, rotation.ends_at) if rotation.ends_at else span.end
    return Slot(start, end, turn, span)


def _by_day(rotation: Rotation) -> bool:
    return rotation.advance is not Advance.ELAPSED and rotation.unit is not Unit.HOUR
