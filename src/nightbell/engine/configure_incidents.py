"""This file changes the catalogs that incidents are described with: severities, types, roles, environments and more.

Rule 1: all catalogs are changed alike, by the name of their table; what an entry is used by loses it when it goes.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy import Table, select

from nightbell.core.journal import Actor
from nightbell.engine.changing import Change, Writer, must_exist, unknown
from nightbell.engine.checks import Checks
from nightbell.engine.ids import new_id
from nightbell.engine.incident_edits import CatalogEdit
from nightbell.store import incident_tables as tables
from nightbell.store.db import Tx
from nightbell.store.statements import fetch_core
from nightbell.store.write import config

_COLOR = re.compile(r"#[0-9a-fA-F]{3,8}")
_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
_NOT_SLUG = re.compile(r"[^a-z0-9]+")
SEVERITIES = ("critical", "high", "medium", "low")
#: Statuses that a finer one may belong to; the first are ours, the others only Rootly's clients know.
PARENTS = (
    "in_triage", "started", "mitigated", "resolved", "closed", "cancelled", "scheduled", "in_progress", "completed",
    "planning", "verifying",
)  # fmt: skip


class Catalog(Struct, frozen=True):
    """One catalog: its table, and what the audit log calls an entry."""

    table: Table
    item: str
    #: What an entry has where nobody says.
    usual: Mapping[str, Any] = {}


CATALOGS: Mapping[str, Catalog] = {
    "severities": Catalog(tables.severities, "severity", {"severity": "medium"}),
    "incident_types": Catalog(tables.incident_types, "incident_type"),
    "environments": Catalog(tables.environments, "environment"),
    "functionalities": Catalog(
        tables.functionalities,
        "functionality",
        {"service_ids": [], "environment_ids": [], "owner_team_ids": []},
    ),
    "incident_roles": Catalog(
        tables.incident_roles, "incident_role", {"optional": False, "enabled": True, "many": False}
    ),
    "sub_statuses": Catalog(tables.sub_statuses, "sub_status"),
}

#: What every installation begins with.
_FIRST: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "severities": (
        {"name": "SEV0", "severity": "critical", "color": "#9B1C1C", "description": "Nobody can use it"},
        {"name": "SEV1", "severity": "high", "color": "#E02424", "description": "Many are held up"},
        {"name": "SEV2", "severity": "medium", "color": "#F59E0B", "description": "Some notice"},
        {"name": "SEV3", "severity": "low", "color": "#1C64F2", "description": "Nobody is held up"},
    ),
    "incident_types": (
        {"name": "Default", "color": "#047BF8", "description": "Something does not work"},
        {"name": "Security", "color": "#9061F9", "description": "Somebody is where they should not be"},
    ),
    "environments": (
        {"name": "Production", "color": "#E02424"},
        {"name": "Staging", "color": "#F59E0B"},
        {"name": "Development", "color": "#1C64F2"},
    ),
    "incident_roles": (
        {"name": "Commander", "summary": "Decides, and is asked first"},
        {"name": "Communications", "summary": "Tells everybody else", "optional": True},
        {"name": "Scribe", "summary": "Keeps the timeline", "optional": True},
    ),
}


async def seed_catalogs(tx: Tx, now: datetime) -> None:
    """Fill the catalogs once; what was deleted since stays deleted."""
    if not await tx.execute("seed_catalog_row", now):
        return
    for name, entries in _FIRST.items():
        catalog = CATALOGS[name]
        for position, entry in enumerate(entries, start=1):
            row = {"id": new_id(now), "slug": str(entry["name"]).lower(), "position": position}
            await config.add(tx, catalog.table, {**row, **catalog.usual, **entry}, now)


class IncidentCatalogs(Writer):
    """Changes the catalogs of incidents."""

    async def create_entry(self, catalog: str, edit: CatalogEdit, *, by: Actor, now: datetime) -> UUID:
        """Add an entry to a catalog, at its end where no position is given. Raises: Problems naming the fields."""
        found = CATALOGS[catalog]
        checks = Checks({**found.usual, **edit.sent()})
        checks.required("name", *(("parent_status",) if catalog == "sub_statuses" else ()))
        fields = _checked(checks, found)
        async with self.changing(by, now) as change:
            await _check_references(change, fields)
            fields["slug"] = fields.get("slug") or await _free_slug(change, found, fields["name"])
            fields["position"] = fields.get("position") or await _last(change, found) + 1
            key: UUID = await change.add(found.item, found.table, fields)
        return key

    async def update_entry(
        self, catalog: str, entry_id: UUID, edit: CatalogEdit, *, by: Actor, now: datetime
    ) -> None:
        """Change what was sent of an entry. Raises: Unknown, Problems naming the fields."""
        found = CATALOGS[catalog]
        checks = Checks(edit.sent())
        for name in ("slug", "position"):
            if checks.sent.get(name) in (None, ""):
                checks.sent.pop(name, None)
        fields = _checked(checks, found)
        async with self.changing(by, now) as change:
            await _check_references(change, fields)
            await change.change(found.item, found.table, entry_id, fields)

    async def delete_entry(self, catalog: str, entry_id: UUID, *, by: Actor, now: datetime) -> None:
        """Take an entry out of a catalog; incidents that have it lose it. Raises: Unknown."""
        async with self.changing(by, now) as change:
            await change.remove(CATALOGS[catalog].item, CATALOGS[catalog].table, entry_id)


def _checked(checks: Checks, catalog: Catalog) -> dict[str, Any]:
    checks.text("name", longest=100)
    for name in ("description", "summary", "public_description"):
        checks.text(name, longest=5_000, empty=True)
    checks.number("position", 1, 10_000)
    checks.that("slug", lambda slug: "" if _SLUG.fullmatch(slug) else "A slug has letters, digits, - and _.")
    if checks.sent.get("color") == "":
        checks.sent["color"] = None
    checks.that("color", lambda color: "" if _COLOR.fullmatch(color) else "Color must be like #047BF8.")
    for name, usual in catalog.usual.items():
        if name in checks.sent and checks.sent[name] is None:
            checks.sent[name] = usual
    checks.choice("severity", SEVERITIES)
    checks.choice("parent_status", PARENTS)
    checks.done()
    return checks.sent


async def _check_references(change: Change, fields: dict[str, Any]) -> None:
    await must_exist(change, "services", "service_ids", fields.get("service_ids"))
    await must_exist(change, "teams", "owner_team_ids", fields.get("owner_team_ids"))
    if fields.get("escalation_policy_id"):
        await must_exist(change, "policies", "escalation_policy_id", [fields["escalation_policy_id"]])
    for ident in fields.get("environment_ids") or []:
        if await config.locked(change.tx, tables.environments, ident) is None:
            unknown("environment", ident)


async def _free_slug(change: Change, catalog: Catalog, name: str) -> str:
    base = _NOT_SLUG.sub("-", name.lower()).strip("-")[:80] or catalog.item
    rows = await fetch_core(change.tx, select(catalog.table.c.slug))
    taken = {row[0] for row in rows}
    return (
        base
        if base not in taken
        else next(slug for number in range(2, len(taken) + 3) if (slug := f"{base}-{number}") not in taken)
    )


async def _last(change: Change, catalog: Catalog) -> int:
    rows = await fetch_core(change.tx, select(catalog.table.c.position))
    return max((row[0] for row in rows), default=0)
