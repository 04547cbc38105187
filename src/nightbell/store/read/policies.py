"""This file reads escalation policies, their paths and their levels."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from nightbell.store.db import Runner
from nightbell.store.read.listing import Found, Listing, Record, Shelf, by_names, compared, found, many, one
from nightbell.store.tables import escalation_paths, escalation_policies, services, teams

_POLICY = escalation_policies.c
POLICIES = Shelf(
    table=escalation_policies,
    filters=by_names(escalation_policies, "name", "created_at"),
    search=(_POLICY.name,),
    orders=by_names(escalation_policies, "name", "created_at", "updated_at"),
    default="name",
)
PATHS = Shelf(
    table=escalation_paths,
    filters=by_names(escalation_paths, "name", "created_at"),
    search=(escalation_paths.c.name,),
    orders=by_names(escalation_paths, "position", "name", "created_at"),
    default="position",
)


async def policies(runner: Runner, listing: Listing) -> Found:
    """Return policies, with the teams and services they page for; `team_ids` filters by team."""
    asked = [compared(teams.c.id, c) for c in listing.where if c.field == "team_ids"]
    within = [_POLICY.id.in_(select(teams.c.escalation_policy_id).where(wanted)) for wanted in asked]
    page = await found(runner, POLICIES, listing, *within)
    await _with_links(runner, page.rows)
    return page


async def policy(runner: Runner, policy_id: UUID) -> Record | None:
    """Return one policy, with the teams and services it pages for."""
    row = await one(runner, escalation_policies, _POLICY.id == policy_id)
    await _with_links(runner, [row] if row else [])
    return row


async def policies_by_id(runner: Runner, ids: Sequence[UUID]) -> dict[UUID, Record]:
    """Return these policies by id; unknown ids are absent."""
    rows = (
        await many(runner, escalation_policies, _POLICY.id.in_(sorted(set(ids))), _POLICY.name) if ids else []
    )
    return {row["id"]: row for row in rows}


async def _with_links(runner: Runner, rows: list[Record]) -> None:
    links = await runner.rows("read_policy_links", [row["id"] for row in rows]) if rows else []
    by_id = {link["id"]: link for link in links}
    for row in rows:
        row["team_ids"] = by_id[row["id"]]["team_ids"] if row["id"] in by_id else []
        row["service_ids"] = by_id[row["id"]]["service_ids"] if row["id"] in by_id else []


async def paths(runner: Runner, policy_id: UUID, listing: Listing) -> Found:
    """Return the paths of a policy, in the order they are tried."""
    return await found(runner, PATHS, listing, escalation_paths.c.policy_id == policy_id)


async def path(runner: Runner, path_id: UUID) -> Record | None:
    """Return one path."""
    return await one(runner, escalation_paths, escalation_paths.c.id == path_id)


async def default_path(runner: Runner, policy_id: UUID) -> Record | None:
    """Return the path that matches when no other does; None when there is no such policy."""
    where = (escalation_paths.c.policy_id == policy_id) & escalation_paths.c.is_default
    return await one(runner, escalation_paths, where)


async def levels_of_policy(runner: Runner, policy_id: UUID) -> list[Record]:
    """Return the levels of all paths of a policy, its default path first."""
    return [dict(row) for row in await runner.rows("read_levels_of_policy", policy_id)]


async def levels_of_path(runner: Runner, path_id: UUID) -> list[Record]:
    """Return the levels of one path, in order."""
    return [dict(row) for row in await runner.rows("read_levels_of_path", path_id)]


async def level(runner: Runner, level_id: UUID) -> Record | None:
    """Return one level, and `policy_id`."""
    row = await runner.row("read_level", level_id)
    return dict(row) if row else None


async def owners_of(runner: Runner, policy_id: UUID) -> tuple[list[Record], list[Record]]:
    """Return the teams and the services that a policy pages for."""
    owned_teams = await many(runner, teams, teams.c.escalation_policy_id == policy_id, teams.c.name)
    owned_services = await many(
        runner, services, services.c.escalation_policy_id == policy_id, services.c.name
    )
    return owned_teams, owned_services
