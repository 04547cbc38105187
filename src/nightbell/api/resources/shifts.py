"""Shifts: computed for the range that is asked about, with ids that stay the same whatever the range."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from nightbell.api import asking
from nightbell.api.attribute import Kind, attribute
from nightbell.api.jsonapi import Document, refer, stamp
from nightbell.api.resource import Call, Resource
from nightbell.api.resources import flat, schedules, users
from nightbell.api.resources.schedule_rotations import ROTATIONS
from nightbell.api.sent import uuid_of
from nightbell.core.calendar import Span
from nightbell.core.errors import Unknown
from nightbell.core.schedule import Change
from nightbell.core.shift import Rule, Shift
from nightbell.engine.scheduling import shifts_between
from nightbell.store.read import people
from nightbell.store.read import schedules as stored
from nightbell.store.read.listing import Found, Record

#: Rootly's own limits: two months for all schedules, one for a single one.
ALL, ONE = timedelta(days=62), timedelta(days=31)
LARGEST, USUAL = 1000, 50


async def _find(call: Call) -> Found:
    span = asking.span(call, ALL, "2 months")
    wanted = asking.ids(call, "schedule_ids", "filter[schedule_id]", "filter[schedule_ids]") or None
    return await _found(call, span, wanted)


async def _of_schedule(call: Call) -> Found:
    key = uuid_of(call.parent)
    if await stored.schedule(call.db, key) is None:
        raise Unknown(f"There is no schedule {key}.")
    return await _found(call, asking.span(call, ONE, "1 month"), [key])


async def _found(call: Call, span: Span, wanted: list[UUID] | None) -> Found:
    asked = asking.users(call, "user_ids", "filter[user_id]", "filter[user_ids]")
    every = await shifts_between(call.db, span, schedule_ids=wanted, user_ids=asked, displaced=True)
    start = call.listing.offset
    rows = [_row(shift) for shift in every[start : start + call.listing.limit]]
    await _with_people(call, rows)
    return Found(rows=rows, total=len(every))


def _row(shift: Shift) -> Record:
    return {
        "id": shown_id(shift),
        "shift": shift,
        "schedule_id": shift.schedule_id,
        "rotation_id": shift.rotation_id,
        "starts_at": shift.start,
        "ends_at": shift.end,
        "is_override": shift.is_override,
        "is_shadow": shift.is_shadow,
        "user_id": shift.user,
        "stands_for_user_id": shift.why.stands_for,
        "overridden_shifts": [_part(one) for one in shift.displaced] if shift.is_override else None,
    }


def _part(displaced: Shift) -> dict[str, Any]:
    """Return a part of a shift that an override stands for."""
    return {
        "starts_at": stamp(displaced.start),
        "ends_at": stamp(displaced.end),
        "user_id": displaced.user,
        "rotation_id": displaced.rotation_id and str(displaced.rotation_id),
        "assignee_type": "User",
        "assignee_id": str(displaced.user),
    }


def shown_id(shift: Shift) -> UUID:
    """Return the id of a shift on the wire: that of its override where the whole shift is one, so it can be deleted."""
    why = shift.why
    alone = (
        why.rule is Rule.OVERRIDE and why.change in (Change.COVER, Change.ADD) and shift.rotation_id is None
    )
    return why.cause if alone and why.cause else shift.id


async def _with_people(call: Call, rows: list[Record]) -> None:
    ids = {user for row in rows for user in (row["user_id"], row["stands_for_user_id"]) if user is not None}
    known = await people.users_by_id(call.db, sorted(ids))
    for row in rows:
        row["user"] = flat.user(known[row["user_id"]]) if row["user_id"] in known else None
        row["why"] = row["shift"].why.sentence(lambda user: _name(known, user))


def _name(known: Mapping[int, Record], user_id: int) -> str:
    return str(known[user_id]["name"]) if user_id in known else f"User {user_id}"


def _relationships(row: Record) -> dict[str, Any]:
    override = row["shift"].why.cause if row["is_override"] else None
    return {
        "user": refer("users", row["user_id"]),
        "assignee": refer("users", row["user_id"]),
        "schedule": refer("schedules", row["schedule_id"]),
        "schedule_rotation": refer("schedule_rotations", row["rotation_id"]),
        "shift_override": refer("shift_overrides", override),
    }


async def _users(call: Call, rows: Sequence[Record]) -> list[Document]:
    return await users.documents(call, [row["user_id"] for row in rows])


async def _schedules(call: Call, rows: Sequence[Record]) -> list[Document]:
    found = await schedules.documents(call, [row["schedule_id"] for row in rows])
    # Rootly's command line looks for them under the name it asks for them by.
    named = [Document(type="on_call_schedules", id=one.id, attributes=one.attributes) for one in found]
    return [*found, *named]


async def _rotations(call: Call, rows: Sequence[Record]) -> list[Document]:
    wanted = [row["rotation_id"] for row in rows if row["rotation_id"] is not None]
    return [ROTATIONS.document(row) for row in await stored.rotations_by_id(call.db, wanted)]


async def _overrides(call: Call, rows: Sequence[Record]) -> list[Document]:
    causes = {row["shift"].why.cause: row["id"] for row in rows if row["is_override"]}
    found = await stored.overrides_by_id(call.db, [key for key in causes if key])
    return [override_document(row, causes[row["id"]]) for row in found]


def override_document(row: Record, shift_id: UUID) -> Document:
    """Return who made an override and when, beside the shift it makes."""
    attributes = {
        "shift_id": str(shift_id),
        "created_by_user_id": row["created_by"],
        "created_at": stamp(row["created_at"]),
        "updated_at": stamp(row["updated_at"]),
    }
    return Document(type="shift_overrides", id=str(row["id"]), attributes=attributes)


_ATTRIBUTES = (
    attribute("schedule_id", Kind.ID),
    attribute("rotation_id", Kind.ID),
    attribute("starts_at", Kind.TIME),
    attribute("ends_at", Kind.TIME),
    attribute("is_override", Kind.FLAG),
    attribute("is_shadow", Kind.FLAG),
    attribute("user_id", Kind.NUMBER),
    attribute("user", Kind.OBJECT, omit_null=True),
    attribute("why"),
    attribute("stands_for_user_id", Kind.NUMBER, omit_null=True),
    attribute("overridden_shifts", Kind.LIST),
)
_INCLUDES = {
    "user": _users,
    "assignee": _users,
    "schedule": _schedules,
    "schedule_rotation": _rotations,
    "shift_override": _overrides,
}
SHIFTS = Resource(
    type="shifts",
    collections=("/shifts",),
    parameters=("from", "to", "user_ids[]", "schedule_ids[]"),
    find=_find,
    relationships=_relationships,
    include=_INCLUDES,
    largest_page=LARGEST,
    usual_page=USUAL,
    attributes=_ATTRIBUTES,
)
SCHEDULE_SHIFTS = Resource(
    type="shifts",
    collections=("/schedules/{id}/shifts",),
    parameters=("from", "to", "user_ids[]"),
    find=_of_schedule,
    relationships=_relationships,
    include=_INCLUDES,
    largest_page=LARGEST,
    usual_page=LARGEST,
    attributes=_ATTRIBUTES,
)
