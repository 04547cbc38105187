"""The page behind a link in a mail to somebody who is nobody here: say that you want to be told, or end it.

Rule 1: GET never changes anything, because mail scanners follow every link.
"""

from typing import Any

from litestar import Response
from litestar.params import FromPath

from nightbell.core import subscribing
from nightbell.core.access import Permission
from nightbell.core.errors import Unknown
from nightbell.store.read import incident_updates
from nightbell.web.render import html
from nightbell.web.site import WebRequest, action, page


@page("/follow/{token:str}", Permission.PUBLIC)
async def shown(request: WebRequest, token: FromPath[str]) -> Response[bytes]:
    """Show who would be told of what."""
    return _page(request, token, await _found(request, token))


@action("/follow/{token:str}", Permission.PUBLIC, signed=True)
async def done(request: WebRequest, token: FromPath[str]) -> Response[bytes]:
    """Keep what they want; a mail program may post here by itself to end it (RFC 8058)."""
    row = await _found(request, token)
    form = await request.fields()
    if form.text("want") == "yes":
        await request.site.publishing.want(row["id"], now=request.now)
    else:
        await request.site.publishing.stop(row["id"], now=request.now)
    return _page(request, token, await _found(request, token))


async def _found(request: WebRequest, token: str) -> dict[str, Any]:
    ident = subscribing.opened(request.site.link_key, token)
    row = await incident_updates.subscriber(request.site.db, ident)
    if row is None:
        raise Unknown("There is nothing more to be told of.", hint="You will hear nothing from here.")
    return row


def _page(request: WebRequest, token: str, row: dict[str, Any]) -> Response[bytes]:
    return html(request, "follow.html", row=row, token=token)


ROUTES = [shown, done]
