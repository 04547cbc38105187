"""People, for the lead: who there is, what they may do, and whether a page would reach them."""

from typing import Any

from litestar import Response
from litestar.params import FromPath

from nightbell.core.access import Permission, Role, may, may_grant
from nightbell.core.errors import Invalid, NightbellError, Unknown
from nightbell.engine import identity
from nightbell.engine.edits import UserEdit
from nightbell.store.read import pages, people
from nightbell.web import ways, words
from nightbell.web.faults import told
from nightbell.web.pages.login import zones
from nightbell.web.render import go, render
from nightbell.web.site import WebRequest, action, page


@page("/people", Permission.VIEW)
async def listed(request: WebRequest) -> Response[bytes]:
    """Show everybody and how they are reached."""
    return await _listed(request, {})


async def _listed(
    request: WebRequest, errors: dict[str, str], *, link: str = "", email: str = ""
) -> Response[bytes]:
    everybody = await pages.reachability(request.site.db)
    kinds = sorted({kind for person in everybody for kind in person["kinds"]} | {"inbox", "email"})
    may_invite = may(request.visitor.role, Permission.PEOPLE)
    return await render(
        request,
        "people.html",
        code=422 if errors else 200,
        nav="people",
        people=everybody,
        kinds=kinds,
        invitations=await pages.invitations(request.site.db, request.now) if may_invite else [],
        roles=_roles(request),
        errors=errors,
        link=link,
        email=email,
    )


def _roles(request: WebRequest) -> list[tuple[str, str]]:
    return [(role.value, words.ROLE[role.value]) for role in Role if may_grant(request.visitor.role, role)]


@action("/people", Permission.PEOPLE)
async def invited(request: WebRequest) -> Response[bytes]:
    """Make a link with which somebody may join."""
    form = await request.fields()
    email = form.text("email")
    try:
        role = Role(form.choice("role", [r.value for r in Role]))
        token = await identity.invite(request.site.db, request.visitor, role, email, request.now)
    except NightbellError as error:
        return await _listed(request, {error.place: f"{error.message} {error.hint}".strip()}, email=email)
    return await _listed(request, {}, link=f"{request.site.base_url}/setup/{token}", email=email)


@page("/people/{ident:int}", Permission.VIEW)
async def shown(request: WebRequest, ident: FromPath[int]) -> Response[bytes]:
    """Show one person."""
    return await _person(request, ident, {})


async def _person(request: WebRequest, ident: int, errors: dict[str, str]) -> Response[bytes]:
    found = await people.user(request.site.db, ident)
    if found is None:
        raise Unknown(f"There is no user {ident}.")
    db = request.site.db
    methods = await people.all_contact_methods(db, ident)
    opened = request.site.configure.vault.open_text
    return await render(
        request,
        "person.html",
        code=422 if errors else 200,
        nav="people",
        person=found,
        methods=[{**m, "shown": ways.shown(m["kind"], m["name"], opened(m["address"]))} for m in methods],
        rules=await people.notification_rules(db, ident),
        names={m["id"]: words.CHANNEL.get(m["kind"], m["kind"]) for m in methods},
        teams=_teams(await request.site.directory(), ident),
        roles=_roles(request),
        zones=zones(),
        errors=errors,
        changeable=may(request.visitor.role, Permission.PEOPLE)
        and may_grant(request.visitor.role, found["role"]),
    )


def _teams(directory: Any, ident: int) -> list[Any]:
    return sorted(
        {t.id: t for t in directory.teams.values() if ident in t.member_ids}.values(), key=lambda t: t.name
    )


@action("/people/{ident:int}", Permission.PEOPLE)
async def changed(request: WebRequest, ident: FromPath[int]) -> Response[bytes]:
    """Change a person's name, role and whether they are here at all."""
    form = await request.fields()
    edit = UserEdit(
        name=form.text("name"),
        email=form.text("email"),
        role=form.text("role"),
        time_zone=form.text("time_zone"),
        active=form.flag("active"),
    )
    try:
        await request.site.configure.update_user(ident, edit, by=request.visitor.actor, now=request.now)
    except Invalid as error:
        return await _person(request, ident, told(error))
    return go(request, f"/people/{ident}", "Saved.")


ROUTES = [listed, invited, shown, changed]
