"""What a workflow would do for something that happened: a verdict for every condition, every task filled in, nothing done.

Rule 1: it reads the context and fills in templates as a run does; what differs between trying and running is the deed.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from nightbell.core.workflow import Task, Verdict, Workflow, matches
from nightbell.engine.liquid.templates import BadTemplate, Place, rendered
from nightbell.engine.tasks.registry import TASKS, unread

_DEEPEST = 12


class Filled(Struct, frozen=True, kw_only=True):
    """One text of a task, filled in; `why` says what is wrong with it, `where` the character."""

    name: str
    text: str
    why: str = ""
    where: Place | None = None
    #: What it was filled in from.
    template: str = ""


class Preview(Struct, frozen=True, kw_only=True):
    """What a task would be carried out with."""

    id: UUID
    name: str
    kind: str
    enabled: bool
    #: Whether anything here carries it out.
    known: bool
    params: dict[str, Any]
    filled: tuple[Filled, ...]
    #: What its parameters say that is not read, a sentence each.
    ignored: tuple[str, ...] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        """Return what is wrong with it, a sentence each."""
        return tuple(f"{one.name}: {one.why}" for one in self.filled if one.why) + self.ignored


class Trial(Struct, frozen=True, kw_only=True):
    """What would happen."""

    verdict: Verdict
    tasks: tuple[Preview, ...]
    #: What the workflow's trigger_params say that is not read, a sentence each.
    ignored: tuple[str, ...] = ()


async def trial(workflow: Workflow, subject: Mapping[str, Any], now: datetime) -> Trial:
    """Return what a workflow would do for a context, whether it is switched on or not."""
    tasks = tuple([await preview(task, subject, now) for task in workflow.tasks])
    return Trial(verdict=matches(workflow, subject), tasks=tasks, ignored=workflow.ignored)


async def preview(task: Task, subject: Mapping[str, Any], now: datetime) -> Preview:
    """Return a task filled in."""
    filled: list[Filled] = []
    params = {
        name: value if name == "task_type" else await _filled(value, name, subject, now, filled)
        for name, value in task.params.items()
    }
    known = TASKS.get(task.kind)
    return Preview(
        id=task.id,
        name=task.name or (known.label if known else task.kind.replace("_", " ").capitalize()),
        kind=task.kind,
        enabled=task.enabled,
        known=known is not None,
        params=params,
        filled=tuple(filled),
        ignored=unread(task.kind, task.params),
    )


async def _filled(
    value: Any, name: str, subject: Mapping[str, Any], now: datetime, filled: list[Filled]
) -> Any:
    """Return a value with every text in it filled in, and note each that is a template."""
    if name.count(".") + name.count("[") > _DEEPEST:
        return value
    if isinstance(value, dict):
        return {k: await _filled(v, f"{name}.{k}", subject, now, filled) for k, v in value.items()}
    if isinstance(value, list):
        return [await _filled(v, f"{name}[{n}]", subject, now, filled) for n, v in enumerate(value)]
    if not isinstance(value, str):
        return value
    try:
        text = await rendered(value, subject, now=now)
    except BadTemplate as error:
        filled.append(Filled(name=name, text="", why=error.message, where=error.where, template=value))
        return value
    if value:
        filled.append(Filled(name=name, text=text, template=value))
    return text
