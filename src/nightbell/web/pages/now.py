"""Where everybody starts: what pages right now, what would reach no one, and the next step of setting up."""

from litestar import Response

from nightbell.core import holes
from nightbell.core.access import Permission
from nightbell.store.read import page_alerts, pages
from nightbell.store.read.page_alerts import Wanted
from nightbell.web.duty import duties
from nightbell.web.gate import warnings
from nightbell.web.pages.alerts import shown_rows
from nightbell.web.render import render
from nightbell.web.search import Search
from nightbell.web.site import WebRequest, page

_MOST = 12


@page("/", Permission.VIEW)
async def now(request: WebRequest) -> Response[bytes]:
    """Show what pages now."""
    db = request.site.db
    firing = await page_alerts.screen(db, Wanted(status="triggered", limit=_MOST))
    people = await pages.reachability(db)
    directory = await request.site.directory()
    serving = request.site.roster.posts(directory, request.now)
    return await render(
        request,
        "now.html",
        nav="now",
        status="triggered",
        rows=await shown_rows(request, firing.rows, Search()),
        counts=await pages.alert_counts(db),
        duties=duties(directory, serving),
        posts=serving,
        unpaged=await pages.unpaged(db),
        gate=await warnings(request, directory),
        without_levels=holes.without_levels(directory),
        steps=await pages.set_up(db, request.visitor.user_id),
        mute=[p for p in people if p["active"] and not p["kinds"] and p["role"] != "observer"],
    )


ROUTES = [now]
