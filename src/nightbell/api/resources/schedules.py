"""Schedules, and what is asked about one: how good it is, and who is on call in it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from nightbell.api import asking
from nightbell.api.attribute import Kept, Kind, attribute, times, with_kept
from nightbell.api.jsonapi import Document, refer_all, stamp
from nightbell.api.resource import Action, Call, Resource
from nightbell.api.resources import users
from nightbell.api.resources.schedule_rotations import ROTATIONS
from nightbell.api.sent import uuid_of
from nightbell.core.access import Permission
from nightbell.core.calendar import Span
from nightbell.core.quality import Report
from nightbell.engine import scheduling
from nightbell.engine.schedule_edits import ScheduleEdit
from nightbell.store.read import schedules
from nightbell.store.read.listing import Found, Record

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
#: Of a messenger that is not connected, or of a report nobody sends yet: kept, and shown as sent.
_KEPT = (
    Kept("slack_user_group", Kind.OBJECT),
    Kept("slack_channel", Kind.OBJECT),
    Kept("sync_linear_enabled", Kind.FLAG, False),
    Kept("include_shadows_in_slack_notifications", Kind.FLAG, False),
    Kept("shift_start_notifications_enabled", Kind.FLAG, False),
    Kept("shift_update_notifications_enabled", Kind.FLAG, False),
    Kept("shift_report_enabled", Kind.FLAG, False),
    Kept("shift_report_day_of_week", Kind.TEXT, "monday", _DAYS),
    Kept("shift_report_time_of_day", Kind.TEXT, "09:00"),
    Kept("shift_report_time_zone", Kind.TEXT, "Etc/UTC"),
)
_LONGEST = timedelta(days=190)


async def _find(call: Call) -> Found:
    return await schedules.schedules(call.db, call.listing)


async def _get(call: Call, key: str) -> Record | None:
    return await schedules.schedule(call.db, uuid_of(key))


def _accept(sent: dict[str, Any]) -> dict[str, Any]:
    return with_kept(SCHEDULES.taken(sent), sent, _KEPT)


async def _create(call: Call, edit: ScheduleEdit) -> UUID:
    return await call.edge.configure.create_schedule(edit, by=call.actor, now=call.now)


async def _change(call: Call, row: Record, edit: ScheduleEdit) -> None:
    await call.edge.configure.update_schedule(row["id"], edit, by=call.actor, now=call.now)


async def _delete(call: Call, row: Record) -> None:
    await call.edge.configure.delete_schedule(row["id"], by=call.actor, now=call.now)


def _relationships(row: Record) -> dict[str, Any]:
    return {"schedule_rotations": refer_all("schedule_rotations", row["rotation_ids"])}


async def _rotations(call: Call, rows: Sequence[Record]) -> list[Document]:
    wanted = [key for row in rows for key in row["rotation_ids"]]
    return [ROTATIONS.document(row) for row in await schedules.rotations_by_id(call.db, wanted)]


async def _owners(call: Call, rows: Sequence[Record]) -> list[Document]:
    return await users.documents(call, [row["owner_user_id"] for row in rows if row["owner_user_id"]])


async def documents(call: Call, ids: Sequence[UUID]) -> list[Document]:
    """Return these schedules as resource objects, for `included`; deleted ones too."""
    return [SCHEDULES.document(row) for row in (await schedules.schedules_by_id(call.db, ids)).values()]


def _flags(row: Record) -> list[dict[str, Any]]:
    return [{**flag, "since": stamp(flag["since"])} for flag in row["flags"]]


# ---------------------------------------------------------------- quality


async def _quality(call: Call) -> tuple[Any, int]:
    row = await SCHEDULES.row(call, call.parent)
    span = asking.span(call, _LONGEST, f"{_LONGEST.days} days")
    found = await scheduling.quality(call.db, row["id"], span)
    body = {"data": {"id": str(row["id"]), "type": "schedule_qualities", "attributes": _judged(found, span)}}
    return body, 200


def _judged(found: Report, span: Span) -> dict[str, Any]:
    return {
        "from": stamp(span.start),
        "to": stamp(span.end),
        "balance": round(found.balance, 3),
        "gaps": [_shown(gap) for gap in found.gaps],
        "overlaps": [_shown(overlap) for overlap in found.overlaps],
        "conflicts": [
            {**_shown(one.span), "user_id": one.shift.user, "reason": one.absence.reason}
            for one in found.conflicts
        ],
        "loads": [
            {
                "user_id": load.user,
                "hours": _hours(load.total),
                "weekend_hours": _hours(load.weekends),
                "hours_outside_work": None if load.outside_work is None else _hours(load.outside_work),
                "nights": load.nights,
                "nights_in_a_row": load.nights_in_a_row,
            }
            for load in found.loads
        ],
    }


def _shown(span: Span) -> dict[str, Any]:
    return {"starts_at": stamp(span.start), "ends_at": stamp(span.end)}


def _hours(length: timedelta) -> float:
    return round(length / timedelta(hours=1), 2)


SCHEDULES = Resource(
    type="schedules",
    collections=("/schedules",),
    item="/schedules/{id}",
    find=_find,
    get=_get,
    edit=ScheduleEdit,
    accept=_accept,
    create=_create,
    change=_change,
    delete=_delete,
    relationships=_relationships,
    include={"schedule_rotations": _rotations, "owner": _owners},
    actions=(
        Action(
            method="GET",
            path="/schedules/{id}/quality",
            summary="Say how good a schedule is: gaps, overlaps, conflicts, load",
            permission=Permission.VIEW,
            run=_quality,
        ),
    ),
    attributes=(
        attribute("name", edit="name"),
        attribute("description", edit="description"),
        attribute("time_zone", edit="time_zone"),
        attribute("all_time_coverage", Kind.FLAG, edit="all_time_coverage"),
        attribute("owner_group_ids", Kind.LIST, of="owner_team_ids", edit="owner_team_ids"),
        # Rootly's SDK and Terraform provider read a number here and nothing else.
        attribute(
            "owner_user_id", Kind.NUMBER, of=lambda row: row["owner_user_id"] or 0, edit="owner_user_id"
        ),
        attribute("time_off", edit="time_off"),
        attribute("holidays", edit="holidays"),
        *(one.attribute for one in _KEPT),
        attribute("flags", Kind.LIST, of=_flags),
        *times(),
    ),
)

#: What Rootly's command line asks for.
ON_CALL_SCHEDULES = Resource(
    type="schedules",
    name="on_call_schedules",
    collections=("/on_call_schedules",),
    find=_find,
    relationships=_relationships,
    include=SCHEDULES.include,
    attributes=SCHEDULES.attributes,
)
