"""This file reads what only the pages of incidents show.

Rule 1: every reader is handed who looks, and says nothing of a private incident to whom it does not concern.
"""

from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy import Table, select

from nightbell.store.db import Row, Runner
from nightbell.store.statements import fetch_core

OPEN = ("in_triage", "started", "mitigated")
#: So much of a timeline is shown at first, and told on paper.
EVENTS, ALL_EVENTS = 300, 10_000


class Viewer(Struct, frozen=True, kw_only=True):
    """Who looks; `everything` for those from whom no incident is kept."""

    user_id: int
    everything: bool


class Wanted(Struct, frozen=True, kw_only=True):
    """Which incidents. No status means all; `after` is (open, number) of the last one of the screen before."""

    statuses: tuple[str, ...] = ()
    severity_id: UUID | None = None
    service_id: UUID | None = None
    team_id: UUID | None = None
    text: str = ""
    after: tuple[bool, int] | None = None
    limit: int = 50


class Screen(Struct, frozen=True, kw_only=True):
    """Incidents, and where to go on."""

    rows: list[dict[str, Any]]
    more: tuple[bool, int] | None = None


async def screen(db: Runner, viewer: Viewer, wanted: Wanted) -> Screen:
    """Return a screen of incidents, open ones first."""
    number = number_of(wanted.text)
    rows = await db.rows(
        "incident_screen",
        viewer.user_id,
        viewer.everything,
        list(wanted.statuses),
        wanted.severity_id,
        wanted.service_id,
        wanted.team_id,
        _pattern(wanted.text),
        number,
        wanted.after[1] if wanted.after else None,
        wanted.after[0] if wanted.after else None,
        wanted.limit + 1,
    )
    shown = [_dict(row) for row in rows[: wanted.limit]]
    last = shown[-1] if len(rows) > wanted.limit else None
    return Screen(rows=shown, more=(last["open"], last["sequential_id"]) if last else None)


def number_of(text: str) -> int | None:
    """Return the number somebody may mean: 42, #42, INC-42."""
    digits = text.strip().lower().removeprefix("inc-").removeprefix("#")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None


def _pattern(text: str) -> str:
    escaped = text.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%" if escaped else ""


async def counts(db: Runner, viewer: Viewer) -> dict[str, int]:
    """Return how many incidents there are by status, those that have any."""
    return {
        row["status"]: row["count"]
        for row in await db.rows("incident_screen_counts", viewer.user_id, viewer.everything)
    }


async def incident(
    db: Runner,
    viewer: Viewer,
    *,
    number: int | None = None,
    ident: UUID | None = None,
    slug: str | None = None,
) -> dict[str, Any] | None:
    """Return one incident with the names around it, None where there is none to be seen."""
    row = await db.row("incident_page", viewer.user_id, viewer.everything, number, ident, slug)
    return _dict(row) if row else None


async def links(db: Runner, incident_id: UUID) -> dict[str, list[tuple[UUID, str]]]:
    """Return what an incident is about: `service`, `team`, `environment` and `type`, each as (id, name)."""
    found: dict[str, list[tuple[UUID, str]]] = {"service": [], "team": [], "environment": [], "type": []}
    for row in await db.rows("incident_page_links", incident_id):
        found[row["kind"]].append((row["id"], row["name"]))
    return found


async def events(db: Runner, incident_id: UUID, *, most: int = ALL_EVENTS) -> list[dict[str, Any]]:
    """Return the timeline, oldest first; the newest lines where there are more."""
    return [_dict(row) for row in await db.rows("incident_page_events", incident_id, most)]


async def roles(db: Runner, incident_id: UUID) -> list[dict[str, Any]]:
    """Return the roles there are, each with its `people` in an incident."""
    return [_dict(row) for row in await db.rows("incident_page_roles", incident_id)]


async def items(db: Runner, incident_id: UUID) -> list[dict[str, Any]]:
    """Return the action items of an incident, open ones first."""
    return [_dict(row) for row in await db.rows("incident_page_items", incident_id)]


async def alerts(db: Runner, incident_id: UUID) -> list[dict[str, Any]]:
    """Return the alerts of an incident as they stand, what is not resolved first."""
    return [_dict(row) for row in await db.rows("incident_page_alerts", incident_id)]


async def subscribers(db: Runner, incident_id: UUID) -> list[Row]:
    """Return who is told of an incident."""
    return await db.rows("incident_page_subscribers", incident_id)


async def family(db: Runner, viewer: Viewer, incident_id: UUID) -> list[dict[str, Any]]:
    """Return the incidents below an incident (`below`) and those that duplicate it."""
    return [
        _dict(row)
        for row in await db.rows("incident_page_family", viewer.user_id, viewer.everything, incident_id)
    ]


async def of_alert(db: Runner, viewer: Viewer, alert_id: UUID) -> list[dict[str, Any]]:
    """Return the incidents of an alert."""
    return [
        _dict(row) for row in await db.rows("incidents_of_alert", viewer.user_id, viewer.everything, alert_id)
    ]


async def choices(db: Runner, viewer: Viewer, *, but: UUID | None = None) -> list[dict[str, Any]]:
    """Return incidents to choose from: what is open or was resolved lately, but one."""
    return [_dict(row) for row in await db.rows("incident_choices", viewer.user_id, viewer.everything, but)]


async def to_do(db: Runner, viewer: Viewer, *, whose: int | None, open: bool) -> list[dict[str, Any]]:
    """Return action items, a person's and their teams' or everybody's; open ones by their date."""
    rows = await db.rows("action_item_screen", viewer.user_id, viewer.everything, whose, open)
    return [_dict(row) for row in rows]


async def uses(db: Runner) -> dict[UUID, int]:
    """Return how many incidents use each row of the catalogs."""
    return {row["id"]: row["uses"] for row in await db.rows("incident_catalog_uses")}


async def catalog(db: Runner, table: Table) -> list[dict[str, Any]]:
    """Return a whole catalog, in its order."""
    rows = await fetch_core(db, select(table).order_by(table.c.position, table.c.name))
    return [_dict(row) for row in rows]


def _dict(row: Row) -> dict[str, Any]:
    return dict(row.items())
