"""This file reads timelines and action items for the API."""

from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, select

from nightbell.store.db import Runner
from nightbell.store.incident_tables import incident_action_items, incident_events, incidents
from nightbell.store.read.incidents import Viewer, visible
from nightbell.store.read.listing import (
    Condition,
    Found,
    Listing,
    Record,
    Shelf,
    by_names,
    compared,
    found,
    one,
)

E = incident_events.c
A = incident_action_items.c
EVENTS = Shelf(
    table=incident_events,
    filters=by_names(
        incident_events, "visibility", "occurred_at", "created_at", "updated_at", "code", "source"
    ),
    search=(E.event,),
    orders=by_names(incident_events, "occurred_at", "created_at", "updated_at"),
    default="-occurred_at",
)
ITEMS = Shelf(
    table=incident_action_items,
    filters=by_names(
        incident_action_items,
        *("kind", "priority", "status", "due_date", "created_at", "updated_at", "incident_id"),
        "assigned_to_user_id",
    )
    | {"user_id": A.assigned_to_user_id},
    search=(A.summary, A.description),
    orders=by_names(incident_action_items, "due_date", "created_at", "updated_at", "priority", "status"),
    default="-created_at",
)
#: Filters of action items that are about their incident.
_OF_INCIDENT = {
    "incident_status": incidents.c.status,
    "incident_created_at": incidents.c.created_at,
    "incident_kind": incidents.c.kind,
}


async def events(runner: Runner, incident_id: UUID, listing: Listing) -> Found:
    """Return the timeline of an incident, the newest first where nobody says otherwise."""
    return await found(runner, EVENTS, listing, E.incident_id == incident_id)


async def event(runner: Runner, viewer: Viewer, event_id: UUID) -> Record | None:
    """Return one entry, as far as somebody may see its incident."""
    return await one(runner, incident_events, (E.id == event_id) & E.incident_id.in_(_seen(viewer)))


async def items(runner: Runner, incident_id: UUID, listing: Listing) -> Found:
    """Return the action items of an incident."""
    return await found(runner, ITEMS, listing, A.incident_id == incident_id)


async def all_items(runner: Runner, viewer: Viewer, listing: Listing) -> Found:
    """Return action items of every incident that somebody may see."""
    about = [_of_incident(c) for c in listing.where if c.field in _OF_INCIDENT]
    return await found(runner, ITEMS, listing, A.incident_id.in_(_seen(viewer)), *about)


async def item(runner: Runner, viewer: Viewer, item_id: UUID) -> Record | None:
    """Return one action item, as far as somebody may see its incident."""
    return await one(runner, incident_action_items, and_(A.id == item_id, A.incident_id.in_(_seen(viewer))))


def _seen(viewer: Viewer) -> Select[tuple[UUID]]:
    return select(incidents.c.id).where(visible(viewer))


def _of_incident(condition: Condition) -> ColumnElement[bool]:
    wanted = select(incidents.c.id).where(compared(_OF_INCIDENT[condition.field], condition))
    return A.incident_id.in_(wanted)
