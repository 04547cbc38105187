"""What happened meets the workflows that wait for it: those whose conditions hold get a run each, in one transaction.

Rule 1: a happening is looked at once. What it started is kept under a key, so that looking again starts nothing more.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from nightbell.core.happening import ALERT_CREATED, OF_ALERTS, RUN_CANCELED, RUN_QUEUED, Happening
from nightbell.core.running import loop
from nightbell.core.workflow import ABOUT, Workflow
from nightbell.core.workflow_choice import Choice
from nightbell.engine import workflow_context, workflows
from nightbell.engine.directory import Directories
from nightbell.engine.faults import FAULTS
from nightbell.engine.ids import minter
from nightbell.engine.workflow_telling import told_of
from nightbell.store.db import Db, Runner, Tx
from nightbell.store.write import happenings, runs
from nightbell.store.write.runs import Queued
from nightbell.telemetry import metrics

#: Happenings looked at in one transaction.
BATCH = 100
_log = structlog.get_logger(__name__)
#: What led to a run: (workflow, what it was about).
Chain = tuple[tuple[UUID, UUID | None], ...]


class Matching:
    """Starts runs of workflows for one node."""

    def __init__(self, db: Db, directories: Directories, base_url: str) -> None:
        self._db = db
        self._directories = directories
        self._workflows = workflows.Workflows()
        self._base_url = base_url

    async def match(self, now: datetime, *, limit: int = BATCH) -> tuple[int, int]:
        """Look at the oldest of what happened; return how much of it there was, and how many runs it started."""
        try:
            return await self._match(now, limit)
        except FAULTS as fault:
            # Find what is at fault, let the others through.
            _log.error("workflow.match_fault", why=str(fault), exc_info=fault)
            each = [await self._alone(now) for _ in range(limit)]
            return sum(seen for seen, _ in each), sum(made for _, made in each)

    async def _alone(self, now: datetime) -> tuple[int, int]:
        try:
            return await self._match(now, 1)
        except FAULTS as fault:
            metrics.WORKFLOW_FAULTS.inc()
            _log.error("workflow.match_fault", why=str(fault), exc_info=fault)
            await self._db.in_tx(lambda tx: _set_aside(tx, now))
            return 1, 0

    async def _match(self, now: datetime, limit: int) -> tuple[int, int]:
        async def work(tx: Tx) -> tuple[int, int]:
            rows = await tx.rows("claim_happenings", limit)
            if not rows:
                return 0, 0
            found = [Happening(**dict(row.items())) for row in rows]
            wanted = await self._wanted(tx, found, now)
            made = await queue(tx, wanted, await self._directories.current(tx), now)
            await tx.execute("match_happenings", [one.id for one in found], now)
            return len(found), len(made)

        return await self._db.in_tx(work)

    async def _wanted(self, tx: Tx, found: Sequence[Happening], now: datetime) -> list[Queued]:
        choice = await self._workflows.current(tx)
        heard = [one for one in found if choice.started_by(one.kind)]
        alerts = await self._alerts([one.alert_id for one in heard if one.kind in OF_ALERTS and one.alert_id])
        wanted: list[Queued] = []
        for one in heard:
            try:
                chosen = self._chosen(choice, one, await self._subject(one, alerts))
            except FAULTS as fault:
                # One thing that cannot be looked at must not hold up what happened after it.
                metrics.WORKFLOW_FAULTS.inc()
                _log.error("workflow.match_fault", happening=str(one.id), why=str(fault), exc_info=fault)
                continue
            if chosen:
                wanted += await _runs(tx, chosen, one, now)
        return wanted

    async def _alerts(self, ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
        if not ids:
            return {}
        return await workflow_context.alert_contexts(
            self._db, list(dict.fromkeys(ids)), base_url=self._base_url
        )

    async def _subject(self, one: Happening, alerts: dict[UUID, dict[str, Any]]) -> dict[str, Any]:
        if one.kind not in OF_ALERTS or one.alert_id is None:
            return await workflow_context.context(self._db, happening=one, base_url=self._base_url)
        alert = alerts.get(one.alert_id)
        # Conditions are about that moment: by now the alert may have gone on.
        return {"alert": alert | {"status": one.data.get("status", alert["status"])}} if alert else {}

    def _chosen(self, choice: Choice, one: Happening, subject: dict[str, Any]) -> list[Workflow]:
        return [
            w for kind in sorted(choice.started_by(one.kind)) for w in choice.chosen(kind, one.kind, subject)
        ]


async def _set_aside(tx: Tx, now: datetime) -> None:
    """Look no more at the oldest of what happened."""
    rows = await tx.rows("claim_happenings", 1)
    await tx.execute("match_happenings", [row["id"] for row in rows], now)


async def _runs(tx: Tx, chosen: Sequence[Workflow], one: Happening, now: datetime) -> list[Queued]:
    """Return a run for each workflow; those that would go round in a loop are cut, and say so."""
    mint, led = minter(now), await chain(tx, one.cause_run_id)
    made: list[Queued] = []
    for workflow in chosen:
        about = about_of(workflow, one.alert_id, one.incident_id, one.action_item_id)
        cut = loop(workflow.id, about, one.depth, led) if one.cause_run_id else ""
        if cut:
            metrics.WORKFLOW_LOOPS.inc()
            _log.warning("workflow.loop", workflow=workflow.name, happening=str(one.id), why=cut)
        made.append(
            Queued(
                id=mint(),
                workflow_id=workflow.id,
                key=key(workflow, one),
                plan=workflows.plan(workflow),
                wake_at=None if cut else now + workflow.wait,
                triggered_by="workflow" if one.cause_run_id else "system",
                trigger=one.kind,
                why=cut or None,
                alert_id=one.alert_id,
                incident_id=one.incident_id,
                action_item_id=one.action_item_id,
                occurrence=one.occurrence,
                happening_id=one.id,
                cause_run_id=one.cause_run_id,
                depth=one.depth,
            )
        )
    return made


async def queue(tx: Tx, wanted: Sequence[Queued], directory: Any, now: datetime) -> list[Queued]:
    """Write runs, tell whoever listens, and return those that were made: one for each key of a workflow."""
    new = await runs.queue(tx, wanted, now)
    made = [run for run in wanted if run.id in new]
    if {RUN_QUEUED, RUN_CANCELED} & directory.listeners:
        mint = minter(now)
        told = [told_of(run, RUN_QUEUED if run.wake_at else RUN_CANCELED, mint(), now) for run in made]
        await happenings.record(tx, [one for one in told if one.kind in directory.listeners], now)
    for run in made:
        metrics.WORKFLOW_RUNS.labels(status="queued" if run.wake_at else "canceled").inc()
    return made


async def chain(tx: Runner, cause_run_id: UUID | None) -> Chain:
    """Return which workflows led to what a run caused, and what each was about."""
    if cause_run_id is None:
        return ()
    rows = await tx.rows("cause_chain", cause_run_id)
    names = ("alert_id", "incident_id", "action_item_id")
    return tuple((row["workflow_id"], row[name]) for row in rows for name in names if row[name]) + tuple(
        (row["workflow_id"], None) for row in rows if not any(row[name] for name in names)
    )


def about_of(
    workflow: Workflow, alert_id: UUID | None, incident_id: UUID | None, action_item_id: UUID | None
) -> UUID | None:
    """Return what a workflow of its kind is about."""
    ids = {"alert": alert_id, "incident": incident_id, "action_item": action_item_id}
    return ids.get(ABOUT[workflow.kind])


def key(workflow: Workflow, one: Happening) -> str:
    """Return what a run is the one run for.

    Shape: an alert is created once in each occurrence; any other change of an alert is a happening of its own; what
    changes of an incident at once is one change, however many triggers it means.
    """
    about = about_of(workflow, one.alert_id, one.incident_id, one.action_item_id)
    if workflow.once:
        return f"once:{about}"
    if one.kind == ALERT_CREATED:
        return f"{one.kind}:{about}:{one.occurrence}"
    if one.kind in OF_ALERTS:
        return f"{one.kind}:{about}:{one.id}"
    return f"{about}:{one.at.isoformat()}:{one.cause_run_id or ''}"
