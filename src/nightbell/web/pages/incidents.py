"""Incidents: the list for whoever coordinates, and the form that opens or edits one."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from litestar import Response

from nightbell.core.access import Permission
from nightbell.core.errors import Invalid
from nightbell.engine.incident_edits import IncidentEdit
from nightbell.store import incident_tables as tables
from nightbell.store.read import incident_pages as reads
from nightbell.store.read import teams
from nightbell.store.read.incident_pages import OPEN, Wanted
from nightbell.store.read.listing import Listing, as_uuid
from nightbell.web import incident_view as view
from nightbell.web.faults import told
from nightbell.web.forms import Form
from nightbell.web.pages.alert import find as find_alert
from nightbell.web.render import go, render
from nightbell.web.site import WebRequest, action, page

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
_LINKS = ("service", "team", "environment", "type")
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
    options = await _options(request)
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


async def _options(request: WebRequest) -> dict[str, list[tuple[UUID, str]]]:
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


# ---------------------------------------------------------------- open one


@page(["/incidents/new", "/account/incidents/new"], Permission.RESPOND)
async def new(request: WebRequest) -> Response[bytes]:
    """Show the form of a new incident, filled from an alert or a larger incident where it comes from one."""
    asked = request.query_params
    context = await _context(request, str(asked.get("alert", "")), str(asked.get("parent", "")))
    given = dict(_EMPTY)
    chosen: dict[str, set[str]] = {name: set() for name in _LINKS}
    if alert := context["from_alert"]:
        given |= {"title": alert["summary"][:255], "summary": (alert["description"] or "")[:20_000]}
        chosen["service"] = {str(one) for one in alert["service_ids"]}
        chosen["team"] = {str(one) for one in alert["team_ids"]}
    if parent := context["parent"]:
        links = await reads.links(request.site.db, parent["id"])
        chosen = {name: {str(ident) for ident, _ in links[name]} for name in _LINKS}
        given |= {"severity": str(parent["severity_id"] or ""), "private": parent["private"]}
    return await _form(request, given, chosen, {}, **context)


_EMPTY: dict[str, Any] = {
    "title": "", "summary": "", "severity": "", "status": "started", "private": False, "public_title": "",
    "resolve_alerts": True, "resolve_with_alerts": False,
}  # fmt: skip


async def _context(request: WebRequest, alert: str, parent: str) -> dict[str, Any]:
    return {
        "from_alert": await find_alert(request, alert) if alert else None,
        "parent": await view.find(request, parent) if parent else None,
        "incident": None,
    }


async def _form(
    request: WebRequest,
    given: dict[str, Any],
    chosen: dict[str, set[str]],
    errors: dict[str, str],
    **context: Any,
) -> Response[bytes]:
    options = await _options(request)
    severities = [(str(ident), name) for ident, name in options.pop("severities")]
    return await render(
        request,
        "incident_form.html",
        code=422 if errors else 200,
        nav="incidents",
        given=given,
        chosen=chosen,
        errors=errors,
        severities=severities,
        **options,
        **context,
    )


@action("/incidents", Permission.RESPOND)
async def created(request: WebRequest) -> Response[bytes]:
    """Open an incident."""
    form = await request.fields()
    context = await _context(request, form.raw("alert").strip(), form.raw("parent").strip())
    alert, parent = context["from_alert"], context["parent"]
    try:
        edit = _edit(
            form,
            status=form.choice("status", ("started", "in_triage"), "started"),
            alert_ids=[alert["id"]] if alert else [],
            **({"kind": "normal_sub", "parent_incident_id": parent["id"]} if parent else {}),
        )
        made = await request.site.incidents.create(edit, by=request.visitor.actor, now=request.now)
    except Invalid as error:
        return await _form(request, _given(form), _chosen(form), _placed(told(error)), **context)
    return go(request, f"/incidents/{made.sequential_id}", f"Incident #{made.sequential_id} is open.")


@page("/incidents/{ref:str}/edit", Permission.RESPOND)
async def edit(request: WebRequest, ref: str) -> Response[bytes]:
    """Show the form of an incident there is."""
    row = await view.find(request, ref)
    links = await reads.links(request.site.db, row["id"])
    given = {name: row[name] for name in ("title", "private", "resolve_alerts", "resolve_with_alerts")}
    given |= {"summary": row["summary"] or "", "public_title": row["public_title"] or ""}
    given |= {"severity": str(row["severity_id"] or ""), "status": row["status"]}
    chosen = {name: {str(ident) for ident, _ in links[name]} for name in _LINKS}
    return await _form(request, given, chosen, {}, incident=row, from_alert=None, parent=None)


@action("/incidents/{ref:str}/edit", Permission.RESPOND)
async def edited(request: WebRequest, ref: str) -> Response[bytes]:
    """Save what an incident is called and what it is about."""
    row, form = await view.find(request, ref), await request.fields()
    try:
        change = _edit(form, public_title=form.text("public_title") or None)
        await request.site.incidents.update(row["id"], change, by=request.visitor.actor, now=request.now)
    except Invalid as error:
        context = {"incident": row, "from_alert": None, "parent": None}
        return await _form(request, _given(form), _chosen(form), _placed(told(error)), **context)
    return go(request, view.url(row), "Saved.")


def _edit(form: Form, **more: Any) -> IncidentEdit:
    """Return what a form says of an incident.

    Raises: Invalid.
    """
    ids = {name: _ids(form, name) for name in _LINKS}
    return IncidentEdit(
        title=form.text("title", longest=2000),
        summary=form.text("summary", longest=50_000) or None,
        severity_id=form.ident("severity") if form.text("severity") else None,
        private=form.flag("private"),
        resolve_alerts=form.flag("resolve_alerts"),
        resolve_with_alerts=form.flag("resolve_with_alerts"),
        service_ids=ids["service"],
        team_ids=ids["team"],
        environment_ids=ids["environment"],
        type_ids=ids["type"],
        **more,
    )


def _ids(form: Form, name: str) -> list[UUID]:
    try:
        return [UUID(text) for text in form.many(name)]
    except ValueError:
        raise Invalid("Choose from the list.", place=name) from None


def _given(form: Form) -> dict[str, Any]:
    texts = {name: form.raw(name) for name in ("title", "summary", "severity", "status", "public_title")}
    flags = {name: form.flag(name) for name in ("private", "resolve_alerts", "resolve_with_alerts")}
    return {**texts, **flags}


def _chosen(form: Form) -> dict[str, set[str]]:
    return {name: set(form.many(name)) for name in _LINKS}


def _placed(errors: dict[str, str]) -> dict[str, str]:
    """Return problems by the names of the form's fields."""
    return {"severity" if place == "severity_id" else place: text for place, text in errors.items()}


ROUTES = [listed, new, created, edit, edited]
