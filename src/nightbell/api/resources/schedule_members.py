"""Members of rotations, the older list of their people, and the hours of single days."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from nightbell.api.attribute import Kind, attribute, times
from nightbell.api.jsonapi import Document, refer
from nightbell.api.resource import Call, Resource
from nightbell.api.resources import users
from nightbell.api.sent import uuid_of
from nightbell.core.errors import Invalid, Unknown
from nightbell.core.uuids import as_uuid
from nightbell.engine.schedule_edits import ActiveDayEdit, MemberEdit
from nightbell.store.read import schedules
from nightbell.store.read.listing import Found, Record


async def _rotation(call: Call) -> UUID:
    key = uuid_of(call.parent)
    if await schedules.rotation(call.db, key) is None:
        raise Unknown(f"There is no schedule rotation {key}.")
    return key


def _part(call: Call, rows: list[Record]) -> Found:
    start = call.listing.offset
    return Found(rows=rows[start : start + call.listing.limit], total=len(rows))


async def _members(call: Call) -> Found:
    return _part(call, await schedules.members_of(call.db, await _rotation(call)))


async def _people(call: Call) -> Found:
    found = await schedules.members_of(call.db, await _rotation(call))
    return _part(call, [row for row in found if row["user_id"] is not None])


async def _member(call: Call, key: str) -> Record | None:
    row = await schedules.member(call.db, uuid_of(key))
    alive = row and await schedules.rotation(call.db, row["rotation_id"])
    return row if alive else None


async def _person(call: Call, key: str) -> Record | None:
    row = await _member(call, key)
    return row if row and row["user_id"] is not None else None


def _accept(sent: dict[str, Any]) -> dict[str, Any]:
    fields = MEMBERS.taken(sent)
    if "member_id" not in sent:
        return fields
    key, kind = str(sent["member_id"]), sent.get("member_type", "User")
    if kind not in ("User", "Schedule"):
        raise Invalid(f"{kind!r} cannot be a member.", place="member_type", hint="User or Schedule.")
    if kind == "User" and key.isascii() and key.isdecimal():
        return {**fields, "user_id": key}
    if kind == "User" or as_uuid(key) is None:
        hint = f"The id of a {kind.lower()} that exists."
        raise Invalid(f"There is no {kind.lower()} {key[:60]!r}.", place="member_id", hint=hint)
    return {**fields, "user_id": None, "nested_schedule_id": key}


async def _create(call: Call, edit: MemberEdit) -> UUID:
    return await call.edge.configure.create_member(uuid_of(call.parent), edit, by=call.actor, now=call.now)


async def _change(call: Call, row: Record, edit: MemberEdit) -> None:
    await call.edge.configure.update_member(row["id"], edit, by=call.actor, now=call.now)


async def _delete(call: Call, row: Record) -> None:
    await call.edge.configure.delete_member(row["id"], by=call.actor, now=call.now)


def _who(row: Record) -> dict[str, Any]:
    return {"user": refer("users", row["user_id"])}


async def _included(call: Call, rows: Sequence[Record]) -> list[Document]:
    return await users.documents(call, [row["user_id"] for row in rows if row["user_id"] is not None])


def _id(row: Record) -> str:
    return str(row["user_id"] if row["user_id"] is not None else row["nested_schedule_id"])


MEMBERS = Resource(
    type="schedule_rotation_members",
    collections=("/schedule_rotations/{id}/schedule_rotation_members",),
    item="/schedule_rotation_members/{id}",
    find=_members,
    get=_member,
    edit=MemberEdit,
    accept=_accept,
    create=_create,
    change=_change,
    delete=_delete,
    attributes=(
        attribute(
            "member_type", of=lambda row: "Schedule" if row["user_id"] is None else "User", edit="kind"
        ),
        # Whom it names is `user_id` or `nested_schedule_id`, by its type; what is wrong with either is told of this.
        attribute("member_id", of=_id, edit="user_id"),
        attribute("position", Kind.NUMBER, edit="position"),
        # Ours: since when, and why, this member is passed over.
        attribute("skipped_at", Kind.TIME, omit_null=True),
        attribute("skipped_why", omit_null=True),
    ),
)

PEOPLE = Resource(
    type="schedule_rotation_users",
    collections=("/schedule_rotations/{id}/schedule_rotation_users",),
    item="/schedule_rotation_users/{id}",
    find=_people,
    get=_person,
    edit=MemberEdit,
    create=_create,
    change=_change,
    delete=_delete,
    relationships=_who,
    include={"user": _included},
    attributes=(
        attribute("schedule_rotation_id", Kind.ID, of="rotation_id"),
        attribute("user_id", Kind.NUMBER, edit="user_id"),
        attribute("position", Kind.NUMBER, edit="position"),
        *times(),
    ),
)


# ---------------------------------------------------------------- active days


async def _days(call: Call) -> Found:
    return _part(call, await schedules.active_days_of(call.db, await _rotation(call)))


async def _day(call: Call, key: str) -> Record | None:
    row = await schedules.active_day(call.db, uuid_of(key))
    alive = row and await schedules.rotation(call.db, row["rotation_id"])
    return row if alive else None


async def _create_day(call: Call, edit: ActiveDayEdit) -> UUID:
    key = uuid_of(call.parent)
    return await call.edge.configure.create_active_day(key, edit, by=call.actor, now=call.now)


async def _change_day(call: Call, row: Record, edit: ActiveDayEdit) -> None:
    await call.edge.configure.update_active_day(row["id"], edit, by=call.actor, now=call.now)


async def _delete_day(call: Call, row: Record) -> None:
    await call.edge.configure.delete_active_day(row["id"], by=call.actor, now=call.now)


ACTIVE_DAYS = Resource(
    type="schedule_rotation_active_days",
    collections=("/schedule_rotations/{id}/schedule_rotation_active_days",),
    item="/schedule_rotation_active_days/{id}",
    find=_days,
    get=_day,
    edit=ActiveDayEdit,
    create=_create_day,
    change=_change_day,
    delete=_delete_day,
    attributes=(
        attribute("schedule_rotation_id", Kind.ID, of="rotation_id"),
        attribute("day_name", of="day", edit="day"),
        attribute("active_time_attributes", Kind.LIST, of="windows", edit="windows"),
        *times(),
    ),
)
