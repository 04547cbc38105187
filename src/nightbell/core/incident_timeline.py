"""Decides what stands in an incident's timeline: one line for each change, and what that change is called on the wire.

Rule 1: a line says what happened; who did it and why stand beside it, in the columns of their own.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from nightbell.core.incident import TIMES, Incident, Status, named
from nightbell.core.journal import Actor

#: Longest text of a line.
LONGEST = 10_000


class Line(Struct, frozen=True, kw_only=True):
    """One line of the timeline.

    Shape: `code` is ours ("incident.mitigated"); `kinds` are the triggers of workflows that it means; `changed` names
    the attributes it is about; `data` goes with the happenings.
    """

    code: str
    event: str
    kinds: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    because: dict[str, Any] = {}
    data: dict[str, Any] = {}


#: Attribute, what people call it, and the trigger that its change is.
_TEXTS = (
    ("title", "Title", "title_updated"),
    ("public_title", "Public title", ""),
    ("kind", "Kind", ""),
    ("mitigation_message", "Mitigation message", ""),
    ("resolution_message", "Resolution message", ""),
    ("cancellation_message", "Cancellation message", ""),
    ("retrospective_status", "Retrospective", ""),
)
_IDS = (
    ("severity_id", "Severity", "severity_updated"),
    ("sub_status_id", "Sub-status", "status_updated"),
    ("parent_incident_id", "Parent incident", ""),
)
_SWITCHES = {
    "private": ("Made private", "Made public"),
    "resolve_alerts": ("Its alerts are resolved with it", "Its alerts are left alone when it is resolved"),
    "resolve_with_alerts": (
        "It is resolved when all its alerts are",
        "It stays open when its alerts are over",
    ),
}
_PLANS = ("scheduled_for", "scheduled_until", *TIMES)

#: How each status reads in a sentence.
_MOVES = {
    "started": "Started",
    "triaged": "Put back in triage",
    "mitigated": "Mitigated",
    "resolved": "Resolved",
    "closed": "Closed",
    "cancelled": "Cancelled",
    "restarted": "Restarted",
    "begun": "Planned work began",
    "completed": "Planned work completed",
}
_FIRST = {Status.IN_TRIAGE: "incident_in_triage", Status.STARTED: "incident_started"}


def opened(incident: Incident, by: Actor, alert: str = "") -> Line:
    """Return the first line; `alert` is the short id of the first one it was made of."""
    kinds = ("incident_created", *filter(None, (_FIRST.get(incident.status),)))
    how = f" by workflow {by.name}" if by.kind == "workflow" else ""
    how += f" from alert {alert}" if alert else ""
    how += f" as {spoken(incident.status)}" if incident.status is not Status.STARTED else ""
    said = f"Incident created{how}: {incident.title}"
    return Line(code="incident.created", event=said, kinds=kinds, because={"alert": alert} if alert else {})


def moving(before: Incident, after: Incident, message: str | None = None) -> Line:
    """Return the line of a change of status."""
    name = named(before, after.status)
    event = f"{_MOVES[name]} (was {spoken(before.status)})" + (f": {message}" if message else "")
    kinds = ("status_updated", *filter(None, (_FIRST.get(after.status),)))
    changes = {"status": after.status.value, "previous": before.status.value}
    return Line(code=f"incident.{name}", event=event, kinds=kinds, changed=("status",), data=changes)


def spoken(status: Status) -> str:
    """Return a status as people say it."""
    return status.value.replace("_", " ")


def told(before: Incident, after: Incident, names: Mapping[Any, str]) -> list[Line]:
    """Return a line for each attribute that changed, but the status; `names` are those of what ids stand for."""
    return [
        *_texts(before, after),
        *_ids(before, after, names),
        *_switches(before, after),
        *_times(before, after),
    ]


def _texts(before: Incident, after: Incident) -> Iterator[Line]:
    for name, label, kind in _TEXTS:
        was, now = getattr(before, name), getattr(after, name)
        # That an incident below another is a sub-incident is told by its parent.
        by_parent = name == "kind" and before.parent_incident_id != after.parent_incident_id
        if was != now and not by_parent:
            yield _line(name, f"{label}: {_shown(was)} → {_shown(now)}", kind)
    if before.summary != after.summary:
        yield _line("summary", f"Summary: {after.summary or 'none'}", "summary_updated")
    if before.retrospective != after.retrospective:
        yield _line("retrospective", "Retrospective written", "")
    if before.labels != after.labels:
        shown = ", ".join(f"{key}={value}" for key, value in sorted(after.labels.items()))
        yield _line("labels", f"Labels: {shown or 'none'}", "")


def _ids(before: Incident, after: Incident, names: Mapping[Any, str]) -> Iterator[Line]:
    for name, label, kind in _IDS:
        was, now = getattr(before, name), getattr(after, name)
        if was != now:
            shown = (names.get(one, "none") if one else "none" for one in (was, now))
            yield _line(name, f"{label}: {' → '.join(shown)}", kind)
    if before.muted_service_ids != after.muted_service_ids:
        shown_all = ", ".join(names.get(one, str(one)) for one in after.muted_service_ids)
        yield _line("muted_service_ids", f"Muted services: {shown_all or 'none'}", "")


def _switches(before: Incident, after: Incident) -> Iterator[Line]:
    for name, (on, off) in _SWITCHES.items():
        if getattr(before, name) != getattr(after, name):
            kind = "visibility_updated" if name == "private" else ""
            yield _line(name, on if getattr(after, name) else off, kind)


def _times(before: Incident, after: Incident) -> Iterator[Line]:
    for name in _PLANS:
        was, now = getattr(before, name), getattr(after, name)
        if was != now:
            label = name.removesuffix("_at").replace("_", " ").capitalize()
            yield _line(name, f"{label}: {_instant(was)} → {_instant(now)}", "")


def linked(label: str, kind: str, added: Sequence[str], removed: Sequence[str]) -> Line:
    """Return the line of services, teams, environments, types or functionalities that came or went.

    Shape: `kind` is Rootly's plural ("services"), from which its triggers are made.
    """
    said = [f"added {', '.join(added)}"] if added else []
    said += [f"removed {', '.join(removed)}"] if removed else []
    ways = [("added", added), ("removed", removed)]
    kinds = (f"{kind}_updated", *(f"{kind}_{way}" for way, those in ways if those))
    return _line(kind, f"{label}: {'; '.join(said)}", *kinds)


def _line(name: str, event: str, *kinds: str) -> Line:
    return Line(
        code=f"incident.{name.removesuffix('_id')}_changed",
        event=event[:LONGEST],
        kinds=tuple(filter(None, kinds)),
        changed=(name,),
    )


def _shown(value: str | None) -> str:
    return value or "none"


def _instant(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC") if at else "none"
