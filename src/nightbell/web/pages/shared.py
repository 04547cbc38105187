"""Addresses that open without a log-in: pages and texts of who is on call, for chosen schedules, and calendars."""

from typing import Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath

from nightbell.core.access import Permission
from nightbell.core.errors import Invalid, Unknown
from nightbell.engine.published import path_of
from nightbell.engine.schedule_edits import LinkEdit
from nightbell.store.read import schedules as stored
from nightbell.web.faults import told
from nightbell.web.pages.teams import ALL
from nightbell.web.render import go, render
from nightbell.web.site import WebRequest, action, page

KINDS = (
    ("board", "a page: who is on call now and next, without addresses"),
    ("on_call", "a text: one line for each schedule, with e-mail addresses, for scripts"),
)
#: What each kind is called in the list.
NAMES = {"board": "page", "on_call": "text", "schedule": "calendar", "person": "calendar"}


def shown_link(request: WebRequest, row: dict[str, Any]) -> dict[str, Any]:
    """Return what a page shows of a secret address."""
    token = request.site.configure.link_token(row["sealed"])
    return {**row, "what": NAMES[row["kind"]], "url": request.site.base_url + path_of(row["kind"], token)}


@page("/schedules/shared", Permission.CONFIGURE)
async def listed(request: WebRequest) -> Response[bytes]:
    """Show every address, with what it shows, and the form of a new one."""
    return await _listed(request, {})


async def _listed(request: WebRequest, errors: dict[str, str]) -> Response[bytes]:
    db = request.site.db
    schedules = (await stored.schedules(db, ALL)).rows
    rows = await stored.links_of_nobody(db)
    return await render(
        request,
        "shared.html",
        code=422 if errors else 200,
        nav="schedules",
        schedules=sorted(schedules, key=lambda row: row["name"].lower()),
        names={row["id"]: row["name"] for row in schedules},
        links=[shown_link(request, row) for row in rows],
        kinds=KINDS,
        errors=errors,
    )


@action("/schedules/shared", Permission.CONFIGURE)
async def made(request: WebRequest) -> Response[bytes]:
    """Make an address."""
    form = await request.fields()
    try:
        edit = LinkEdit(
            kind=form.choice("kind", [value for value, _ in KINDS]),
            name=form.text("name", longest=255),
            schedule_ids=[_ident(text) for text in form.many("schedule")],
        )
        await request.site.configure.create_link(edit, by=request.visitor.actor, now=request.now)
    except Invalid as error:
        return await _listed(request, told(error))
    return go(request, "/schedules/shared", "Made. Whoever has the address sees it, without a log-in.")


def _ident(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid("That is no schedule.", place="schedule_ids") from None


@action("/schedules/shared/{link:uuid}/cancel", Permission.CONFIGURE)
async def cancelled(request: WebRequest, link: FromPath[UUID]) -> Response[bytes]:
    """Cancel an address: whoever has it sees nothing from now on."""
    row = await stored.link(request.site.db, link)
    if row is None or row["kind"] == "person":
        raise Unknown("There is no such address.")
    await request.site.configure.cancel_link(link, by=request.visitor.actor, now=request.now)
    return go(request, "/schedules/shared", "The address leads nowhere now.")


ROUTES = [listed, made, cancelled]
