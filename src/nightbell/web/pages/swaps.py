"""Swaps: somebody asks to be relieved, and nothing changes until the other says yes."""

from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from litestar import Response
from litestar.params import FromPath
from msgspec.structs import replace

from nightbell.core.access import Permission, may
from nightbell.core.calendar import Span, zone
from nightbell.core.errors import Forbidden, Invalid, NightbellError, Unknown
from nightbell.core.schedule import Change, Override, Schedule
from nightbell.engine import scheduling
from nightbell.engine.schedule_edits import SwapEdit
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

_FIELDS = ("user", "asked", "starts_at", "ends_at", "return_starts_at", "return_ends_at", "reason")


@page("/schedules/{ident:uuid}/swap", Permission.RESPOND)
async def form_shown(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Show the form that asks somebody to take a shift, filled in from the address."""
    row = await found(request, ident)
    span = stretches.asked(request, zone(request.visitor.time_zone))
    mine = request.query_params.get("of") or str(request.visitor.user_id)
    given = dict.fromkeys(_FIELDS, "") | {"user": mine, **span._asdict()}
    return await _form(request, row, given, {})


async def _form(
    request: WebRequest, row: dict[str, Any], given: dict[str, str], errors: dict[str, str]
) -> Response[bytes]:
    people = stretches.people(await request.site.directory())
    whose = [one for one in people if _is_own(request, one[0])]
    return await render(
        request,
        "swap.html",
        code=422 if errors else 200,
        nav="schedules",
        schedule=row,
        given=given,
        errors=errors,
        whose=whose,
        people=people,
        place=request.visitor.time_zone,
        preview=await _preview(request, row["id"], given),
    )


def _is_own(request: WebRequest, user_id: int | None) -> bool:
    """Return whether the reader may ask, or take back, for somebody: themselves, or whoever looks after people."""
    return user_id == request.visitor.user_id or may(request.visitor.role, Permission.PEOPLE)


def _typed(form: Form) -> dict[str, str]:
    return {name: form.text(name) for name in _FIELDS}


def _edit(given: dict[str, str], place: ZoneInfo) -> SwapEdit:
    """Return the edit of a form. Raises: Invalid naming the fields."""
    span = stretches.instants(Given(given["starts_at"], given["ends_at"]), place)
    edit = SwapEdit(
        user_id=stretches.person(given["user"]),
        asked_user_id=stretches.person(given["asked"]),
        starts_at=span.start,
        ends_at=span.end,
        reason=given["reason"],
    )
    if not given["return_starts_at"] and not given["return_ends_at"]:
        return edit
    typed = Given(given["return_starts_at"], given["return_ends_at"])
    back = stretches.instants(typed, place, prefix="return_")
    return replace(edit, return_starts_at=back.start, return_ends_at=back.end)


async def _preview(request: WebRequest, ident: UUID, given: dict[str, str]) -> dict[str, Any]:
    """Return what a yes would change, or why the request cannot be sent."""
    try:
        sent = _edit(given, zone(request.visitor.time_zone)).sent()
        if sent["asked_user_id"] is None:
            return {"note": "Whoever says yes first is on call then."}
        halves = _halves(sent)
        span = Span(min(h.start for h in halves), max(h.end for h in halves))
        stretches.shown(span)
        before = await scheduling.schedule(request.site.db, ident, start=span.start, end=span.end)
    except NightbellError as error:
        return {"wrong": f"{error.message} {error.hint}".strip()}
    return await compared(request, Preview(before, _with(before, halves)), span)


def _halves(sent: dict[str, Any]) -> list[Override]:
    """Return what a yes would put into the schedule.

    Raises: Invalid where it is not said whose shifts are meant.
    """
    asker, asked = sent["user_id"], sent["asked_user_id"]
    if asker is None:
        raise Invalid("Choose whose shifts are meant.", place="user_id")
    spans = [(sent["starts_at"], sent["ends_at"], asked, asker)]
    if sent.get("return_starts_at"):
        spans.append((sent["return_starts_at"], sent["return_ends_at"], asker, asked))
    return [
        Override(id=uuid4(), change=Change.REPLACE, start=start, end=end, user=user, replaces=replaces)
        for start, end, user, replaces in spans
    ]


def _with(before: Schedule, halves: list[Override]) -> Schedule:
    return replace(before, swaps=(*before.swaps, *halves))


@action("/schedules/{ident:uuid}/swaps/preview", Permission.RESPOND)
async def previewed(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Show what a yes would change."""
    await found(request, ident)
    given = _typed(await request.fields())
    return html(request, "becomes.html", preview=await _preview(request, ident, given))


@action("/schedules/{ident:uuid}/swaps", Permission.RESPOND)
async def created(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Ask somebody, or everybody, to take a shift."""
    row = await found(request, ident)
    form = await request.fields()
    given = _typed(form)
    if form.raw("do") == "preview":
        return await _form(request, row, given, {})
    visitor, now = request.visitor, request.now
    try:
        edit = _edit(given, zone(visitor.time_zone))
        if not _is_own(request, stretches.person(given["user"])):
            raise Invalid("Only they can give it away.", place="user_id", hint="Choose yourself.")
        await request.site.configure.ask_for_swap(ident, edit, by=visitor.actor, now=now)
    except Invalid as error:
        return await _form(request, row, given, told(error))
    return go(request, f"/schedules/{ident}#swaps", "Asked. Nothing changes before somebody says yes.")


# ---------------------------------------------------------------- answers


async def _swap(request: WebRequest, ident: UUID, swap: UUID) -> dict[str, Any]:
    row = await stored.swap(request.site.db, swap)
    if row is None or row["schedule_id"] != ident:
        raise Unknown("There is no such request.")
    return row


@action("/schedules/{ident:uuid}/swaps/{swap:uuid}/accept", Permission.RESPOND)
async def accepted(request: WebRequest, ident: FromPath[UUID], swap: FromPath[UUID]) -> Response[bytes]:
    """Say yes: the shift is the reader's from now on."""
    await _swap(request, ident, swap)
    visitor = request.visitor
    await request.site.configure.accept_swap(swap, user_id=visitor.user_id, by=visitor.actor, now=request.now)
    return go(request, f"/schedules/{ident}#swaps", "It is yours now.")


@action("/schedules/{ident:uuid}/swaps/{swap:uuid}/decline", Permission.RESPOND)
async def declined(request: WebRequest, ident: FromPath[UUID], swap: FromPath[UUID]) -> Response[bytes]:
    """Say no: the shift stays whose it was."""
    await _swap(request, ident, swap)
    visitor = request.visitor
    await request.site.configure.decline_swap(
        swap, user_id=visitor.user_id, by=visitor.actor, now=request.now
    )
    return go(request, f"/schedules/{ident}#swaps", "Declined. The shift stays whose it was.")


@action("/schedules/{ident:uuid}/swaps/{swap:uuid}/withdraw", Permission.RESPOND)
async def withdrawn(request: WebRequest, ident: FromPath[UUID], swap: FromPath[UUID]) -> Response[bytes]:
    """Take a request back, or what is still to come of a swap that was agreed."""
    row = await _swap(request, ident, swap)
    if request.visitor.user_id != row["created_by"] and not _is_own(request, row["user_id"]):
        raise Forbidden("Only whoever asked can take it back.")
    await request.site.configure.withdraw_swap(swap, by=request.visitor.actor, now=request.now)
    return go(request, f"/schedules/{ident}#swaps", "Taken back. What was served stays as it was.")


ROUTES = [form_shown, previewed, created, accepted, declined, withdrawn]
