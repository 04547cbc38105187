"""Carries out runs of workflows for one node: claimed, each task begun on disk before it is done, resumed after a crash.

Rule 1: a run goes on only in the hands that hold its lease; whoever lost it writes nothing more about it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import structlog
from msgspec import Struct
from msgspec.structs import replace

from nightbell.core import running
from nightbell.core.directory import Directory
from nightbell.core.happening import RUN_STARTED
from nightbell.core.running import Do, Over, Run, Status
from nightbell.core.workflow import Task, matches
from nightbell.engine import workflow_context, workflow_steps, workflows
from nightbell.engine.directory import Directories
from nightbell.engine.faults import FAULTS
from nightbell.engine.ids import minter
from nightbell.engine.node import Node
from nightbell.engine.tasks.contract import Hands, Step
from nightbell.engine.workflow_ending import BY_HAND, ENDS, REPEAT, ended
from nightbell.engine.workflow_steps import Said, given_up
from nightbell.engine.workflow_telling import told_of
from nightbell.store.db import Db, Row, Tx
from nightbell.store.write import happenings, runs
from nightbell.store.write.runs import Lease, Queued
from nightbell.telemetry import metrics

#: What a lease is longer than the task it is for.
MARGIN = timedelta(seconds=30)
_log = structlog.get_logger(__name__)


class Hand(Struct, kw_only=True):
    """A run in our hands, as it stands by now."""

    queued: Queued
    run: Run
    lease_until: datetime
    began: bool

    @property
    def plan(self) -> Mapping[str, Any]:
        """Return the frozen copy of its workflow."""
        return self.queued.plan


class Running:
    """Carries out runs. The clock is handed in: an answer has a time of its own."""

    def __init__(self, db: Db, directories: Directories, hands: Hands, node: Node) -> None:
        self._db = db
        self._directories = directories
        self._hands = hands
        self._clock = node.clock
        self._name = node.name
        self._base_url = hands.base_url

    async def claim(self, limit: int) -> list[Hand]:
        """Take runs whose time has come; whoever claims must carry them out."""
        now = self._clock()
        until = now + MARGIN

        async def work(tx: Tx) -> list[Row]:
            return await runs.claim(tx, (self._name, until), now, limit)

        hands = [await self._taken(row, until) for row in await self._db.in_tx(work)]
        return [hand for hand in hands if hand is not None]

    async def _taken(self, row: Row, until: datetime) -> Hand | None:
        try:
            return _hand(row, until)
        except FAULTS as fault:
            # Another version wrote it, or somebody behind our back: it cannot be carried out, and says so.
            metrics.WORKFLOW_FAULTS.inc()
            _log.error("workflow.run_fault", run=str(row["id"]), why=str(fault), exc_info=fault)
            run = Run(
                id=row["id"],
                status=Status.FAILED,
                tasks=(),
                position=row["position"],
                why=f"It cannot be read: {fault}",
            )
            await self._db.in_tx(lambda tx: runs.move(tx, run, self._clock(), lease_until=None))
            return None

    async def recover(self, gone: tuple[str, ...]) -> int:
        """Take back what processes that certainly do not run any more had in their hands."""
        return await self._db.in_tx(lambda tx: runs.free(tx, gone)) if gone else 0

    async def let_go(self, held: Sequence[UUID]) -> int:
        """Give back what the database holds for this node but these: what was in hands when it went away."""
        return await self._db.in_tx(lambda tx: runs.let_go(tx, self._name, held))

    async def go(self, hand: Hand, polite: Callable[[], Awaitable[None]]) -> None:
        """Carry out a run until it is over, or has to wait. `polite` lets others go first between tasks.

        Raises: only what says that the database is away; the run is taken up again when its lease is over.
        """
        try:
            do = await self._begin(hand)
            while do:
                await polite()
                said = await self._attempt(hand, do)
                do = await self._turn(hand, (do.task, said))
        except FAULTS as fault:
            # A run that a defect of ours cannot digest says so and ends; it must not come back for ever.
            metrics.WORKFLOW_FAULTS.inc()
            _log.error("workflow.run_fault", run=str(hand.run.id), why=str(fault), exc_info=fault)
            hand.run = running.failed(hand.run, f"A defect of ours: {type(fault).__name__}: {fault}")
            await self._turn(hand, None)

    async def _begin(self, hand: Hand) -> Do | None:
        """Begin or resume a run; one that waited is asked whether it still should."""
        if hand.run.status is Status.QUEUED and (why := await self._changed(hand)):
            hand.run = running.canceled(hand.run, why)
        step = hand.run.step
        if step and running.interrupted_too_often(
            step, workflow_steps.attempts(hand.run.tasks[step.position].kind)
        ):
            why = f"Interrupted {step.attempts} times; nobody ever saw its end."
            return await self._turn(hand, (hand.run.tasks[step.position], given_up(why)))
        return await self._turn(hand, None)

    async def _attempt(self, hand: Hand, do: Do) -> Said:
        queued, now = hand.queued, self._clock()
        try:
            context = await self._context(queued)
            context |= await workflow_context.earlier(self._db, queued.id, do.task.params)
        except FAULTS as fault:
            _log.error("workflow.context_fault", run=str(queued.id), why=str(fault), exc_info=fault)
            return given_up(f"What it is about cannot be read: {fault}")
        step = Step(
            run_id=queued.id,
            step_id=do.step.id,
            key=do.step.key,
            context=context | ({"context": queued.context} if queued.context else {}),
            workflow_id=queued.workflow_id,
            workflow=hand.plan["name"],
            now=now,
            began_at=do.step.began_at,
            attempt=do.step.attempts,
            depth=queued.depth,
            alert_id=queued.alert_id,
            occurrence=queued.occurrence or context.get("alert", {}).get("occurrence") or 1,
            incident_id=queued.incident_id,
            action_item_id=queued.action_item_id,
        )
        return await workflow_steps.attempt(self._hands, do.task, step)

    async def _turn(self, hand: Hand, said: tuple[Task, Said] | None) -> Do | None:
        """Keep what came of a task and begin the next, in one transaction; None when there is nothing to do now."""
        now = self._clock()
        mint = minter(now)

        async def work(tx: Tx) -> tuple[Do | None, Run, datetime] | None:
            if not await runs.held(tx, Lease(hand.run.id, self._name, hand.lease_until)):
                # Canceled meanwhile, or taken over by others: what came of the task is not ours to say.
                return None
            run = await self._kept(tx, hand.run, said, now) if said else hand.run
            following = running.next_step(run, now, mint())
            incident = UUID(said[1].incident_id) if said and said[1].incident_id else None
            if isinstance(following, Do):
                lease = now + workflow_steps.timeout(following.task.kind) + MARGIN
                run = running.begun(run, following)
                await runs.keep(tx, run.id, following.task, following.step, now)
                await runs.move(tx, run, now, lease_until=lease, incident_id=incident)
                await self._tell_begun(tx, hand, mint(), now)
                return following, run, lease
            run = following.run if isinstance(following, Over) else run
            await runs.move(tx, run, now, lease_until=None, incident_id=incident)
            if isinstance(following, Over):
                await ended(tx, hand.queued, run, await self._directory(tx), workflow_steps.label, now)
            return None, run, now

        came = await self._db.in_tx(work)
        if came is None:
            return None
        _count(hand, came[1])
        self._takes(hand, said, came[1], came[2])
        return came[0]

    def _takes(self, hand: Hand, said: tuple[Task, Said] | None, run: Run, lease: datetime) -> None:
        hand.run, hand.lease_until, hand.began = run, lease, True
        if said and said[1].incident_id and hand.queued.incident_id is None:
            hand.queued = replace(hand.queued, incident_id=UUID(said[1].incident_id))

    async def _kept(self, tx: Tx, run: Run, said: tuple[Task, Said], now: datetime) -> Run:
        task, what = said
        after, step = running.after(run, what.answer, now)
        await runs.keep(tx, run.id, task, step, now, (what.input, what.output))
        return after

    async def _tell_begun(self, tx: Tx, hand: Hand, ident: UUID, now: datetime) -> None:
        directory = await self._directory(tx)
        if not hand.began and RUN_STARTED in directory.listeners:
            told = told_of(hand.queued, RUN_STARTED, ident, now, status=Status.STARTED)
            await happenings.record(tx, [told], now)

    async def _context(self, queued: Queued) -> dict[str, Any]:
        return await workflow_context.context(
            self._db,
            alert_id=queued.alert_id,
            incident_id=queued.incident_id,
            action_item_id=queued.action_item_id,
            base_url=self._base_url,
        )

    async def _directory(self, tx: Tx) -> Directory:
        """Return who listens: what was true a moment ago will do."""
        return self._directories.known() or await self._directories.current(tx)

    async def _changed(self, hand: Hand) -> str:
        """Return why a run that waited before it began should not begin after all; "" when it should."""
        queued, again = hand.queued, hand.queued.trigger == REPEAT
        if queued.trigger == BY_HAND or not (again or hand.plan["wait"]):
            return ""
        now_is = await workflows.workflow(self._db, str(queued.workflow_id))
        if now_is is None or not now_is.enabled:
            return "The workflow was switched off meanwhile."
        if again and now_is.repeat is None:
            return "The workflow is not repeated any more."
        if again and now_is.repeat and now_is.repeat.stubborn:
            return ""
        verdict = matches(now_is, await self._context(queued))
        return "" if verdict.matched else "Its conditions hold no more: " + " ".join(verdict.why_not)


def _hand(row: Row, until: datetime) -> Hand:
    queued = runs.queued(row)
    run = Run(
        id=queued.id,
        status=Status(row["status"]),
        tasks=workflows.frozen_tasks(queued.plan),
        position=row["position"],
        step=_step(row["step"]),
        troubled=row["troubled"],
        wake_at=row["wake_at"],
    )
    return Hand(queued=queued, run=run, lease_until=until, began=run.status is Status.STARTED)


def _step(kept: Any) -> running.Step | None:
    if kept is None:
        return None
    return msgspec.convert({**kept, "began_at": kept["started_at"]}, running.Step)


def _count(hand: Hand, run: Run) -> None:
    if not hand.began and run.status is not Status.QUEUED:
        metrics.WORKFLOW_RUNS.labels(status="started").inc()
    if run.status in ENDS:
        metrics.WORKFLOW_RUNS.labels(status=run.status.value).inc()
        _log.info(
            "workflow.run", workflow=hand.plan["name"], run=str(run.id), status=run.status.value, why=run.why
        )
