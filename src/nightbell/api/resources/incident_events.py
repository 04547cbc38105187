"""Timelines of incidents. What people wrote they may rewrite; what Nightbell wrote stays, and says who and why."""

from typing import Any
from uuid import UUID

from nightbell.api.asking import with_times
from nightbell.api.attribute import Kind, attribute, times
from nightbell.api.resource import Call, Resource
from nightbell.api.resources.incident_shapes import viewer
from nightbell.api.resources.incidents import INCIDENTS
from nightbell.api.sent import uuid_of
from nightbell.core.access import Permission
from nightbell.engine.incident_edits import EntryEdit
from nightbell.store.read import incident_events as entries
from nightbell.store.read.listing import Found, Record


async def _find(call: Call) -> Found:
    row = await INCIDENTS.row(call, call.parent)
    return await entries.events(call.db, row["id"], call.listing)


async def _get(call: Call, key: str) -> Record | None:
    return await entries.event(call.db, viewer(call), uuid_of(key))


def _accept(sent: dict[str, Any]) -> dict[str, Any]:
    return with_times(INCIDENT_EVENTS.taken(sent), "occurred_at")


async def _create(call: Call, edit: EntryEdit) -> UUID:
    row = await INCIDENTS.row(call, call.parent)
    return await call.edge.incidents.note(row["id"], edit, by=call.actor, now=call.now)


async def _change(call: Call, row: Record, edit: EntryEdit) -> None:
    await call.edge.incidents.change_entry(row["id"], edit, by=call.actor, now=call.now)


async def _delete(call: Call, row: Record) -> None:
    await call.edge.incidents.delete_entry(row["id"], by=call.actor, now=call.now)


INCIDENT_EVENTS = Resource(
    type="incident_events",
    collections=("/incidents/{id}/events",),
    item="/events/{id}",
    find=_find,
    get=_get,
    edit=EntryEdit,
    accept=_accept,
    create=_create,
    change=_change,
    delete=_delete,
    write=Permission.RESPOND,
    attributes=(
        attribute("event", edit="event"),
        attribute("visibility", edit="visibility"),
        attribute("occurred_at", Kind.TIME, edit="occurred_at"),
        *times(),
        # Ours: which rule spoke, who was behind it, and what it went by.
        attribute("incident_id", Kind.ID),
        attribute("code"),
        attribute("source"),
        attribute("actor"),
        attribute("user_id", Kind.NUMBER),
        attribute("because", Kind.OBJECT),
        attribute("attachments", Kind.LIST, edit="attachments"),
    ),
)
