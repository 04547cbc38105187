"""This file reads grouping rules, and the alerts that a group binds together."""

from collections.abc import Iterable
from uuid import UUID

from nightbell.store.db import Runner
from nightbell.store.read.listing import Found, Listing, Record, Shelf, by_names, found, one
from nightbell.store.tables import grouping_rules as rows

#: One screen of a group; the list shows the rest.
MOST_FOLLOWERS = 100
MOST_LEADERS = 20

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


async def open_groups(runner: Runner, rule_ids: Iterable[UUID]) -> dict[UUID, int]:
    """Return how many open alerts lead a group by each of these rules."""
    return {r["rule_id"]: r["open"] for r in await runner.rows("page_open_groups", list(rule_ids))}


async def leaders(runner: Runner, rule_id: UUID) -> list[Record]:
    """Return the open alerts that lead a group by a rule, the latest first."""
    return [dict(r) for r in await runner.rows("page_leaders", rule_id, MOST_LEADERS)]


async def followers(runner: Runner, leader_id: UUID) -> list[Record]:
    """Return the alerts that follow another, open ones first."""
    return [dict(r) for r in await runner.rows("page_followers", leader_id, MOST_FOLLOWERS)]


async def leading(runner: Runner, ids: Iterable[UUID]) -> dict[UUID, Record]:
    """Return alerts that others follow, by id: number, summary and status."""
    return {r["id"]: dict(r) for r in await runner.rows("page_leading", list(ids))}


async def followed(runner: Runner, leader_ids: Iterable[UUID]) -> dict[UUID, int]:
    """Return how many open alerts follow each of these."""
    return {r["leader_id"]: r["open"] for r in await runner.rows("page_followed", list(leader_ids))}
