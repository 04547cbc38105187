"""This file reads throttles."""

from uuid import UUID

from nightbell.store.db import Runner
from nightbell.store.read.listing import Found, Listing, Record, Shelf, by_names, found, one
from nightbell.store.tables import throttles as rows

THROTTLES = Shelf(
    table=rows,
    filters=by_names(rows, "kind", "scope", "created_at"),
    orders=by_names(rows, "kind", "seconds", "created_at", "updated_at"),
    default="kind",
)


async def throttles(runner: Runner, listing: Listing) -> Found:
    """Return throttles by kind."""
    return await found(runner, THROTTLES, listing)


async def throttle(runner: Runner, throttle_id: UUID) -> Record | None:
    """Return one throttle."""
    return await one(runner, rows, rows.c.id == throttle_id)
