"""What happened, as workflows and listeners outside are told of it: one Happening for each, kept in an outbox.

Rule 1: it is written in the transaction of what happened, so that nobody is told of what was rolled back.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from msgspec import Struct

ALERT_CREATED: Final = "alert_created"
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

#: What concerns an alert alone.
OF_ALERTS: Final = frozenset({ALERT_CREATED, ALERT_STATUS_UPDATED})


class Happening(Struct, frozen=True, kw_only=True):
    """One thing that happened. `data` is what is worth keeping of that moment: status, what changed, who did it.

    Shape: `cause_run_id` is the run of a workflow that caused it, `depth` how many caused each other before it.
    """

    id: UUID
    kind: str
    at: datetime
    alert_id: UUID | None = None
    incident_id: UUID | None = None
    action_item_id: UUID | None = None
    run_id: UUID | None = None
    occurrence: int | None = None
    data: dict[str, Any] = {}
    cause_run_id: UUID | None = None
    depth: int = 0
