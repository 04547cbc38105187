"""Secret addresses of a schedule's calendar: made and cancelled by whoever plans it, opened by any calendar."""

from typing import Any
from uuid import UUID

from litestar import Response

from nightbell.core.access import Permission, may
from nightbell.core.errors import Unknown
from nightbell.engine.published import path_of
from nightbell.engine.schedule_edits import LinkEdit
from nightbell.store.read import schedules as stored
from nightbell.web.render import go
from nightbell.web.site import WebRequest, action


async def addresses(request: WebRequest, ident: UUID) -> list[dict[str, Any]]:
    """Return a schedule's secret addresses, for those who may see them."""
    if not may(request.visitor.role, Permission.CONFIGURE):
        return []
    site = request.site
    rows = await stored.links_of_schedule(site.db, ident)
    tokens = ((row["id"], site.configure.link_token(row["sealed"])) for row in rows)
    return [{"id": key, "url": site.base_url + path_of("schedule", token)} for key, token in tokens]


@action("/schedules/{ident:uuid}/links", Permission.CONFIGURE)
async def made(request: WebRequest, ident: UUID) -> Response[bytes]:
    """Make an address that a calendar can subscribe to."""
    edit = LinkEdit(kind="schedule", schedule_id=ident)
    await request.site.configure.create_link(edit, by=request.visitor.actor, now=request.now)
    return go(
        request, f"/schedules/{ident}", "Made. Whoever has the address sees the shifts, without a log-in."
    )


@action("/schedules/{ident:uuid}/links/{link:uuid}/cancel", Permission.CONFIGURE)
async def cancelled(request: WebRequest, ident: UUID, link: UUID) -> Response[bytes]:
    """Cancel an address: whoever has it sees nothing from now on."""
    row = await stored.link(request.site.db, link)
    if row is None or row["schedule_id"] != ident:
        raise Unknown("There is no such address.")
    await request.site.configure.cancel_link(link, by=request.visitor.actor, now=request.now)
    return go(request, f"/schedules/{ident}", "The address leads nowhere now.")


ROUTES = [made, cancelled]
