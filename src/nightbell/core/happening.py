"""What happened, told in the transaction in which it did, for whoever wants to hear of it: workflows, webhooks, rooms.

Rule 1: a happening is a fact of the past with what is worth keeping of that moment; who hears of it decides later.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from msgspec import Struct

from nightbell.core.journal import Actor

#: An alert was taken in for the first time; what comes again is not new.
ALERT_CREATED: Final = "alert_created"
#: It changed from one status to another: acknowledged, resolved, snoozed, fired again.
ALERT_STATUS_UPDATED: Final = "alert_status_updated"
INCIDENT_CREATED: Final = "incident_created"
INCIDENT_IN_TRIAGE: Final = "incident_in_triage"
INCIDENT_STARTED: Final = "incident_started"
INCIDENT_UPDATED: Final = "incident_updated"
#: Ours: for listeners outside; no workflow of Rootly's has it as a trigger.
INCIDENT_DELETED: Final = "incident_deleted"
STATUS_UPDATED: Final = "status_updated"
TIMELINE_UPDATED: Final = "timeline_updated"
ACTION_ITEM_CREATED: Final = "action_item_created"
ACTION_ITEM_UPDATED: Final = "action_item_updated"
SHIFT_STARTED: Final = "shift_started"
RUN_QUEUED: Final = "workflow_run_queued"
RUN_STARTED: Final = "workflow_run_started"
RUN_COMPLETED: Final = "workflow_run_completed"
RUN_FAILED: Final = "workflow_run_failed"
RUN_CANCELED: Final = "workflow_run_canceled"

#: What concerns an alert alone.
OF_ALERTS: Final = frozenset({ALERT_CREATED, ALERT_STATUS_UPDATED})
#: What becomes of the runs of workflows.
OF_RUNS: Final = frozenset({RUN_QUEUED, RUN_STARTED, RUN_COMPLETED, RUN_FAILED, RUN_CANCELED})
#: What becomes of lines of timelines and of what is published: `data` has the id.
OF_LINES: Final = frozenset({"incident_event_created", "incident_event_updated", "incident_event_deleted"})
OF_PUBLISHED: Final = frozenset(
    f"incident_status_page_event_{what}" for what in ("created", "updated", "deleted")
)
#: No workflow starts by these.
FACTS: Final = OF_RUNS | OF_LINES | OF_PUBLISHED | {SHIFT_STARTED, INCIDENT_DELETED}


class Happening(Struct, frozen=True, kw_only=True):
    """One thing that happened. `kind` is Rootly's name of the trigger, or of a plain fact.

    Shape: `data` is plain JSON of that moment ({"status", "previous", "changed": [...], "by": {...}}); `depth` says
    how many runs of workflows led to it, the last of them is `cause_run_id`.
    """

    id: UUID
    kind: str
    at: datetime
    alert_id: UUID | None = None
    incident_id: UUID | None = None
    action_item_id: UUID | None = None
    run_id: UUID | None = None
    #: Of the alert.
    occurrence: int | None = None
    data: dict[str, Any] = {}
    cause_run_id: UUID | None = None
    depth: int = 0


def told(by: Actor) -> dict[str, Any]:
    """Return who did something, as `data["by"]` keeps it."""
    return {"kind": by.kind, "name": by.name, "user_id": by.user_id}
