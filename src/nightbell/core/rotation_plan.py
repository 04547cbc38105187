"""This file builds a rotation from what people write: Rootly's five types, hand-off, active days and hours.

Rule 1: check first (`core/rotation_checks.py`). The first member serves from the start on, and hand-offs are counted
from the last one due before it, so a rotation that begins on a Wednesday still hands over on its Mondays.
"""

from datetime import date, datetime, time, timedelta
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from nightbell.core.calendar import (
    ALL_DAYS,
    DAY,
    DAY_LETTERS,
    Hours,
    Window,
    clock,
    hours,
    wall,
    zone,
)
from nightbell.core.rotation import turn_beginning
from nightbell.core.schedule import Advance, Rotation, Turn, Unit

#: Types of the wire, and how long a turn of each lasts; None: as `shift_length` says.
TYPES: dict[str, tuple[Unit, int] | None] = {
    "ScheduleDailyRotation": (Unit.DAY, 1),
    "ScheduleWeeklyRotation": (Unit.WEEK, 1),
    "ScheduleBiweeklyRotation": (Unit.WEEK, 2),
    "ScheduleMonthlyRotation": (Unit.MONTH, 1),
    "ScheduleCustomRotation": None,
}
WEEKLY = ("ScheduleWeeklyRotation", "ScheduleBiweeklyRotation")
MONTHLY = "ScheduleMonthlyRotation"
LENGTH_UNITS = {"hours": Unit.HOUR, "days": Unit.DAY, "weeks": Unit.WEEK}
FIRST_DAY, LAST_DAY = "first_day_of_month", "last_day_of_month"
ALL_DAY, SAME_TIME, CUSTOM = "all_day", "same_time", "custom"


class Times(Struct, frozen=True, kw_only=True):
    """Hours of a day as written: "22:00" to "06:00" ends the next morning, and equal times are a whole day."""

    start_time: str
    end_time: str


class RotationPlan(Struct, frozen=True, kw_only=True):
    """A rotation as people write it. Field names, letters and values are those of the wire."""

    name: str
    type: str
    handoff_time: str = "00:00"
    #: A letter of the week for weekly and biweekly ones, the first or last day for monthly ones.
    handoff_day: str | None = None
    shift_length: int | None = None
    shift_length_unit: str | None = None
    time_zone: str = "Etc/UTC"
    position: int = 1
    active_all_week: bool = True
    active_days: tuple[str, ...] = ()
    active_time_type: str = ALL_DAY
    active_times: tuple[Times, ...] = ()
    #: Only for `custom`: what is active on each day.
    day_times: dict[str, tuple[Times, ...]] = {}
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    #: Whether turns of days count active days only; None: wherever some days are not active.
    count_active_days: bool | None = None


def rotation_of(plan: RotationPlan, *, id: UUID, turns: tuple[Turn, ...], created_at: datetime) -> Rotation:
    """Return the rotation that a plan, found without errors, means.

    Raises: Invalid for the first thing that is wrong.
    """
    start = plan.starts_at or created_at
    unit, every = cadence(plan)
    active = active_hours(plan)
    rotation = Rotation(
        id=id,
        name=plan.name,
        position=plan.position,
        zone=zone(plan.time_zone),
        unit=unit,
        every=every,
        anchor=_anchor(plan, wall(start, zone(plan.time_zone))),
        turns=turns,
        advance=advance_of(plan),
        hours=active,
        starts_at=plan.starts_at,
        ends_at=plan.ends_at,
    )
    return replace(rotation, phase=-turn_beginning(rotation, start) % len(turns)) if turns else rotation


def cadence(plan: RotationPlan) -> tuple[Unit, int]:
    """Return how long a turn lasts."""
    return TYPES[plan.type] or (LENGTH_UNITS[plan.shift_length_unit or "days"], plan.shift_length or 1)


def active_hours(plan: RotationPlan) -> Hours | None:
    """Return the hours in which anybody is on call; None for always.

    Raises: Invalid for a time of day that is none.
    """
    days = ALL_DAYS if plan.active_all_week else frozenset(DAY_LETTERS[day] for day in plan.active_days)
    if plan.active_time_type == CUSTOM:
        return hours(
            window for day in sorted(days) for window in _windows(_times_of(plan, day), frozenset((day,)))
        )
    if plan.active_time_type == SAME_TIME:
        return hours(_windows(plan.active_times, days))
    return hours((Window(start=time(), end=time(), days=days),))


def _times_of(plan: RotationPlan, day: int) -> tuple[Times, ...]:
    return next((times for letter, times in plan.day_times.items() if DAY_LETTERS[letter] == day), ())


def _windows(times: tuple[Times, ...], days: frozenset[int]) -> list[Window]:
    return [
        Window(start=clock(said.start_time, "start_time"), end=clock(said.end_time, "end_time"), days=days)
        for said in times
    ]


def advance_of(plan: RotationPlan) -> Advance:
    """Return what a turn counts where nobody says otherwise.

    Raises: Invalid for a time of day that is none.
    """
    unit, active = cadence(plan)[0], active_hours(plan)
    idle_days = active is not None and active.days() != ALL_DAYS
    counts = idle_days if plan.count_active_days is None else plan.count_active_days
    return Advance.ACTIVE_DAYS if counts and unit is Unit.DAY else Advance.ELAPSED


def _anchor(plan: RotationPlan, start: datetime) -> datetime:
    """Return the last hand-off that is due by the start."""
    handed = clock(plan.handoff_time, "handoff_time")
    day = start.date() if start.time() >= handed else start.date() - DAY
    if plan.type == MONTHLY:
        day = _day_of_month(day, plan.handoff_day or FIRST_DAY)
    elif plan.type in WEEKLY and plan.handoff_day is not None:
        day -= timedelta(days=(day.weekday() - DAY_LETTERS[plan.handoff_day]) % 7)
    return datetime.combine(day, handed)


def _day_of_month(day: date, which: str) -> date:
    """Return the first of a month, or a 31st: shorter months have their last day counted from a long one."""
    if which == FIRST_DAY:
        return day.replace(day=1)
    while day.day != 31:
        day = day.replace(day=1) - DAY
    return day
