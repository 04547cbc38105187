"""Overrides of a schedule: somebody stands in for a while. Made here, taken back here; the past stays as it was."""

from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from litestar import Response
from litestar.params import FromPath
from msgspec.structs import replace

from nightbell.core.access import Permission
from nightbell.core.calendar import Span, zone
from nightbell.core.errors import Invalid, NightbellError, Unknown
from nightbell.core.schedule import Change, Override
from nightbell.engine import scheduling
from nightbell.engine.schedule_edits import OverrideEdit
from nightbell.engine.scheduling import Preview
from nightbell.store.read import schedules as stored
from nightbell.web import stretches
from nightbell.web.faults import told
from nightbell.web.forms import Form
from nightbell.web.pages.rotations import compared
from nightbell.web.pages.schedules import found
from nightbell.web.render import go, html, render
from nightbell.web.site import WebRequest, action, page
from nightbell.web.stretches import Given

KINDS = (
    ("cover", "is on call instead of everybody"),
    ("replace", "is on call instead of…"),
    ("add", "is on call as well"),
    ("remove", "is not on call"),
)


@page("/schedules/{ident:uuid}/override", Permission.RESPOND)
async def form_shown(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Show the form of an override, filled in from the address: a gap's "fill", a shift's "override"."""
    row = await found(request, ident)
    wanted = request.query_params
    span = stretches.asked(request, zone(request.visitor.time_zone))
    given = {
        "change": "replace" if wanted.get("of") else "cover",
        "user": wanted.get("user") or str(request.visitor.user_id),
        "of": wanted.get("of", ""),
        **span._asdict(),
        "reason": "",
    }
    return await _form(request, row, given, {})


async def _form(
    request: WebRequest, row: dict[str, Any], given: dict[str, str], errors: dict[str, str]
) -> Response[bytes]:
    return await render(
        request,
        "override.html",
        code=422 if errors else 200,
        nav="schedules",
        schedule=row,
        given=given,
        errors=errors,
        kinds=KINDS,
        people=stretches.people(await request.site.directory()),
        place=request.visitor.time_zone,
        preview=await _preview(request, row["id"], given),
    )


def _typed(form: Form) -> dict[str, str]:
    return {name: form.text(name) for name in ("change", "user", "of", "starts_at", "ends_at", "reason")}


def _edit(given: dict[str, str], place: ZoneInfo) -> OverrideEdit:
    """Return the edit of a form. Raises: Invalid naming the fields."""
    span = stretches.instants(Given(given["starts_at"], given["ends_at"]), place)
    return OverrideEdit(
        change=given["change"],
        starts_at=span.start,
        ends_at=span.end,
        user_id=None if given["change"] == "remove" else stretches.person(given["user"]),
        replaces_user_id=stretches.person(given["of"]) if given["change"] in ("replace", "remove") else None,
        reason=given["reason"],
    )


async def _preview(request: WebRequest, ident: UUID, given: dict[str, str]) -> dict[str, Any]:
    """Return what the form would change, or why it cannot be saved."""
    try:
        sent = _edit(given, zone(request.visitor.time_zone)).sent()
        span = stretches.shown(Span(sent["starts_at"], sent["ends_at"]))
        before = await scheduling.schedule(request.site.db, ident, start=span.start, end=span.end)
        made = Override(
            id=uuid4(), change=Change(sent["change"]), start=span.start, end=span.end,
            user=sent["user_id"], replaces=sent["replaces_user_id"],
        )  # fmt: skip
    except NightbellError as error:
        return {"wrong": f"{error.message} {error.hint}".strip()}
    except ValueError:
        return {"wrong": "Choose what it does from the list."}
    return await compared(
        request, Preview(before, replace(before, overrides=(*before.overrides, made))), span
    )


@action("/schedules/{ident:uuid}/overrides/preview", Permission.RESPOND)
async def previewed(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Show what the form would change."""
    await found(request, ident)
    given = _typed(await request.fields())
    return html(request, "becomes.html", preview=await _preview(request, ident, given))


@action("/schedules/{ident:uuid}/overrides", Permission.RESPOND)
async def created(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Put somebody on call for a while."""
    row = await found(request, ident)
    form = await request.fields()
    given = _typed(form)
    if form.raw("do") == "preview":
        return await _form(request, row, given, {})
    try:
        edit = _edit(given, zone(request.visitor.time_zone))
        await request.site.configure.create_override(ident, edit, by=request.visitor.actor, now=request.now)
    except Invalid as error:
        return await _form(request, row, given, told(error))
    return go(request, f"/schedules/{ident}?week={given['starts_at'][:10]}", "The override is set.")


@action("/schedules/{ident:uuid}/overrides/{override:uuid}/delete", Permission.RESPOND)
async def deleted(request: WebRequest, ident: FromPath[UUID], override: FromPath[UUID]) -> Response[bytes]:
    """Take an override back: one that has begun ends now, and what it did stays."""
    row = await stored.override(request.site.db, override)
    if row is None or row["schedule_id"] != ident:
        raise Unknown("There is no such override.")
    begun = row["starts_at"] <= request.now
    await request.site.configure.delete_override(override, by=request.visitor.actor, now=request.now)
    said = "The override ends now; what it did stays." if begun else "The override is gone."
    return go(request, f"/schedules/{ident}", said)


ROUTES = [form_shown, previewed, created, deleted]
