"""The contract between the runs of workflows and their tasks: what a task is given, and what it answers.

Rule 1: a task may be carried out more than once for the same step (a process can die after the deed and before the
record). Its `key` is the same every time: send it along, or ask by it whether the deed is done.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol
from uuid import UUID

from msgspec import Struct

from nightbell.core.delivery import Channel
from nightbell.core.exchange import Ask
from nightbell.core.journal import Actor, workflow
from nightbell.engine.act import Act
from nightbell.engine.directory import Directories
from nightbell.engine.incidents import Cause, Incidents
from nightbell.engine.providers import Providers
from nightbell.store.db import Db

#: How a step fared. `retry` and `wait` are looked at again at `until`; the others are final.
Outcome = Literal["done", "failed", "retry", "wait", "not_configured"]
#: How long a task may take where it says nothing else.
TIMEOUT = timedelta(seconds=30)
#: The first pause before another attempt; each is twice as long as the one before.
PATIENCE = timedelta(seconds=5)


class Result(Struct, frozen=True, kw_only=True):
    """What a task answers.

    Shape: `output` is plain JSON for the run's page; an `incident_id` in it is the incident that later steps of the
    run are about, where it had none.
    """

    outcome: Outcome
    output: dict[str, Any] = {}
    why: str = ""
    until: datetime | None = None


class Step(Struct, frozen=True, kw_only=True):
    """One task of one run, being carried out."""

    run_id: UUID
    step_id: UUID
    #: The same on every attempt at this step.
    key: str
    #: engine/workflow_context.py, read just before this step.
    context: dict[str, Any]
    workflow_id: UUID
    workflow: str
    now: datetime
    #: When this step was first begun; the same on every attempt.
    began_at: datetime
    #: 1 for the first attempt.
    attempt: int = 1
    #: How many workflows caused each other before this one.
    depth: int = 0
    alert_id: UUID | None = None
    #: Of the alert, where there is one.
    occurrence: int = 1
    incident_id: UUID | None = None
    action_item_id: UUID | None = None

    @property
    def by(self) -> Actor:
        """Return the workflow as an actor."""
        return workflow(self.workflow, self.run_id, self.depth + 1)

    @property
    def cause(self) -> Cause:
        """Return why an incident is changed, for its timeline and for loops to be found."""
        because = {
            "workflow": self.workflow,
            "workflow_id": str(self.workflow_id),
            "run_id": str(self.run_id),
        }
        return Cause(run_id=self.run_id, depth=self.depth + 1, because=because, key=self.key)


class Triggering(Struct, frozen=True, kw_only=True):
    """A workflow that another one wants run. `workflow` is an id or a slug."""

    workflow: str
    key: str
    cause_run_id: UUID
    depth: int
    check_conditions: bool
    alert_id: UUID | None = None
    incident_id: UUID | None = None
    action_item_id: UUID | None = None


class Triggers(Protocol):
    """The engine of runs, as far as a task needs it."""

    async def __call__(self, wish: Triggering, *, now: datetime) -> tuple[UUID | None, str]:
        """Queue a run and return its id, or None and why there is none. The same key twice is one run.

        Raises: Unknown when there is no such workflow.
        """
        ...


class Hands(Struct, frozen=True, kw_only=True):
    """Everything a task may do something with; app.py puts it together."""

    db: Db
    act: Act
    incidents: Incidents
    directories: Directories
    channels: Mapping[str, Channel]
    providers: Providers
    #: Asks where templates say; private addresses only where the machine's settings allow their networks.
    web: Ask
    #: Asks services whose address the machine's own settings give.
    services: Ask
    trigger: Triggers
    base_url: str


class Task(Struct, frozen=True, kw_only=True):
    """A kind of task.

    Shape: `name` is Rootly's task_type. `params` describes its parameters field by field: docstring and `Meta` for
    forms, types for checks. `run` gets them rendered. `about`: what a run must be about for it to work; none is any.
    """

    name: str
    label: str
    group: Literal["alerts", "incidents", "people", "messages", "web", "flow"]
    params: type[Struct]
    run: Callable[[Hands, Any, Step], Awaitable[Result]]
    about: tuple[Literal["alert", "incident", "action_item"], ...] = ()
    timeout: timedelta = TIMEOUT
    #: How often it is attempted in all while it answers `retry`.
    attempts: int = 4
    #: Parameters that must be said when it is saved, though what was saved without them has a default.
    asked: tuple[str, ...] = ()
    #: Raise Invalid for what a parameter says where it is no template, by its name.
    fields: Mapping[str, Callable[[Any], object]] = {}
    #: Raises Invalid for what parameters lack together, by name as they were given, templates and all.
    check: Callable[[Mapping[str, Any]], None] = lambda given: None
    #: Parameters that are addresses it calls.
    calls: tuple[str, ...] = ()


def done(**output: Any) -> Result:
    """Return that the deed is done."""
    return Result(outcome="done", output=output)


def failed(why: str, **output: Any) -> Result:
    """Return that the deed cannot be done, now or later."""
    return Result(outcome="failed", why=why, output=output)


def retry(why: str, until: datetime, **output: Any) -> Result:
    """Return that the same may work later."""
    return Result(outcome="retry", why=why, until=until, output=output)


def not_configured(why: str) -> Result:
    """Return that what this needs was never set up here."""
    return Result(outcome="not_configured", why=why)
