"""When somebody is away and when they work: their own to say, or that of whoever looks after people."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath
from msgspec import Struct

from nightbell.core.access import Permission, may
from nightbell.core.calendar import Span, zone
from nightbell.core.errors import Forbidden, Invalid, Unknown
from nightbell.core.shift import Shift
from nightbell.engine import scheduling
from nightbell.engine.schedule_edits import HolidayEdit, LinkEdit, TimeOffEdit, WorkingHoursEdit
from nightbell.store.read import schedules as stored
from nightbell.store.read.listing import Condition, Listing
from nightbell.web import lanes, stretches
from nightbell.web.duty import name_of
from nightbell.web.faults import told
from nightbell.web.forms import Form
from nightbell.web.pages.shared import shown_link
from nightbell.web.render import go, render
from nightbell.web.rotation_form import DAYS
from nightbell.web.site import WebRequest, action, page
from nightbell.web.stretches import Given

#: How far ahead shifts that fall into time off are looked for.
_AHEAD = timedelta(days=120)


class Clash(Struct, frozen=True, kw_only=True):
    """A shift that somebody has while away."""

    schedule_id: UUID
    schedule: str
    span: Span


@page("/away", Permission.SELF)
async def shown(request: WebRequest) -> Response[bytes]:
    """Show when the reader is away; `?user=` shows another person to whoever looks after people."""
    return await _shown(request, _whose(request, request.query_params.get("user", "")), {})


def _whose(request: WebRequest, text: str) -> int:
    """Return whose time is meant. Raises: Forbidden, Unknown."""
    user_id = stretches.person(text) if text else request.visitor.user_id
    if user_id is None:
        raise Unknown("There is no such person.")
    if user_id != request.visitor.user_id and not may(request.visitor.role, Permission.PEOPLE):
        raise Forbidden("Only they can say when they are away.")
    return user_id


async def _shown(
    request: WebRequest, user_id: int, errors: dict[str, str], given: dict[str, str] | None = None
) -> Response[bytes]:
    db = request.site.db
    directory = await request.site.directory()
    coming = Condition("ends_at", "gt", (request.now.isoformat(),))
    rows = (await stored.time_off_of(db, user_id, Listing(where=(coming,), order=("starts_at",)))).rows
    tomorrow = stretches.asked(request, zone(request.visitor.time_zone))
    holidays = await stored.holiday_calendars_of(db, user_id)
    hours = await stored.working_hours_of(db, user_id)
    return await render(
        request,
        "away.html",
        code=422 if errors else 200,
        nav="me" if user_id == request.visitor.user_id else "people",
        user_id=user_id,
        own=user_id == request.visitor.user_id,
        name=name_of(user_id, directory),
        rows=rows,
        clashes=await _clashes(request, user_id, rows),
        holidays=holidays[0] if holidays else None,
        hours=hours[0] if hours else None,
        days=DAYS,
        given=given or {**tomorrow._asdict(), "reason": ""},
        calendars=await _calendars(request) if user_id == request.visitor.user_id else [],
        errors=errors,
        place=request.visitor.time_zone,
    )


async def _clashes(request: WebRequest, user_id: int, rows: list[dict[str, Any]]) -> list[Clash]:
    """Return the shifts of somebody that fall into their time off."""
    if not rows:
        return []
    span = Span(request.now, request.now + _AHEAD)
    mine = await scheduling.shifts_between(request.site.db, span, user_ids=[user_id])
    serving = lanes.joined(shift for shift in mine if not shift.is_shadow)
    names = await stored.schedules_by_id(request.site.db, [shift.schedule_id for shift in serving])
    return [
        Clash(schedule_id=shift.schedule_id, schedule=names[shift.schedule_id]["name"], span=both)
        for shift in serving
        for row in rows
        if (both := _both(shift, row)).start < both.end
    ]


async def _calendars(request: WebRequest) -> list[dict[str, Any]]:
    """Return the secret addresses of the reader's own calendar, which nobody else is shown."""
    rows = await stored.links_of_user(request.site.db, request.visitor.user_id)
    return [shown_link(request, row) for row in rows]


def _both(shift: Shift, row: dict[str, Any]) -> Span:
    return Span(max(shift.start, row["starts_at"]), min(shift.end, row["ends_at"]))


def _back(request: WebRequest, user_id: int) -> str:
    return "/away" if user_id == request.visitor.user_id else f"/away?user={user_id}"


# ---------------------------------------------------------------- one's own calendar


@action("/away/calendar", Permission.SELF)
async def calendar_made(request: WebRequest) -> Response[bytes]:
    """Make an address of one's own shifts, for a calendar program."""
    edit = LinkEdit(kind="person", user_id=request.visitor.user_id)
    await request.site.configure.create_link(edit, by=request.visitor.actor, now=request.now)
    return go(request, "/away#calendar", "Made. Whoever has the address sees your shifts, without a log-in.")


@action("/away/calendar/{link:uuid}/cancel", Permission.SELF)
async def calendar_cancelled(request: WebRequest, link: FromPath[UUID]) -> Response[bytes]:
    """Cancel an address of one's own calendar."""
    row = await stored.link(request.site.db, link)
    if row is None or row["user_id"] != request.visitor.user_id:
        raise Unknown("You have no such address.")
    await request.site.configure.cancel_link(link, by=request.visitor.actor, now=request.now)
    return go(request, "/away#calendar", "The address leads nowhere now.")


# ---------------------------------------------------------------- time off


@action("/away", Permission.SELF)
async def created(request: WebRequest) -> Response[bytes]:
    """Note that somebody is away."""
    form = await request.fields()
    user_id = _whose(request, form.text("user"))
    given = {name: form.text(name) for name in ("starts_at", "ends_at", "reason")}
    try:
        span = stretches.instants(
            Given(given["starts_at"], given["ends_at"]), zone(request.visitor.time_zone)
        )
        edit = TimeOffEdit(starts_at=span.start, ends_at=span.end, reason=given["reason"])
        await request.site.configure.create_time_off(user_id, edit, by=request.visitor.actor, now=request.now)
    except Invalid as error:
        return await _shown(request, user_id, told(error), given)
    return go(request, _back(request, user_id), "Noted. Each schedule says what that does there.")


@action("/away/{ident:uuid}/delete", Permission.SELF)
async def deleted(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Let somebody be back: what has begun ends now."""
    row = await stored.one_time_off(request.site.db, ident)
    if row is None:
        raise Unknown("There is no such time off.")
    user_id = _whose(request, str(row["user_id"]))
    await request.site.configure.delete_time_off(ident, by=request.visitor.actor, now=request.now)
    return go(request, _back(request, user_id), "Taken back.")


# ---------------------------------------------------------------- holidays and working hours


@action("/away/holidays", Permission.SELF)
async def holidays_chosen(request: WebRequest) -> Response[bytes]:
    """Say whose public holidays count for somebody; an empty country: nobody's."""
    form = await request.fields()
    user_id = _whose(request, form.text("user"))
    by, now, configure = request.visitor.actor, request.now, request.site.configure
    known = await stored.holiday_calendars_of(request.site.db, user_id)
    edit = HolidayEdit(country=form.text("country"), subdivision=form.text("subdivision") or None)
    try:
        if not form.text("country"):
            for row in known:
                await configure.delete_holiday_calendar(row["id"], by=by, now=now)
        elif known:
            await configure.update_holiday_calendar(known[0]["id"], edit, by=by, now=now)
        else:
            await configure.create_holiday_calendar(user_id, edit, by=by, now=now)
    except Invalid as error:
        return await _shown(request, user_id, told(error))
    return go(request, _back(request, user_id), "Saved.")


@action("/away/hours", Permission.SELF)
async def hours_chosen(request: WebRequest) -> Response[bytes]:
    """Say when somebody works; no day: Monday to Friday, 9 to 17, are taken to be meant."""
    form = await request.fields()
    user_id = _whose(request, form.text("user"))
    by, now, configure = request.visitor.actor, request.now, request.site.configure
    known = await stored.working_hours_of(request.site.db, user_id)
    try:
        if not form.many("day"):
            for row in known:
                await configure.delete_working_hours(row["id"], by=by, now=now)
        elif known:
            await configure.update_working_hours(known[0]["id"], _week(form), by=by, now=now)
        else:
            await configure.create_working_hours(user_id, _week(form), by=by, now=now)
    except Invalid as error:
        return await _shown(request, user_id, told(error))
    return go(request, _back(request, user_id), "Saved.")


def _week(form: Form) -> WorkingHoursEdit:
    window = {"start_time": form.text("from"), "end_time": form.text("to")}
    return WorkingHoursEdit(days=form.many("day"), windows=[window])


ROUTES = [shown, calendar_made, calendar_cancelled, created, deleted, holidays_chosen, hours_chosen]
