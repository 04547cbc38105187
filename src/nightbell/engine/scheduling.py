"""This file answers who is on call, for the API and the pages: shifts, on-calls, conflicts, previews. It changes nothing.

Rule 1: every answer is computed by the core from what `timetable.py` reads; nothing here decides who serves.
"""

import asyncio
from collections.abc import Collection, Iterable
from datetime import datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from nightbell.core.calendar import DAY_LETTERS, MOMENT, Hours, Span, Window, clock, hours, zone
from nightbell.core.displaced import with_displaced
from nightbell.core.errors import Invalid, Unknown
from nightbell.core.handover import HORIZON, next_change
from nightbell.core.oncall import on_call
from nightbell.core.quality import Habits, Report, report
from nightbell.core.revision import ended
from nightbell.core.schedule import Schedule
from nightbell.core.shift import Shift
from nightbell.core.shifts import shadow_shifts, shifts
from nightbell.engine.checking_rotations import checked_days, checked_rotation
from nightbell.engine.configure_schedules import NEW_ROTATION, described_columns, placed
from nightbell.engine.ids import new_id
from nightbell.engine.revising import planned
from nightbell.engine.rotating import version
from nightbell.engine.schedule_edits import RotationEdit
from nightbell.engine.timetable import nested_in, schedules, with_absences, with_nested
from nightbell.store.db import Row, Runner
from nightbell.store.read import schedules as stored
from nightbell.store.read.listing import Record

#: More than this many schedules are computed beside the loop, so that pages and senders do not wait.
_FEW = 3
#: What people are taken to work who have not said when.
_OFFICE = hours((Window(start=time(9), end=time(17), days=frozenset(range(5))),))


async def schedule(runner: Runner, schedule_id: UUID, *, start: datetime, end: datetime) -> Schedule:
    """Return one schedule with all that touches [start, end), for `core/shifts.py` and `core/oncall.py`.

    Raises: Unknown.
    """
    found = await schedules(runner, [schedule_id], start=start, end=end)
    if schedule_id not in found:
        raise Unknown(f"There is no schedule {schedule_id}.")
    return found[schedule_id]


async def shifts_between(
    runner: Runner,
    span: Span,
    *,
    schedule_ids: Collection[UUID] | None = None,
    user_ids: Collection[int] = (),
    displaced: bool = False,
) -> list[Shift]:
    """Return the shifts of these schedules, or of all, shadows among them, by start.

    Shape: with `user_ids`, theirs only; with `displaced`, overrides with what they stand for; a schedule that is not
    there has none.
    Raises: WindowTooLong over 400 days.
    """
    found = await schedules(runner, schedule_ids, start=span.start, end=span.end, conflicts=False)
    many = len(found) > _FEW
    asked = (found.values(), span, displaced)
    every = await asyncio.to_thread(_shifts, *asked) if many else _shifts(*asked)
    wanted = [shift for shift in every if not user_ids or shift.user in user_ids]
    return sorted(wanted, key=lambda shift: (shift.start, shift.schedule_id, shift.end, shift.user))


def _shifts(found: Iterable[Schedule], span: Span, displaced: bool) -> list[Shift]:
    if not displaced:
        return [shift for one in found for shift in with_shadows(one, span)]
    return [
        shift for one in found for shift in with_displaced(one, with_shadows(one, span), **span._asdict())
    ]


def with_shadows(one: Schedule, span: Span) -> list[Shift]:
    """Return the shifts of a schedule and those that shadow them."""
    serving = shifts(one, start=span.start, end=span.end)
    listening = shadow_shifts(one, start=span.start, end=span.end) if one.shadows else ()
    return [*serving, *listening]


# ---------------------------------------------------------------- now


class Now(Struct, frozen=True, kw_only=True):
    """Who is on call in a schedule at an instant, and who follows."""

    id: UUID
    name: str
    people: tuple[int, ...]
    #: When other people are on call, or nobody; None when not within 35 days.
    until: datetime | None
    #: Who is on call then.
    following: tuple[int, ...]


async def now_on_call(
    runner: Runner, at: datetime, schedule_ids: Collection[UUID] | None = None
) -> list[Now]:
    """Return who is on call at an instant in each of these schedules, or in all, by name."""
    found = await schedules(runner, schedule_ids, start=at, end=at + HORIZON, conflicts=False)
    every = [_now(one, at) for one in found.values()]
    return sorted(every, key=lambda one: (one.name.lower(), one.id))


def _now(one: Schedule, at: datetime) -> Now:
    until = next_change(one, at)
    return Now(
        id=one.id,
        name=one.name,
        people=tuple(sorted(on_call(one, at))),
        until=until,
        following=tuple(sorted(on_call(one, until))) if until else (),
    )


# ---------------------------------------------------------------- quality


async def quality(runner: Runner, schedule_id: UUID, span: Span) -> Report:
    """Return how good a schedule is in a range: gaps, overlaps, conflicts, and what each person carries.

    Raises: Unknown.
    """
    one = await schedule(runner, schedule_id, start=span.start, end=span.end)
    people = sorted({shift.user for shift in shifts(one, start=span.start, end=span.end)})
    rows = await runner.rows("habits_of_users", people)
    habits = {r["id"]: Habits(zone=zone(r["time_zone"]), working=_working(r)) for r in rows}
    return await asyncio.to_thread(report, one, habits, start=span.start, end=span.end)


def _working(r: Row) -> Hours | None:
    if r["windows"] is None:
        return _OFFICE
    days = frozenset(DAY_LETTERS[day] for day in r["days"])
    edges = (
        (clock(one["start_time"], "start_time"), clock(one["end_time"], "end_time")) for one in r["windows"]
    )
    return hours(Window(start=start, end=end, days=days) for start, end in edges)


# ---------------------------------------------------------------- previews


class Preview(NamedTuple):
    """A schedule as it is and as it would be."""

    before: Schedule
    after: Schedule


async def preview_rotation(
    runner: Runner,
    schedule_id: UUID,
    rotation_id: UUID | None,
    edit: RotationEdit,
    *,
    span: Span,
    now: datetime,
) -> Preview:
    """Return what saving an edit of a rotation, or a new one for None, would do. Nothing is written.

    Raises: Unknown, Problems naming the fields, as saving would.
    """
    before = await schedule(runner, schedule_id, start=span.start, end=span.end)
    row, was = await _row(runner, schedule_id, rotation_id, edit, now)
    rows = await runner.rows("versions_of_rotation", row["id"])
    old = Schedule(id=schedule_id, name="", rotations=tuple(version(r, {}) for r in rows))
    hours = edit.sent().get("day_hours")
    days = await stored.active_days_of(runner, row["id"]) if hours is None else checked_days(row, hours)
    new = planned(row, await _serving(runner, row["id"], edit), days, old, was, now)
    below = await schedules(runner, nested_in(new.rotations), start=span.start, end=span.end, conflicts=False)
    others = [one for one in before.rotations if one.id != row["id"]]
    made = [with_nested(one, below) for one in new.rotations]
    after = replace(before, rotations=(*others, *made))
    return Preview(before, await with_absences(runner, after, start=span.start, end=span.end))


async def preview_without_rotation(
    runner: Runner, schedule_id: UUID, rotation_id: UUID, *, span: Span, now: datetime
) -> Preview:
    """Return what deleting a rotation would do."""
    before = await schedule(runner, schedule_id, start=span.start, end=span.end)
    return Preview(before, ended(before, rotation_id, at=now))


async def _row(
    runner: Runner, schedule_id: UUID, rotation_id: UUID | None, edit: RotationEdit, now: datetime
) -> tuple[Record, Record | None]:
    """Return the row that saving would leave, and the one there is."""
    fields = {name: value for name, value in edit.sent().items() if name not in ("members", "day_hours")}
    if rotation_id is None:
        parent = (await stored.schedules_by_id(runner, [schedule_id]))[schedule_id]
        position = await runner.value("next_rotation_position", schedule_id)
        fresh = {**NEW_ROTATION, "time_zone": parent["time_zone"], "position": position, **fields}
        made = checked_rotation(fresh)
        own = {"id": new_id(now), "schedule_id": schedule_id, "created_at": now, "deleted_at": None}
        return {**made, **own}, None
    was = await stored.rotation(runner, rotation_id)
    if was is None or was["schedule_id"] != schedule_id:
        raise Unknown(f"There is no rotation {rotation_id} in this schedule.")
    made = checked_rotation({**described_columns(was), **fields})
    return {**was, **made}, was


async def _serving(runner: Runner, rotation_id: UUID, edit: RotationEdit) -> list[Record]:
    given = edit.sent().get("members")
    if given is None:
        rows = await stored.members_of(runner, rotation_id)
        return [row for row in rows if row["skipped_at"] is None]
    return placed(given)


def check_range(start: datetime, end: datetime, longest: timedelta, said: str) -> Span:
    """Return a range that somebody may ask for.

    Raises: Invalid when it ends before it begins, or is too long.
    """
    if end < start:
        raise Invalid(
            "The range ends before it begins.", place="query.to", hint="`to` must not be before `from`."
        )
    if end - start > longest:
        raise Invalid(f"Datetime range exceeds {said}.", place="query.to", hint="Ask for a shorter range.")
    return Span(start, max(end, start + MOMENT))
