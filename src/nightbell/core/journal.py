"""What can stand in an alert's timeline. Every entry says who, what and because of which rule, level or person."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from msgspec import Struct


class Kind(StrEnum):
    """Rootly's kinds of alert event (rootly.md 2.2)."""

    INFORMATIONAL = "informational"
    NOTIFICATION = "notification"
    ACTION = "action"
    STATUS_UPDATE = "status_update"
    ROUTING = "alert_routing"
    URGENCY = "alert_urgency"
    NOTE = "note"
    MAINTENANCE = "maintenance"
    DEFERRAL = "deferral"
    GROUPING = "alert_grouping"


class Actor(Struct, frozen=True, kw_only=True):
    """Who caused a change: a person, a source that reported, a workflow, or the engine itself."""

    kind: str
    name: str
    user_id: int | None = None
    #: The run of a workflow that does it, and how many runs led to this one, itself counted.
    run_id: UUID | None = None
    depth: int = 0


SYSTEM = Actor(kind="system", name="Nightbell")


def person(user_id: int, name: str) -> Actor:
    """Return a person as an actor."""
    return Actor(kind="user", user_id=user_id, name=name)


def workflow(name: str, run_id: UUID, depth: int) -> Actor:
    """Return a run of a workflow as an actor; `depth` counts the runs that led to it, itself too."""
    return Actor(kind="workflow", name=name, run_id=run_id, depth=depth)


def source(name: str, kind: str = "alertmanager") -> Actor:
    """Return a source as an actor; `kind` is its type, the word of the wire."""
    return Actor(kind=kind, name=name)


class Entry(Struct, frozen=True, kw_only=True):
    """One line of the timeline.

    Shape: `kind` and `action` are words of Rootly's wire; `code` is ours ("escalation.level_skipped"), the same in
    log, metric and test; `because` names the rule, policy, level, shift or person behind it.
    """

    id: UUID
    alert_id: UUID
    at: datetime
    kind: Kind
    action: str
    code: str
    by: Actor
    details: str
    because: dict[str, Any] = {}
    level: int | None = None
    user_id: int | None = None
