"""Gathers what a page shows of one incident: its steps, phases and timeline, and the report that is written of it.

Rule 1: an incident that somebody may not see does not exist for them: `find` says Unknown.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from markupsafe import Markup
from msgspec import Struct

from nightbell.core import incident as rules
from nightbell.core.access import Permission, may
from nightbell.core.errors import Unknown
from nightbell.core.incident import Incident, Status
from nightbell.core.incident_report import Report
from nightbell.core.labels import clean
from nightbell.engine import incident_reports
from nightbell.engine.incident_reports import MARKS, who
from nightbell.engine.incidents_timeline import WRITTEN
from nightbell.store.read import incident_pages as reads
from nightbell.store.read.incident_pages import Viewer
from nightbell.web.markdown import shown
from nightbell.web.site import WebRequest
from nightbell.web.times import Times

_DOTS = {
    "incident.resolved": "g",
    "incident.completed": "g",
    "incident.closed": "g",
    "incident.mitigated": "y",
    "incident.created": "f",
    "incident.restarted": "f",
    WRITTEN: "p",
}


class Step(Struct, frozen=True, kw_only=True):
    """A button that moves an incident on. `asks` is the question of its message, "" when it has none."""

    to: str
    label: str
    hint: str
    asks: str = ""
    needed: bool = False
    main: bool = False


_STEPS = {
    Status.IN_TRIAGE: ("Back to triage", "Nobody is sure any more that it is an incident.", "", False),
    Status.STARTED: ("Start", "Work begins.", "", False),
    Status.MITIGATED: (
        "Mitigate",
        "It does no harm any more; the cause is still there.",
        "What was done?",
        False,
    ),
    Status.RESOLVED: ("Resolve", "It is over.", "What was it, and what made it better?", False),
    Status.CLOSED: ("Close", "Nothing is left to do for it.", "", False),
    Status.CANCELLED: ("Cancel incident", "It was none.", "Why was it no incident?", True),
    Status.IN_PROGRESS: ("Begin", "The planned work begins; its services are muted.", "", False),
    Status.COMPLETED: ("Complete", "The planned work is done.", "", False),
    Status.SCHEDULED: ("Plan again", "It will be done after all.", "", False),
}
_MAIN = {
    Status.IN_TRIAGE: Status.STARTED,
    Status.STARTED: Status.MITIGATED,
    Status.MITIGATED: Status.RESOLVED,
    Status.RESOLVED: Status.CLOSED,
    Status.SCHEDULED: Status.IN_PROGRESS,
    Status.IN_PROGRESS: Status.COMPLETED,
}


def viewer(request: WebRequest) -> Viewer:
    """Return who looks: from whoever invites people, no incident is kept."""
    who = request.visitor
    return Viewer(user_id=who.user_id, everything=may(who.role, Permission.PEOPLE))


async def find(request: WebRequest, ref: str) -> dict[str, Any]:
    """Return an incident by number, number and slug, slug or id.

    Raises: Unknown, also for one that is kept from who asks.
    """
    db, who, ref = request.site.db, viewer(request), clean(ref)
    number = reads.number_of(ref.partition("-")[0]) if ref[:1].isdigit() else reads.number_of(ref)
    ident = _uuid(ref)
    found = None
    if ident is not None:
        found = await reads.incident(db, who, ident=ident)
    elif number is not None:
        found = await reads.incident(db, who, number=number)
    # A slug may begin with a number: "500-errors".
    if found is None or (number is not None and not _names(found, ref)):
        found = await reads.incident(db, who, slug=ref[:255]) or found
    if found is None:
        raise Unknown(
            f"There is no incident {ref[:60]}.", hint="Or it is private, and its people have not added you."
        )
    return found


def _names(found: dict[str, Any], ref: str) -> bool:
    rest = ref.partition("-")[2]
    return not ref[:1].isdigit() or rest in ("", found["slug"])


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def url(row: dict[str, Any]) -> str:
    """Return where the page of an incident is."""
    return f"/incidents/{row['sequential_id']}"


def steps(incident: Incident) -> list[Step]:
    """Return what may come next, the usual one first."""
    main = _MAIN.get(incident.status)
    order = sorted(rules.successors(incident), key=lambda to: (to is not main, to is Status.CANCELLED))
    return [_step(incident, to, main=to is main) for to in order]


def _step(incident: Incident, to: Status, *, main: bool) -> Step:
    label, hint, asks, needed = _STEPS[to]
    if rules.named(incident, to) == "restarted" and to in (Status.STARTED, Status.IN_PROGRESS):
        label, hint = "Start again", "It was not over."
    return Step(to=to.value, label=label, hint=hint, asks=asks, needed=needed, main=main)


def phases(incident: Incident, now: datetime) -> list[dict[str, Any]]:
    """Return each status it went through with how long it stood there; where it is over, the last one without."""
    told: list[dict[str, Any]] = [
        {"status": p.status.value, "length": p.length, "open": p.open, "since": now - p.length}
        for p in rules.phases(incident, now)
    ]
    if not told or not told[-1]["open"]:
        told.append({"status": incident.status.value, "length": None, "open": False, "since": None})
    return told


def moments(row: dict[str, Any]) -> list[tuple[str, datetime, str]]:
    """Return when it came to each status, and by whom, in order."""
    names = row["names"] or {}
    told = [
        (one.replace("_", " ").capitalize(), row[f"{one}_at"], names.get(str(row.get(f"{one}_by")), ""))
        for one in MARKS
        if row[f"{one}_at"]
    ]
    return sorted(told, key=lambda moment: moment[1])


# ---------------------------------------------------------------- the timeline


def by_hand(event: dict[str, Any]) -> bool:
    """Return whether a person wrote the words of an entry."""
    return bool(event["code"] == WRITTEN)


def timeline(events: Iterable[dict[str, Any]], times: Times) -> list[dict[str, Any]]:
    """Return the lines of the timeline, the newest first, with a line for each day that is not today."""
    lines: list[dict[str, Any]] = []
    day = times.day(times.now)
    for event in reversed(list(events)):
        if (its := times.day(event["occurred_at"])) != day:
            lines.append({"day": its})
            day = its
        lines.append(_line(event))
    return lines


def _line(event: dict[str, Any]) -> dict[str, Any]:
    return {
        "day": "",
        "id": event["id"],
        "at": event["occurred_at"],
        "dot": _DOTS.get(event["code"], ""),
        "text": event["event"],
        "html": shown(event["event"]) if by_hand(event) else "",
        "by": by(event),
        "why": because(event),
        "external": event["visibility"] == "external",
        "links": [(one.get("title") or "", one.get("url") or "") for one in event["attachments"]],
    }


def by(event: dict[str, Any]) -> str:
    """Return who is behind an entry, and what it is where it is no person."""
    name = who(event)
    return f"workflow {name}" if event["because"].get("workflow") == name else name


def because(event: dict[str, Any]) -> str:
    """Return why something happened, where its words do not say so: by which workflow, because of which alert."""
    facts = event["because"]
    told = [(kind, facts[kind]) for kind in ("workflow", "alert") if isinstance(facts.get(kind), str)]
    said = (event["event"], who(event))
    return ", ".join(f"{kind} {name}" for kind, name in told if not any(name in words for words in said))


# ---------------------------------------------------------------- the report


async def report(request: WebRequest, row: dict[str, Any]) -> Report:
    """Return an incident as it is told in writing."""
    return await incident_reports.report(
        request.site.db, row, base_url=request.site.base_url, now=request.now
    )


def figures(incident: Incident) -> list[tuple[str, timedelta | None]]:
    """Return the figures beside the phases: how long nobody had it, how long it lasted."""
    if incident.planned:
        return []
    return [("To acknowledge", rules.to_acknowledge(incident)), ("To resolve", rules.to_resolve(incident))]


def summary(row: dict[str, Any]) -> Markup:
    """Return the summary as its Markdown says."""
    return shown(row["summary"] or "")
