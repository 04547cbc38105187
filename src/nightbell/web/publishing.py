"""What the page of an incident shows of its public side: what was published where, what was sent to whom, what may follow."""

from typing import Any
from uuid import UUID, uuid4

from nightbell.core import status_page
from nightbell.core.incident import PLANNED
from nightbell.store.read import incident_updates, status_pages, teams
from nightbell.store.read.listing import Listing
from nightbell.web.site import WebRequest

_ALL = Listing(limit=1000)
_SEVERITY = ("", "as its severity says")


async def facts(request: WebRequest, incident: dict[str, Any]) -> dict[str, Any]:
    """Return what `incident_publish.html` shows, as its `public`."""
    db, planned = request.site.db, incident["kind"] in PLANNED
    events = await status_pages.published_of(db, incident["id"])
    said = statuses(planned=planned)
    suggested = status_page.suggested(incident["status"], planned=planned)
    return {
        "pages": [(row["id"], row["title"]) for row in (await status_pages.status_pages(db, _ALL)).rows],
        "events": events,
        "statuses": said,
        "suggested": _next(events, suggested, [value for value, _ in said]),
        "impacts": impacts(),
        "title": incident.get("public_title") or incident["title"],
        "updates": await incident_updates.updates(db, incident["id"]),
        "addresses": await incident_updates.addresses(db, incident["id"]),
        "followers": await incident_updates.followers(db, incident["id"]),
        "key": str(uuid4()),
        "behind": _behind(events, suggested),
        "muted": await _names(request, incident["muted_service_ids"]),
    }


async def _names(request: WebRequest, service_ids: list[UUID]) -> list[str]:
    if not service_ids:
        return []
    known = await teams.services_by_id(request.site.db, service_ids)
    return sorted(row["name"] for row in known.values())


def statuses(*, planned: bool) -> list[tuple[str, str]]:
    """Return what may be published of an incident, with its words."""
    return [(one, one.replace("_", " ").capitalize()) for one in status_page.statuses(planned=planned)]


def impacts() -> list[tuple[str, str]]:
    """Return what may be said of an incident's impact, with its words."""
    return [_SEVERITY, *((wire, state.words) for wire, state in status_page.STATES.items())]


def _next(events: list[dict[str, Any]], suggested: str, order: list[str]) -> str:
    """Return the status a form begins with: what fits the incident, and nothing before what was published last."""
    last = events[0]["status"] if events else suggested
    known = [one for one in (suggested, last) if one in order]
    return max(known, key=order.index, default=suggested)


def _behind(events: list[dict[str, Any]], suggested: str) -> bool:
    """Return whether the public still reads that it goes on although it is over."""
    over = ("resolved", "completed")
    return bool(events) and suggested in over and events[0]["status"] not in over
