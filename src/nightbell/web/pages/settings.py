"""The installation itself, for the operator: who is paged when nobody else can be, and who changed what."""

from litestar import Response

from nightbell.__about__ import __version__
from nightbell.core.access import Permission
from nightbell.store.read import pages
from nightbell.web.render import render
from nightbell.web.site import WebRequest, page


@page("/settings", Permission.OPERATE)
async def settings(request: WebRequest) -> Response[bytes]:
    """Show what belongs to the whole installation."""
    directory = await request.site.directory()
    return await render(
        request,
        "settings.html",
        nav="settings",
        version=__version__,
        fallback=[directory.users[u].name for u in directory.fallback_user_ids if u in directory.users],
        audit=await pages.audit(request.site.db),
        streams=len(request.site.hub),
        channels=sorted(request.site.channels),
    )


ROUTES = [settings]
