"""Overrides. Rootly knows one kind, somebody who covers the whole schedule; `kind` says which other ours may be."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from nightbell.api.asking import with_times
from nightbell.api.attribute import Kind, attribute, times
from nightbell.api.jsonapi import Document, refer
from nightbell.api.resource import Call, Resource
from nightbell.api.resources import flat, users
from nightbell.api.resources.shifts import override_document
from nightbell.api.sent import uuid_of
from nightbell.core.access import Permission
from nightbell.core.errors import Unknown
from nightbell.engine.schedule_edits import OverrideEdit
from nightbell.store.read import people, schedules
from nightbell.store.read.listing import Found, Record


async def _find(call: Call) -> Found:
    key = uuid_of(call.parent)
    if await schedules.schedule(call.db, key) is None:
        raise Unknown(f"There is no schedule {key}.")
    found = await schedules.overrides_of(call.db, key, call.listing)
    await _with_people(call, found.rows)
    return found


async def _get(call: Call, key: str) -> Record | None:
    row = await schedules.override(call.db, uuid_of(key))
    await _with_people(call, [row] if row else [])
    return row


async def _with_people(call: Call, rows: Sequence[Record]) -> None:
    known = await people.users_by_id(call.db, [row["user_id"] for row in rows if row["user_id"] is not None])
    for row in rows:
        row["user"] = flat.user(known[row["user_id"]]) if row["user_id"] in known else None


def _accept(sent: dict[str, Any]) -> dict[str, Any]:
    return with_times(OVERRIDES.taken(sent), "starts_at", "ends_at")


async def _create(call: Call, edit: OverrideEdit) -> UUID:
    return await call.edge.configure.create_override(uuid_of(call.parent), edit, by=call.actor, now=call.now)


async def _change(call: Call, row: Record, edit: OverrideEdit) -> None:
    await call.edge.configure.update_override(row["id"], edit, by=call.actor, now=call.now)


async def _delete(call: Call, row: Record) -> None:
    await call.edge.configure.delete_override(row["id"], by=call.actor, now=call.now)


def _relationships(row: Record) -> dict[str, Any]:
    return {"user": refer("users", row["user_id"]), "schedule": refer("schedules", row["schedule_id"])}


async def _users(call: Call, rows: Sequence[Record]) -> list[Document]:
    return await users.documents(call, [row["user_id"] for row in rows if row["user_id"] is not None])


def _made(row: Record) -> dict[str, Any]:
    document = override_document(row, row["id"])
    return {"data": {"id": document.id, "type": "shift_override", "attributes": document.attributes}}


OVERRIDES = Resource(
    type="shifts",
    name="override_shifts",
    collections=("/schedules/{id}/override_shifts",),
    item="/override_shifts/{id}",
    find=_find,
    get=_get,
    edit=OverrideEdit,
    accept=_accept,
    create=_create,
    change=_change,
    delete=_delete,
    write=Permission.RESPOND,
    relationships=_relationships,
    include={"user": _users},
    attributes=(
        attribute("schedule_id", Kind.ID),
        attribute("rotation_id", Kind.ID, of=lambda _: None),
        attribute("starts_at", Kind.TIME, edit="starts_at"),
        attribute("ends_at", Kind.TIME, edit="ends_at"),
        attribute("is_override", Kind.FLAG, of=lambda _: True),
        attribute("is_shadow", Kind.FLAG, of=lambda _: False),
        attribute("user_id", Kind.NUMBER, edit="user_id"),
        attribute("user", Kind.OBJECT, of=lambda row: row["user"] and {"data": _user(row)}, omit_null=True),
        attribute("shift_override", Kind.OBJECT, of=_made),
        attribute("kind", of="change", edit="change"),
        attribute("replaces_user_id", Kind.NUMBER, edit="replaces_user_id", omit_null=True),
        attribute("reason", edit="reason"),
        *times(),
    ),
)


def _user(row: Record) -> dict[str, Any]:
    return {"id": str(row["user_id"]), "type": "users", "attributes": row["user"]}
