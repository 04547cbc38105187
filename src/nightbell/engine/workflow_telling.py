"""What is said of runs of workflows: to whoever listens outside, and in the timeline of the alert they are about."""

from datetime import datetime
from uuid import UUID

from nightbell.core.happening import Happening
from nightbell.core.journal import Entry, Kind, workflow
from nightbell.core.running import Run, Status
from nightbell.store.write.runs import Queued

_HOW = {
    Status.COMPLETED: "done",
    Status.WITH_ERRORS: "done, but not all of it worked",
    Status.FAILED: "it failed",
    Status.CANCELED: "it was canceled",
}


def told_of(
    run: Queued, kind: str, ident: UUID, now: datetime, *, status: Status | None = None, why: str = ""
) -> Happening:
    """Return what happened to a run, for webhooks: which workflow, about what, how it stands."""
    stands = status or (Status.QUEUED if run.wake_at else Status.CANCELED)
    data = {
        "workflow_id": str(run.workflow_id),
        "workflow": run.plan["name"],
        "status": stands.value,
        "status_message": why or run.why,
        "triggered_by": run.triggered_by,
        "trigger": run.trigger,
    }
    return Happening(
        id=ident,
        kind=kind,
        at=now,
        run_id=run.id,
        alert_id=run.alert_id,
        incident_id=run.incident_id,
        action_item_id=run.action_item_id,
        occurrence=run.occurrence,
        data=data,
        cause_run_id=run.cause_run_id,
        depth=run.depth,
    )


def line_of(run: Queued, after: Run, did: str, ident: UUID, now: datetime) -> Entry | None:
    """Return a line for the timeline of the alert that a run is about; None where it is about none or did nothing."""
    if run.alert_id is None or after.status not in _HOW or (after.status is Status.CANCELED and not did):
        return None
    name = run.plan["name"]
    parts = [f"Workflow {name}: {_HOW[after.status]}.", f"It did: {did}." if did else "", after.why]
    return Entry(
        id=ident,
        alert_id=run.alert_id,
        at=now,
        kind=Kind.INFORMATIONAL,
        action="updated",
        code=f"workflow.{after.status.value}",
        by=workflow(name, run.id, run.depth + 1),
        details=" ".join(part for part in parts if part),
        because={"workflow": name, "workflow_id": str(run.workflow_id), "run_id": str(run.id)},
    )
