"""This file reads planned work."""

from uuid import UUID

from nightbell.store.db import Runner
from nightbell.store.read.listing import Found, Listing, Record, Shelf, by_names, found, one
from nightbell.store.tables import maintenances as rows

MAINTENANCES = Shelf(
    table=rows,
    filters=by_names(rows, "name", "starts_at", "ends_at", "created_at"),
    search=(rows.c.name,),
    orders=by_names(rows, "starts_at", "ends_at", "name", "created_at", "updated_at"),
    default="-starts_at",
)


async def maintenances(runner: Runner, listing: Listing) -> Found:
    """Return planned work, what begins last first."""
    return await found(runner, MAINTENANCES, listing)


async def maintenance(runner: Runner, maintenance_id: UUID) -> Record | None:
    """Return one planned work."""
    return await one(runner, rows, rows.c.id == maintenance_id)
