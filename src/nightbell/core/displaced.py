"""This file says which shifts overrides and swaps took the place of: what would have been without them."""

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from nightbell.core.schedule import Change, Schedule
from nightbell.core.shift import Rule, Shift
from nightbell.core.shifts import shifts


def with_displaced(
    schedule: Schedule, found: Iterable[Shift], *, start: datetime, end: datetime
) -> list[Shift]:
    """Return shifts of [start, end), those that are overrides with the parts of the shifts they stand for.

    Shape: a swap acts on what the overrides left, an override on what the layers say; who was added displaces nobody.
    """
    every = list(found)
    before: dict[Rule, tuple[Shift, ...]] = {}
    if any(shift.why.rule is Rule.OVERRIDE for shift in every):
        before[Rule.OVERRIDE] = shifts(replace(schedule, overrides=(), swaps=()), start=start, end=end)
    if any(shift.why.rule is Rule.SWAP for shift in every):
        before[Rule.SWAP] = shifts(replace(schedule, swaps=()), start=start, end=end)
    return [
        replace(shift, displaced=tuple(_displaced(shift, before[shift.why.rule])))
        if shift.is_override
        else shift
        for shift in every
    ]


def _displaced(shift: Shift, before: Iterable[Shift]) -> Iterable[Shift]:
    if shift.why.change is Change.ADD:
        return
    for other in before:
        # One that covers stands for everybody, one that replaces for a single person.
        stands_for = shift.why.stands_for in (None, other.user)
        if stands_for and other.start < shift.end and other.end > shift.start:
            yield replace(other, start=max(other.start, shift.start), end=min(other.end, shift.end))
