"""This file writes configuration rows: insert, change, delete one, and say who did it.

Rule 1: what the database refuses comes back as an Invalid that names the field, never as a database error.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import Table, delete, insert, select, update

from nightbell.core.errors import Invalid
from nightbell.core.journal import Actor
from nightbell.store.db import Db, Tx
from nightbell.store.statements import fetch_core
from nightbell.store.tables import audit_log

#: Unique indexes, and the field whose value is taken.
_TAKEN = {
    "one_user_per_email": ("email", "Somebody has this address already."),
    "one_urgency_per_name": ("name", "There is an urgency of this name already."),
    "one_team_per_name": ("name", "There is a team of this name already."),
    "one_service_per_name": ("name", "There is a service of this name already."),
    "one_source_per_name": ("name", "There is a source of this name already."),
    "one_heartbeat_per_name": ("name", "There is a heartbeat of this name already."),
    "one_severity_per_name": ("name", "There is a severity of this name already."),
    "one_incident_type_per_name": ("name", "There is a type of incident of this name already."),
    "one_environment_per_name": ("name", "There is an environment of this name already."),
    "one_functionality_per_name": ("name", "There is a functionality of this name already."),
    "one_incident_role_per_name": ("name", "There is a role of this name already."),
    "severities_slug_key": ("slug", "There is a severity with this slug already."),
    "incident_types_slug_key": ("slug", "There is a type of incident with this slug already."),
    "environments_slug_key": ("slug", "There is an environment with this slug already."),
    "functionalities_slug_key": ("slug", "There is a functionality with this slug already."),
    "incident_roles_slug_key": ("slug", "There is a role with this slug already."),
    "sub_statuses_slug_key": ("slug", "There is a sub-status with this slug already."),
    "one_schedule_per_name": ("name", "There is a schedule of this name already."),
    "one_entry_per_active_day": ("day", "This day has hours of its own already."),
    "one_holiday_calendar": ("country", "This person has a holiday calendar already."),
    "one_working_week": ("days", "This person has working hours already."),
    "one_default_path": ("is_default", "The policy has a default path already."),
    "escalation_levels_path_id_position_key": ("position", "The path has a level at this position already."),
    "teams_slug_key": ("slug", "There is a team with this slug already."),
    "grouping_rules_slug_key": ("slug", "There is a grouping rule with this slug already."),
    "webhooks_endpoints_slug_key": ("slug", "There is an endpoint with this slug already."),
    "workflows_slug_key": ("slug", "There is a workflow with this slug already."),
    "workflow_groups_slug_key": ("slug", "There is a group with this slug already."),
    "services_slug_key": ("slug", "There is a service with this slug already."),
    "status_pages_slug_key": ("slug", "There is a status page with this slug already."),
}


@asynccontextmanager
async def changing(db: Db) -> AsyncIterator[Tx]:
    """Open the transaction of one configuration change; committed with the version bumped.

    Raises: Invalid naming the field for whatever the schema refuses.
    """
    try:
        async with db.tx() as tx:
            yield tx
            await tx.execute("bump_configuration")
    except asyncpg.UniqueViolationError as error:
        place, message = _TAKEN.get(error.constraint_name or "", ("", "There is one like it already."))
        raise Invalid(message, place=place) from error
    except asyncpg.ForeignKeyViolationError as error:
        # PostgreSQL names them table_column_fkey.
        named = (error.constraint_name or "").removeprefix(f"{error.table_name}_").removesuffix("_fkey")
        raise Invalid("There is no such thing.", place=named) from error
    except asyncpg.CheckViolationError as error:
        raise Invalid(f"The schema does not allow this ({error.constraint_name}).") from error


async def add(tx: Tx, table: Table, values: dict[str, Any], now: datetime) -> Any:
    """Insert a row and return its id."""
    row = {**values, "created_at": now, "updated_at": now}
    return (await fetch_core(tx, insert(table).values(**row).returning(table.c.id)))[0][0]


async def locked(tx: Tx, table: Table, key: UUID | int) -> dict[str, Any] | None:
    """Return a row, locked until the transaction ends, so that `changes` says what really was."""
    rows = await fetch_core(tx, select(table).where(table.c.id == key).with_for_update())
    return dict(rows[0]) if rows else None


async def change(tx: Tx, table: Table, key: UUID | int, values: dict[str, Any], now: datetime) -> None:
    """Change columns of one row."""
    statement = update(table).where(table.c.id == key).values(**values, updated_at=now)
    await fetch_core(tx, statement.returning(table.c.id))


async def remove(tx: Tx, table: Table, key: UUID | int) -> None:
    """Delete one row, and what belongs to it."""
    await fetch_core(tx, delete(table).where(table.c.id == key).returning(table.c.id))


async def audit(tx: Tx, by: Actor, entry: dict[str, Any], now: datetime) -> None:
    """Say who did what: `entry` has id, action, item_type, item_id and changes."""
    await add(tx, audit_log, {"user_id": by.user_id, "actor": by.name, "remote_ip": "", **entry}, now)
