"""Decides what a retrospective says: a Markdown template, filled from what an incident was.

Rule 1: a template is filled in one pass, so nothing that a value says is ever read as a template.
"""

import re
from collections.abc import Callable
from datetime import UTC, tzinfo
from difflib import get_close_matches

from nightbell.core import incident_report as parts
from nightbell.core.errors import Invalid
from nightbell.core.incident_report import Report

#: Of a template, and of what it becomes: a timeline of a thousand lines is about 150 KB.
LONGEST_TEMPLATE = 20_000
LONGEST_TEXT = 200_000

TEMPLATE = """\
# Retrospective: {{ incident.title }}

Incident #{{ incident.sequential_id }} · {{ incident.severity }} · {{ incident.status }} · {{ incident.url }}

| | |
| --- | --- |
| Services | {{ incident.services }} |
| Teams | {{ incident.groups }} |
| Started | {{ incident.started_at }} |
| Resolved | {{ incident.resolved_at }} |

## Summary

{{ incident.summary }}

## Impact

_What did people notice, how many of them, and for how long?_

## What happened

{{ incident.timeline }}

## How long it took

{{ incident.durations }}

## Who was there

{{ incident.roles }}

## What made it better

**Mitigation.** {{ incident.mitigation_message }}

**Resolution.** {{ incident.resolution_message }}

## What went well, what did not, where we were lucky

-

## Alerts

{{ incident.alerts }}

## What we do about it

{{ incident.action_items }}
"""

Part = Callable[[Report, tzinfo], str]


def _at(status: str) -> Part:
    return lambda report, zone: parts.moment(
        next((one.at for one in report.moments if one.name == status), None), zone
    )


def _written(text: str) -> str:
    return text.strip() or "_Nothing was written._"


#: Each name that a template may hold. They are those of workflows (spec: Rootly's variables), less what has no text.
PARTS: dict[str, Part] = {
    "incident.title": lambda report, zone: parts.plain(report.title),
    "incident.sequential_id": lambda report, zone: str(report.number),
    "incident.slug": lambda report, zone: parts.plain(report.slug),
    "incident.status": lambda report, zone: parts.plain(report.status),
    "incident.severity": lambda report, zone: parts.plain(report.severity) or "no severity",
    "incident.url": lambda report, zone: f"<{report.url}>",
    "incident.creator": lambda report, zone: parts.plain(report.creator) or "–",
    "incident.summary": lambda report, zone: _written(report.summary),
    "incident.mitigation_message": lambda report, zone: _written(report.mitigation),
    "incident.resolution_message": lambda report, zone: _written(report.resolution),
    "incident.services": lambda report, zone: parts.names(report.services),
    "incident.groups": lambda report, zone: parts.names(report.teams),
    "incident.environments": lambda report, zone: parts.names(report.environments),
    "incident.incident_types": lambda report, zone: parts.names(report.types),
    "incident.in_triage_at": _at("in_triage"),
    "incident.started_at": _at("started"),
    "incident.mitigated_at": _at("mitigated"),
    "incident.resolved_at": _at("resolved"),
    "incident.closed_at": _at("closed"),
    "incident.timeline": parts.timeline,
    "incident.moments": parts.moments,
    "incident.durations": lambda report, zone: parts.durations(report),
    "incident.roles": lambda report, zone: parts.people(report),
    "incident.action_items": lambda report, zone: parts.items(report),
    "incident.alerts": parts.alerts,
}
_PLACE = re.compile(r"\{\{-?\s*([^{}]*?)\s*-?\}\}")
_OPEN = re.compile(r"\{\{|\}\}")


def check(template: str) -> None:
    """Accept a template, or say where it cannot be filled.

    Raises: Invalid with the line and what would be right.
    """
    if len(template) > LONGEST_TEMPLATE:
        raise Invalid(f"At most {LONGEST_TEMPLATE:,} characters, please.", place="template")
    for found in _PLACE.finditer(template):
        if found[1] not in PARTS:
            line = template.count("\n", 0, found.start()) + 1
            raise Invalid(
                f"Line {line}: there is no {{{{ {found[1][:60]} }}}}.",
                place="template",
                hint=_instead(found[1]),
            )
    rest = _PLACE.sub(lambda found: "\n" * found[0].count("\n"), template)
    if stray := _OPEN.search(rest):
        line = rest.count("\n", 0, stray.start()) + 1
        raise Invalid(
            f"Line {line}: {stray[0]} stands alone.", place="template", hint="Write {{ incident.title }}."
        )


def _instead(name: str) -> str:
    near = get_close_matches(name, PARTS, n=1)
    if name and not near:
        near = get_close_matches(f"incident.{name}", PARTS, n=1, cutoff=0.8)
    return f"Did you mean {{{{ {near[0]} }}}}?" if near else f"There are: {', '.join(PARTS)}."


def fill(template: str, report: Report, zone: tzinfo = UTC) -> str:
    """Return a retrospective; a name that no longer exists becomes nothing, so that an old template still serves."""

    def part(found: re.Match[str]) -> str:
        known = PARTS.get(found[1])
        return known(report, zone) if known else ""

    return _PLACE.sub(part, template)[:LONGEST_TEXT]
