"""Teams, for the lead: who is in them and which policy pages them."""

from typing import Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath

from nightbell.core.access import Permission
from nightbell.core.errors import Invalid, Unknown
from nightbell.engine.edits import TeamEdit
from nightbell.store.read import policies, teams
from nightbell.store.read.listing import Listing
from nightbell.web.faults import told
from nightbell.web.forms import Form
from nightbell.web.render import go, render
from nightbell.web.site import WebRequest, action, page

ALL = Listing(limit=1000)


@page("/teams", Permission.VIEW)
async def listed(request: WebRequest) -> Response[bytes]:
    """Show the teams."""
    return await _listed(request, {}, "")


async def _listed(request: WebRequest, errors: dict[str, str], name: str) -> Response[bytes]:
    directory = await request.site.directory()
    found = (await teams.teams(request.site.db, ALL)).rows
    facts: dict[str, Any] = {"directory": directory, "things": found, "errors": errors, "name": name}
    return await render(request, "teams.html", code=422 if errors else 200, nav="teams", **facts)


@action("/teams", Permission.CONFIGURE)
async def created(request: WebRequest) -> Response[bytes]:
    """Make a team."""
    form = await request.fields()
    edit = TeamEdit(
        name=form.text("name"), user_ids=[request.visitor.user_id], admin_ids=[request.visitor.user_id]
    )
    try:
        ident = await request.site.configure.create_team(edit, by=request.visitor.actor, now=request.now)
    except Invalid as error:
        return await _listed(request, told(error), form.text("name"))
    return go(request, f"/teams/{ident}", "Made, with you in it.")


@page("/teams/{ident:uuid}", Permission.VIEW)
async def shown(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Show one team."""
    return await _team(request, ident, {})


async def _team(request: WebRequest, ident: UUID, errors: dict[str, str]) -> Response[bytes]:
    found = await teams.team(request.site.db, ident)
    if found is None:
        raise Unknown("There is no such team.")
    return await render(
        request,
        "team.html",
        code=422 if errors else 200,
        nav="teams",
        team=found,
        directory=await request.site.directory(),
        policies=(await policies.policies(request.site.db, ALL)).rows,
        errors=errors,
    )


@action("/teams/{ident:uuid}", Permission.CONFIGURE)
async def changed(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Change a team."""
    form = await request.fields()
    try:
        edit = TeamEdit(
            name=form.text("name"),
            description=form.text("description", longest=10_000) or None,
            escalation_policy_id=form.ident("policy") if form.text("policy") else None,
            user_ids=_users(form, "member"),
            admin_ids=_users(form, "admin"),
            incident_broadcast_enabled=form.flag("broadcast"),
            incident_broadcast_channel={"id": channel} if (channel := form.text("channel")) else None,
        )
        await request.site.configure.update_team(ident, edit, by=request.visitor.actor, now=request.now)
    except Invalid as error:
        return await _team(request, ident, told(error))
    return go(request, f"/teams/{ident}", "Saved.")


def _users(form: Form, name: str) -> list[int]:
    return [int(text) for text in form.many(name) if text.isdecimal() and len(text) < 10]


@action("/teams/{ident:uuid}/delete", Permission.CONFIGURE)
async def deleted(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Forget a team."""
    await request.site.configure.delete_team(ident, by=request.visitor.actor, now=request.now)
    return go(request, "/teams", "The team is gone.")


ROUTES = [listed, created, shown, changed, deleted]
