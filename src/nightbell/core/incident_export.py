"""Decides what leaves the house of one incident: everything of it, as Markdown for people and as JSON for machines."""

from datetime import UTC, tzinfo
from typing import Any

import msgspec

from nightbell.core import incident_report as parts
from nightbell.core.incident_report import Phase, Report


def markdown(report: Report, retrospective: str = "", zone: tzinfo = UTC) -> str:
    """Return an incident to read; a retrospective, where there is one, follows it."""
    sections = [
        f"# #{report.number} {parts.plain(report.title)}",
        _facts(report),
        *_written("Summary", report.summary),
        "## Moments\n\n" + parts.moments(report, zone),
        "## Durations\n\n" + parts.durations(report),
        "## Roles\n\n" + parts.people(report),
        "## Timeline\n\n" + parts.timeline(report, zone),
        "## Action items\n\n" + parts.items(report),
        "## Alerts\n\n" + parts.alerts(report, zone),
        *_written("Mitigation", report.mitigation),
        *_written("Resolution", report.resolution),
        *_written("Cancellation", report.cancellation),
        *(["---", retrospective.strip()] if retrospective.strip() else []),
    ]
    return "\n\n".join(sections) + "\n"


def _facts(report: Report) -> str:
    told = [
        ("Status", parts.plain(report.status.replace("_", " "))),
        ("Severity", parts.plain(report.severity) or "none"),
        ("Services", parts.names(report.services)),
        ("Teams", parts.names(report.teams)),
        ("Environments", parts.names(report.environments)),
        ("Types", parts.names(report.types)),
        ("Private", "yes" if report.private else "no"),
        ("Subscribers", parts.names(report.subscribers)),
        ("Address", f"<{report.url}>"),
    ]
    return "\n".join(f"- {name}: {value}" for name, value in told)


def _written(heading: str, text: str) -> list[str]:
    return [f"## {heading}\n\n{text.strip()}"] if text.strip() else []


def as_json(report: Report, retrospective: str = "") -> bytes:
    """Return an incident for programs: the fields of `Report`, lengths in seconds, instants in UTC."""
    told: dict[str, Any] = msgspec.structs.asdict(report)
    told["phases"] = [_phase(phase) for phase in report.phases]
    for name in ("to_acknowledge", "to_resolve"):
        span = told.pop(name)
        told[f"{name}_seconds"] = int(span.total_seconds()) if span is not None else None
    told["retrospective"] = retrospective or None
    return msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n"


def _phase(phase: Phase) -> dict[str, Any]:
    return {"name": phase.name, "seconds": int(phase.length.total_seconds()), "open": phase.open}
