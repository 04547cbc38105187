"""This file says what is wrong with a rotation before it is stored, field by field, and what would be right.

Rule 1: every fault is found at once; whoever fills in a form should not have to send it five times.
"""

from collections.abc import Callable, Collection, Iterator
from typing import TypeVar

from nightbell.core.calendar import DAY_LETTERS, clock, zone
from nightbell.core.errors import Invalid
from nightbell.core.rotation_plan import (
    ALL_DAY,
    CUSTOM,
    FIRST_DAY,
    LAST_DAY,
    LENGTH_UNITS,
    MONTHLY,
    SAME_TIME,
    TYPES,
    WEEKLY,
    RotationPlan,
    Times,
)

_T = TypeVar("_T")
_ATTRIBUTES = "schedule_rotationable_attributes"
#: As a turn gets longer than this nobody remembers whose it is.
LONGEST_TURN = 1000


def errors_in_plan(plan: RotationPlan) -> tuple[Invalid, ...]:
    """Return everything that is wrong with a rotation's own fields."""
    return (
        *_errors_in_turns(plan),
        *_errors_in_active_days(plan),
        *_errors_in_active_times(plan),
        *_errors_in_bounds(plan),
    )


def _errors_in_turns(plan: RotationPlan) -> Iterator[Invalid]:
    yield from _fault("time_zone", zone, plan.time_zone)
    yield from _fault(f"{_ATTRIBUTES}.handoff_time", clock, plan.handoff_time)
    yield from _not_among("schedule_rotationable_type", plan.type, TYPES)
    if plan.type in WEEKLY and plan.handoff_day is not None:
        yield from _not_among(f"{_ATTRIBUTES}.handoff_day", plan.handoff_day, DAY_LETTERS)
    if plan.type == MONTHLY and plan.handoff_day is not None:
        yield from _not_among(f"{_ATTRIBUTES}.handoff_day", plan.handoff_day, (FIRST_DAY, LAST_DAY))
    if TYPES.get(plan.type, ()) is None:
        yield from _errors_in_length(plan)


def _errors_in_length(plan: RotationPlan) -> Iterator[Invalid]:
    yield from _not_among(f"{_ATTRIBUTES}.shift_length_unit", plan.shift_length_unit, LENGTH_UNITS)
    if plan.shift_length is None or not 1 <= plan.shift_length <= LONGEST_TURN:
        hint = f"a number from 1 to {LONGEST_TURN}"
        yield Invalid("a turn has no such length", place=f"{_ATTRIBUTES}.shift_length", hint=hint)


def _errors_in_active_days(plan: RotationPlan) -> Iterator[Invalid]:
    if plan.active_all_week:
        return
    for number, day in enumerate(plan.active_days):
        yield from _not_among(f"active_days[{number}]", day, DAY_LETTERS)
    if not plan.active_days:
        yield Invalid("no day is active", place="active_days", hint="at least one day, or active_all_week")


def _errors_in_active_times(plan: RotationPlan) -> Iterator[Invalid]:
    yield from _not_among("active_time_type", plan.active_time_type, (ALL_DAY, SAME_TIME, CUSTOM))
    if plan.active_time_type == SAME_TIME:
        yield from _errors_in_times("active_time_attributes", plan.active_times)
    if plan.active_time_type != CUSTOM:
        return
    active = DAY_LETTERS if plan.active_all_week else plan.active_days
    if not any(plan.day_times.get(day) for day in active):
        hint = "times for at least one active day, or another active_time_type"
        yield Invalid("no day has active times", place="schedule_rotation_active_days", hint=hint)
    for day, times in plan.day_times.items():
        yield from _not_among("schedule_rotation_active_days.day_name", day, DAY_LETTERS)
        yield from _errors_in_times(f"schedule_rotation_active_days[{day}].active_time_attributes", times)


def _errors_in_times(place: str, times: tuple[Times, ...]) -> Iterator[Invalid]:
    if not times:
        yield Invalid("no time is active", place=place, hint='at least one, such as "09:00" to "17:00"')
    for number, said in enumerate(times):
        yield from _fault(f"{place}[{number}].start_time", clock, said.start_time)
        yield from _fault(f"{place}[{number}].end_time", clock, said.end_time)


def _errors_in_bounds(plan: RotationPlan) -> Iterator[Invalid]:
    if plan.starts_at and plan.ends_at and plan.ends_at <= plan.starts_at:
        yield Invalid("it ends before it begins", place="end_time", hint="an instant after start_time")


def _fault(place: str, read: Callable[[str, str], _T], text: str) -> Iterator[Invalid]:
    """Yield the complaint of a reader about a text."""
    try:
        read(text, place)
    except Invalid as fault:
        yield fault


def _not_among(place: str, value: str | None, known: Collection[str]) -> Iterator[Invalid]:
    if value not in known:
        yield Invalid(f"{value!r} is not known here", place=place, hint=f"one of {', '.join(known)}")
