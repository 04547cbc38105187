"""Routing, for the lead: which alerts are for whom, and which rule an alert that came would take."""

import re
from typing import Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath

from nightbell.core import routing
from nightbell.core.access import Permission
from nightbell.core.directory import Directory, Route
from nightbell.core.errors import Invalid, Unknown
from nightbell.store.read import page_alerts, pages, sources
from nightbell.store.read.page_alerts import Wanted
from nightbell.web import future, route_form, trying
from nightbell.web.faults import told
from nightbell.web.pages.teams import ALL
from nightbell.web.render import go, render
from nightbell.web.route_form import Draft
from nightbell.web.site import WebRequest, action, page
from nightbell.web.targets import options

_ALERTS = 15
_RULE = re.compile(r"rules\[(\d+)\]")


@page("/routing", Permission.VIEW)
async def listed(request: WebRequest) -> Response[bytes]:
    """Show the routes, in order."""
    directory = await request.site.directory()
    rows = (await sources.routes(request.site.db, ALL)).rows
    names = {one.id: one.name for one in directory.sources.values()}
    shown = [
        (row, [names.get(ident, "deleted") for ident in row["source_ids"]], _rules(row, directory))
        for row in rows
    ]
    return await render(request, "routing.html", nav="routing", things=shown)


def _rules(row: dict[str, Any], directory: Directory) -> list[tuple[str, list[str]]]:
    return [
        (
            rule["name"],
            [future.named(d["target_type"], str(d["target_id"]), directory) for d in rule["destinations"]],
        )
        for rule in row["rules"]
    ]


@page("/routing/new", Permission.CONFIGURE)
async def fresh(request: WebRequest) -> Response[bytes]:
    """Show the form of a route that is yet to be made."""
    return await _editor(request, None, route_form.new(), {})


@page("/routing/{ident:uuid}", Permission.VIEW)
async def shown(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Show one route."""
    row = await _row(request, ident)
    return await _editor(request, ident, route_form.from_row(row), {})


async def _row(request: WebRequest, ident: UUID) -> dict[str, Any]:
    row = await sources.route(request.site.db, ident)
    if row is None:
        raise Unknown("There is no such route.")
    return row


async def _editor(
    request: WebRequest, ident: UUID | None, draft: Draft, errors: dict[str, str], *, changed: bool = False
) -> Response[bytes]:
    directory = await request.site.directory()
    placed = ((_RULE.match(place), text) for place, text in errors.items())
    tried = request.query_params.get("alert", "")
    return await render(
        request,
        "route.html",
        code=422 if errors else 200,
        nav="routing",
        ident=ident,
        draft=draft,
        errors=errors,
        rule_errors={int(found[1]): text for found, text in placed if found},
        changed=changed,
        choices=route_form,
        senders=sorted(directory.sources.values(), key=lambda one: one.name.lower()),
        targets=options(directory),
        named=lambda text: _named(text, directory),
        alerts=(await page_alerts.screen(request.site.db, Wanted(limit=_ALERTS))).rows,
        tried=tried,
        verdict=await _verdict(request, draft, ident, tried),
    )


def _named(text: str, directory: Directory) -> str:
    kind, _, ident = text.partition("/")
    return future.named(kind, ident, directory)


async def _verdict(request: WebRequest, draft: Draft, ident: UUID | None, tried: str) -> str:
    """Return which rule an alert that came would take; "" where none is asked about."""
    row = (
        await pages.alert(request.site.db, number=int(tried))
        if tried.isdecimal() and len(tried) < 18
        else None
    )
    if row is None:
        return ""
    given = trying.alert(row)
    if str(given.source_id) not in draft.sources:
        return "Its source is not one of this route's: the route is not asked."
    try:
        rules = route_form.core_rules(draft)
    except Invalid as error:
        return f"This cannot be tried: {error.message}"
    route = Route(id=ident or UUID(int=0), name=draft.name, source_ids=frozenset(), rules=rules)
    found = routing.first_match(route, given.payload, given.urgency_id)
    return f"Takes rule “{found.name}”." if found else "No rule matches: the route names nobody."


@action("/routing/new", Permission.CONFIGURE)
async def created(request: WebRequest) -> Response[bytes]:
    """Make a route, or change its form."""
    return await _changed(request, None)


@action("/routing/{ident:uuid}", Permission.CONFIGURE)
async def changed(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Save a route, or change its form."""
    return await _changed(request, ident)


async def _changed(request: WebRequest, ident: UUID | None) -> Response[bytes]:
    form = await request.fields()
    draft, what = route_form.from_form(form), form.raw("do") or "save"
    if what != "save":
        return await _editor(request, ident, route_form.edited(draft, what, form), {}, changed=True)
    by, now, configure = request.visitor.actor, request.now, request.site.configure
    try:
        edit = route_form.edit_of(draft)
        if ident is None:
            ident = await configure.create_route(edit, by=by, now=now)
        else:
            await configure.update_route(ident, edit, by=by, now=now)
    except Invalid as error:
        return await _editor(request, ident, draft, told(error), changed=True)
    return go(request, f"/routing/{ident}", "Saved. It counts for alerts that come from now on.")


@action("/routing/{ident:uuid}/delete", Permission.CONFIGURE)
async def deleted(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Forget a route."""
    await request.site.configure.delete_route(ident, by=request.visitor.actor, now=request.now)
    return go(request, "/routing", "The route is gone.")


ROUTES = [listed, fresh, shown, created, changed, deleted]
