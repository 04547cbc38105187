"""The installation itself, for the operator: who is paged when nobody else can be, how long a yes holds, who changed what."""

from typing import Any

from litestar import Response

from nightbell.__about__ import __version__
from nightbell.core.access import Permission
from nightbell.engine.configure_installation import ACKNOWLEDGE_MINUTES
from nightbell.store.read import pages
from nightbell.web.pages import throttles
from nightbell.web.render import go, render
from nightbell.web.site import WebRequest, action, page


@page("/settings", Permission.OPERATE)
async def settings(request: WebRequest) -> Response[bytes]:
    """Show what belongs to the whole installation."""
    directory = await request.site.directory()
    chosen = directory.fallback_user_ids if directory.fallback_is_chosen else ()
    return await render(
        request,
        "settings.html",
        nav="settings",
        version=__version__,
        chosen=bool(chosen),
        people=[(u.id, u.name, u.id in chosen) for u in directory.users.values() if u.active],
        fallback=[directory.users[u].name for u in directory.fallback_user_ids if u in directory.users],
        holds=directory.acknowledge_default,
        minutes=ACKNOWLEDGE_MINUTES,
        audit=await pages.audit(request.site.db),
        streams=len(request.site.hub),
        channels=sorted(request.site.channels),
        **await throttles.shown(request),
    )


@action("/settings/fallback", Permission.OPERATE)
async def choose_fallback(request: WebRequest) -> Response[Any]:
    """Choose who is paged when nobody else can be."""
    form = await request.fields()
    ids = [int(text) for text in form.many("user") if text.isascii() and text.isdecimal()]
    await request.site.configure.set_fallback(ids, by=request.visitor.actor, now=request.now)
    return go(request, "/settings", "Saved.")


@action("/settings/acknowledgement", Permission.OPERATE)
async def set_acknowledgement(request: WebRequest) -> Response[Any]:
    """Say how long an acknowledgement holds."""
    form = await request.fields()
    chosen = form.choice("minutes", ["", *map(str, ACKNOWLEDGE_MINUTES)], "")
    await request.site.configure.set_acknowledge_minutes(
        int(chosen) if chosen else None, by=request.visitor.actor, now=request.now
    )
    return go(request, "/settings", "Saved. It counts for what is acknowledged from now on.")


ROUTES = [settings, choose_fallback, set_acknowledgement]
