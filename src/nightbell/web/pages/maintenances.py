"""Planned work, for whoever does it: what is muted, until when, and a way to end it at once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Response
from msgspec import Struct

from nightbell.core.access import Permission
from nightbell.core.calendar import zone
from nightbell.core.directory import Windows
from nightbell.core.errors import Invalid
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
    directory = await request.site.directory()
    rows = (await stored.maintenances(request.site.db, ALL)).rows
    works = [_work(row, request.now) for row in rows]
    services = {one.id: one for one in directory.services.values()}
    return await render(
        request,
        "maintenances.html",
        code=422 if errors else 200,
        nav="maintenances",
        going=[w for w in works if w.state == "going"],
        coming=[w for w in works if w.state == "coming"][::-1],
        over=[w for w in works if w.state == "over"][:_PAST],
        services=sorted(services.values(), key=lambda one: one.name.lower()),
        sources=sorted(directory.sources.values(), key=lambda one: one.name.lower()),
        service_names={one.id: one.name for one in services.values()},
        source_names={one.id: one.name for one in directory.sources.values()},
        days=DAYS,
        errors=errors,
        given={name: given.get(name, "") for name in _FIELDS},
        chosen={name: given.get(name, []) for name in ("service", "source", "day")},
    )


_FIELDS = ("name", "starts_at", "ends_at", "from", "to", "zone")


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
        given = {name: form.raw(name)[:500] for name in _FIELDS}
        ticked = {name: form.many(name) for name in ("service", "source", "day")}
        return await _listed(request, told(error), {**given, **ticked})
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


@action("/maintenances/{ident:uuid}/end", Permission.CONFIGURE)
async def ended(request: WebRequest, ident: UUID) -> Response[bytes]:
    """End work now; what still fires is paged."""
    await request.site.configure.end_maintenance(ident, by=request.visitor.actor, now=request.now)
    return go(request, "/maintenances", "It is over. What still fires is paged now.")


@action("/maintenances/{ident:uuid}/delete", Permission.CONFIGURE)
async def deleted(request: WebRequest, ident: UUID) -> Response[bytes]:
    """Forget planned work."""
    await request.site.configure.delete_maintenance(ident, by=request.visitor.actor, now=request.now)
    return go(request, "/maintenances", "The plan is gone.")


ROUTES = [listed, created, ended, deleted]
