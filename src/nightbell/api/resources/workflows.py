"""Workflows, their tasks and the groups they lie in, in Rootly's shapes (rootly.md 2.2, 6).

Rule 1: trigger_params and task_params are shown with the keys that were sent, so that Terraform sees no drift.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from nightbell.api.attribute import Attribute, Kind, attribute, times
from nightbell.api.jsonapi import Document
from nightbell.api.resource import Call, Resource
from nightbell.api.resources.workflow_dry_run import DRY_RUN
from nightbell.api.sent import uuid_of
from nightbell.core.access import Permission, may
from nightbell.core.errors import Unknown
from nightbell.engine.tasks.registry import shown
from nightbell.engine.workflow_edits import TaskEdit, WorkflowEdit, WorkflowGroupEdit
from nightbell.store.read import workflows
from nightbell.store.read.listing import Found, Record


def _same(kind: Kind, *names: str) -> tuple[Attribute, ...]:
    """Return attributes that are called the same on the wire, in the row and in the Edit."""
    return tuple(attribute(name, kind, edit=name) for name in names)


# ---------------------------------------------------------------- workflows


async def _find(call: Call) -> Found:
    return await workflows.workflows(call.db, call.listing)


async def _get(call: Call, key: str) -> Record | None:
    return await workflows.workflow(call.db, key)


async def _create(call: Call, edit: WorkflowEdit) -> UUID:
    return await call.edge.configure.create_workflow(edit, by=call.actor, now=call.now)


async def _change(call: Call, row: Record, edit: WorkflowEdit) -> None:
    await call.edge.configure.update_workflow(row["id"], edit, by=call.actor, now=call.now)


async def _delete(call: Call, row: Record) -> None:
    await call.edge.configure.delete_workflow(row["id"], by=call.actor, now=call.now)


async def _tasks_of(call: Call, rows: Sequence[Record]) -> list[Document]:
    found = await workflows.all_tasks(call.db, [row["id"] for row in rows])
    return [TASKS.document(row) for row in _for(call, found)]


WORKFLOWS = Resource(
    type="workflows",
    collections=("/workflows",),
    item="/workflows/{id}",
    find=_find,
    get=_get,
    edit=WorkflowEdit,
    create=_create,
    change=_change,
    delete=_delete,
    include={"genius_tasks": _tasks_of, "workflow_tasks": _tasks_of},
    actions=(DRY_RUN,),
    attributes=(
        *_same(Kind.TEXT, "name", "slug", "description", "command"),
        *_same(Kind.FLAG, "command_feedback_enabled"),
        *_same(Kind.TEXT, "wait", "repeat_every_duration", "repeat_condition_duration_since_first_run"),
        *_same(Kind.NUMBER, "repeat_condition_number_of_repeats"),
        *_same(Kind.FLAG, "continuously_repeat"),
        *_same(Kind.LIST, "repeat_on"),
        *_same(Kind.FLAG, "enabled", "locked", "run_once_per_resource"),
        *_same(Kind.NUMBER, "position"),
        *_same(Kind.ID, "workflow_group_id"),
        *_same(Kind.OBJECT, "trigger_params"),
        *_same(
            Kind.LIST,
            "environment_ids",
            "severity_ids",
            "incident_type_ids",
            "incident_role_ids",
            "service_ids",
            "functionality_ids",
            "group_ids",
            "cause_ids",
            "sub_status_ids",
        ),
        *times(),
    ),
)


# ---------------------------------------------------------------- tasks


async def _find_tasks(call: Call) -> Found:
    found = await workflows.tasks(call.db, (await _workflow(call))["id"], call.listing)
    return replace(found, rows=_for(call, found.rows))


async def _get_task(call: Call, key: str) -> Record | None:
    row = await workflows.task(call.db, uuid_of(key))
    return _for(call, [row])[0] if row is not None else None


def _for(call: Call, rows: Sequence[Record]) -> list[Record]:
    """Return tasks as the asker may see them: what opens something is for those who may change it."""
    if may(call.visitor.role, Permission.CONFIGURE):
        return list(rows)
    return [{**row, "params": shown(row["kind"], row["params"])} for row in rows]


async def _workflow(call: Call) -> Record:
    found = await workflows.workflow(call.db, call.parent)
    if found is None:
        raise Unknown(f"There is no workflow {call.parent[:60]}.")
    return found


def _accept_task(sent: dict[str, Any]) -> dict[str, Any]:
    fields = TASKS.taken(sent)
    if fields.get("params", {}) is None:
        del fields["params"]
    return fields


async def _create_task(call: Call, edit: TaskEdit) -> UUID:
    workflow_id = (await _workflow(call))["id"]
    return await call.edge.configure.create_task(workflow_id, edit, by=call.actor, now=call.now)


async def _change_task(call: Call, row: Record, edit: TaskEdit) -> None:
    await call.edge.configure.update_task(row["id"], edit, by=call.actor, now=call.now)


async def _delete_task(call: Call, row: Record) -> None:
    await call.edge.configure.delete_task(row["id"], by=call.actor, now=call.now)


TASKS = Resource(
    type="workflow_tasks",
    collections=("/workflows/{id}/workflow_tasks",),
    item="/workflow_tasks/{id}",
    find=_find_tasks,
    get=_get_task,
    edit=TaskEdit,
    accept=_accept_task,
    create=_create_task,
    change=_change_task,
    delete=_delete_task,
    attributes=(
        attribute("workflow_id", Kind.ID),
        attribute("task_params", Kind.OBJECT, of="params", edit="params"),
        *_same(Kind.TEXT, "name"),
        *_same(Kind.NUMBER, "position"),
        *_same(Kind.FLAG, "skip_on_failure", "enabled"),
        *times(),
    ),
)


# ---------------------------------------------------------------- groups


async def _find_groups(call: Call) -> Found:
    return await workflows.groups(call.db, call.listing)


async def _get_group(call: Call, key: str) -> Record | None:
    return await workflows.group(call.db, key)


async def _create_group(call: Call, edit: WorkflowGroupEdit) -> UUID:
    return await call.edge.configure.create_workflow_group(edit, by=call.actor, now=call.now)


async def _change_group(call: Call, row: Record, edit: WorkflowGroupEdit) -> None:
    await call.edge.configure.update_workflow_group(row["id"], edit, by=call.actor, now=call.now)


async def _delete_group(call: Call, row: Record) -> None:
    await call.edge.configure.delete_workflow_group(row["id"], by=call.actor, now=call.now)


WORKFLOW_GROUPS = Resource(
    type="workflow_groups",
    collections=("/workflow_groups",),
    item="/workflow_groups/{id}",
    find=_find_groups,
    get=_get_group,
    edit=WorkflowGroupEdit,
    create=_create_group,
    change=_change_group,
    delete=_delete_group,
    attributes=(
        *_same(Kind.TEXT, "kind", "name", "slug", "description", "icon"),
        *_same(Kind.FLAG, "expanded"),
        *_same(Kind.NUMBER, "position"),
        *times(),
    ),
)
