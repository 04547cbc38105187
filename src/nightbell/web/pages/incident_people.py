"""Who works on an incident, and who is told of it."""

from typing import Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath

from nightbell.core.access import Permission
from nightbell.core.errors import Invalid
from nightbell.web import incident_view as view
from nightbell.web.forms import Form, whole
from nightbell.web.render import go
from nightbell.web.site import WebRequest, action

_LARGEST_ID = 999_999_999


@action("/incidents/{ref:str}/roles", Permission.RESPOND)
async def assigned(request: WebRequest, ref: FromPath[str]) -> Response[bytes]:
    """Give a role to a person, or to whoever is on call for a schedule."""
    row, form = await view.find(request, ref), await request.fields()
    role, whom = form.ident("role"), _whom(form)
    await request.site.incidents.assign(row["id"], role, by=request.visitor.actor, now=request.now, **whom)
    return go(request, view.url(row), "The role is given.")


def _whom(form: Form) -> dict[str, Any]:
    kind, _, ident = form.raw("who").partition("/")
    if kind == "User":
        return {"user_id": whole(ident, "who", least=1, most=_LARGEST_ID)}
    try:
        return {"schedule_id": UUID(ident)}
    except ValueError:
        raise Invalid("Choose from the list.", place="who") from None


@action("/incidents/{ref:str}/roles/{ident:uuid}/drop", Permission.RESPOND)
async def unassigned(request: WebRequest, ref: FromPath[str], ident: FromPath[UUID]) -> Response[bytes]:
    """Take a role from a person."""
    row = await view.find(request, ref)
    await request.site.incidents.unassign(row["id"], ident, by=request.visitor.actor, now=request.now)
    return go(request, view.url(row), "The role is free.")


@action("/incidents/{ref:str}/subscribers", Permission.RESPOND)
async def subscribed(request: WebRequest, ref: FromPath[str]) -> Response[bytes]:
    """Let a person be told of what changes."""
    row, form = await view.find(request, ref), await request.fields()
    user = whole(form.raw("who"), "who", least=1, most=_LARGEST_ID)
    await request.site.incidents.subscribe(row["id"], [user], by=request.visitor.actor, now=request.now)
    return go(request, view.url(row), "Subscribed.")


@action("/incidents/{ref:str}/subscribers/{ident:uuid}/drop", Permission.RESPOND)
async def unsubscribed(request: WebRequest, ref: FromPath[str], ident: FromPath[UUID]) -> Response[bytes]:
    """Tell somebody no more."""
    row = await view.find(request, ref)
    await request.site.incidents.unsubscribe(row["id"], ident, by=request.visitor.actor, now=request.now)
    return go(request, view.url(row), "They are told no more.")


ROUTES = [assigned, unassigned, subscribed, unsubscribed]
