"""This file gathers what is told of one incident in writing: its retrospective, its exports.

Rule 1: whoever asks has been shown to see the incident; nothing here looks again.
"""

from datetime import datetime
from typing import Any

from nightbell.core import incident as rules
from nightbell.core import shortid
from nightbell.core.incident_report import Attached, Entry, Item, Moment, Phase, Report, Seat
from nightbell.core.incident_timeline import spoken
from nightbell.engine.incident_work import read
from nightbell.engine.incidents_timeline import WRITTEN
from nightbell.store.db import Runner
from nightbell.store.read import incident_pages as reads

#: The instants of an incident.
MARKS = (
    "detected", "in_triage", "started", "acknowledged", "mitigated", "resolved", "closed", "cancelled",
)  # fmt: skip


async def report(db: Runner, row: dict[str, Any], *, base_url: str, now: datetime) -> Report:
    """Return an incident, as `incident_pages.incident` reads it, as it is told in writing."""
    ident, incident = row["id"], read(row)
    links = await reads.links(db, ident)
    named = {kind: tuple(name for _, name in things) for kind, things in links.items()}
    return Report(
        number=row["sequential_id"],
        title=row["title"],
        slug=row["slug"],
        status=spoken(incident.status).capitalize(),
        url=f"{base_url}/account/incidents/{row['sequential_id']}-{row['slug']}",
        severity=row["severity"] or "",
        kind=row["kind"],
        private=row["private"],
        summary=row["summary"] or "",
        mitigation=row["mitigation_message"] or "",
        resolution=row["resolution_message"] or "",
        cancellation=row["cancellation_message"] or "",
        services=named["service"],
        teams=named["team"],
        environments=named["environment"],
        types=named["type"],
        labels=row["labels"],
        creator=row["creator"] or row["source"],
        moments=_moments(row),
        phases=tuple(_phase(one) for one in rules.phases(incident, now)),
        to_acknowledge=rules.to_acknowledge(incident),
        to_resolve=rules.to_resolve(incident),
        seats=tuple(_seat(one) for one in await reads.roles(db, ident) if one["people"]),
        subscribers=tuple(one["name"] or one["email"] for one in await reads.subscribers(db, ident)),
        entries=tuple(_entry(one) for one in await reads.events(db, ident)),
        items=tuple(_item(one) for one in await reads.items(db, ident)),
        alerts=tuple(_attached(base_url, one) for one in await reads.alerts(db, ident)),
    )


def who(event: dict[str, Any]) -> str:
    """Return who is behind an entry."""
    return str(event["user_name"] or event["actor"])


def _moments(row: dict[str, Any]) -> tuple[Moment, ...]:
    names = row["names"] or {}
    told = [Moment(name=m, at=row[f"{m}_at"], by=names.get(str(row.get(f"{m}_by")), "")) for m in MARKS]
    return tuple(told)


def _phase(phase: rules.Phase) -> Phase:
    return Phase(name=spoken(phase.status).capitalize(), length=phase.length, open=phase.open)


def _seat(role: dict[str, Any]) -> Seat:
    return Seat(role=role["name"], people=tuple(one["name"] for one in role["people"]))


def _entry(event: dict[str, Any]) -> Entry:
    links = ((one.get("title") or "", one.get("url") or "") for one in event["attachments"])
    return Entry(
        at=event["occurred_at"],
        text=event["event"],
        by=who(event),
        written=event["code"] == WRITTEN,
        visibility=event["visibility"],
        links=tuple(links),
    )


def _item(row: dict[str, Any]) -> Item:
    return Item(
        summary=row["summary"],
        status=row["status"],
        kind=row["kind"],
        priority=row["priority"],
        owner=", ".join([*filter(None, [row["owner"]]), *row["teams"]]),
        due=row["due_date"].isoformat() if row["due_date"] else "",
    )


def _attached(base_url: str, row: dict[str, Any]) -> Attached:
    short = shortid.encode(row["number"])
    return Attached(
        short_id=short,
        summary=row["summary"],
        status=row["status"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        url=f"{base_url}/account/alerts/{short}",
    )
