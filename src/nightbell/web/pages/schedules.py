"""Schedules, for the lead: who is on call, why, who takes over when, and where nobody is."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Response
from litestar.params import FromPath
from msgspec import Struct

from nightbell.core.access import Permission
from nightbell.core.calendar import WEEK, Span, wall, zone
from nightbell.core.errors import Invalid, Unknown
from nightbell.core.quality import Report
from nightbell.core.schedule import Feed, Rotation, Schedule
from nightbell.core.shift import Shift
from nightbell.core.shifts import gaps, lane_shifts, shadow_shifts, shifts
from nightbell.engine import scheduling
from nightbell.engine.schedule_edits import ScheduleEdit
from nightbell.store.read import schedules as stored
from nightbell.web import coming, lanes
from nightbell.web.duty import name_of
from nightbell.web.faults import told
from nightbell.web.forms import Form
from nightbell.web.gate import warnings
from nightbell.web.lanes import Lane, Week
from nightbell.web.pages.login import zones
from nightbell.web.pages.subscriptions import addresses
from nightbell.web.pages.teams import ALL
from nightbell.web.render import go, render
from nightbell.web.site import WebRequest, action, page
from nightbell.web.times import Times

#: How far ahead the quality of a schedule is judged.
_JUDGED = 8 * WEEK
_HAND_OFFS = 6
ABSENCES = (
    ("ignore", "say nothing"),
    ("show", "show it as a conflict"),
    ("exchange", "let the next in the rotation stand in"),
)


@page("/schedules", Permission.VIEW)
async def listed(request: WebRequest) -> Response[bytes]:
    """Show the schedules and who is on call in each."""
    return await _listed(request, {}, "")


async def _listed(request: WebRequest, errors: dict[str, str], name: str) -> Response[bytes]:
    directory = await request.site.directory()
    found = (await stored.schedules(request.site.db, ALL)).rows
    return await render(
        request,
        "schedules.html",
        code=422 if errors else 200,
        nav="schedules",
        posts=request.site.roster.posts(directory, request.now),
        flags={row["id"]: row["flags"] for row in found},
        directory=directory,
        asked=await coming.asked_of(request),
        names={row["id"]: row["name"] for row in found},
        errors=errors,
        name=name,
        zones=zones(),
    )


@action("/schedules", Permission.CONFIGURE)
async def created(request: WebRequest) -> Response[bytes]:
    """Make a schedule, then ask for its first rotation."""
    form = await request.fields()
    try:
        edit = ScheduleEdit(name=form.text("name"), time_zone=form.text("time_zone") or "UTC")
        ident = await request.site.configure.create_schedule(edit, by=request.visitor.actor, now=request.now)
    except Invalid as error:
        return await _listed(request, told(error), form.text("name"))
    return go(request, f"/schedules/{ident}/rotations/new", "Made. Now say who takes turns.")


@page("/schedules/{ident:uuid}", Permission.VIEW)
async def shown(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Show a week of a schedule."""
    row = await found(request, ident)
    place = chosen_zone(request, row)
    shown_week = lanes.week(_asked_day(request, place), place, request.now)
    db, now = request.site.db, request.now
    ahead = Span(min(now, shown_week.span.start), max(now + _JUDGED, shown_week.span.end))
    if ahead.end - ahead.start > timedelta(days=390):
        ahead = Span(*shown_week.span)
    schedule = await scheduling.schedule(db, ident, start=ahead.start, end=ahead.end)
    serving = shifts(schedule, start=ahead.start, end=ahead.end)
    directory = await request.site.directory()
    rotations = (await stored.rotations_of(db, ident, ALL)).rows
    judged = await scheduling.quality(db, ident, Span(now, now + _JUDGED)) if serving else None
    loads = _loads(judged) if judged else []
    return await render(
        request,
        "schedule.html",
        nav="schedules",
        schedule=row,
        rotations=rotations[::-1],
        directory=directory,
        gate=await warnings(request, directory, ident),
        shown=Times(now, place.key),
        place=place.key,
        mine=request.visitor.time_zone,
        week=shown_week,
        following=shown_week.monday + timedelta(days=7),
        previous=shown_week.monday - timedelta(days=7),
        at_now=shown_week.at(now) if shown_week.span.start <= now < shown_week.span.end else None,
        lanes=_lanes(schedule, serving, shown_week),
        lists=_list(schedule, serving, shown_week),
        tints=lanes.tints(schedule, serving),
        people=sorted({s.user for s in _within(serving, shown_week.span)}),
        on_call=[s for s in lanes.joined(serving) if s.start <= now < s.end],
        until=lanes.held_until(serving, now),
        hand_offs=lanes.hand_offs(serving, start=now, end=now + _JUDGED)[:_HAND_OFFS],
        quality=judged,
        loads=loads,
        lightest=min(loads, key=lambda load: load.share).user if loads else None,
        heaviest=max(loads, key=lambda load: load.share).user if loads else None,
        sentence=lambda shift: shift.why.sentence(lambda user: name_of(user, directory)),
        in_schedule=request.query_params.get("zone") == "schedule",
        flags=row["flags"],
        **await _beside(request, ident),
    )


async def _beside(request: WebRequest, ident: UUID) -> dict[str, Any]:
    """Return what stands beside the shifts: what changes them, and who else may see them."""
    return {
        "overrides": await coming.overrides(request, ident),
        "swaps": await coming.swaps(request, ident),
        "shadows": await coming.shadows(request, ident),
        "feeds": await coming.feeds(request, ident),
        "addresses": await addresses(request, ident),
    }


class Share(Struct, frozen=True, kw_only=True):
    """What a person carries of the whole. Units: percent, hours, nights."""

    user: int
    share: int
    #: Outside the hours in which they work.
    off_hours: int | None
    nights: int
    in_a_row: int


def _loads(judged: Report) -> list[Share]:
    whole = sum((load.total for load in judged.loads), timedelta()) or timedelta(1)
    return [
        Share(
            user=load.user,
            share=round(100 * load.total / whole),
            off_hours=None if load.outside_work is None else round(load.outside_work / timedelta(hours=1)),
            nights=load.nights,
            in_a_row=load.nights_in_a_row,
        )
        for load in judged.loads
    ]


def _lanes(schedule: Schedule, serving: Iterable[Shift], shown_week: Week) -> list[Lane]:
    """Return the final lane, then overrides, then each layer, the strongest first."""
    start, end = shown_week.span
    free = gaps(schedule, start=start, end=end)
    rows = [lanes.final_lane("On call", lanes.joined(_within(serving, shown_week.span)), free, shown_week)]
    changed = [s for s in _within(serving, shown_week.span) if s.is_override]
    if changed:
        rows.append(lanes.lane("Overrides", lanes.joined(changed), shown_week, kind="override"))
    listening = shadow_shifts(schedule, start=start, end=end) if schedule.shadows else ()
    if listening:
        rows.append(lanes.lane("Shadows", lanes.joined(listening), shown_week, kind="shadow"))
    own = lane_shifts(schedule, start=start, end=end)
    layers: list[Rotation | Feed] = [*schedule.rotations, *schedule.feeds]
    named = {one.id: one for one in layers}
    for one in sorted(named.values(), key=lambda r: -r.position):
        kind = "rotations" if isinstance(one, Rotation) else "calendars"
        href = f"/schedules/{schedule.id}/{kind}/{one.id}"
        rows.append(lanes.lane(one.name, own[one.id], shown_week, href=href))
    return rows


def _within(serving: Iterable[Shift], span: Span) -> list[Shift]:
    return [s for s in serving if s.start < span.end and s.end > span.start]


class Line(Struct, frozen=True, kw_only=True):
    """One line of the list below the bars: a shift, or a gap."""

    start: datetime
    end: datetime
    shift: Shift | None


def _list(schedule: Schedule, serving: Iterable[Shift], shown_week: Week) -> list[Line]:
    lines = [Line(start=s.start, end=s.end, shift=s) for s in lanes.joined(_within(serving, shown_week.span))]
    free = gaps(schedule, start=shown_week.span.start, end=shown_week.span.end)
    lines += [Line(start=g.start, end=g.end, shift=None) for g in free]
    return sorted(lines, key=lambda line: (line.start, line.end))


# ---------------------------------------------------------------- what other pages of schedules use


async def found(request: WebRequest, ident: UUID) -> dict[str, Any]:
    """Return a schedule's row. Raises: Unknown."""
    row = await stored.schedule(request.site.db, ident)
    if row is None:
        raise Unknown("There is no such schedule.")
    return row


def chosen_zone(request: WebRequest, row: dict[str, Any]) -> ZoneInfo:
    """Return the zone a page shows: the reader's, or the schedule's when asked for."""
    theirs = request.query_params.get("zone") == "schedule"
    return zone(row["time_zone"] if theirs else request.visitor.time_zone)


def _asked_day(request: WebRequest, place: ZoneInfo) -> date:
    try:
        return date.fromisoformat(request.query_params.get("week", ""))
    except ValueError:
        return wall(request.now, place).date()


# ---------------------------------------------------------------- settings


@page("/schedules/{ident:uuid}/edit", Permission.CONFIGURE)
async def settings(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Show the settings of a schedule."""
    return await _settings(request, ident, {})


async def _settings(request: WebRequest, ident: UUID, errors: dict[str, str]) -> Response[bytes]:
    return await render(
        request,
        "schedule_edit.html",
        code=422 if errors else 200,
        nav="schedules",
        schedule=await found(request, ident),
        errors=errors,
        zones=zones(),
        absences=ABSENCES,
    )


@action("/schedules/{ident:uuid}", Permission.CONFIGURE)
async def changed(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Change a schedule's own settings."""
    form = await request.fields()
    try:
        edit = _edit(form)
        await request.site.configure.update_schedule(ident, edit, by=request.visitor.actor, now=request.now)
    except Invalid as error:
        return await _settings(request, ident, told(error))
    return go(request, f"/schedules/{ident}", "Saved.")


def _edit(form: Form) -> ScheduleEdit:
    rules = tuple(value for value, _ in ABSENCES)
    return ScheduleEdit(
        name=form.text("name"),
        description=form.text("description", longest=10_000) or None,
        time_zone=form.text("time_zone"),
        time_off=form.choice("time_off", rules),
        holidays=form.choice("holidays", rules),
    )


@action("/schedules/{ident:uuid}/delete", Permission.CONFIGURE)
async def deleted(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Take a schedule out of use; what it said stays provable."""
    await request.site.configure.delete_schedule(ident, by=request.visitor.actor, now=request.now)
    return go(request, "/schedules", "The schedule is gone. Levels that name it reach nobody.")


ROUTES = [listed, created, shown, settings, changed, deleted]
