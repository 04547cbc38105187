"""Rotations of a schedule, for the lead: who takes turns and when, and who would be on call instead before it is saved."""

from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Response
from litestar.params import FromPath

from nightbell.core.access import Permission
from nightbell.core.calendar import Span, zone
from nightbell.core.errors import Invalid, NightbellError, Unknown
from nightbell.core.shifts import shifts
from nightbell.engine import scheduling
from nightbell.engine.scheduling import Preview
from nightbell.store.read import schedules as stored
from nightbell.web import lanes, rotation_form
from nightbell.web.duty import name_of
from nightbell.web.faults import told
from nightbell.web.lanes import Becomes
from nightbell.web.pages.login import zones
from nightbell.web.pages.schedules import found
from nightbell.web.render import go, html, render
from nightbell.web.rotation_form import Draft
from nightbell.web.site import WebRequest, action, page
from nightbell.web.times import Times

#: How far ahead a change is previewed.
AHEAD = timedelta(weeks=4)
MOST_CHANGES = 40


@page("/schedules/{ident:uuid}/rotations/new", Permission.CONFIGURE)
async def fresh(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Show the form of a new rotation."""
    row = await found(request, ident)
    return await _editor(request, row, None, Draft(time_zone=row["time_zone"]), {})


@page("/schedules/{ident:uuid}/rotations/{rotation:uuid}", Permission.VIEW)
async def shown(request: WebRequest, ident: FromPath[UUID], rotation: FromPath[UUID]) -> Response[bytes]:
    """Show a rotation and its form."""
    row, own = await found(request, ident), await _rotation(request, ident, rotation)
    days = await stored.active_days_of(request.site.db, rotation)
    return await _editor(request, row, own, rotation_form.from_row(own, days, zone(own["time_zone"])), {})


async def _rotation(request: WebRequest, ident: UUID, rotation: UUID) -> dict[str, Any]:
    row = await stored.rotation(request.site.db, rotation)
    if row is None or row["schedule_id"] != ident:
        raise Unknown("There is no such rotation.")
    return row


async def _editor(
    request: WebRequest,
    row: dict[str, Any],
    own: dict[str, Any] | None,
    draft: Draft,
    errors: dict[str, str],
    *,
    changed: bool = False,
) -> Response[bytes]:
    directory = await request.site.directory()
    return await render(
        request,
        "rotation.html",
        code=422 if errors else 200,
        nav="schedules",
        schedule=row,
        rotation=own,
        draft=draft,
        errors=errors,
        changed=changed,
        zones=zones(),
        form=rotation_form,
        named=lambda who: rotation_form.named(who, directory),
        options=rotation_form.options(directory, row["id"]),
        preview=await _preview(request, row, own, draft) if changed else None,
    )


@action("/schedules/{ident:uuid}/rotations", Permission.CONFIGURE)
async def created(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Add a rotation; the form's other buttons only change the form."""
    return await _taken(request, ident, None)


@action("/schedules/{ident:uuid}/rotations/{rotation:uuid}", Permission.CONFIGURE)
async def changed(request: WebRequest, ident: FromPath[UUID], rotation: FromPath[UUID]) -> Response[bytes]:
    """Change a rotation from now on; the form's other buttons only change the form."""
    return await _taken(request, ident, rotation)


async def _taken(request: WebRequest, ident: UUID, rotation: UUID | None) -> Response[bytes]:
    row = await found(request, ident)
    own = await _rotation(request, ident, rotation) if rotation else None
    form = await request.fields()
    draft = rotation_form.from_form(form)
    what = form.raw("do") or "save"
    if what != "save":
        return await _editor(request, row, own, rotation_form.edited(draft, what), {}, changed=True)
    by, now, configure = request.visitor.actor, request.now, request.site.configure
    try:
        edit = rotation_form.edit_of(draft, _place(draft))
        if rotation is None:
            await configure.create_rotation(ident, edit, by=by, now=now)
        else:
            await configure.update_rotation(rotation, edit, by=by, now=now)
    except Invalid as error:
        return await _editor(request, row, own, draft, rotation_form.placed(told(error)), changed=True)
    return go(request, f"/schedules/{ident}", "Saved. What is past stays as it was.")


def _place(draft: Draft) -> ZoneInfo:
    try:
        return zone(draft.time_zone)
    except Invalid:
        return zone("Etc/UTC")


@action("/schedules/{ident:uuid}/rotations/preview", Permission.CONFIGURE)
async def previewed_new(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Show what a new rotation would change."""
    return await _previewed(request, ident, None)


@action("/schedules/{ident:uuid}/rotations/{rotation:uuid}/preview", Permission.CONFIGURE)
async def previewed(request: WebRequest, ident: FromPath[UUID], rotation: FromPath[UUID]) -> Response[bytes]:
    """Show what the form would change."""
    return await _previewed(request, ident, rotation)


async def _previewed(request: WebRequest, ident: UUID, rotation: UUID | None) -> Response[bytes]:
    row = await found(request, ident)
    own = await _rotation(request, ident, rotation) if rotation else None
    draft = rotation_form.from_form(await request.fields())
    return html(request, "becomes.html", preview=await _preview(request, row, own, draft))


async def _preview(
    request: WebRequest, row: dict[str, Any], own: dict[str, Any] | None, draft: Draft
) -> dict[str, Any]:
    """Return what saving would change, or why it cannot be saved."""
    span = Span(request.now, request.now + AHEAD)
    try:
        edit = rotation_form.edit_of(draft, _place(draft))
        both = await scheduling.preview_rotation(
            request.site.db, row["id"], own["id"] if own else None, edit, span=span, now=request.now
        )
    except NightbellError as error:
        return {"wrong": f"{error.message} {error.hint}".strip()}
    return await compared(request, both, span)


async def compared(request: WebRequest, both: Preview, span: Span) -> dict[str, Any]:
    """Return what a template shows of two plans: who is on call now and who would be, where that differs."""
    plans = [shifts(one, start=span.start, end=span.end) for one in both]
    found_changes: list[Becomes] = lanes.changes(*plans)
    directory = await request.site.directory()
    return {
        "changes": found_changes[:MOST_CHANGES],
        "more": max(0, len(found_changes) - MOST_CHANGES),
        "until": span.end,
        "names": lambda users: ", ".join(name_of(user, directory) for user in users) or "nobody",
        "times": Times(request.now, request.visitor.time_zone),
    }


@action("/schedules/{ident:uuid}/rotations/{rotation:uuid}/delete", Permission.CONFIGURE)
async def deleted(request: WebRequest, ident: FromPath[UUID], rotation: FromPath[UUID]) -> Response[bytes]:
    """End a rotation now; what it said before stays."""
    await _rotation(request, ident, rotation)
    await request.site.configure.delete_rotation(rotation, by=request.visitor.actor, now=request.now)
    return go(request, f"/schedules/{ident}", "The rotation has ended.")


ROUTES = [fresh, shown, created, changed, previewed_new, previewed, deleted]
