"""This file writes incidents and what belongs to them: rows locked, numbered, linked, told of.

Rule 1: whoever changes anything of an incident locks its row first, so that two changes come one after the other.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy import Table, and_, delete, exists, insert, select, update

from nightbell.store import incident_tables as tables
from nightbell.store import tables as common
from nightbell.store.db import Runner, Tx
from nightbell.store.statements import fetch_core

I = tables.incidents.c  # noqa: E741  the columns read like SQL
Record = dict[str, Any]


class Link(Struct, frozen=True):
    """A set of things an incident is about: the table between, its column, and what it names."""

    table: Table
    column: str
    of: Table


#: By the field of the edit.
LINKS: Mapping[str, Link] = {
    "service_ids": Link(tables.incident_services, "service_id", common.services),
    "team_ids": Link(tables.incident_teams, "team_id", common.teams),
    "environment_ids": Link(tables.incident_environments, "environment_id", tables.environments),
    "functionality_ids": Link(tables.incident_functionalities, "functionality_id", tables.functionalities),
    "type_ids": Link(tables.incident_type_links, "incident_type_id", tables.incident_types),
}


async def locked(tx: Tx, incident_id: UUID) -> Record | None:
    """Return an incident's row, locked until the transaction ends."""
    rows = await fetch_core(tx, select(tables.incidents).where(I.id == incident_id).with_for_update())
    return dict(rows[0]) if rows else None


async def same_key(tx: Tx, key: str) -> Record | None:
    """Return the incident that was made with a key."""
    rows = await fetch_core(tx, select(tables.incidents).where(I.key == key))
    return dict(rows[0]) if rows else None


async def lock_numbers(tx: Tx) -> int:
    """Wait until nobody else makes an incident, and return the number the next one has."""
    return int(await tx.value("lock_incident_numbers")) + 1


async def slug_taken(tx: Tx, slug: str) -> bool:
    """Return whether an incident has a slug."""
    rows = await fetch_core(tx, select(exists().where(I.slug == slug)))
    return bool(rows[0][0])


async def add(tx: Tx, row: Record, now: datetime) -> None:
    """Insert an incident and count its number as used."""
    await fetch_core(tx, insert(tables.incidents).values(**row).returning(I.id))
    await tx.execute("use_incident_number", row["sequential_id"])


async def change(tx: Tx, incident_id: UUID, values: Mapping[str, Any], now: datetime) -> None:
    """Change columns of an incident; with none, say only that something of it changed."""
    statement = update(tables.incidents).where(I.id == incident_id).values(**values, updated_at=now)
    await fetch_core(tx, statement.returning(I.id))


async def remove(tx: Tx, incident_id: UUID) -> None:
    """Delete an incident and everything that belongs to it."""
    await fetch_core(tx, delete(tables.incidents).where(I.id == incident_id).returning(I.id))


# ---------------------------------------------------------------- what it is about


async def linked(tx: Tx, name: str, incident_id: UUID) -> list[UUID]:
    """Return what an incident is linked to, by one of LINKS."""
    link = LINKS[name]
    column = link.table.c[link.column]
    rows = await fetch_core(tx, select(column).where(link.table.c.incident_id == incident_id))
    return [row[0] for row in rows]


async def link(tx: Tx, name: str, incident_id: UUID, ids: Collection[UUID], now: datetime) -> None:
    """Link an incident to more."""
    found = LINKS[name]
    rows = [
        {"incident_id": incident_id, found.column: one, "created_at": now, "updated_at": now} for one in ids
    ]
    if rows:
        await fetch_core(tx, insert(found.table).values(rows).returning(found.table.c.incident_id))


async def unlink(tx: Tx, name: str, incident_id: UUID, ids: Collection[UUID]) -> None:
    """Take links of an incident away."""
    found = LINKS[name]
    gone = and_(found.table.c.incident_id == incident_id, found.table.c[found.column].in_(list(ids)))
    await fetch_core(tx, delete(found.table).where(gone).returning(found.table.c.incident_id))


async def names(tx: Tx, table: Table, ids: Iterable[Any]) -> dict[Any, str]:
    """Return the names of these rows by id; those that are not there are absent."""
    asked = [one for one in dict.fromkeys(ids) if one is not None]
    if not asked:
        return {}
    named = table.c.title if table is tables.incidents else table.c.name
    rows = await fetch_core(tx, select(table.c.id, named).where(table.c.id.in_(asked)))
    return {row[0]: row[1] for row in rows}


# ---------------------------------------------------------------- rows that belong to it


async def insert_row(tx: Tx, table: Table, row: Record, now: datetime) -> UUID:
    """Insert a row of an incident and return its id."""
    made = {"updated_at": now, "created_at": now, **row}
    key = table.c.id if "id" in table.c else table.c.incident_id
    found: UUID = (await fetch_core(tx, insert(table).values(**made).returning(key)))[0][0]
    return found


async def rows_of(tx: Tx, table: Table, incident_id: UUID, **where: Any) -> list[Record]:
    """Return rows of an incident, those where columns have these values."""
    clauses = [table.c[name] == value for name, value in where.items()]
    found = await fetch_core(tx, select(table).where(table.c.incident_id == incident_id, *clauses))
    return [dict(row) for row in found]


async def row(tx: Runner, table: Table, key: UUID) -> Record | None:
    """Return one row by its id."""
    found = await fetch_core(tx, select(table).where(table.c.id == key))
    return dict(found[0]) if found else None


async def update_row(tx: Tx, table: Table, key: UUID, values: Mapping[str, Any], now: datetime) -> None:
    """Change columns of one row."""
    statement = update(table).where(table.c.id == key).values(**values, updated_at=now)
    await fetch_core(tx, statement.returning(table.c.id))


async def delete_rows(tx: Tx, table: Table, incident_id: UUID, **where: Any) -> int:
    """Delete rows of an incident, and return how many there were."""
    clauses = [
        table.c[name].in_(value) if isinstance(value, list) else table.c[name] == value
        for name, value in where.items()
    ]
    gone = delete(table).where(table.c.incident_id == incident_id, *clauses).returning(table.c.incident_id)
    return len(await fetch_core(tx, gone))


async def tell(tx: Tx, rows: Sequence[Record]) -> None:
    """Write lines of timelines."""
    if rows:
        table = tables.incident_events
        await fetch_core(tx, insert(table).values(list(rows)).returning(table.c.id))


# ---------------------------------------------------------------- alerts


async def alerts(tx: Tx, ids: Collection[UUID]) -> list[Record]:
    """Return what an incident has to know of alerts, and of whom they are for, the one that began first first."""
    found = [dict(row) for row in await tx.rows("alerts_for_incident", list(ids))]
    return sorted(found, key=lambda alert: (alert["started_at"], alert["id"]))


async def attached(tx: Tx, incident_id: UUID) -> list[UUID]:
    """Return the alerts of an incident."""
    table = tables.incident_alerts
    rows = await fetch_core(tx, select(table.c.alert_id).where(table.c.incident_id == incident_id))
    return [row[0] for row in rows]


async def whose_alerts_are_over(tx: Tx, most: int) -> list[UUID]:
    """Return incidents that end with their alerts, all of which have."""
    return [row["id"] for row in await tx.rows("incidents_whose_alerts_are_over", most)]
