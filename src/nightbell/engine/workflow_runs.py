"""What people and other workflows want of runs: begin one, end one, do one again.

Rule 1: whoever asks twice under one key gets the one run.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct

from nightbell.core import running
from nightbell.core.errors import Invalid, Stale, Unknown
from nightbell.core.journal import Actor
from nightbell.core.running import Run, Status
from nightbell.core.workflow import ABOUT, Workflow, matches
from nightbell.engine import workflow_context, workflows
from nightbell.engine.directory import Directories
from nightbell.engine.ids import new_id
from nightbell.engine.tasks.contract import Triggering
from nightbell.engine.workflow_ending import BY_HAND, BY_TASK, ended
from nightbell.engine.workflow_matching import about_of, chain, queue
from nightbell.engine.workflow_steps import label
from nightbell.store.db import Db, Row, Tx
from nightbell.store.write import runs
from nightbell.store.write.runs import Queued
from nightbell.telemetry import metrics


class About(Struct, frozen=True, kw_only=True):
    """What a run is about; the kind of its workflow says which of them there must be."""

    alert_id: UUID | None = None
    incident_id: UUID | None = None
    action_item_id: UUID | None = None


class Wish(Struct, frozen=True, kw_only=True):
    """A run that a person wants. `immediate`: without the workflow's wait."""

    about: About = About()
    immediate: bool = True
    check_conditions: bool = False
    #: For templates, as `context`.
    context: dict[str, Any] = {}


class Runs:
    """Begins, ends and repeats runs for people and for tasks."""

    def __init__(self, db: Db, directories: Directories, base_url: str, woken: Callable[[], None]) -> None:
        """`woken` is called after a commit that queues a run."""
        self._db = db
        self._directories = directories
        self._base_url = base_url
        self._woken = woken

    async def begin(self, key: str, wish: Wish, *, by: Actor, now: datetime) -> UUID:
        """Queue a run of a workflow by hand and return its id; also of one that is switched off.

        Raises: Unknown when there is no such workflow, Invalid when what it is about is missing or, where that is
        asked for, its conditions do not hold.
        """
        workflow = await self._workflow(key)
        about, subject = await self._about(workflow, wish.about)
        if wish.check_conditions and not (verdict := matches(workflow, subject)).matched:
            raise Invalid(
                "Its conditions do not hold: " + " ".join(verdict.why_not), place="check_conditions"
            )
        ident = new_id(now)
        run = Queued(
            id=ident,
            workflow_id=workflow.id,
            key=f"{BY_HAND}:{ident}",
            plan=workflows.plan(workflow),
            wake_at=now + (timedelta() if wish.immediate else workflow.wait),
            triggered_by="user",
            trigger=BY_HAND,
            user_id=by.user_id,
            alert_id=about.alert_id,
            incident_id=about.incident_id,
            action_item_id=about.action_item_id,
            occurrence=subject.get("alert", {}).get("occurrence"),
            context=wish.context,
        )
        await self._queue(run, now)
        return ident

    async def trigger(self, wish: Triggering, *, now: datetime) -> tuple[UUID | None, str]:
        """Queue a run that a task of another one wants; return its id, or None and why there is none.

        Raises: Unknown when there is no such workflow, Invalid when what it is about is missing.
        """
        workflow = await self._workflow(wish.workflow)
        given = About(
            alert_id=wish.alert_id, incident_id=wish.incident_id, action_item_id=wish.action_item_id
        )
        about, subject = await self._about(workflow, given)
        if not workflow.enabled:
            return None, "It is switched off."
        if wish.check_conditions and not (verdict := matches(workflow, subject)).matched:
            return None, "Its conditions do not hold: " + " ".join(verdict.why_not)
        on = about_of(workflow, about.alert_id, about.incident_id, about.action_item_id)
        cut = running.loop(workflow.id, on, wish.depth, await chain(self._db, wish.cause_run_id))
        if cut:
            metrics.WORKFLOW_LOOPS.inc()
        run = Queued(
            id=new_id(now),
            workflow_id=workflow.id,
            key=f"{BY_TASK}:{wish.key}",
            plan=workflows.plan(workflow),
            wake_at=None if cut else now + workflow.wait,
            triggered_by="workflow",
            trigger=BY_TASK,
            why=cut or None,
            alert_id=about.alert_id,
            incident_id=about.incident_id,
            action_item_id=about.action_item_id,
            occurrence=subject.get("alert", {}).get("occurrence"),
            cause_run_id=wish.cause_run_id,
            depth=wish.depth,
        )
        if not await self._queue(run, now):
            return await self._db.value("run_of_key", run.workflow_id, run.key), ""
        return run.id, cut

    async def again(self, run_id: UUID, *, by: Actor, now: datetime) -> UUID:
        """Queue what a run was, once more, by the workflow as it is now; return the new run.

        Raises: Unknown when there is no such run, or its workflow is gone.
        """
        row = await self._db.row("one_run", run_id)
        if row is None:
            raise Unknown("There is no such run.")
        about = About(**{name: row[name] for name in About.__struct_fields__})
        wish = Wish(about=about, context=row["context"])
        return await self.begin(str(row["workflow_id"]), wish, by=by, now=now)

    async def cancel(self, run_id: UUID, *, by: Actor, now: datetime) -> None:
        """End a run: what it is doing may still be done, nothing after it is.

        Raises: Unknown when there is no such run, Stale when it is over.
        """

        async def work(tx: Tx) -> None:
            row = await tx.row("lock_run", run_id)
            if row is None:
                raise Unknown("There is no such run.")
            queued, run = _stored(row)
            if run.status not in running.GOES_ON:
                raise Stale("This run is over.")
            over = running.canceled(run, f"Canceled by {by.name}.")
            await runs.move(tx, over, now, lease_until=None)
            await ended(tx, queued, over, await self._directories.current(tx), label, now)

        await self._db.in_tx(work)
        metrics.WORKFLOW_RUNS.labels(status="canceled").inc()

    async def _queue(self, run: Queued, now: datetime) -> bool:
        async def work(tx: Tx) -> bool:
            return bool(await queue(tx, [run], await self._directories.current(tx), now))

        made = await self._db.in_tx(work)
        self._woken()
        return made

    async def _workflow(self, key: str) -> Workflow:
        found = await workflows.workflow(self._db, key)
        if found is None:
            raise Unknown("There is no such workflow.", place="workflow_id")
        return found

    async def _about(self, workflow: Workflow, given: About) -> tuple[About, dict[str, Any]]:
        """Return what a run is about and all there is to know of it; an action item brings its incident."""
        subject = await workflow_context.context(
            self._db,
            alert_id=given.alert_id,
            incident_id=given.incident_id,
            action_item_id=given.action_item_id,
            base_url=self._base_url,
        )
        for name in ("alert", "incident", "action_item"):
            if getattr(given, f"{name}_id") and name not in subject:
                raise Invalid(f"There is no such {name.replace('_', ' ')}.", place=f"{name}_id")
        needed = ABOUT[workflow.kind]
        if needed and needed not in subject:
            what = needed.replace("_", " ")
            raise Invalid(f"A workflow of this kind is about an {what}: name one.", place=f"{needed}_id")
        found = {f"{name}_id": UUID(subject[name]["id"]) for name in subject if name in ABOUT.values()}
        return About(**found), subject


def _stored(row: Row) -> tuple[Queued, Run]:
    queued = runs.queued(row)
    run = Run(
        id=queued.id,
        status=Status(row["status"]),
        tasks=workflows.frozen_tasks(queued.plan),
        position=row["position"],
    )
    return queued, run
