"""The form of an incident: it opens one, alone or from an alert, and says later what it is called and when it was."""

from typing import Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath

from nightbell.core.access import Permission
from nightbell.core.errors import Invalid
from nightbell.core.incident import TIMES
from nightbell.engine.incident_edits import IncidentEdit
from nightbell.store.read import incident_pages as reads
from nightbell.web import incident_view as view
from nightbell.web import lanes
from nightbell.web.faults import told
from nightbell.web.forms import Form
from nightbell.web.pages.alert import find as find_alert
from nightbell.web.pages.incidents import options_of
from nightbell.web.render import go, render
from nightbell.web.site import WebRequest, action, page
from nightbell.web.times import zone

#: Longest text of labels, one "name=value" a line.
_LABELS = 20_000
_LINKS = ("service", "team", "environment", "type")


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
    "resolve_alerts": True, "resolve_with_alerts": False, "test": False, "labels": "",
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
    options = await options_of(request)
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
            kind="test" if form.flag("test") else "normal",
            **({"parent_incident_id": parent["id"]} if parent else {}),
        )
        made = await request.site.incidents.create(edit, by=request.visitor.actor, now=request.now)
    except Invalid as error:
        return await _form(request, _given(form), _chosen(form), _placed(told(error)), **context)
    return go(request, f"/incidents/{made.sequential_id}", f"Incident #{made.sequential_id} is open.")


@page("/incidents/{ref:str}/edit", Permission.RESPOND)
async def edit(request: WebRequest, ref: FromPath[str]) -> Response[bytes]:
    """Show the form of an incident there is."""
    row = await view.find(request, ref)
    links = await reads.links(request.site.db, row["id"])
    given = {name: row[name] for name in ("title", "private", "resolve_alerts", "resolve_with_alerts")}
    given |= {"summary": row["summary"] or "", "public_title": row["public_title"] or ""}
    given |= {"severity": str(row["severity_id"] or ""), "status": row["status"], "test": False}
    given["labels"] = "\n".join(f"{name}={value}" for name, value in sorted(row["labels"].items()))
    chosen = {name: {str(ident) for ident, _ in links[name]} for name in _LINKS}
    moments = _moments(request, row)
    return await _form(
        request, given, chosen, {}, incident=row, from_alert=None, parent=None, moments=moments
    )


def _moments(request: WebRequest, row: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the instants of an incident that may be set by hand, as fields show them."""
    place = zone(request.visitor.time_zone)
    shown = [name for name in TIMES if row[name] or name in ("detected_at", "acknowledged_at")]
    return [(name, f"{row[name].astimezone(place):%Y-%m-%dT%H:%M:%S}" if row[name] else "") for name in shown]


def _set_by_hand(request: WebRequest, row: dict[str, Any], form: Form) -> dict[str, Any]:
    """Return the instants that a form changes: it shows no fractions of a second, so equal words are no change.

    Raises: Invalid.
    """
    changed: dict[str, Any] = {}
    for name, before in _moments(request, row):
        said = form.text(name) if name in form else before
        if said != before:
            changed[name] = lanes.local(said, zone(request.visitor.time_zone)) if said else None
            if said and changed[name] is None:
                raise Invalid("A date and a time, please.", place=name)
    return changed


@action("/incidents/{ref:str}/edit", Permission.RESPOND)
async def edited(request: WebRequest, ref: FromPath[str]) -> Response[bytes]:
    """Save what an incident is called and what it is about."""
    row, form = await view.find(request, ref), await request.fields()
    try:
        times = _set_by_hand(request, row, form)
        change = _edit(form, public_title=form.text("public_title") or None, **times)
        await request.site.incidents.update(row["id"], change, by=request.visitor.actor, now=request.now)
        if change.private and not row["private"]:
            await _keep_in(request, row)
    except Invalid as error:
        typed = [(name, form.raw(name)) for name, _ in _moments(request, row)]
        context = {"incident": row, "from_alert": None, "parent": None, "moments": typed}
        return await _form(request, _given(form), _chosen(form), _placed(told(error)), **context)
    return go(request, view.url(row), "Saved.")


async def _keep_in(request: WebRequest, row: dict[str, Any]) -> None:
    """Let whoever makes an incident private go on seeing it."""
    who = request.visitor
    await request.site.incidents.subscribe(row["id"], [who.user_id], by=who.actor, now=request.now)


def _edit(form: Form, **more: Any) -> IncidentEdit:
    """Return what a form says of an incident.

    Raises: Invalid.
    """
    ids = {name: _ids(form, name) for name in _LINKS}
    return IncidentEdit(
        title=form.text("title", longest=2000),
        summary=form.text("summary", longest=50_000) or None,
        severity_id=form.ident("severity") if form.text("severity") else None,
        labels=_labels(form),
        private=form.flag("private"),
        resolve_alerts=form.flag("resolve_alerts"),
        resolve_with_alerts=form.flag("resolve_with_alerts"),
        service_ids=ids["service"],
        team_ids=ids["team"],
        environment_ids=ids["environment"],
        type_ids=ids["type"],
        **more,
    )


def _labels(form: Form) -> dict[str, str]:
    labels = {}
    for line in filter(None, map(str.strip, form.text("labels", longest=_LABELS).splitlines())):
        name, equals, value = line.partition("=")
        if not equals or not name.strip():
            raise Invalid(f"{line[:60]!r} is no label.", place="labels", hint="One a line: region=eu.")
        labels[name.strip()] = value.strip()
    return labels


def _ids(form: Form, name: str) -> list[UUID]:
    try:
        return [UUID(text) for text in form.many(name)]
    except ValueError:
        raise Invalid("Choose from the list.", place=name) from None


def _given(form: Form) -> dict[str, Any]:
    texts = {
        name: form.raw(name) for name in ("title", "summary", "severity", "status", "public_title", "labels")
    }
    flags = {name: form.flag(name) for name in ("private", "resolve_alerts", "resolve_with_alerts", "test")}
    return {**texts, **flags}


def _chosen(form: Form) -> dict[str, set[str]]:
    return {name: set(form.many(name)) for name in _LINKS}


def _placed(errors: dict[str, str]) -> dict[str, str]:
    """Return problems by the names of the form's fields."""
    return {"severity" if place == "severity_id" else place: text for place, text in errors.items()}


@action("/incidents/{ref:str}/delete", Permission.CONFIGURE)
async def deleted(request: WebRequest, ref: FromPath[str]) -> Response[bytes]:
    """Delete an incident; its alerts stay."""
    row = await view.find(request, ref)
    await request.site.incidents.delete(row["id"], by=request.visitor.actor, now=request.now)
    return go(request, "/incidents", f"#{row['sequential_id']} is gone.")


ROUTES = [new, created, edit, edited, deleted]
