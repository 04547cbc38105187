"""Calendars elsewhere that are layers of a schedule: which, whether they can be read, and when they were last."""

from typing import Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath

from nightbell.core.access import Permission, may
from nightbell.core.errors import Invalid, Unknown
from nightbell.engine.schedule_edits import FeedEdit
from nightbell.store.read import schedules as stored
from nightbell.web.faults import told
from nightbell.web.forms import Form, whole
from nightbell.web.pages.schedules import found
from nightbell.web.render import go, render
from nightbell.web.site import WebRequest, action, page

_FIELDS = ("name", "url", "position", "refresh_minutes")
_USUAL_MINUTES = 15


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "url"}


@page("/schedules/{ident:uuid}/calendars/new", Permission.CONFIGURE)
async def fresh(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Show the form of a new calendar."""
    given = {"name": "", "url": "", "position": "", "refresh_minutes": str(_USUAL_MINUTES)}
    return await _form(request, await found(request, ident), None, given, {})


@page("/schedules/{ident:uuid}/calendars/{feed:uuid}", Permission.VIEW)
async def shown(request: WebRequest, ident: FromPath[UUID], feed: FromPath[UUID]) -> Response[bytes]:
    """Show a calendar, how it fares and, to whoever may change it, its address."""
    row, own = await found(request, ident), await _feed(request, ident, feed)
    # Its address is as good as a password.
    url = (
        request.site.configure.feed_url(own["url"]) if may(request.visitor.role, Permission.CONFIGURE) else ""
    )
    given = {name: str(own[name]) for name in _FIELDS} | {"url": url}
    return await _form(request, row, own, given, {})


async def _feed(request: WebRequest, ident: UUID, feed: UUID) -> dict[str, Any]:
    row = await stored.feed(request.site.db, feed)
    if row is None or row["schedule_id"] != ident:
        raise Unknown("There is no such calendar.")
    return row


async def _form(
    request: WebRequest,
    row: dict[str, Any],
    own: dict[str, Any] | None,
    given: dict[str, str],
    errors: dict[str, str],
) -> Response[bytes]:
    return await render(
        request,
        "feed.html",
        code=422 if errors else 200,
        nav="schedules",
        schedule=row,
        feed=own and _shown(own),
        given=given,
        errors=errors,
    )


def _edit(form: Form) -> FeedEdit:
    edit: dict[str, Any] = {"name": form.text("name"), "url": form.text("url", longest=4000)}
    if form.text("position"):
        edit["position"] = whole(form.text("position"), "position", least=1, most=1000)
    minutes = form.number("refresh_minutes", least=5, most=1440, default=_USUAL_MINUTES)
    return FeedEdit(refresh_minutes=minutes, **edit)


@action("/schedules/{ident:uuid}/calendars", Permission.CONFIGURE)
async def created(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Add a calendar as a layer."""
    return await _taken(request, ident, None)


@action("/schedules/{ident:uuid}/calendars/{feed:uuid}", Permission.CONFIGURE)
async def changed(request: WebRequest, ident: FromPath[UUID], feed: FromPath[UUID]) -> Response[bytes]:
    """Change a calendar's name, layer, address or how often it is read."""
    return await _taken(request, ident, feed)


async def _taken(request: WebRequest, ident: UUID, feed: UUID | None) -> Response[bytes]:
    row = await found(request, ident)
    own = await _feed(request, ident, feed) if feed else None
    form = await request.fields()
    by, now, configure = request.visitor.actor, request.now, request.site.configure
    try:
        if feed is None:
            await configure.create_feed(ident, _edit(form), by=by, now=now)
        else:
            await configure.update_feed(feed, _edit(form), by=by, now=now)
    except Invalid as error:
        given = {name: form.raw(name)[:4000] for name in _FIELDS}
        return await _form(request, row, own, given, told(error))
    return go(request, f"/schedules/{ident}#calendars", "Saved. It is read within seconds.")


@action("/schedules/{ident:uuid}/calendars/{feed:uuid}/refresh", Permission.CONFIGURE)
async def refreshed(request: WebRequest, ident: FromPath[UUID], feed: FromPath[UUID]) -> Response[bytes]:
    """Read a calendar again, before its time."""
    await _feed(request, ident, feed)
    await request.site.configure.refresh_feed(feed, now=request.now)
    return go(request, f"/schedules/{ident}#calendars", "It is read again within seconds.")


@action("/schedules/{ident:uuid}/calendars/{feed:uuid}/delete", Permission.CONFIGURE)
async def deleted(request: WebRequest, ident: FromPath[UUID], feed: FromPath[UUID]) -> Response[bytes]:
    """Take a calendar off; what it said until now stays."""
    await _feed(request, ident, feed)
    await request.site.configure.delete_feed(feed, by=request.visitor.actor, now=request.now)
    return go(request, f"/schedules/{ident}#calendars", "Taken off. What it said until now stays.")


ROUTES = [fresh, shown, created, changed, refreshed, deleted]
