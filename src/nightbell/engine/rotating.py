"""This file turns a rotation as people describe it into what the core counts, and into the JSON that a version keeps.

Rule 1: what a rotation means is decided by `core/rotation_plan.py`; here are only rows on one side, versions on the other.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from nightbell.core.calendar import DAY_LETTERS, Hours, zone
from nightbell.core.rotation import turn_beginning
from nightbell.core.rotation_plan import RotationPlan, Times, rotation_of
from nightbell.core.schedule import Advance, Member, Nested, Person, Rotation, Schedule, Turn, Unit
from nightbell.store.db import Row

Record = Mapping[str, Any]
#: The columns that say when turns change; while none of them changes, hand-offs stay where they are.
TIMING = ("type", "time_zone", "handoff_time", "handoff_day", "length", "length_unit", "starts_at")
#: What we call the types of the wire.
TYPES = {
    "daily": "ScheduleDailyRotation",
    "weekly": "ScheduleWeeklyRotation",
    "biweekly": "ScheduleBiweeklyRotation",
    "monthly": "ScheduleMonthlyRotation",
    "custom": "ScheduleCustomRotation",
}
_WHOLE = (Times(start_time="00:00", end_time="00:00"),)


def described(row: Record, members: Sequence[Record], days: Sequence[Record], begins: datetime) -> Rotation:
    """Return a rotation that begins at an instant, from its row and those of its members and days."""
    made = rotation_of(
        replace(plan_of(row, days), starts_at=begins), id=row["id"], turns=turns(members), created_at=begins
    )
    minutes = row["turn_minutes"]
    made = replace(made, turn_length=timedelta(minutes=minutes) if minutes else None)
    return beginning(replace(made, advance=Advance(row["advance"])), begins) if row["advance"] else made


def plan_of(row: Record, days: Sequence[Record]) -> RotationPlan:
    """Return a rotation as people wrote it, for the core to check and to build."""
    return RotationPlan(
        name=row["name"],
        type=TYPES.get(row["type"], ""),
        handoff_time=row["handoff_time"],
        handoff_day=row["handoff_day"],
        shift_length=row["length"],
        shift_length_unit=row["length_unit"],
        time_zone=row["time_zone"],
        position=row["position"],
        active_all_week=row["all_week"],
        active_days=tuple(row["days"]),
        active_time_type=row["hours"],
        active_times=_times(row["windows"]),
        # Terraform makes the rotation first and its days after it: until there is one, whole days.
        day_times={day["day"]: _times(day["windows"]) for day in days} or dict.fromkeys(DAY_LETTERS, _WHOLE),
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
    )


def _times(windows: Sequence[Record]) -> tuple[Times, ...]:
    return tuple(Times(start_time=one["start_time"], end_time=one["end_time"]) for one in windows)


def beginning(rotation: Rotation, at: datetime) -> Rotation:
    """Return a rotation whose first turn is the one of an instant."""
    if not rotation.turns:
        return rotation
    bare = replace(rotation, phase=0)
    return replace(bare, phase=-turn_beginning(bare, at) % len(rotation.turns))


def turns(members: Sequence[Record]) -> tuple[Turn, ...]:
    """Return who serves in which order; those of one position serve together."""
    ordered = sorted(members, key=itemgetter("position"))
    return tuple(
        tuple(_member(member) for member in together)
        for _, together in groupby(ordered, key=itemgetter("position"))
    )


def _member(row: Record) -> Member:
    if row["user_id"] is not None:
        return Person(row["user_id"])
    return Nested(Schedule(id=row["nested_schedule_id"], name=""))


# ---------------------------------------------------------------- versions


def spec_of(rotation: Rotation) -> dict[str, Any]:
    """Return a rotation as JSON, but for its name and bounds."""
    seconds = rotation.turn_length.total_seconds() if rotation.turn_length else None
    return {
        "position": rotation.position,
        "zone": rotation.zone.key,
        "unit": rotation.unit.value,
        "every": rotation.every,
        "anchor": rotation.anchor.isoformat(),
        "advance": rotation.advance.value,
        "phase": rotation.phase,
        "turn_minutes": seconds and int(seconds // 60),
        "turns": [[_shown(member) for member in turn] for turn in rotation.turns],
        "hours": rotation.hours and [[_seconds(span) for span in day] for day in rotation.hours.by_day],
    }


def _shown(member: Member) -> dict[str, Any]:
    if isinstance(member, Person):
        return {"user": member.user}
    return {"schedule": str(member.schedule.id)}


def _seconds(span: tuple[timedelta, timedelta]) -> list[float]:
    return [edge.total_seconds() for edge in span]


def version(row: Record | Row, nested: Mapping[UUID, Schedule]) -> Rotation:
    """Return the rotation that a version keeps; a nested schedule that is not known is one with nobody in it."""
    spec = row["spec"]
    return Rotation(
        id=row["rotation_id"],
        name=row["name"],
        position=spec["position"],
        zone=zone(spec["zone"]),
        unit=Unit(spec["unit"]),
        every=spec["every"],
        anchor=datetime.fromisoformat(spec["anchor"]),
        turns=tuple(tuple(_read(member, nested) for member in turn) for turn in spec["turns"]),
        advance=Advance(spec["advance"]),
        hours=None if spec["hours"] is None else _hours(spec["hours"]),
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        turn_length=timedelta(minutes=spec["turn_minutes"]) if spec["turn_minutes"] else None,
        phase=spec["phase"],
    )


def nested_ids(spec: Record) -> set[UUID]:
    """Return the schedules that a version's turns name."""
    return {UUID(member["schedule"]) for turn in spec["turns"] for member in turn if "schedule" in member}


def _read(member: Record, nested: Mapping[UUID, Schedule]) -> Member:
    if "user" in member:
        return Person(member["user"])
    key = UUID(member["schedule"])
    return Nested(nested.get(key) or Schedule(id=key, name=""))


def _hours(week: list[list[list[float]]]) -> Hours:
    return Hours(
        tuple(tuple((timedelta(seconds=start), timedelta(seconds=end)) for start, end in day) for day in week)
    )
