"""Reads workflows as values, again only when the configuration moved, and freezes one for a run.

Rule 1: a workflow that cannot be read (a path that no longer compiles) is left out and said so; the others go on.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
import structlog

from nightbell.core.errors import Invalid
from nightbell.core.workflow import Repeat, Task, Workflow, duration
from nightbell.core.workflow_choice import Choice
from nightbell.core.workflow_params import rules, unread
from nightbell.engine.jsonpath import compiled
from nightbell.store.db import Runner

_log = structlog.get_logger(__name__)


class Workflows:
    """The workflows that are switched on, kept in memory."""

    def __init__(self) -> None:
        self._version: int | None = None
        self._choice = Choice(())
        #: Names of those that could not be read, with the reason.
        self.unreadable: dict[str, str] = {}

    async def current(self, tx: Runner) -> Choice:
        """Return them as this transaction sees them."""
        version = await tx.value("configuration_version")
        if self._version != version:
            await self._read(tx)
            self._version = version
        return self._choice

    async def _read(self, tx: Runner) -> None:
        found, unreadable = [], {}
        for row in await tx.rows("directory_workflows"):
            try:
                found.append(stored(dict(row.items())))
            except Invalid as error:
                unreadable[row["name"]] = error.message
                _log.warning("workflow.unreadable", workflow=str(row["id"]), why=error.message)
        self._choice, self.unreadable = Choice(found), unreadable


async def workflow(tx: Runner, key: str) -> Workflow | None:
    """Return one workflow by id or slug, also when it is switched off; None when there is none."""
    rows = await tx.rows("one_workflow", key)
    return stored(dict(rows[0].items())) if rows else None


def stored(row: Mapping[str, Any]) -> Workflow:
    """Return a row with its `tasks` as a value.

    Raises: Invalid where something in it does not compile.
    """
    every = row["repeat_every_duration"]
    within = row["repeat_condition_duration_since_first_run"]
    return Workflow(
        id=row["id"],
        name=row["name"],
        slug=row["slug"],
        kind=row["kind"],
        triggers=tuple(row["triggers"]),
        rules=rules(row["kind"], row["trigger_params"], row, compiled),
        tasks=tuple(msgspec.convert(task, Task) for task in row.get("tasks") or ()),
        enabled=row["enabled"],
        position=row["position"],
        once=row["run_once_per_resource"],
        ignored=unread(row["kind"], row["trigger_params"]),
        **({"wait": duration(row["wait"])} if row["wait"] else {}),
        repeat=Repeat(
            every=duration(every),
            within=duration(within) if within else None,
            times=row["repeat_condition_number_of_repeats"],
            stubborn=row["continuously_repeat"],
            days=tuple(row["repeat_on"]),
        )
        if every
        else None,
    )


def plan(of: Workflow) -> dict[str, Any]:
    """Return the frozen copy that a run keeps: plain JSON, tasks that are switched off left out."""
    return {
        "id": str(of.id),
        "name": of.name,
        "slug": of.slug,
        "kind": of.kind,
        "wait": of.wait.total_seconds(),
        "repeat": msgspec.to_builtins(of.repeat) if of.repeat else None,
        "once": of.once,
        "tasks": [msgspec.to_builtins(task) for task in of.tasks if task.enabled],
    }


def frozen_tasks(kept: Mapping[str, Any]) -> tuple[Task, ...]:
    """Return the tasks of a frozen copy."""
    return tuple(msgspec.convert(task, Task) for task in kept["tasks"])


def frozen_repeat(kept: Mapping[str, Any]) -> Repeat | None:
    """Return how a frozen copy goes round."""
    return msgspec.convert(kept["repeat"], Repeat) if kept["repeat"] else None
