"""This file reads the journal: the timeline of one alert, and everything that happened, newest first."""

from uuid import UUID

from sqlalchemy import and_, true

from nightbell.store.db import Runner
from nightbell.store.read.listing import (
    Found,
    Listing,
    Record,
    Shelf,
    by_names,
    conditions,
    found,
    newest,
    one,
)
from nightbell.store.tables import alert_events

E = alert_events.c
EVENTS = Shelf(
    table=alert_events,
    filters=by_names(alert_events, "kind", "action", "code", "alert_id", "user_id", "created_at"),
    search=(E.details,),
    orders={"created_at": E.id, "id": E.id},
    default="-created_at",
)


async def of_alert(runner: Runner, alert_id: UUID, listing: Listing) -> Found:
    """Return the timeline of one alert, newest first."""
    return await found(runner, EVENTS, listing, E.alert_id == alert_id)


async def feed(runner: Runner, listing: Listing) -> Found:
    """Return entries of all alerts, newest first, with a cursor."""
    return await newest(runner, EVENTS, listing, and_(true(), *conditions(EVENTS, listing)))


async def event(runner: Runner, event_id: UUID) -> Record | None:
    """Return one entry."""
    return await one(runner, alert_events, E.id == event_id)
