"""Writes runs of workflows and their steps. jsonb of a batch goes as text, because an array of documents is no array of rows."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct, json

from nightbell.core.running import Run, Step
from nightbell.core.workflow import Task
from nightbell.store.db import Row, Tx


class Queued(Struct, frozen=True, kw_only=True):
    """A run that is to be: of which workflow, about what, caused by what. `wake_at` None: it was cut, `why` says why."""

    id: UUID
    workflow_id: UUID
    key: str
    #: The frozen copy of the workflow (engine/workflows.py).
    plan: dict[str, Any]
    wake_at: datetime | None
    triggered_by: str = "system"
    trigger: str = ""
    why: str | None = None
    user_id: int | None = None
    alert_id: UUID | None = None
    incident_id: UUID | None = None
    action_item_id: UUID | None = None
    occurrence: int | None = None
    happening_id: UUID | None = None
    cause_run_id: UUID | None = None
    depth: int = 0
    context: dict[str, Any] = {}
    repeat_count: int = 0
    first_run_at: datetime | None = None

    @property
    def about(self) -> UUID | None:
        """Return what the run is about, by the kind of its workflow."""
        about: UUID | None = getattr(self, f"{self.plan['kind']}_id", None)
        return about


class Lease(Struct, frozen=True):
    """By what a run is held."""

    run_id: UUID
    node: str
    until: datetime


def queued(row: Row) -> Queued:
    """Return what a stored run was queued as."""
    kept = {name: row[name] for name in Queued.__struct_fields__ if name != "why"}
    return Queued(**kept, why=row["status_message"])


async def queue(tx: Tx, runs: Sequence[Queued], now: datetime) -> set[UUID]:
    """Write runs that are to be, and return which were made: one for each key of a workflow."""
    if not runs:
        return set()
    columns = zip(*map(_queued, runs), strict=True)
    return {row["id"] for row in await tx.rows("insert_runs", *columns, now)}


def _queued(run: Queued) -> tuple[Any, ...]:
    return (
        run.id, run.workflow_id, run.key, "queued" if run.wake_at else "canceled", run.why, run.triggered_by, run.trigger,
        run.user_id, run.alert_id, run.incident_id, run.action_item_id, run.occurrence, run.happening_id,
        run.cause_run_id, run.depth, json.encode(run.plan).decode(), json.encode(run.context).decode(),
        run.repeat_count, run.first_run_at, run.wake_at,
    )  # fmt: skip


async def claim(tx: Tx, lease: tuple[str, datetime], now: datetime, limit: int) -> list[Row]:
    """Lease runs whose time has come to (node, until)."""
    node, until = lease
    return await tx.rows("claim_runs", node, now, until, limit)


async def held(tx: Tx, lease: Lease) -> bool:
    """Lock a run; return whether it is still in these hands and goes on."""
    return bool(await tx.rows("hold_run", lease.run_id, lease.node, lease.until))


async def move(
    tx: Tx, run: Run, now: datetime, *, lease_until: datetime | None, incident_id: UUID | None = None
) -> None:
    """Write where a run stands."""
    await tx.execute(
        "move_run", run.id, run.status.value, run.why or None, run.position, run.wake_at,
        lease_until if run.wake_at else None, incident_id, now,
    )  # fmt: skip


async def keep(
    tx: Tx, run_id: UUID, task: Task, step: Step, now: datetime, said: tuple[Any, Any] = (None, None)
) -> None:
    """Write where a step stands; `said` is its input and output, None where nothing new is known."""
    await tx.execute(
        "keep_step", step.id, run_id, task.id, step.position, task.name, task.kind, step.status.value, step.why,
        step.key, *said, step.attempts, task.skip_on_failure, step.wake_at, step.began_at, step.ended_at, now,
    )  # fmt: skip


async def free(tx: Tx, nodes: Iterable[str]) -> int:
    """Take back what processes that are gone had in their hands."""
    return await tx.execute("free_runs", list(nodes))


async def let_go(tx: Tx, node: str, held: Sequence[UUID]) -> int:
    """Take back what stands in the name of a node and is none of what it holds."""
    return await tx.execute("let_go_runs", node, list(held))
