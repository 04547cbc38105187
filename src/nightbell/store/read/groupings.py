"""This file reads grouping rules, and the alerts that a group binds together."""

from collections.abc import Iterable
from uuid import UUID

from nightbell.store.db import Runner
from nightbell.store.read.listing import Found, Listing, Record, Shelf, by_names, found, one
from nightbell.store.tables import grouping_rules as rows

#: One screen of a group; the list shows the rest.
MOST_FOLLOWERS = 100

GROUPINGS = Shelf(
    table=rows,
    filters=by_names(rows, "name", "slug", "condition_type", "created_at"),
    search=(rows.c.name,),
    orders=by_names(rows, "position", "name", "created_at", "updated_at"),
    default="position",
)


async def groupings(runner: Runner, listing: Listing) -> Found:
    """Return grouping rules in the order they are asked."""
    return await found(runner, GROUPINGS, listing)


async def grouping(runner: Runner, key: UUID | str) -> Record | None:
    """Return one grouping rule, by its id or its slug."""
    return await one(runner, rows, rows.c.id == key if isinstance(key, UUID) else rows.c.slug == key)


async def followers(runner: Runner, leader_id: UUID) -> list[Record]:
    """Return the alerts that follow another, open ones first."""
    return [dict(r) for r in await runner.rows("page_followers", leader_id, MOST_FOLLOWERS)]


async def followed(runner: Runner, leader_ids: Iterable[UUID]) -> dict[UUID, int]:
    """Return how many open alerts follow each of these."""
    return {r["leader_id"]: r["open"] for r in await runner.rows("page_followed", list(leader_ids))}
