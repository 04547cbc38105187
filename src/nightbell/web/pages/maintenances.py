"""Planned work, for whoever does it: what is muted, until when, and a way to end it at once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath
from msgspec import UNSET, Struct
from msgspec.structs import replace

from nightbell.core.access import Permission
from nightbell.core.calendar import zone
from nightbell.core.directory import Windows
from nightbell.core.errors import Invalid, Unknown
from nightbell.engine.edits import MaintenanceEdit
from nightbell.engine.policies import maintenance
from nightbell.store.read import maintenances as stored
from nightbell.web import lanes
from nightbell.web.faults import told
from nightbell.web.forms import Form
from nightbell.web.pages.teams import ALL
from nightbell.web.render import go, render
from nightbell.web.rotation_form import DAYS
from nightbell.web.site import WebRequest, action, page

#: Work that was over long ago is not looked at here.
_PAST = 20


class Work(Struct, frozen=True, kw_only=True):
    """Planned work as a page shows it."""

    row: dict[str, Any]
    #: going, coming, or over.
    state: str
    #: When what goes on now is over.
    until: datetime | None
    #: When it begins next, for what is coming.
    next: datetime | None


@page("/maintenances", Permission.VIEW)
async def listed(request: WebRequest) -> Response[bytes]:
    """Show planned work: what goes on, what comes, what is over."""
    start = lanes.for_field(request.now, zone(request.visitor.time_zone))
    return await _listed(request, {}, {"starts_at": start, "zone": request.visitor.time_zone})


async def _listed(request: WebRequest, errors: dict[str, str], given: dict[str, Any]) -> Response[bytes]:
    rows = (await stored.maintenances(request.site.db, ALL)).rows
    works = [_work(row, request.now) for row in rows]
    things = await _things(request)
    return await render(
        request,
        "maintenances.html",
        code=422 if errors else 200,
        nav="maintenances",
        going=[w for w in works if w.state == "going"],
        coming=[w for w in works if w.state == "coming"][::-1],
        over=[w for w in works if w.state == "over"][:_PAST],
        service_names={one.id: one.name for one in things["services"]},
        source_names={one.id: one.name for one in things["sources"]},
        errors=errors,
        hours_kept="",
        **things,
        **_filled(given),
    )


_FIELDS = ("name", "starts_at", "ends_at", "from", "to", "zone")
_TICKED = ("service", "source", "day")


async def _things(request: WebRequest) -> dict[str, Any]:
    """Return what the form of planned work offers."""
    directory = await request.site.directory()
    services = {one.id: one for one in directory.services.values()}
    return {
        "services": sorted(services.values(), key=lambda one: one.name.lower()),
        "sources": sorted(directory.sources.values(), key=lambda one: one.name.lower()),
        "days": DAYS,
    }


def _filled(given: dict[str, Any]) -> dict[str, Any]:
    """Return what stands in the fields of the form."""
    return {
        "given": {name: given.get(name, "") for name in _FIELDS},
        "chosen": {name: given.get(name, []) for name in _TICKED},
    }


def _typed(form: Form) -> dict[str, Any]:
    texts = {name: form.raw(name)[:500] for name in _FIELDS}
    return texts | {name: form.many(name) for name in _TICKED}


def _work(row: dict[str, Any], now: datetime) -> Work:
    read = maintenance(row)
    until = read.until(now)
    if until is not None:
        return Work(row=row, state="going", until=until, next=None)
    coming = _next(row["starts_at"], row["ends_at"], read.windows, now)
    return Work(row=row, state="coming" if coming else "over", until=None, next=coming)


def _next(start: datetime, end: datetime | None, windows: Windows | None, now: datetime) -> datetime | None:
    """Return when work begins next; None when it is over."""
    begins = max(start, now)
    found = begins if windows is None else windows.next_start(begins)
    return found if found and found >= now and (end is None or found < end) else None


@action("/maintenances", Permission.CONFIGURE)
async def created(request: WebRequest) -> Response[bytes]:
    """Plan work."""
    form = await request.fields()
    try:
        edit = _edit(form)
        await request.site.configure.create_maintenance(edit, by=request.visitor.actor, now=request.now)
    except Invalid as error:
        return await _listed(request, told(error), _typed(form))
    return go(request, "/maintenances", "Planned. What still fires at its end is paged then.")


def _edit(form: Form) -> MaintenanceEdit:
    """Return the edit of a form, whose times are said in its zone. Raises: Invalid naming the field."""
    place = zone(form.text("zone") or "Etc/UTC", "zone")
    days = form.many("day")
    block = {"days": days, "start_time": form.text("from"), "end_time": form.text("to")}
    return MaintenanceEdit(
        name=form.text("name"),
        service_ids=_ids(form.many("service"), "service_ids"),
        source_ids=_ids(form.many("source"), "source_ids"),
        starts_at=_instant(form, "starts_at"),
        ends_at=_instant(form, "ends_at"),
        hours={"time_zone": place.key, "blocks": [block]} if days else None,
    )


def _instant(form: Form, name: str) -> datetime | None:
    text = form.text(name)
    at = lanes.local(text, zone(form.text("zone") or "Etc/UTC", "zone")) if text else None
    if text and at is None:
        raise Invalid("A date and a time, please.", place=name)
    return at


def _ids(texts: Sequence[str], place: str) -> list[UUID]:
    try:
        return [UUID(text) for text in texts]
    except ValueError:
        raise Invalid("Choose from the list.", place=place) from None


# ---------------------------------------------------------------- one of them


@page("/maintenances/{ident:uuid}/edit", Permission.CONFIGURE)
async def form_shown(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Show planned work in a form."""
    row = await _own(request, ident)
    return await _form(request, row, {}, _written(row, request.visitor.time_zone))


async def _own(request: WebRequest, ident: UUID) -> dict[str, Any]:
    row = await stored.maintenance(request.site.db, ident)
    if row is None:
        raise Unknown("There is no such work.", hint="It may have been forgotten.")
    return row


async def _form(
    request: WebRequest, row: dict[str, Any], errors: dict[str, str], given: dict[str, Any]
) -> Response[bytes]:
    return await render(
        request,
        "maintenance.html",
        code=422 if errors else 200,
        nav="maintenances",
        work=row,
        errors=errors,
        hours_kept=_kept(row),
        **await _things(request),
        **_filled(given),
    )


def _kept(row: dict[str, Any]) -> str:
    """Return hours that are more than the form has room for, in words; "" for all others."""
    blocks = row["hours"]["blocks"] if row["hours"] else []
    if len(blocks) < 2 and not any(one.get("all_day") for one in blocks):
        return ""
    said = [f"{' '.join(b.get('days', []))} {_time(b)}" for b in blocks]
    return f"{', '.join(said)} {row['hours']['time_zone']}"


def _time(block: dict[str, Any]) -> str:
    return "all day" if block.get("all_day") else f"{block.get('start_time', '')}–{block.get('end_time', '')}"


def _written(row: dict[str, Any], visitors: str) -> dict[str, Any]:
    """Return what the form shows of work as it is planned; times are said in its own zone where it has one."""
    place = zone(row["hours"]["time_zone"] if row["hours"] else visitors)
    block = row["hours"]["blocks"][0] if row["hours"] else {}
    return {
        "name": row["name"],
        "starts_at": lanes.for_field(row["starts_at"], place),
        "ends_at": lanes.for_field(row["ends_at"], place) if row["ends_at"] else "",
        "from": block.get("start_time", ""),
        "to": block.get("end_time", ""),
        "zone": place.key,
        "service": [str(one) for one in row["service_ids"]],
        "source": [str(one) for one in row["source_ids"]],
        "day": block.get("days", []),
    }


@action("/maintenances/{ident:uuid}", Permission.CONFIGURE)
async def changed(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Change planned work."""
    row = await _own(request, ident)
    form = await request.fields()
    try:
        edit = _edit(form)
        if _kept(row):
            edit = replace(edit, hours=UNSET)
        await request.site.configure.update_maintenance(
            ident, edit, by=request.visitor.actor, now=request.now
        )
    except Invalid as error:
        return await _form(request, row, told(error), _typed(form))
    return go(request, "/maintenances", "Saved.")


@action("/maintenances/{ident:uuid}/end", Permission.CONFIGURE)
async def ended(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """End work now; what still fires is paged."""
    await request.site.configure.end_maintenance(ident, by=request.visitor.actor, now=request.now)
    return go(request, "/maintenances", "It is over. What still fires is paged now.")


@action("/maintenances/{ident:uuid}/delete", Permission.CONFIGURE)
async def deleted(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Forget planned work."""
    await request.site.configure.delete_maintenance(ident, by=request.visitor.actor, now=request.now)
    return go(request, "/maintenances", "The plan is gone.")


ROUTES = [listed, created, form_shown, changed, ended, deleted]
