"""Heartbeats, for whoever must hear that something went silent: who beats, who does not, and how to make one beat."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from litestar import Response
from litestar.params import FromPath
from msgspec import Struct

from nightbell.core.access import Permission, may
from nightbell.core.errors import Invalid, Unknown
from nightbell.core.heartbeat import UNITS
from nightbell.engine.edits import HeartbeatEdit
from nightbell.store.read import heartbeats as stored
from nightbell.store.read.sources import all_urgencies
from nightbell.web import future
from nightbell.web.acts import target as read_target
from nightbell.web.faults import told
from nightbell.web.forms import Form
from nightbell.web.render import go, render
from nightbell.web.site import WebRequest, action, page
from nightbell.web.snippets import heartbeat_snippets
from nightbell.web.targets import options

MASK = "•" * 24
#: The picture: so many intervals up to now, in so many units of width.
_SHOWN, _WIDTH = 12, 240
_FIELDS = ("name", "summary", "description", "count", "unit", "grace", "target", "matchers", "urgency")
_EMPTY = {"count": "5", "unit": "minutes", "grace": "0"}


class Picture(Struct, frozen=True):
    """The last beats, from left to right: where each stands, and where silence began if it lasts too long."""

    beats: tuple[float, ...]
    silent: float | None
    width: int = _WIDTH


def picture(
    recent: Sequence[datetime], interval: timedelta, now: datetime, silent: datetime | None
) -> Picture:
    """Return the picture of twelve intervals."""
    length = interval * _SHOWN

    def at(instant: datetime) -> float:
        return round(_WIDTH * max(0.0, 1 - (now - instant) / length), 1)

    return Picture(
        beats=tuple(dict.fromkeys(at(one) for one in recent if now - one < length)),
        silent=at(silent) if silent else None,
    )


def _row(row: dict[str, Any], directory: Any, now: datetime) -> dict[str, Any]:
    interval = row["interval_count"] * UNITS[row["interval_unit"]]
    silent = row["expires_at"] if row["status"] == "expired" else None
    unit = row["interval_unit"] if row["interval_count"] != 1 else row["interval_unit"].removesuffix("s")
    return {
        **row,
        "state": row["status"] if row["enabled"] else "off",
        "every": f"{row['interval_count']} {unit}",
        "for": future.named(row["target"]["type"], row["target"]["id"], directory),
        "picture": picture(row["recent"], interval, now, silent),
    }


@page("/heartbeats", Permission.VIEW)
async def listed(request: WebRequest) -> Response[bytes]:
    """Show every heartbeat, the silent ones first."""
    return await _listed(request, {}, _EMPTY)


async def _listed(request: WebRequest, errors: dict[str, str], given: dict[str, str]) -> Response[bytes]:
    directory = await request.site.directory()
    rows = [_row(r, directory, request.now) for r in await stored.all_heartbeats(request.site.db)]
    return await render(
        request,
        "heartbeats.html",
        code=422 if errors else 200,
        nav="heartbeats",
        heartbeats=sorted(rows, key=lambda row: (row["state"] != "expired", row["name"].lower())),
        errors=errors,
        given={name: given.get(name, "") for name in _FIELDS},
        targets=options(directory),
        units=[(unit, unit) for unit in UNITS],
        urgencies=await all_urgencies(request.site.db),
    )


@action("/heartbeats", Permission.CONFIGURE)
async def created(request: WebRequest) -> Response[bytes]:
    """Make a heartbeat, switched on, and show how to make it beat."""
    form = await request.fields()
    try:
        edit = HeartbeatEdit(**_edited(form), enabled=True)
        ident = await request.site.configure.create_heartbeat(edit, by=request.visitor.actor, now=request.now)
    except Invalid as error:
        return await _listed(request, told(error), {name: form.raw(name)[:500] for name in _FIELDS})
    return go(request, f"/heartbeats/{ident}", "It waits for its first beat.")


def _edited(form: Form) -> dict[str, Any]:
    target = read_target(form.raw("target"))
    name = form.text("name", longest=255)
    return {
        "name": name,
        "alert_summary": form.text("summary", longest=255) or f"{name} is silent",
        "alert_description": form.text("description", longest=10_000) or None,
        "interval_count": form.number("count", least=1, most=1000),
        "interval_unit": form.choice("unit", tuple(UNITS)),
        "grace_seconds": form.number("grace", least=0, most=604_800, default=0),
        "target": {"type": target.type, "id": target.id},
        "matchers": form.text("matchers", longest=2_000),
        "urgency_id": form.ident("urgency") if form.raw("urgency") else None,
    }


@page("/heartbeats/{ident:uuid}", Permission.VIEW)
async def shown(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Show one heartbeat: how it does, what to copy, and its settings."""
    return await _shown(request, ident, {})


async def _shown(request: WebRequest, ident: UUID, errors: dict[str, str]) -> Response[bytes]:
    site = request.site
    row = await stored.heartbeat(site.db, ident)
    if row is None:
        raise Unknown("There is no such heartbeat.", hint="It may have been deleted.")
    directory = await site.directory()
    allowed = may(request.visitor.role, Permission.CONNECT)
    secret = await site.configure.reveal_heartbeat_secret(ident) if allowed else ""
    return await render(
        request,
        "heartbeat.html",
        code=422 if errors else 200,
        nav="heartbeats",
        beat=_row(row, directory, request.now),
        errors=errors,
        secret=secret,
        mask=MASK,
        snippets=heartbeat_snippets(site.base_url, str(ident), secret or "<secret>"),
        masked=heartbeat_snippets(site.base_url, str(ident), MASK),
        mail=f"{row['mail_name']}@{urlsplit(site.base_url).hostname}",
        targets=options(directory),
        target=f"{row['target']['type']}/{row['target']['id']}",
        units=[(unit, unit) for unit in UNITS],
        urgencies=await all_urgencies(site.db),
    )


@action("/heartbeats/{ident:uuid}", Permission.CONFIGURE)
async def changed(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Change a heartbeat; another interval or switch starts it anew."""
    form = await request.fields()
    try:
        edit = HeartbeatEdit(**_edited(form), enabled=form.flag("enabled"))
        await request.site.configure.update_heartbeat(ident, edit, by=request.visitor.actor, now=request.now)
    except Invalid as error:
        return await _shown(request, ident, told(error))
    return go(request, f"/heartbeats/{ident}", "Saved.")


@action("/heartbeats/{ident:uuid}/rotate", Permission.CONNECT)
async def rotated(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Make a new secret."""
    await request.site.configure.rotate_heartbeat_secret(ident, by=request.visitor.actor, now=request.now)
    return go(request, f"/heartbeats/{ident}", "There is a new secret; the one before it no longer works.")


@action("/heartbeats/{ident:uuid}/delete", Permission.CONFIGURE)
async def deleted(request: WebRequest, ident: FromPath[UUID]) -> Response[bytes]:
    """Forget a heartbeat and end its alert."""
    await request.site.configure.delete_heartbeat(ident, by=request.visitor.actor, now=request.now)
    return go(request, "/heartbeats", "The heartbeat is gone, and nobody is paged for it.")


ROUTES = [listed, created, shown, changed, rotated, deleted]
