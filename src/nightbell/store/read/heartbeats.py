"""This file reads heartbeats; their secrets stay sealed (engine/configure_heartbeats.py opens one)."""

from uuid import UUID

from nightbell.store.db import Runner
from nightbell.store.read.listing import Found, Listing, Record, Shelf, by_names, found, many, one
from nightbell.store.watch_tables import heartbeats as rows

HEARTBEATS = Shelf(
    table=rows,
    filters=by_names(rows, "name", "status", "enabled", "created_at"),
    search=(rows.c.name, rows.c.alert_summary),
    orders=by_names(rows, "name", "last_pinged_at", "expires_at", "created_at", "updated_at"),
    default="name",
)


async def heartbeats(runner: Runner, listing: Listing) -> Found:
    """Return heartbeats, by name."""
    return await found(runner, HEARTBEATS, listing)


async def all_heartbeats(runner: Runner) -> list[Record]:
    """Return every heartbeat by name: there are few."""
    return await many(runner, rows, rows.c.name.is_not(None), rows.c.name)


async def heartbeat(runner: Runner, heartbeat_id: UUID) -> Record | None:
    """Return one heartbeat."""
    return await one(runner, rows, rows.c.id == heartbeat_id)


async def by_mail_name(runner: Runner, name: str) -> UUID | None:
    """Return which heartbeat a mail to this name is a beat of."""
    row = await one(runner, rows, rows.c.mail_name == name)
    return row["id"] if row else None
