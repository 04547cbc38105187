"""This file reads who follows an incident or a status page, and what was sent to them."""

from typing import Any
from uuid import UUID

from nightbell.store.db import Runner
from nightbell.store.read.listing import Found, Listing, Record, Shelf, by_names, found, one
from nightbell.store.status_tables import incident_updates as rows

UPDATES = Shelf(
    table=rows,
    filters=by_names(rows, "key", "created_at"),
    search=(rows.c.title,),
    orders=by_names(rows, "created_at"),
    default="-created_at",
)


async def updates(runner: Runner, incident_id: UUID) -> list[dict[str, Any]]:
    """Return what was sent to those who follow an incident, the newest first, and what became of it."""
    return [dict(row.items()) for row in await runner.rows("updates_of_incident", incident_id)]


async def listed(runner: Runner, listing: Listing, incident_id: UUID) -> Found:
    """Return a part of what was sent to those who follow an incident."""
    return await found(runner, UPDATES, listing, rows.c.incident_id == incident_id)


async def update(runner: Runner, update_id: UUID) -> Record | None:
    """Return one update."""
    return await one(runner, rows, rows.c.id == update_id)


async def addresses(runner: Runner, incident_id: UUID) -> list[dict[str, Any]]:
    """Return the addresses that follow an incident, whatever they said to it."""
    return [dict(row.items()) for row in await runner.rows("incident_mail_subscribers", incident_id)]


async def followers(runner: Runner, incident_id: UUID) -> int:
    """Return how many people of ours and addresses would be told now."""
    people = await runner.rows("incident_followers", incident_id)
    return len(people) + len(await runner.rows("incident_addresses", incident_id, []))


async def page_addresses(runner: Runner, page_id: UUID) -> list[dict[str, Any]]:
    """Return the addresses that follow a status page, whatever they said to it."""
    return [dict(row.items()) for row in await runner.rows("page_subscribers", page_id)]


async def subscriber(runner: Runner, subscriber_id: UUID) -> dict[str, Any] | None:
    """Return who stands behind a link, and of what they are told."""
    row = await runner.row("subscriber", subscriber_id)
    return dict(row.items()) if row else None
