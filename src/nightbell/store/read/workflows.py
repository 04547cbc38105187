"""This file reads workflows, their tasks and the groups they lie in."""

from collections.abc import Sequence
from uuid import UUID

from nightbell.core.uuids import as_uuid
from nightbell.store.db import Runner
from nightbell.store.read.listing import Found, Listing, Record, Shelf, by_names, found, many, one
from nightbell.store.workflow_tables import workflow_groups, workflow_tasks
from nightbell.store.workflow_tables import workflows as rows

WORKFLOWS = Shelf(
    table=rows,
    filters=by_names(
        rows, "name", "slug", "kind", "enabled", "locked", "workflow_group_id", "created_at", "updated_at"
    ),
    search=(rows.c.name, rows.c.description),
    orders=by_names(rows, "position", "name", "created_at", "updated_at"),
    default="position",
)
TASKS = Shelf(
    table=workflow_tasks,
    filters=by_names(workflow_tasks, "name", "kind", "enabled"),
    search=(workflow_tasks.c.name, workflow_tasks.c.kind),
    orders=by_names(workflow_tasks, "position", "created_at"),
    default="position",
)
GROUPS = Shelf(
    table=workflow_groups,
    filters=by_names(workflow_groups, "name", "slug", "kind", "expanded", "position"),
    search=(workflow_groups.c.name,),
    orders=by_names(workflow_groups, "position", "name", "created_at"),
    default="position",
)


async def workflows(runner: Runner, listing: Listing) -> Found:
    """Return workflows, by position."""
    return await found(runner, WORKFLOWS, listing)


async def workflow(runner: Runner, key: str) -> Record | None:
    """Return one workflow by id or slug."""
    ident = as_uuid(key)
    return await one(runner, rows, rows.c.slug == key if ident is None else rows.c.id == ident)


async def all_workflows(runner: Runner) -> list[Record]:
    """Return every workflow by position: there are few."""
    return await many(runner, rows, rows.c.id.is_not(None), rows.c.position, rows.c.id)


async def tasks(runner: Runner, workflow_id: UUID, listing: Listing) -> Found:
    """Return tasks of a workflow, in order."""
    return await found(runner, TASKS, listing, workflow_tasks.c.workflow_id == workflow_id)


async def all_tasks(runner: Runner, workflow_ids: Sequence[UUID]) -> list[Record]:
    """Return every task of these workflows, in order."""
    mine = workflow_tasks.c.workflow_id.in_(workflow_ids)
    return await many(runner, workflow_tasks, mine, workflow_tasks.c.workflow_id, workflow_tasks.c.position)


async def task(runner: Runner, task_id: UUID) -> Record | None:
    """Return one task."""
    return await one(runner, workflow_tasks, workflow_tasks.c.id == task_id)


async def groups(runner: Runner, listing: Listing) -> Found:
    """Return groups of workflows, by position."""
    return await found(runner, GROUPS, listing)


async def group_names(runner: Runner) -> dict[UUID, str]:
    """Return the name of every group, with its icon."""
    rows = await many(runner, workflow_groups, workflow_groups.c.id.is_not(None), workflow_groups.c.position)
    return {row["id"]: f"{row['icon']} {row['name']}".strip() for row in rows}


async def group(runner: Runner, key: str) -> Record | None:
    """Return one group by id or slug."""
    ident, c = as_uuid(key), workflow_groups.c
    return await one(runner, workflow_groups, c.slug == key if ident is None else c.id == ident)


async def last_runs(runner: Runner, workflow_ids: Sequence[UUID]) -> dict[UUID, Record]:
    """Return the last run of each of these workflows."""
    return {r["workflow_id"]: dict(r.items()) for r in await runner.rows("last_runs", list(workflow_ids))}
