"""A workflow: what starts it, under which conditions, and its tasks in order.

Rule 1: a workflow decides by the context it is handed alone. The engine makes contexts; this file compares.
"""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct

from nightbell.core.errors import Invalid
from nightbell.core.workflow_conditions import Finding, Rules, Subject, findings

#: The kinds of workflow that run here, and what starts each (rootly.md 6.2).
_LISTS = (
    "environments",
    "incident_types",
    "services",
    "functionalities",
    "teams",
    "causes",
    "role_assignments",
)
_INCIDENT = (
    "incident_in_triage",
    "incident_created",
    "incident_started",
    "incident_updated",
    *(f"{name}_updated" for name in ("title", "summary", "status", "severity", "visibility")),
    *(f"{name}_{what}" for name in (*_LISTS, "subscribers") for what in ("added", "removed", "updated")),
    "timeline_updated",
    "status_page_timeline_updated",
    "slack_channel_created",
    "slack_channel_converted",
    "microsoft_teams_channel_created",
    "microsoft_teams_chat_created",
    "google_chat_space_created",
    "user_joined_slack_channel",
    "user_left_slack_channel",
    "meeting_summary_created",
    "slack_command",
)
_ACTION_ITEM = (
    "action_item_created",
    "action_item_updated",
    "incident_updated",
    *(
        f"{name}_updated"
        for name in ("assigned_user", "summary", "description", "status", "priority", "due_date", "teams")
    ),
    "slack_command",
)
TRIGGERS: dict[str, tuple[str, ...]] = {
    "alert": ("alert_created", "alert_status_updated"),
    "incident": _INCIDENT,
    "action_item": _ACTION_ITEM,
    "simple": ("slack_command",),
}
#: What a run of a kind is about: the part of the context that must be there.
ABOUT = {"alert": "alert", "incident": "incident", "action_item": "action_item", "simple": ""}
#: `custom_fields.<slug>.updated`, for any slug.
CUSTOM_FIELD = re.compile(r"custom_fields\.[\w-]{1,100}\.updated")
#: Rootly's letters, Monday first, as datetime.weekday() counts.
WEEKDAYS = ("M", "T", "W", "R", "F", "S", "U")

_AMOUNT = re.compile(r"\s*(\d{1,6})\s*([a-zA-Z]+)\s*,?")
_UNITS = {
    "s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3600, "hr": 3600, "hour": 3600,
    "d": 86400, "day": 86400, "w": 604800, "week": 604800,
}  # fmt: skip
LONGEST = timedelta(days=366)


class Task(Struct, frozen=True, kw_only=True):
    """One thing a workflow does. `kind` is Rootly's task_type, `params` what was sent with it."""

    id: UUID
    kind: str
    name: str
    position: int
    params: dict[str, Any]
    skip_on_failure: bool = False
    enabled: bool = True


class Repeat(Struct, frozen=True, kw_only=True):
    """How a workflow goes round: as long as its conditions hold, unless it goes on regardless (`stubborn`)."""

    every: timedelta
    #: No run later than this after the first one; None without end.
    within: timedelta | None = None
    #: How many repetitions; 0 without end.
    times: int = 0
    stubborn: bool = False
    #: Letters of WEEKDAYS; nothing is every day.
    days: tuple[str, ...] = ()


class Workflow(Struct, frozen=True, kw_only=True):
    """What happens by itself: when one of `triggers` happens and `rules` hold, the tasks are done in order."""

    id: UUID
    name: str
    slug: str
    kind: str
    triggers: tuple[str, ...]
    rules: Rules
    tasks: tuple[Task, ...] = ()
    enabled: bool = True
    position: int = 0
    wait: timedelta = timedelta()
    repeat: Repeat | None = None
    #: One run for each alert or incident, whatever happens to it later.
    once: bool = False
    #: What its trigger_params say that is not read, a sentence each.
    ignored: tuple[str, ...] = ()


class Verdict(Struct, frozen=True, kw_only=True):
    """Whether a workflow matches, with what became of every condition."""

    matched: bool
    findings: tuple[Finding, ...] = ()

    @property
    def reasons(self) -> tuple[str, ...]:
        """Return a sentence for every condition."""
        return tuple(finding.told for finding in self.findings)

    @property
    def why_not(self) -> tuple[str, ...]:
        """Return a sentence for every condition that does not hold."""
        return tuple(finding.told for finding in self.findings if not finding.met)


def matches(workflow: Workflow, subject: Subject) -> Verdict:
    """Return whether a workflow's conditions hold for a context, and why each does or does not.

    Shape: only what the workflow's kind is about counts; without it nothing matches.
    """
    missing = lacks(workflow, subject)
    if missing:
        told = Finding(met=False, condition=f"There is an {missing.replace('_', ' ')}", found="")
        return Verdict(matched=False, findings=(told,))
    matched, told_of = findings(workflow.rules, subject)
    return Verdict(matched=matched, findings=told_of)


def lacks(workflow: Workflow, subject: Subject) -> str:
    """Return which part of the context a workflow needs and does not have; "" when it has it."""
    about = ABOUT[workflow.kind]
    return about if about and not subject.get(about) else ""


def known_trigger(kind: str, trigger: str) -> bool:
    """Return whether something can start a workflow of a kind."""
    return trigger in TRIGGERS.get(kind, ()) or (
        kind in ("incident", "action_item") and CUSTOM_FIELD.fullmatch(trigger) is not None
    )


def duration(text: str) -> timedelta:
    """Return how long "10 min", "2h 30min" or "3 days" are.

    Raises: Invalid saying how it is written.
    """
    seconds, at = 0, 0
    cleaned = text.strip()
    while at < len(cleaned):
        found = _AMOUNT.match(cleaned, at)
        unit = _unit(found.group(2)) if found else None
        if found is None or unit is None:
            raise Invalid(f"{text!r} is no duration.", hint='Write it like "10 min", "1h 30min" or "3 days".')
        seconds += int(found.group(1)) * unit
        at = found.end()
    if not 0 < seconds <= LONGEST.total_seconds():
        raise Invalid("A duration is from one second to a year.", hint='Write it like "10 min" or "3 days".')
    return timedelta(seconds=seconds)


def _unit(word: str) -> int | None:
    lowered = word.lower()
    return _UNITS.get(lowered) or _UNITS.get(lowered.removesuffix("s"))
