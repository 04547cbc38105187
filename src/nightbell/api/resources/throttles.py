"""Throttles: our own resource. At most so many messages of a kind in a while; the others go later, and none is lost."""

from uuid import UUID

from nightbell.api.attribute import Kind, attribute, times
from nightbell.api.resource import Call, Resource
from nightbell.api.sent import uuid_of
from nightbell.core.access import Permission
from nightbell.engine.edits import ThrottleEdit
from nightbell.store.read import throttles
from nightbell.store.read.listing import Found, Record


async def _find(call: Call) -> Found:
    return await throttles.throttles(call.db, call.listing)


async def _get(call: Call, key: str) -> Record | None:
    return await throttles.throttle(call.db, uuid_of(key))


async def _create(call: Call, edit: ThrottleEdit) -> UUID:
    return await call.edge.configure.create_throttle(edit, by=call.actor, now=call.now)


async def _change(call: Call, row: Record, edit: ThrottleEdit) -> None:
    await call.edge.configure.update_throttle(row["id"], edit, by=call.actor, now=call.now)


async def _delete(call: Call, row: Record) -> None:
    await call.edge.configure.delete_throttle(row["id"], by=call.actor, now=call.now)


THROTTLES = Resource(
    type="throttles",
    collections=("/throttles",),
    item="/throttles/{id}",
    find=_find,
    get=_get,
    edit=ThrottleEdit,
    create=_create,
    change=_change,
    delete=_delete,
    write=Permission.OPERATE,
    attributes=(
        attribute("kind", edit="kind"),
        attribute("scope", edit="scope"),
        attribute("most", Kind.NUMBER, edit="most"),
        attribute("seconds", Kind.NUMBER, edit="seconds"),
        *times(),
    ),
)
