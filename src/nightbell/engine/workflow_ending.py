"""What the end of a run means: a line for the alert it is about, a word to whoever listens, its next time round."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from nightbell.core import running
from nightbell.core.directory import Directory
from nightbell.core.happening import RUN_CANCELED, RUN_COMPLETED, RUN_FAILED
from nightbell.core.running import Run, Status
from nightbell.engine import workflows
from nightbell.engine.ids import minter
from nightbell.engine.workflow_matching import queue
from nightbell.engine.workflow_telling import line_of, told_of
from nightbell.store.db import Tx
from nightbell.store.write import happenings, ledger
from nightbell.store.write.runs import Queued
from nightbell.store.write.together import Together

#: What started a run, where nothing that happened did.
BY_HAND, BY_TASK, REPEAT = "by_hand", "trigger_workflow", "repeat"
#: How runs end, and what webhooks are told of it.
ENDS = {
    Status.COMPLETED: RUN_COMPLETED,
    Status.WITH_ERRORS: RUN_COMPLETED,
    Status.FAILED: RUN_FAILED,
    Status.CANCELED: RUN_CANCELED,
}


async def ended(
    tx: Tx, queued: Queued, run: Run, directory: Directory, label: Callable[[str], str], now: datetime
) -> None:
    """Write what the end of a run means, in the transaction in which it ends; `label` is how people call a task."""
    mint = minter(now)
    if run.status in (Status.CANCELED, Status.FAILED):
        await tx.execute("cancel_steps", run.id, run.why, now)
    if (kind := ENDS[run.status]) in directory.listeners:
        told = told_of(queued, kind, mint(), now, status=run.status, why=run.why)
        await happenings.record(tx, [told], now)
    if queued.alert_id:
        kinds = sorted({task.kind for task in run.tasks})
        did = await tx.value("tasks_done", run.id, kinds, [label(kind) for kind in kinds])
        line = line_of(queued, run, did or "", mint(), now)
        rows = Together()
        ledger.entries(rows, [line] if line else [])
        await rows.run(tx)
    once_more = _once_more(queued, run, mint(), now)
    if once_more:
        await queue(tx, [once_more], directory, now)


def _once_more(queued: Queued, run: Run, ident: UUID, now: datetime) -> Queued | None:
    """Return the next run of a workflow that goes round; one by hand and one that was canceled do not."""
    if run.status is Status.CANCELED or queued.trigger == BY_HAND:
        return None
    first = queued.first_run_at or now
    repeat = workflows.frozen_repeat(queued.plan)
    at = running.again(repeat, first=first, times=queued.repeat_count, now=now)
    base = queued.key.partition(":again:")[0]
    return (
        replace(
            queued,
            id=ident,
            key=f"{base}:again:{queued.repeat_count + 1}",
            trigger=REPEAT,
            repeat_count=queued.repeat_count + 1,
            first_run_at=first,
            wake_at=at,
            why=None,
        )
        if at
        else None
    )
