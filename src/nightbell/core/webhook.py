"""This file says what outgoing webhooks are told of, when a delivery is tried again, and when an endpoint is given up.

Rule 1: an event keeps its id at every endpoint and at every try, so a receiver can tell a repeat from news.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct

INCIDENT = "incident."
_SCHEDULED = "incident.scheduled."
#: Everything an endpoint can ask for. Source: Rootly's OpenAPI, webhooks_endpoint.event_types.
EVENT_TYPES = (
    "alert.created",
    "incident.created",
    "incident.updated",
    "incident.in_triage",
    "incident.mitigated",
    "incident.resolved",
    "incident.cancelled",
    "incident.deleted",
    "incident.scheduled.created",
    "incident.scheduled.updated",
    "incident.scheduled.in_progress",
    "incident.scheduled.completed",
    "incident.scheduled.deleted",
    "incident_event.created",
    "incident_event.updated",
    "incident_event.deleted",
    "incident_post_mortem.created",
    "incident_post_mortem.updated",
    "incident_post_mortem.published",
    "incident_post_mortem.deleted",
    "incident_status_page_event.created",
    "incident_status_page_event.updated",
    "incident_status_page_event.deleted",
    "shift.started",
    "genius_workflow_run.queued",
    "genius_workflow_run.started",
    "genius_workflow_run.completed",
    "genius_workflow_run.failed",
    "genius_workflow_run.canceled",
    "audit_log.created",
    # Rootly's, and nothing here makes one.
    "pulse.created",
)
#: What the button of the page sends; nobody can ask for it, everybody gets it.
TEST = "test"
#: Kinds of happenings whose event does not depend on what happened to the status.
_PLAIN = {
    "alert_created": "alert.created",
    "incident_created": "incident.created",
    "incident_updated": "incident.updated",
    "incident_in_triage": "incident.in_triage",
    "incident_deleted": "incident.deleted",
    "incident_event_created": "incident_event.created",
    "incident_event_updated": "incident_event.updated",
    "incident_event_deleted": "incident_event.deleted",
    "incident_status_page_event_created": "incident_status_page_event.created",
    "incident_status_page_event_updated": "incident_status_page_event.updated",
    "incident_status_page_event_deleted": "incident_status_page_event.deleted",
    "shift_started": "shift.started",
    "workflow_run_queued": "genius_workflow_run.queued",
    "workflow_run_started": "genius_workflow_run.started",
    "workflow_run_completed": "genius_workflow_run.completed",
    "workflow_run_failed": "genius_workflow_run.failed",
    "workflow_run_canceled": "genius_workflow_run.canceled",
}
_STATUS = "status_updated"
#: Statuses that Rootly has an event for; the others are an update, and triage happens by itself.
_BY_STATUS = {
    "mitigated": "incident.mitigated",
    "resolved": "incident.resolved",
    "cancelled": "incident.cancelled",
    "in_progress": "incident.scheduled.in_progress",
    "completed": "incident.scheduled.completed",
}

#: A retrospective belongs to its incident, and what becomes of it is a change of that.
_CHANGED = "incident_updated"
_RETROSPECTIVE = "incident_post_mortem."
_BY_RETROSPECTIVE = {"active": "created", "completed": "published", "skipped": "deleted"}

#: Before each next try; after the last of them it is always that long.
WAITS = tuple(timedelta(seconds=s) for s in (5, 30, 120, 600, 1800, 3600, 7200, 14400))
#: A receiver may ask for more patience, but not for ever.
LONGEST_WAIT = timedelta(days=1)
#: How long a delivery is tried.
PATIENCE = timedelta(days=3)
#: An endpoint that took nothing for so long is switched off.
GIVEN_UP = timedelta(days=5)
#: Of an answer's text so much is kept.
LONGEST_ANSWER = 2_000


class Asked(Struct, frozen=True, kw_only=True):
    """What one event is delivered as: where to, what, and how it is signed."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    secret: str
    at: datetime


class Answered(Struct, frozen=True, kw_only=True):
    """What a receiver said. `status` is None where there was no answer; `after` how long it asks us to wait."""

    status: int | None = None
    body: str = ""
    why: str = ""
    after: timedelta | None = None

    @property
    def taken(self) -> bool:
        """Return whether it said yes."""
        return self.status is not None and 200 <= self.status < 300


class Following(Struct, frozen=True, kw_only=True):
    """What becomes of a delivery: its state, and when it is tried again."""

    state: str
    send_at: datetime


def events(
    kind: str, data: Mapping[str, Any], incident_kind: str = "", *, written: str = ""
) -> tuple[str, ...]:
    """Return which events a happening is; () for one that webhooks do not tell.

    Shape: planned work has events of its own, and `incident_kind` begins with `scheduled` for it. `written` is where
    the retrospective of the incident stands.
    """
    own = _event_type(kind, data, incident_kind)
    also = _retrospective(data.get("changed") or (), written) if kind == _CHANGED else None
    return tuple(name for name in (own, also) if name)


def _retrospective(changed: Collection[str], written: str) -> str | None:
    if "retrospective_status" in changed and written in _BY_RETROSPECTIVE:
        return _RETROSPECTIVE + _BY_RETROSPECTIVE[written]
    if "retrospective" in changed or "retrospective_status" in changed:
        return _RETROSPECTIVE + "updated"
    return None


def _event_type(kind: str, data: Mapping[str, Any], incident_kind: str) -> str | None:
    found = _moved(data) if kind == _STATUS else _PLAIN.get(kind)
    if found is None or not incident_kind.startswith("scheduled") or not found.startswith(INCIDENT):
        return found
    planned = _SCHEDULED + found.removeprefix(INCIDENT).removeprefix("scheduled.")
    return planned if planned in EVENT_TYPES else None


def _moved(data: Mapping[str, Any]) -> str | None:
    """Return the event of a status; a change of the sub-status alone is none."""
    status = str(data.get("status"))
    return _BY_STATUS.get(status) if status != data.get("previous") else None


def kinds(event_types: Iterable[str]) -> frozenset[str]:
    """Return the kinds of happenings that somebody must record for these events."""
    asked = {name.replace(_SCHEDULED, INCIDENT) for name in event_types} | set(event_types)
    plain = {kind for kind, name in _PLAIN.items() if name in asked}
    if any(name.startswith(_RETROSPECTIVE) for name in asked):
        plain.add(_CHANGED)
    return frozenset(plain | ({_STATUS} if asked & set(_BY_STATUS.values()) else set()))


def following(answered: Answered, *, attempt: int, ident: UUID, until: datetime, now: datetime) -> Following:
    """Return what follows an attempt, counted from 1. Jitter comes from the id, so that a crowd spreads out."""
    if answered.taken:
        return Following(state="delivered", send_at=now)
    jitter = 0.8 + (ident.int % 400) / 1000
    wait = min(answered.after or WAITS[min(attempt, len(WAITS)) - 1] * jitter, LONGEST_WAIT)
    if now + wait > until:
        return Following(state="failed", send_at=now)
    return Following(state="waiting", send_at=now + wait)
