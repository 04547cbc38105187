"""This file reads the catalogs that incidents are described with, by the name of their table."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import Table

from nightbell.core.uuids import as_uuid
from nightbell.store import incident_tables as tables
from nightbell.store.db import Runner
from nightbell.store.read.listing import Found, Listing, Record, Shelf, by_names, found, many, one

TABLES: Mapping[str, Table] = {
    "severities": tables.severities,
    "incident_types": tables.incident_types,
    "environments": tables.environments,
    "functionalities": tables.functionalities,
    "incident_roles": tables.incident_roles,
    "sub_statuses": tables.sub_statuses,
}
_FILTERS = ("name", "slug", "severity", "color", "position", "enabled", "parent_status", "created_at")
_ORDERS = ("name", "slug", "position", "created_at", "updated_at")


def _shelf(table: Table) -> Shelf:
    return Shelf(
        table=table,
        filters=by_names(table, *(name for name in _FILTERS if name in table.c)),
        search=(table.c.name, table.c.description),
        orders=by_names(table, *_ORDERS),
        default="position",
    )


_SHELVES = {name: _shelf(table) for name, table in TABLES.items()}


async def catalog(runner: Runner, name: str) -> list[Record]:
    """Return a whole catalog, in its order: there is little in it."""
    table = TABLES[name]
    return await many(runner, table, table.c.name.is_not(None), table.c.position, table.c.name)


async def entries(runner: Runner, name: str, listing: Listing) -> Found:
    """Return a part of a catalog, in its order."""
    return await found(runner, _SHELVES[name], listing)


async def entry(runner: Runner, name: str, key: str | UUID) -> Record | None:
    """Return one entry by id or slug."""
    table = TABLES[name]
    ident = key if isinstance(key, UUID) else as_uuid(key)
    return await one(runner, table, table.c.id == ident if ident else table.c.slug == key)


async def entries_by_id(runner: Runner, name: str, ids: Iterable[UUID | None]) -> dict[UUID, Record]:
    """Return these entries by id; unknown ids are absent."""
    table = TABLES[name]
    wanted = sorted({one for one in ids if one is not None})
    rows = await many(runner, table, table.c.id.in_(wanted), table.c.position) if wanted else []
    return {row["id"]: row for row in rows}
