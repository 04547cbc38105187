"""Secret addresses of one schedule: a calendar, or a page of who is on call. Made and cancelled by whoever plans it."""

from typing import Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath

from nightbell.core.access import Permission, may
from nightbell.core.errors import Unknown
from nightbell.engine.schedule_edits import LinkEdit
from nightbell.store.read import schedules as stored
from nightbell.web.pages.shared import shown_link
from nightbell.web.render import go
from nightbell.web.site import WebRequest, action


async def addresses(request: WebRequest, ident: UUID) -> list[dict[str, Any]]:
    """Return the secret addresses that show a schedule, for those who may see them."""
    if not may(request.visitor.role, Permission.CONFIGURE):
        return []
    rows = await stored.links_of_nobody(request.site.db)
    mine = (row for row in rows if row["schedule_id"] == ident or ident in row["schedule_ids"])
    return [shown_link(request, row) for row in mine]


@action("/schedules/{ident:uuid}/links", Permission.CONFIGURE)
async def made(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Make an address that a calendar can subscribe to, or a page that anybody can look at."""
    form = await request.fields()
    kind = form.choice("kind", ("schedule", "board"), default="schedule")
    only = LinkEdit(kind=kind, schedule_id=ident)
    edit = only if kind == "schedule" else LinkEdit(kind=kind, schedule_ids=[ident])
    await request.site.configure.create_link(edit, by=request.visitor.actor, now=request.now)
    return go(
        request,
        f"/schedules/{ident}#share",
        "Made. Whoever has the address sees who is on call, without a log-in.",
    )


@action("/schedules/{ident:uuid}/links/{link:uuid}/cancel", Permission.CONFIGURE)
async def cancelled(request: WebRequest, ident: FromPath[UUID], link: FromPath[UUID]) -> Response[bytes]:
    """Cancel an address: whoever has it sees nothing from now on."""
    row = await stored.link(request.site.db, link)
    if row is None or (row["schedule_id"] != ident and ident not in row["schedule_ids"]):
        raise Unknown("There is no such address.")
    await request.site.configure.cancel_link(link, by=request.visitor.actor, now=request.now)
    return go(request, f"/schedules/{ident}#share", "The address leads nowhere now.")


ROUTES = [made, cancelled]
