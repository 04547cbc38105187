"""Urgencies of alerts; the smallest position is the loudest."""

from uuid import UUID

from nightbell.api.attribute import Kind, attribute, constant, times
from nightbell.api.resource import Call, Resource
from nightbell.api.sent import uuid_of
from nightbell.engine.edits import UrgencyEdit
from nightbell.store.read import sources
from nightbell.store.read.listing import Found, Record


async def _find(call: Call) -> Found:
    return await sources.urgencies(call.db, call.listing)


async def _get(call: Call, key: str) -> Record | None:
    return await sources.urgency(call.db, uuid_of(key))


async def _create(call: Call, edit: UrgencyEdit) -> UUID:
    return await call.edge.configure.create_urgency(edit, by=call.actor, now=call.now)


async def _change(call: Call, row: Record, edit: UrgencyEdit) -> None:
    await call.edge.configure.update_urgency(row["id"], edit, by=call.actor, now=call.now)


async def _delete(call: Call, row: Record) -> None:
    await call.edge.configure.delete_urgency(row["id"], by=call.actor, now=call.now)


URGENCIES = Resource(
    type="alert_urgencies",
    collections=("/alert_urgencies",),
    item="/alert_urgencies/{id}",
    find=_find,
    get=_get,
    edit=UrgencyEdit,
    create=_create,
    change=_change,
    delete=_delete,
    attributes=(
        attribute("id", Kind.ID),
        attribute("name", edit="name"),
        attribute("description", edit="description"),
        attribute("urgency", of=lambda row: str(row["name"]).lower()),
        attribute("color", edit="color"),
        attribute("position", Kind.NUMBER, edit="position"),
        attribute("retrigger_timeout_minutes", Kind.NUMBER, edit="retrigger_timeout_minutes"),
        constant("team_id", 1, Kind.NUMBER),
        constant("deleted_at", None, Kind.TIME),
        *times(),
    ),
)
