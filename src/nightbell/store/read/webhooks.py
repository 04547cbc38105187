"""This file reads endpoints of outgoing webhooks and what was sent to them; secrets stay sealed."""

from uuid import UUID

from nightbell.core.uuids import as_uuid
from nightbell.store.db import Runner
from nightbell.store.read.listing import Found, Listing, Record, Shelf, by_names, found, newest, one
from nightbell.store.webhook_tables import deliveries as sent
from nightbell.store.webhook_tables import endpoints as rows

ENDPOINTS = Shelf(
    table=rows,
    filters=by_names(rows, "name", "slug", "url", "enabled", "created_at"),
    search=(rows.c.name, rows.c.url),
    orders=by_names(rows, "name", "created_at", "updated_at"),
    default="name",
)
DELIVERIES = Shelf(
    table=sent,
    filters=by_names(sent, "event_type", "event_id", "endpoint_id", "created_at", "response_status"),
    orders={"created_at": sent.c.id},
    default="-created_at",
)


async def endpoints(runner: Runner, listing: Listing) -> Found:
    """Return endpoints, by name."""
    return await found(runner, ENDPOINTS, listing)


async def overview(runner: Runner) -> list[Record]:
    """Return every endpoint and how it does: there are few."""
    return [dict(row.items()) for row in await runner.rows("endpoints_overview")]


async def endpoint(runner: Runner, key: str) -> Record | None:
    """Return one endpoint, by its id or its slug."""
    ident = as_uuid(key)
    return await one(runner, rows, rows.c.slug == key if ident is None else rows.c.id == ident)


async def deliveries(runner: Runner, endpoint_id: UUID, listing: Listing) -> Found:
    """Return what was sent to an endpoint, the newest first."""
    return await newest(runner, DELIVERIES, listing, sent.c.endpoint_id == endpoint_id)


async def delivery(runner: Runner, delivery_id: UUID) -> Record | None:
    """Return one delivery."""
    return await one(runner, sent, sent.c.id == delivery_id)
