"""This file reads teams and who is in them, and the services they own."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement

from nightbell.core.uuids import as_uuid
from nightbell.store.db import Runner
from nightbell.store.read.listing import Found, Listing, Record, Shelf, by_names, found, many, one
from nightbell.store.tables import services as things
from nightbell.store.tables import teams as groups

TEAMS = Shelf(
    table=groups,
    filters=by_names(groups, "name", "slug", "color", "created_at"),
    search=(groups.c.name, groups.c.slug),
    orders=by_names(groups, "name", "slug", "created_at", "updated_at"),
    default="name",
)
SERVICES = Shelf(
    table=things,
    filters=by_names(things, "name", "slug", "color", "escalation_policy_id", "created_at"),
    search=(things.c.name, things.c.slug),
    orders=by_names(things, "name", "slug", "created_at", "updated_at"),
    default="name",
)


async def teams(runner: Runner, listing: Listing, *within: ColumnElement[bool]) -> Found:
    """Return teams, with their members and schedules."""
    page = await found(runner, TEAMS, listing, *within)
    await _with_members(runner, page.rows)
    return page


async def team(runner: Runner, key: str | UUID) -> Record | None:
    """Return one team by id or slug, with its members and schedules."""
    row = await one(runner, groups, groups.c.id == _id(key) if _id(key) else groups.c.slug == key)
    await _with_members(runner, [row] if row else [])
    return row


async def teams_by_id(runner: Runner, ids: Sequence[UUID]) -> dict[UUID, Record]:
    """Return these teams by id, without members; unknown ids are absent."""
    rows = await many(runner, groups, groups.c.id.in_(sorted(set(ids))), groups.c.name) if ids else []
    return {row["id"]: row for row in rows}


async def _with_members(runner: Runner, rows: list[Record]) -> None:
    everyone: dict[UUID, list[int]] = defaultdict(list)
    admins: dict[UUID, list[int]] = defaultdict(list)
    for member in await runner.rows("read_team_members", [row["id"] for row in rows]) if rows else []:
        everyone[member["team_id"]].append(member["user_id"])
        if member["is_admin"]:
            admins[member["team_id"]].append(member["user_id"])
    found_schedules = (
        await runner.rows("read_schedules_of_teams", [row["id"] for row in rows]) if rows else []
    )
    owned = {r["team_id"]: r["schedule_ids"] for r in found_schedules}
    for row in rows:
        row["user_ids"], row["admin_ids"] = everyone[row["id"]], admins[row["id"]]
        row["schedule_ids"] = owned.get(row["id"], [])


async def services(runner: Runner, listing: Listing, *within: ColumnElement[bool]) -> Found:
    """Return services, with the teams that own them."""
    page = await found(runner, SERVICES, listing, *within)
    await _with_owners(runner, page.rows)
    return page


async def service(runner: Runner, key: str | UUID) -> Record | None:
    """Return one service by id or slug, with the teams that own it."""
    row = await one(runner, things, things.c.id == _id(key) if _id(key) else things.c.slug == key)
    await _with_owners(runner, [row] if row else [])
    return row


async def services_by_id(runner: Runner, ids: Sequence[UUID]) -> dict[UUID, Record]:
    """Return these services by id, without owners; unknown ids are absent."""
    rows = await many(runner, things, things.c.id.in_(sorted(set(ids))), things.c.name) if ids else []
    return {row["id"]: row for row in rows}


async def _with_owners(runner: Runner, rows: list[Record]) -> None:
    found_teams = await runner.rows("read_service_teams", [row["id"] for row in rows]) if rows else []
    owners = {row["service_id"]: row["team_ids"] for row in found_teams}
    for row in rows:
        row["owner_team_ids"] = owners.get(row["id"], [])


def _id(key: str | UUID) -> UUID | None:
    return key if isinstance(key, UUID) else as_uuid(key)
