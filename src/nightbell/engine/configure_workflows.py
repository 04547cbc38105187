"""This file changes workflows, their tasks and the groups they lie in.

Rule 1: a locked workflow is only unlocked; what runs already keeps the copy it was queued with.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from nightbell.core.errors import Invalid, Stale
from nightbell.core.journal import Actor
from nightbell.engine.changing import Change, Writer, unknown
from nightbell.engine.checking_workflows import MOST_TASKS, check_task, check_workflow, loop
from nightbell.engine.checks import Checks, Problems
from nightbell.engine.configure_teams import SLUG, free_slug
from nightbell.engine.workflow_edits import TaskEdit, WorkflowEdit, WorkflowGroupEdit
from nightbell.store.read.listing import Record
from nightbell.store.read.workflows import task
from nightbell.store.workflow_tables import workflow_groups, workflow_tasks, workflows

_GROUP_KINDS = ("simple", "incident", "post_mortem", "action_item", "pulse", "alert")


class Workflows(Writer):
    """Changes workflows."""

    async def create_workflow(self, edit: WorkflowEdit, *, by: Actor, now: datetime) -> UUID:
        """Add a workflow behind the others. Raises: Problems naming the fields."""
        checks = Checks(edit.sent())
        checks.required("name")
        check_workflow(checks, {})
        fields = checks.sent
        async with self.changing(by, now) as change:
            fields["slug"] = fields.get("slug") or await free_slug(change, "workflow", fields["name"])
            fields.setdefault("position", await change.tx.value("next_workflow_position"))
            key: UUID = await change.add("workflow", workflows, fields)
        return key

    async def update_workflow(
        self, workflow_id: UUID, edit: WorkflowEdit, *, by: Actor, now: datetime
    ) -> None:
        """Change a workflow. Raises: Problems naming the fields; Stale while it is locked."""
        async with self.changing(by, now) as change:
            before = await change.locked("workflow", workflows, workflow_id)
            checks = Checks(edit.sent())
            check_workflow(checks, before)
            differs = {name for name, value in checks.sent.items() if before[name] != value}
            if differs and not ("locked" in differs and before["locked"]):
                _unlocked(before)
            await change.change("workflow", workflows, workflow_id, checks.sent)

    async def delete_workflow(self, workflow_id: UUID, *, by: Actor, now: datetime) -> None:
        """Forget a workflow and its tasks; its runs stay. Raises: Stale while it is locked."""
        async with self.changing(by, now) as change:
            _unlocked(await change.locked("workflow", workflows, workflow_id))
            await change.remove("workflow", workflows, workflow_id)

    async def create_task(self, workflow_id: UUID, edit: TaskEdit, *, by: Actor, now: datetime) -> UUID:
        """Add a task; a taken position moves the others down. Raises: Problems naming the fields."""
        checks = Checks({"name": "", **edit.sent()})
        checks.required("params")
        check_task(checks, self.objection)
        fields = {**checks.sent, "workflow_id": workflow_id}
        async with self.changing(by, now) as change:
            _unlocked(await change.locked("workflow", workflows, workflow_id))
            order = await _order(change, workflow_id)
            if len(order) >= MOST_TASKS:
                raise Invalid(f"A workflow has at most {MOST_TASKS} tasks.", place="position")
            wanted = min(fields.pop("position", len(order) + 1), len(order) + 1)
            key: UUID = await change.add(
                "workflow_task", workflow_tasks, {**fields, "position": len(order) + 1}
            )
            await _place(change, [*order[: wanted - 1], key, *order[wanted - 1 :]])
            await _no_loop(change, workflow_id)
        return key

    async def update_task(self, task_id: UUID, edit: TaskEdit, *, by: Actor, now: datetime) -> None:
        """Change a task; another position moves the others. Raises: Problems naming the fields."""
        checks = Checks(edit.sent())
        check_task(checks, self.objection)
        fields = checks.sent
        async with self.changing(by, now) as change:
            workflow, before = await _both(change, task_id)
            if any(before[name] != value for name, value in fields.items()):
                _unlocked(workflow)
            wanted = fields.pop("position", before["position"])
            await change.change("workflow_task", workflow_tasks, task_id, fields)
            if wanted != before["position"]:
                order = [key for key in await _order(change, before["workflow_id"]) if key != task_id]
                await _place(change, [*order[: wanted - 1], task_id, *order[wanted - 1 :]])
                await change.note("workflow_task.moved", "workflow_task", task_id, position=wanted)
            await _no_loop(change, before["workflow_id"])

    async def delete_task(self, task_id: UUID, *, by: Actor, now: datetime) -> None:
        """Forget a task; those behind it move up."""
        async with self.changing(by, now) as change:
            workflow, before = await _both(change, task_id)
            _unlocked(workflow)
            await change.remove("workflow_task", workflow_tasks, task_id)
            await _place(change, await _order(change, before["workflow_id"]))

    async def create_workflow_group(self, edit: WorkflowGroupEdit, *, by: Actor, now: datetime) -> UUID:
        """Add a group. Raises: Problems naming the fields."""
        checks = Checks(edit.sent())
        checks.required("name")
        _check_group(checks)
        fields = checks.sent
        async with self.changing(by, now) as change:
            fields["slug"] = fields.get("slug") or await free_slug(change, "workflow_group", fields["name"])
            fields.setdefault("position", await change.tx.value("next_workflow_group_position"))
            key: UUID = await change.add("workflow_group", workflow_groups, fields)
        return key

    async def update_workflow_group(
        self, group_id: UUID, edit: WorkflowGroupEdit, *, by: Actor, now: datetime
    ) -> None:
        """Change a group. Raises: Problems naming the fields."""
        checks = Checks(edit.sent())
        _check_group(checks)
        async with self.changing(by, now) as change:
            await change.change("workflow_group", workflow_groups, group_id, checks.sent)

    async def delete_workflow_group(self, group_id: UUID, *, by: Actor, now: datetime) -> None:
        """Forget a group; its workflows stay."""
        async with self.changing(by, now) as change:
            await change.remove("workflow_group", workflow_groups, group_id)


def _unlocked(workflow: Record) -> None:
    if workflow["locked"]:
        raise Stale(f"{workflow['name']} is locked.", place="locked", hint="Unlock it first.")


def _check_group(checks: Checks) -> None:
    checks.text("name")
    checks.text("description", longest=10_000, empty=True)
    checks.text("icon", longest=16, empty=True)
    checks.number("position", 0, 1_000_000)
    if checks.sent.get("kind") is not None:
        checks.choice("kind", _GROUP_KINDS)
    for name, empty in (("icon", ""), ("expanded", True)):
        if name in checks.sent and checks.sent[name] is None:
            checks.sent[name] = empty
    if checks.sent.get("slug") == "":
        del checks.sent["slug"]
    checks.that(
        "slug", lambda s: "" if SLUG.fullmatch(s) else "Slug: lower-case letters, digits, - and _ only."
    )
    checks.done()


async def _both(change: Change, task_id: UUID) -> tuple[Record, Record]:
    """Return a workflow and one of its tasks, locked in this order, as whoever adds one does."""
    found = await task(change.tx, task_id)
    if found is None:
        unknown("workflow_task", task_id)
    workflow = await change.locked("workflow", workflows, found["workflow_id"])
    return workflow, await change.locked("workflow_task", workflow_tasks, task_id)


async def _order(change: Change, workflow_id: UUID) -> list[UUID]:
    return [row["id"] for row in await change.tx.rows("lock_tasks", workflow_id)]


async def _place(change: Change, order: Sequence[UUID]) -> None:
    await change.tx.execute("place_tasks", list(order), list(range(1, len(order) + 1)), change.now)


async def _no_loop(change: Change, workflow_id: UUID) -> None:
    """Refuse a workflow that would start itself, however many others lie between."""
    calls = await change.tx.rows("workflow_calls")
    if not calls:
        return
    # Two who close a circle from both sides at once would each see half of it.
    await change.tx.execute("lock_workflow_calls")
    calls = await change.tx.rows("workflow_calls")
    way = loop(calls, await change.tx.rows("workflow_names"), workflow_id)
    if way:
        message = f"It would start itself for ever: {' → '.join(way)}."
        raise Problems(
            [Invalid(message, place="params.workflow", hint="Name a workflow that does not lead back.")]
        )
