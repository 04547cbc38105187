"""What is published of an incident on status pages, in Rootly's shape; and what is written once to those who follow."""

from typing import Any
from uuid import UUID

from nightbell.api.attribute import Kind, attribute, times
from nightbell.api.resource import Call, Resource
from nightbell.api.sent import uuid_of
from nightbell.core.access import Permission, may
from nightbell.core.errors import Unknown
from nightbell.core.uuids import as_uuid
from nightbell.engine.status_edits import StatusPageEventEdit, UpdateEdit
from nightbell.store.read import incident_pages, incident_updates, status_pages
from nightbell.store.read.incident_pages import Viewer
from nightbell.store.read.listing import Found, Record


async def _incident(call: Call, key: str) -> UUID:
    """Return the id of an incident, by id, slug or number.

    Raises: Unknown, also for one that is kept from who asks.
    """
    who = Viewer(user_id=call.visitor.user_id, everything=may(call.visitor.role, Permission.PEOPLE))
    ident = as_uuid(key)
    number = incident_pages.number_of(key) if ident is None else None
    found = await incident_pages.incident(
        call.db, who, ident=ident, number=number, slug=key[:255] if ident is None else None
    )
    if found is None:
        raise Unknown(f"There is no incident {key[:60]}.")
    known: UUID = found["id"]
    return known


async def _find(call: Call) -> Found:
    return await status_pages.published(call.db, call.listing, await _incident(call, call.parent))


async def _get(call: Call, key: str) -> Record | None:
    row = await status_pages.published_event(call.db, uuid_of(key))
    if row is not None:
        await _incident(call, str(row["incident_id"]))
    return row


async def _create(call: Call, edit: StatusPageEventEdit) -> UUID:
    ident = await _incident(call, call.parent)
    return await call.edge.publishing.publish(ident, edit, by=call.actor, now=call.now)


async def _change(call: Call, row: Record, edit: StatusPageEventEdit) -> None:
    await call.edge.publishing.change_published(row["id"], edit, by=call.actor, now=call.now)


async def _delete(call: Call, row: Record) -> None:
    await call.edge.publishing.unpublish(row["id"], by=call.actor, now=call.now)


STATUS_PAGE_EVENTS = Resource(
    type="incident_status_page_events",
    collections=("/incidents/{id}/status-page-events",),
    item="/status-page-events/{id}",
    find=_find,
    get=_get,
    edit=StatusPageEventEdit,
    create=_create,
    change=_change,
    delete=_delete,
    write=Permission.RESPOND,
    attributes=(
        attribute("event", edit="event"),
        attribute("status_page_id", Kind.ID, edit="status_page_id"),
        attribute("status", edit="status"),
        attribute("notify_subscribers", Kind.FLAG, edit="notify_subscribers"),
        attribute("should_tweet", Kind.FLAG, edit="should_tweet"),
        attribute("started_at", Kind.TIME, edit="started_at"),
        attribute("impact", edit="impact"),
        *times(),
    ),
)


async def _find_updates(call: Call) -> Found:
    return await incident_updates.listed(call.db, call.listing, await _incident(call, call.parent))


async def _get_update(call: Call, key: str) -> Record | None:
    row = await incident_updates.update(call.db, uuid_of(key))
    if row is not None:
        await _incident(call, str(row["incident_id"]))
    return row


async def _tell(call: Call, edit: UpdateEdit) -> UUID:
    ident = await _incident(call, call.parent)
    return await call.edge.publishing.tell(ident, edit, by=call.actor, now=call.now)


def _relationships(row: Record) -> dict[str, Any]:
    return {"incident": {"data": {"id": str(row["incident_id"]), "type": "incidents"}}}


#: Ours: Rootly writes to stakeholders by its communications, which are more than one text for all.
INCIDENT_UPDATES = Resource(
    type="incident_updates",
    collections=("/incidents/{id}/updates",),
    item="/incident_updates/{id}",
    find=_find_updates,
    get=_get_update,
    edit=UpdateEdit,
    create=_tell,
    write=Permission.RESPOND,
    relationships=_relationships,
    attributes=(
        attribute("title", edit="title"),
        attribute("body", edit="body"),
        attribute("key", edit="key"),
        attribute("recipients", Kind.NUMBER),
        *times(),
    ),
)
