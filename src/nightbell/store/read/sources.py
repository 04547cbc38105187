"""This file reads where alerts come from and where they go: sources, routes, urgencies.

Secrets stay sealed here; opening one is the engine's business (engine/configure_sources.py).
"""

from datetime import datetime
from uuid import UUID

from nightbell.store.db import Runner
from nightbell.store.read.listing import Found, Listing, Record, Shelf, by_names, found, many, one
from nightbell.store.tables import routes as route_rows
from nightbell.store.tables import sources as source_rows
from nightbell.store.tables import urgencies as urgency_rows

SOURCES = Shelf(
    table=source_rows,
    filters={
        **by_names(source_rows, "name", "enabled", "created_at", "type"),
        "source_types": source_rows.c.type,
    },
    search=(source_rows.c.name,),
    orders=by_names(source_rows, "name", "created_at", "updated_at"),
    default="name",
)
ROUTES = Shelf(
    table=route_rows,
    filters=by_names(route_rows, "name", "enabled", "created_at"),
    search=(route_rows.c.name,),
    orders=by_names(route_rows, "position", "name", "created_at", "updated_at"),
    default="position",
)
URGENCIES = Shelf(
    table=urgency_rows,
    filters=by_names(urgency_rows, "name", "created_at"),
    search=(urgency_rows.c.name,),
    orders=by_names(urgency_rows, "position", "name", "created_at", "updated_at"),
    default="position",
)


#: Heartbeats are the source of their alerts, and nobody sends by it: no list of senders shows it.
_SENDERS = source_rows.c.type != "heartbeat"


async def sources(runner: Runner, listing: Listing, now: datetime) -> Found:
    """Return sources, each with its valid `secrets`, the current one first."""
    asked = [value for c in listing.where if c.field == "statuses" for value in c.values]
    heard = {status == "connected" for status in asked}
    within = [source_rows.c.last_delivery_at.is_not(None) == heard.pop()] if len(heard) == 1 else []
    page = await found(runner, SOURCES, listing, _SENDERS, *within)
    await _with_secrets(runner, page.rows, now)
    return page


async def source(runner: Runner, source_id: UUID, now: datetime) -> Record | None:
    """Return one source, with its valid `secrets`, the current one first."""
    row = await one(runner, source_rows, source_rows.c.id == source_id)
    await _with_secrets(runner, [row] if row else [], now)
    return row


async def all_sources(runner: Runner) -> list[Record]:
    """Return every source by name, without secrets: there are few."""
    return await many(runner, source_rows, _SENDERS, source_rows.c.name)


async def _with_secrets(runner: Runner, rows: list[Record], now: datetime) -> None:
    secrets = await runner.rows("read_source_secrets", [row["id"] for row in rows], now) if rows else []
    for row in rows:
        row["secrets"] = [dict(secret) for secret in secrets if secret["source_id"] == row["id"]]


async def routes(runner: Runner, listing: Listing) -> Found:
    """Return routes in the order they are asked."""
    return await found(runner, ROUTES, listing)


async def route(runner: Runner, route_id: UUID) -> Record | None:
    """Return one route."""
    return await one(runner, route_rows, route_rows.c.id == route_id)


async def urgencies(runner: Runner, listing: Listing) -> Found:
    """Return urgencies, the loudest first."""
    return await found(runner, URGENCIES, listing)


async def urgency(runner: Runner, urgency_id: UUID) -> Record | None:
    """Return one urgency."""
    return await one(runner, urgency_rows, urgency_rows.c.id == urgency_id)


async def all_urgencies(runner: Runner) -> list[Record]:
    """Return every urgency, the loudest first: there are few."""
    order = (urgency_rows.c.position, urgency_rows.c.name)
    return await many(runner, urgency_rows, urgency_rows.c.name.is_not(None), *order)
