"""Urgencies, for the lead: how loudly an alert asks, how long an acknowledgement holds, and which rules of a source say so."""

from typing import Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath

from nightbell.core.access import Permission
from nightbell.core.errors import Invalid
from nightbell.engine.configure_sources import URGENCY_OPERATORS
from nightbell.engine.edits import SourceEdit, UrgencyEdit
from nightbell.store.read import sources
from nightbell.web.faults import told
from nightbell.web.forms import Form
from nightbell.web.path_form import HOLDS
from nightbell.web.render import go, render
from nightbell.web.site import WebRequest, action, page

_FARTHER = {"urgency": "as long as the installation says", "source": "as long as the urgency says"}
_MOST = 100


def holds(which: str, current: int | None) -> list[tuple[str, str]]:
    """Return how long an acknowledgement may hold, what is set now among them."""
    known = [("", _FARTHER[which]), *HOLDS[1:]]
    if current is not None and all(value != str(current) for value, _ in known):
        known.insert(-1, (str(current), f"{current} minutes"))
    return known


@page("/urgencies", Permission.VIEW)
async def listed(request: WebRequest) -> Response[bytes]:
    """Show urgencies, and for each source what gives one."""
    return await _listed(request, {})


async def _listed(
    request: WebRequest, errors: dict[str, str], rules: dict[UUID, list[dict[str, Any]]] | None = None
) -> Response[bytes]:
    """Show them; `rules` are those of a source as its form has them, not saved yet."""
    senders = [row for row in await sources.all_sources(request.site.db) if row["type"] != "heartbeat"]
    drafts = rules or {}
    return await render(
        request,
        "urgencies.html",
        code=422 if errors else 200,
        nav="routing",
        urgencies=await sources.all_urgencies(request.site.db),
        senders=[(row, drafts.get(row["id"], row["urgency_rules"]), row["id"] in drafts) for row in senders],
        operators=[(one, one.replace("_", " ")) for one in URGENCY_OPERATORS],
        holds=holds,
        errors=errors,
    )


@action("/urgencies", Permission.CONFIGURE)
async def created(request: WebRequest) -> Response[bytes]:
    """Make an urgency, quieter than those there are."""
    form = await request.fields()
    edit = UrgencyEdit(name=form.text("name"), description="")
    try:
        await request.site.configure.create_urgency(edit, by=request.visitor.actor, now=request.now)
    except Invalid as error:
        return await _listed(request, told(error))
    return go(request, "/urgencies", "Made. The first in the list is the loudest.")


@action("/urgencies/{ident:uuid}", Permission.CONFIGURE)
async def changed(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Change an urgency, or how loud it is among the others."""
    form = await request.fields()
    if form.raw("do") in ("up", "down"):
        await _move(request, ident, -1 if form.raw("do") == "up" else 1)
        return go(request, "/urgencies")
    edit = UrgencyEdit(name=form.text("name"), retrigger_timeout_minutes=_minutes(form))
    try:
        await request.site.configure.update_urgency(ident, edit, by=request.visitor.actor, now=request.now)
    except Invalid as error:
        return await _listed(request, told(error))
    return go(request, "/urgencies", "Saved.")


def _minutes(form: Form) -> int | None:
    text = form.text("holds")
    if not text:
        return None
    if not text.removeprefix("-").isdecimal() or len(text) > 6:
        raise Invalid("Choose from the list.", place="holds")
    return int(text)


async def _move(request: WebRequest, ident: UUID, by: int) -> None:
    order = [row["id"] for row in await sources.all_urgencies(request.site.db)]
    at = order.index(ident) if ident in order else 0
    to = at + by
    if 0 <= to < len(order):
        order[at], order[to] = order[to], order[at]
    for position, one in enumerate(order, start=1):
        edit = UrgencyEdit(position=position)
        await request.site.configure.update_urgency(one, edit, by=request.visitor.actor, now=request.now)


@action("/urgencies/{ident:uuid}/delete", Permission.CONFIGURE)
async def deleted(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Forget an urgency."""
    await request.site.configure.delete_urgency(ident, by=request.visitor.actor, now=request.now)
    return go(request, "/urgencies", "The urgency is gone.")


@action("/urgencies/sources/{ident:uuid}", Permission.CONFIGURE)
async def source_changed(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Say which urgency the alerts of a source have; its other buttons only change the form."""
    form = await request.fields()
    rules = _rules(form)
    verb, _, number = (form.raw("do") or "save").partition(":")
    if verb == "add":
        first = str((await sources.all_urgencies(request.site.db))[0]["id"])
        empty = {"json_path": "$.commonLabels.severity", "operator": "is", "value": "", "urgency_id": first}
        return await _listed(request, {}, {ident: [*rules, empty][:_MOST]})
    if verb == "drop" and number.isdecimal():
        return await _listed(request, {}, {ident: [r for n, r in enumerate(rules) if n != int(number)]})
    edit = SourceEdit(
        urgency_id=form.ident("own") if form.raw("own") else None,
        urgency_rules=rules,
        settings={"retrigger_timeout_minutes": _minutes(form)},
    )
    try:
        await request.site.configure.update_source(ident, edit, by=request.visitor.actor, now=request.now)
    except Invalid as error:
        return await _listed(request, told(error), {ident: rules})
    return go(request, "/urgencies", "Saved. It counts for alerts that come from now on.")


def _rules(form: Form) -> list[dict[str, Any]]:
    columns = [form.aligned(name)[:_MOST] for name in ("json_path", "operator", "value", "urgency")]
    return [
        {"json_path": path, "operator": operator, "value": value, "urgency_id": urgency}
        for path, operator, value, urgency in zip(*columns, strict=False)
    ]


ROUTES = [listed, created, changed, deleted, source_changed]
