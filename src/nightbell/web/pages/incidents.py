"""Incidents, for whoever coordinates: what is open, how bad, and who has it."""

from collections.abc import Mapping
from uuid import UUID

from litestar import Response

from nightbell.core.access import Permission
from nightbell.core.uuids import as_uuid
from nightbell.store import incident_tables as tables
from nightbell.store.read import incident_pages as reads
from nightbell.store.read import teams
from nightbell.store.read.incident_pages import OPEN, Wanted
from nightbell.store.read.listing import Listing
from nightbell.web import incident_view as view
from nightbell.web.render import render
from nightbell.web.site import WebRequest, page

ALL = Listing(limit=1000)
PLANNED = ("scheduled", "in_progress", "completed")
#: Name, what it is called, and its statuses.
TABS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("open", "Open", OPEN),
    ("in_triage", "In triage", ("in_triage",)),
    ("started", "Started", ("started",)),
    ("mitigated", "Mitigated", ("mitigated",)),
    ("resolved", "Resolved", ("resolved",)),
    ("closed", "Closed", ("closed",)),
    ("cancelled", "Cancelled", ("cancelled",)),
    ("planned", "Planned work", PLANNED),
    ("all", "All", ()),
)
_CHOICES = ("severity", "service", "team")


@page(["/incidents", "/account/incidents"], Permission.VIEW)
async def listed(request: WebRequest) -> Response[bytes]:
    """Show incidents, open ones first."""
    db, who, asked = request.site.db, view.viewer(request), request.query_params
    status = next((tab for tab in TABS if tab[0] == asked.get("status")), TABS[0])
    text = str(asked.get("q", ""))[:200].replace("\0", "")
    chosen = {name: str(asked.get(name, "")) for name in _CHOICES}
    wanted = Wanted(
        statuses=status[2],
        text=text,
        severity_id=as_uuid(chosen["severity"]),
        service_id=as_uuid(chosen["service"]),
        team_id=as_uuid(chosen["team"]),
        after=_after(str(asked.get("after", ""))),
    )
    found = await reads.screen(db, who, wanted)
    counts = await reads.counts(db, who)
    options = await options_of(request)
    return await render(
        request,
        "incidents.html",
        nav="incidents",
        status=status[0],
        tab=status[1],
        tabs=[(name, says, _counted(counts, statuses)) for name, says, statuses in TABS],
        rows=found.rows,
        more=f"{int(found.more[0])}.{found.more[1]}" if found.more else "",
        after=wanted.after is not None,
        text=text,
        filters=[
            (n, n.capitalize(), options[n + "s" if n != "severity" else "severities"], chosen[n])
            for n in _CHOICES
        ],
        kept={"q": text, **chosen},
        narrowed=bool(text or any(chosen.values())),
        any_incident=bool(counts),
    )


def _counted(counts: Mapping[str, int], statuses: tuple[str, ...]) -> int:
    return sum(counts.get(one, 0) for one in statuses) if statuses else sum(counts.values())


def _after(text: str) -> tuple[bool, int] | None:
    rank, _, number = text.partition(".")
    known = reads.number_of(number)
    return (rank == "1", known) if rank in ("0", "1") and known is not None else None


async def options_of(request: WebRequest) -> dict[str, list[tuple[UUID, str]]]:
    """Return what an incident can be described with, as (id, name)."""
    db = request.site.db
    found = {
        "severities": await reads.catalog(db, tables.severities),
        "services": (await teams.services(db, ALL)).rows,
        "teams": (await teams.teams(db, ALL)).rows,
        "environments": await reads.catalog(db, tables.environments),
        "types": await reads.catalog(db, tables.incident_types),
    }
    return {name: [(row["id"], row["name"]) for row in rows] for name, rows in found.items()}


ROUTES = [listed]
