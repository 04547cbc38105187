"""Planned work as an incident: what is done, when, and whose alerts page nobody meanwhile."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath

from nightbell.core.access import Permission
from nightbell.core.calendar import zone
from nightbell.core.errors import Invalid, Unknown
from nightbell.core.incident import PLANNED
from nightbell.engine.incident_edits import IncidentEdit
from nightbell.web import incident_view as view
from nightbell.web import lanes
from nightbell.web.faults import told
from nightbell.web.forms import Form
from nightbell.web.render import go, render
from nightbell.web.site import WebRequest, action, page

_FIELDS = ("title", "public_title", "summary", "scheduled_for", "scheduled_until", "zone")


@page("/incidents/plan", Permission.RESPOND)
async def new(request: WebRequest) -> Response[bytes]:
    """Show the form of planned work."""
    given = {"zone": request.visitor.time_zone}
    return await _form(request, given, [], {}, None)


@action("/incidents/plan", Permission.RESPOND)
async def created(request: WebRequest) -> Response[bytes]:
    """Plan work."""
    form = await request.fields()
    try:
        edit = _edit(form, kind="scheduled")
        made = await request.site.incidents.create(edit, by=request.visitor.actor, now=request.now)
    except Invalid as error:
        return await _form(request, _given(form), form.many("service"), told(error), None)
    return go(request, f"/incidents/{made.sequential_id}", "Planned. It begins and ends by itself.")


@page("/incidents/{ref:str}/plan", Permission.RESPOND)
async def shown(request: WebRequest, ref: FromPath[str]) -> Response[bytes]:
    """Show the form of work that is planned already."""
    row = await _planned(request, ref)
    place = zone(request.visitor.time_zone)
    given = {name: row[name] or "" for name in ("title", "public_title", "summary")}
    for name in ("scheduled_for", "scheduled_until"):
        given[name] = lanes.for_field(row[name], place) if row[name] else ""
    given["zone"] = request.visitor.time_zone
    return await _form(request, given, [str(one) for one in row["muted_service_ids"]], {}, row)


@action("/incidents/{ref:str}/plan", Permission.RESPOND)
async def changed(request: WebRequest, ref: FromPath[str]) -> Response[bytes]:
    """Change planned work; whoever it mutes no longer is paged."""
    row, form = await _planned(request, ref), await request.fields()
    try:
        edit = _edit(form)
        await request.site.incidents.update(row["id"], edit, by=request.visitor.actor, now=request.now)
    except Invalid as error:
        return await _form(request, _given(form), form.many("service"), told(error), row)
    return go(request, f"/incidents/{row['sequential_id']}", "Saved.")


async def _planned(request: WebRequest, ref: str) -> dict[str, Any]:
    row = await view.find(request, ref)
    if row["kind"] not in PLANNED:
        raise Unknown("This is no planned work.")
    return row


async def _form(
    request: WebRequest,
    given: dict[str, Any],
    chosen: Sequence[str],
    errors: dict[str, str],
    incident: dict[str, Any] | None,
) -> Response[bytes]:
    directory = await request.site.directory()
    services = {one.id: one.name for one in directory.services.values()}
    return await render(
        request,
        "incident_plan.html",
        code=422 if errors else 200,
        nav="incidents",
        given={name: given.get(name, "") for name in _FIELDS},
        chosen=frozenset(chosen),
        services=sorted(services.items(), key=lambda one: one[1].lower()),
        errors=errors,
        incident=incident,
    )


def _given(form: Form) -> dict[str, str]:
    return {name: form.raw(name)[:10_000] for name in _FIELDS}


def _edit(form: Form, **more: Any) -> IncidentEdit:
    """Return the edit of a form, whose times are said in its zone. Raises: Invalid naming the field."""
    try:
        muted = [UUID(text) for text in form.many("service")]
    except ValueError:
        raise Invalid("Choose from the list.", place="muted_service_ids") from None
    return IncidentEdit(
        title=form.text("title"),
        public_title=form.text("public_title") or None,
        summary=form.text("summary", longest=20_000) or None,
        muted_service_ids=muted,
        service_ids=muted,
        scheduled_for=_instant(form, "scheduled_for"),
        scheduled_until=_instant(form, "scheduled_until"),
        **more,
    )


def _instant(form: Form, name: str) -> datetime:
    at = lanes.local(form.text(name), zone(form.text("zone") or "Etc/UTC", "zone"))
    if at is None:
        raise Invalid("A date and a time, please.", place=name)
    return at


ROUTES = [new, created, shown, changed]
