"""Carries out one task of a run, and keeps what people may read of it: no secrets.

Rule 1: nothing a task does ends a run without saying so. Only a lost database goes up: then nothing can be kept anyway.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog
from msgspec import Struct

from nightbell.core.masking import masked
from nightbell.core.running import Answer
from nightbell.core.workflow import Task
from nightbell.engine.faults import FAULTS
from nightbell.engine.liquid.templates import BadTemplate
from nightbell.engine.tasks import contract, registry
from nightbell.engine.tasks.contract import TIMEOUT, Hands, Result, Step
from nightbell.engine.tasks.registry import TASKS
from nightbell.telemetry import metrics

_log = structlog.get_logger(__name__)


class Said(Struct, frozen=True, kw_only=True):
    """What came of an attempt, and what is kept of it for people to read: no secrets."""

    answer: Answer
    output: dict[str, Any]
    input: dict[str, Any]
    incident_id: str | None = None


def timeout(kind: str) -> timedelta:
    """Return how long a task of a kind may take."""
    return TASKS[kind].timeout if kind in TASKS else TIMEOUT


def attempts(kind: str) -> int:
    """Return how often a task of a kind is attempted in all."""
    return TASKS[kind].attempts if kind in TASKS else 1


def label(kind: str) -> str:
    """Return how people call a kind of task."""
    return TASKS[kind].label if kind in TASKS else kind.replace("_", " ").capitalize()


def given_up(why: str) -> Said:
    """Return that a task is not attempted any more."""
    return Said(answer=Answer(fared="failed", why=why), input={}, output={})


async def attempt(hands: Hands, task: Task, step: Step) -> Said:
    """Carry out a task once.

    Raises: only what says that the database is away.
    """
    given, result = await _answered(hands, task, step)
    known = task.kind if task.kind in TASKS else "other"
    metrics.WORKFLOW_STEPS.labels(task=known, outcome=result.outcome).inc()
    incident = result.output.get("incident_id")
    return Said(
        answer=Answer(fared=result.outcome, why=result.why, until=result.until, attempts=attempts(task.kind)),
        input=masked(registry.shown(task.kind, given)),
        output=masked(result.output),
        incident_id=str(incident) if incident else None,
    )


async def _answered(hands: Hands, task: Task, step: Step) -> tuple[Mapping[str, Any], Result]:
    given: Mapping[str, Any] = task.params
    try:
        given = await registry.filled(task.params, step.context, now=step.now)
        return given, await registry.perform(task.kind, given, hands, step)
    except BadTemplate as error:
        return given, contract.failed(f"{error.place}: {error.message}")
    except FAULTS as fault:
        # One task with a defect must not lose what the run did before it.
        metrics.WORKFLOW_FAULTS.inc()
        _log.error("workflow.task_fault", task=task.kind, run=str(step.run_id), exc_info=fault)
        return given, contract.failed(f"A defect of ours: {type(fault).__name__}: {fault}")
