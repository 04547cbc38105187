"""How many messages of a kind may go out in a while, set by the operator on the settings page."""

from typing import Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath

from nightbell.core.access import Permission
from nightbell.core.throttling import LONGEST, SCOPES
from nightbell.engine.edits import ThrottleEdit
from nightbell.store.read.listing import Listing
from nightbell.store.read.throttles import throttles
from nightbell.web.render import go
from nightbell.web.site import WebRequest, action

#: What floods a telephone, held to what a person can read; offered, never set unasked.
SUGGESTED = (("sms", 1, 60), ("sms", 10, 3_600), ("voice", 1, 300))
_MOST = 200


async def shown(request: WebRequest) -> dict[str, Any]:
    """Return what the settings page shows of throttles."""
    rows = (await throttles(request.site.db, Listing(limit=_MOST))).rows
    suggested = any(kind in request.site.channels for kind, *_ in SUGGESTED)
    return {"throttles": rows, "suggested": suggested and not rows}


@action("/settings/throttles", Permission.OPERATE)
async def add_throttle(request: WebRequest) -> Response[Any]:
    """Add a throttle."""
    form = await request.fields()
    edit = ThrottleEdit(
        kind=form.choice("kind", sorted(request.site.channels)),
        scope=form.choice("scope", SCOPES),
        most=form.number("most", least=1, most=100_000, default=1),
        seconds=form.number("seconds", least=1, most=LONGEST, default=60),
    )
    await request.site.configure.create_throttle(edit, by=request.visitor.actor, now=request.now)
    return go(request, "/settings#throttles", "Added. It holds from now on, and loses nothing.")


@action("/settings/throttles/suggested", Permission.OPERATE)
async def take_suggested(request: WebRequest) -> Response[Any]:
    """Add what is suggested for telephones."""
    for kind, most, seconds in SUGGESTED:
        if kind in request.site.channels:
            edit = ThrottleEdit(kind=kind, scope=SCOPES[0], most=most, seconds=seconds)
            await request.site.configure.create_throttle(edit, by=request.visitor.actor, now=request.now)
    return go(request, "/settings#throttles", "Added.")


@action("/settings/throttles/{ident:uuid}/delete", Permission.OPERATE)
async def remove_throttle(request: WebRequest, ident: FromPath[UUID]) -> Response[Any]:
    """Drop a throttle; what it holds back goes at once."""
    await request.site.configure.delete_throttle(ident, by=request.visitor.actor, now=request.now)
    return go(request, "/settings#throttles", "Dropped. What it held back goes now.")


ROUTES = [add_throttle, take_suggested, remove_throttle]
