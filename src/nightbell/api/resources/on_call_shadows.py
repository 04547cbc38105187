"""Who shadows whom: hears what they are told and is never responsible."""

from typing import Any
from uuid import UUID

from nightbell.api.asking import with_times
from nightbell.api.attribute import Kind, attribute, times
from nightbell.api.resource import Call, Resource
from nightbell.api.sent import uuid_of
from nightbell.core.access import Permission
from nightbell.core.errors import Invalid, Unknown
from nightbell.engine.schedule_edits import ShadowEdit
from nightbell.store.read import schedules
from nightbell.store.read.listing import Found, Record


async def _find(call: Call) -> Found:
    key = uuid_of(call.parent)
    if await schedules.schedule(call.db, key) is None:
        raise Unknown(f"There is no schedule {key}.")
    return await schedules.shadows_of(call.db, key, call.listing)


async def _get(call: Call, key: str) -> Record | None:
    return await schedules.shadow(call.db, uuid_of(key))


def _accept(sent: dict[str, Any]) -> dict[str, Any]:
    fields = with_times(SHADOWS.taken(sent), "starts_at", "ends_at")
    if "shadowable_type" not in sent and "shadowable_id" not in sent:
        return fields
    kind = sent.get("shadowable_type", "Schedule")
    if kind not in ("User", "Schedule"):
        raise Invalid("One shadows a User or a Schedule.", place="shadowable_type")
    return {**fields, "of_user_id": sent.get("shadowable_id") if kind == "User" else None}


async def _create(call: Call, edit: ShadowEdit) -> UUID:
    key = uuid_of(call.parent)
    if call.attributes.get("shadowable_type") == "Schedule" and call.attributes.get("shadowable_id"):
        named = uuid_of(str(call.attributes["shadowable_id"]))
        if named != key:
            raise Invalid("This is another schedule.", place="shadowable_id", hint=f"The schedule is {key}.")
    return await call.edge.configure.create_shadow(key, edit, by=call.actor, now=call.now)


async def _change(call: Call, row: Record, edit: ShadowEdit) -> None:
    await call.edge.configure.update_shadow(row["id"], edit, by=call.actor, now=call.now)


async def _delete(call: Call, row: Record) -> None:
    await call.edge.configure.delete_shadow(row["id"], by=call.actor, now=call.now)


def _followed(row: Record) -> str:
    return str(row["schedule_id"] if row["of_user_id"] is None else row["of_user_id"])


SHADOWS = Resource(
    type="on_call_shadows",
    collections=("/schedules/{id}/on_call_shadows",),
    item="/on_call_shadows/{id}",
    find=_find,
    get=_get,
    edit=ShadowEdit,
    accept=_accept,
    create=_create,
    change=_change,
    delete=_delete,
    write=Permission.RESPOND,
    attributes=(
        attribute("schedule_id", Kind.ID),
        attribute(
            "shadowable_type",
            of=lambda row: "Schedule" if row["of_user_id"] is None else "User",
            edit="of_type",
        ),
        attribute("shadowable_id", of=_followed, edit="of_id"),
        attribute("shadow_user_id", Kind.NUMBER, of="user_id", edit="user_id"),
        attribute("starts_at", Kind.TIME, edit="starts_at"),
        attribute("ends_at", Kind.TIME, edit="ends_at"),
        *times(),
    ),
)
