"""How a run of a workflow goes on: its tasks one after the other, each begun on disk before it is done.

Rule 1: whatever happens in between, a run that is taken up again comes to the same end: a task that was interrupted is
attempted once more under the same key, a task that is done is never done again.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from nightbell.core.workflow import WEEKDAYS, Repeat, Task


class Status(StrEnum):
    """Where a run stands. `completed_with_errors`: to its end, but not all of it worked."""

    QUEUED = "queued"
    STARTED = "started"
    COMPLETED = "completed"
    WITH_ERRORS = "completed_with_errors"
    FAILED = "failed"
    CANCELED = "canceled"


GOES_ON = (Status.QUEUED, Status.STARTED)


class StepStatus(StrEnum):
    """Where one task of a run stands."""

    STARTED = "started"
    WAITING = "waiting"
    COMPLETED = "completed"
    FAILED = "failed"
    NOT_CONFIGURED = "not_configured"
    CANCELED = "canceled"


#: How a task fared (engine/tasks/contract.py): `retry` and `wait` are looked at again, the others are final.
Fared = Literal["done", "failed", "retry", "wait", "not_configured"]
#: How many runs may lead to one another: a longer chain is a loop that takes its time.
DEEPEST = 8
#: A task that was begun so often and whose end nobody ever saw takes the process down with it.
MOST_INTERRUPTED = 5
#: Between attempts, where a task does not say when; doubled each time.
BACKOFF = timedelta(seconds=5)
LONGEST_BACKOFF = timedelta(minutes=15)
#: A task that waits is looked at again after this, where it does not say when.
SOON = timedelta(seconds=1)


class Step(Struct, frozen=True, kw_only=True):
    """One task of a run, being carried out or carried out. `key` is the same on every attempt."""

    id: UUID
    position: int
    key: str
    status: StepStatus
    began_at: datetime
    attempts: int
    why: str = ""
    wake_at: datetime | None = None
    ended_at: datetime | None = None


class Run(Struct, frozen=True, kw_only=True):
    """One run of a workflow. `position` is the next task, from 0; `step` the task that was begun and is not over.

    Shape: `troubled` says that a task did not work and the run went on.
    """

    id: UUID
    status: Status
    tasks: tuple[Task, ...]
    position: int = 0
    step: Step | None = None
    troubled: bool = False
    why: str = ""
    wake_at: datetime | None = None


class Do(Struct, frozen=True, kw_only=True):
    """Do a task; `step` is how it stands from now on, to be kept before it is done."""

    task: Task
    step: Step


class Sleep(Struct, frozen=True, kw_only=True):
    """Nothing is to be done before an instant."""

    until: datetime


class Over(Struct, frozen=True, kw_only=True):
    """Nothing is left to be done."""

    run: Run


class Answer(Struct, frozen=True, kw_only=True):
    """What came of an attempt; `attempts` is how often this kind of task is attempted in all."""

    fared: Fared
    why: str = ""
    until: datetime | None = None
    attempts: int = 1


Next = Do | Sleep | Over


def next_step(run: Run, now: datetime, ident: UUID) -> Next:
    """Return what a run does next; `ident` names the step if one begins.

    Shape: the key of a step is made of the run and the position, so that whoever resumes it knows it too.
    """
    if run.status not in GOES_ON:
        return Over(run=run)
    step = run.step
    if step is None:
        if run.position >= len(run.tasks):
            return Over(run=_finished(run))
        begun = Step(
            id=ident,
            position=run.position,
            key=f"{run.id}:{run.position}",
            status=StepStatus.STARTED,
            began_at=now,
            attempts=1,
        )
        return Do(task=run.tasks[run.position], step=begun)
    if step.status is StepStatus.WAITING and step.wake_at and now < step.wake_at:
        return Sleep(until=step.wake_at)
    again = replace(step, status=StepStatus.STARTED, attempts=step.attempts + 1, wake_at=None)
    return Do(task=run.tasks[step.position], step=again)


def begun(run: Run, do: Do) -> Run:
    """Return a run whose next task is begun."""
    return replace(run, status=Status.STARTED, step=do.step, wake_at=do.step.began_at)


def interrupted_too_often(step: Step, allowed: int) -> bool:
    """Return whether a step was begun so often without any end that it is not begun again."""
    return step.attempts > allowed + MOST_INTERRUPTED


def after(run: Run, answer: Answer, now: datetime) -> tuple[Run, Step]:
    """Return a run after an attempt at the step it is at, and that step: closed, or waiting for the next attempt.

    Shape: the run's `step` is None where the step is over, so that `next_step` begins the next.
    """
    step, task = _open(run)
    match answer.fared:
        case "wait":
            # To wait is no attempt that failed.
            until = max(answer.until or now, now + SOON)
            return _waits(run, replace(step, attempts=step.attempts - 1, why=answer.why), until)
        case "retry" if step.attempts < answer.attempts:
            until = answer.until or now + backoff(step.attempts)
            return _waits(run, replace(step, why=answer.why), max(until, now + SOON))
        case "done":
            return _closed(run, replace(step, status=StepStatus.COMPLETED, why=answer.why), now)
        case "not_configured":
            closed = replace(step, status=StepStatus.NOT_CONFIGURED, why=answer.why)
            return _closed(replace(run, troubled=True), closed, now)
        case _:
            return _failed(run, step, task, _gave_up(answer, step), now)


def backoff(attempt: int) -> timedelta:
    """Return how long to wait after an attempt that did not work, counted from 1."""
    return min(BACKOFF * (1 << min(attempt - 1, 10)), LONGEST_BACKOFF)


def canceled(run: Run, why: str) -> Run:
    """Return a run that somebody, or a rule, ended."""
    return replace(run, status=Status.CANCELED, why=why, step=None, wake_at=None)


def failed(run: Run, why: str) -> Run:
    """Return a run that cannot go on."""
    return replace(run, status=Status.FAILED, why=why, step=None, wake_at=None)


def again(repeat: Repeat | None, *, first: datetime, times: int, now: datetime) -> datetime | None:
    """Return when a workflow goes round once more after a run; None when it does not.

    Shape: `times` is how often it went round before; `first` when the first run began. Days are those of UTC.
    """
    if repeat is None or (repeat.times and times >= repeat.times):
        return None
    at = now + repeat.every
    while repeat.days and WEEKDAYS[at.weekday()] not in repeat.days:
        at = _day_after(at)
    return None if repeat.within is not None and at > first + repeat.within else at


def loop(
    workflow_id: UUID, resource: UUID | None, depth: int, chain: tuple[tuple[UUID, UUID | None], ...]
) -> str:
    """Return why a workflow that a run of a workflow would start is not started; "" when it may be.

    Shape: `chain` is what led here, as (workflow, what it was about).
    """
    if (workflow_id, resource) in chain:
        return (
            "Loop cut: this workflow caused itself, by way of "
            + _runs(len(chain))
            + ", about the same thing."
        )
    if depth >= DEEPEST:
        return f"Loop cut: {depth} runs of workflows led to this one, and {DEEPEST} is the most."
    return ""


def _runs(many: int) -> str:
    return "one run" if many == 1 else f"{many} runs"


def _day_after(at: datetime) -> datetime:
    return (at + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def _open(run: Run) -> tuple[Step, Task]:
    if run.step is None:
        raise LookupError("an answer came to a run that asked nothing")
    return run.step, run.tasks[run.step.position]


def _finished(run: Run) -> Run:
    status = Status.WITH_ERRORS if run.troubled else Status.COMPLETED
    return replace(run, status=status, wake_at=None)


def _gave_up(answer: Answer, step: Step) -> str:
    tries = f"Attempted {step.attempts} times. " if answer.fared == "retry" and step.attempts > 1 else ""
    return f"{tries}{answer.why}"


def _waits(run: Run, step: Step, until: datetime) -> tuple[Run, Step]:
    waiting = replace(step, status=StepStatus.WAITING, wake_at=until)
    return replace(run, step=waiting, wake_at=until), waiting


def _closed(run: Run, step: Step, now: datetime) -> tuple[Run, Step]:
    over = replace(step, ended_at=now, wake_at=None)
    return replace(run, step=None, position=step.position + 1, wake_at=now), over


def _failed(run: Run, step: Step, task: Task, why: str, now: datetime) -> tuple[Run, Step]:
    after_it, over = _closed(run, replace(step, status=StepStatus.FAILED, why=why), now)
    if task.skip_on_failure:
        return replace(after_it, troubled=True), over
    return failed(after_it, f"{task.name or task.kind}: {why}"), over
