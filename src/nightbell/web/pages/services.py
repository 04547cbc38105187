"""Services, for the lead: who owns them, which policy pages for them, how urgent they are."""

from typing import Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath

from nightbell.core.access import Permission
from nightbell.core.errors import Invalid, Unknown
from nightbell.core.uuids import as_uuid
from nightbell.engine.edits import ServiceEdit
from nightbell.store.read import policies, sources, teams
from nightbell.store.read.listing import Listing
from nightbell.web.faults import told
from nightbell.web.render import go, render
from nightbell.web.site import WebRequest, action, page

ALL = Listing(limit=1000)


@page("/services", Permission.VIEW)
async def listed(request: WebRequest) -> Response[bytes]:
    """Show the services."""
    return await _listed(request, {}, "")


async def _listed(request: WebRequest, errors: dict[str, str], name: str) -> Response[bytes]:
    directory = await request.site.directory()
    found = (await teams.services(request.site.db, ALL)).rows
    facts: dict[str, Any] = {"directory": directory, "things": found, "errors": errors, "name": name}
    return await render(request, "services.html", code=422 if errors else 200, nav="services", **facts)


@action("/services", Permission.CONFIGURE)
async def created(request: WebRequest) -> Response[bytes]:
    """Make a service."""
    form = await request.fields()
    edit = ServiceEdit(name=form.text("name"))
    try:
        ident = await request.site.configure.create_service(edit, by=request.visitor.actor, now=request.now)
    except Invalid as error:
        return await _listed(request, told(error), form.text("name"))
    return go(request, f"/services/{ident}", "Made. Say which team owns it and who is paged.")


@page("/services/{ident:uuid}", Permission.VIEW)
async def shown(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Show one service."""
    return await _service(request, ident, {})


async def _service(request: WebRequest, ident: UUID, errors: dict[str, str]) -> Response[bytes]:
    found = await teams.service(request.site.db, ident)
    if found is None:
        raise Unknown("There is no such service.")
    return await render(
        request,
        "service.html",
        code=422 if errors else 200,
        nav="services",
        service=found,
        directory=await request.site.directory(),
        urgencies=await sources.all_urgencies(request.site.db),
        teams=(await teams.teams(request.site.db, ALL)).rows,
        policies=(await policies.policies(request.site.db, ALL)).rows,
        errors=errors,
    )


@action("/services/{ident:uuid}", Permission.CONFIGURE)
async def changed(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Change a service."""
    form = await request.fields()
    try:
        edit = ServiceEdit(
            name=form.text("name"),
            description=form.text("description", longest=10_000) or None,
            escalation_policy_id=form.ident("policy") if form.text("policy") else None,
            urgency_id=form.ident("urgency") if form.text("urgency") else None,
            owner_team_ids=_ids(form.many("team")),
        )
        await request.site.configure.update_service(ident, edit, by=request.visitor.actor, now=request.now)
    except Invalid as error:
        return await _service(request, ident, told(error))
    return go(request, f"/services/{ident}", "Saved.")


def _ids(texts: list[str]) -> list[UUID]:
    return [found for found in map(as_uuid, texts) if found]


@action("/services/{ident:uuid}/delete", Permission.CONFIGURE)
async def deleted(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Forget a service."""
    await request.site.configure.delete_service(ident, by=request.visitor.actor, now=request.now)
    return go(request, "/services", "The service is gone.")


ROUTES = [listed, created, shown, changed, deleted]
