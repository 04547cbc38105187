"""Swaps. Rootly's coverage requests, and what they lack: whom one asks, a shift in return, and the yes or no."""

from typing import Any
from uuid import UUID

from nightbell.api.asking import with_times
from nightbell.api.attribute import Kind, attribute, times
from nightbell.api.auth import require_own
from nightbell.api.jsonapi import refer
from nightbell.api.resource import Action, Call, Resource
from nightbell.api.sent import uuid_of
from nightbell.core.access import Permission
from nightbell.core.errors import Invalid, Unknown
from nightbell.engine.schedule_edits import SwapEdit
from nightbell.store.read import schedules
from nightbell.store.read.listing import Found, Record

_SPANS = ("starts_at", "ends_at", "return_starts_at", "return_ends_at")


async def _find(call: Call) -> Found:
    key = uuid_of(call.parent)
    if await schedules.schedule(call.db, key) is None:
        raise Unknown(f"There is no schedule {key}.")
    return await schedules.swaps_of(call.db, key, call.listing)


async def _get(call: Call, key: str) -> Record | None:
    return await schedules.swap(call.db, uuid_of(key))


def _accept(sent: dict[str, Any]) -> dict[str, Any]:
    return with_times(SWAPS.taken(sent), *_SPANS)


async def _create(call: Call, edit: SwapEdit) -> UUID:
    if edit.sent().get("user_id") is not None:
        require_own(call.visitor, edit.sent()["user_id"])
    return await call.edge.configure.ask_for_swap(uuid_of(call.parent), edit, by=call.actor, now=call.now)


async def _delete(call: Call, row: Record) -> None:
    if call.visitor.user_id != row["created_by"]:
        require_own(call.visitor, row["user_id"])
    await call.edge.configure.withdraw_swap(row["id"], by=call.actor, now=call.now)


async def _accepted(call: Call) -> tuple[Any, int]:
    row = await SWAPS.row(call, call.parent)
    await call.edge.configure.accept_swap(row["id"], user_id=_me(call), by=call.actor, now=call.now)
    return await SWAPS.shown(call, await SWAPS.row(call, call.parent)), 200


async def _declined(call: Call) -> tuple[Any, int]:
    row = await SWAPS.row(call, call.parent)
    await call.edge.configure.decline_swap(row["id"], user_id=_me(call), by=call.actor, now=call.now)
    return await SWAPS.shown(call, await SWAPS.row(call, call.parent)), 200


def _me(call: Call) -> int:
    if call.visitor.user_id is None:
        raise Invalid("Only a person can answer.", hint="Use a token of your own.")
    return call.visitor.user_id


def _relationships(row: Record) -> dict[str, Any]:
    return {
        "schedule": refer("schedules", row["schedule_id"]),
        "original_shift_user": refer("users", row["user_id"]),
        "created_by_user": refer("users", row["created_by"]),
    }


SWAPS = Resource(
    type="shift_coverage_requests",
    collections=("/schedules/{id}/shift_coverage_requests",),
    item="/shift_coverage_requests/{id}",
    find=_find,
    get=_get,
    edit=SwapEdit,
    accept=_accept,
    create=_create,
    delete=_delete,
    write=Permission.RESPOND,
    relationships=_relationships,
    actions=(
        Action(
            method="POST",
            path="/shift_coverage_requests/{id}/accept",
            summary="Take the shift that somebody asks to be relieved of",
            permission=Permission.RESPOND,
            run=_accepted,
        ),
        Action(
            method="POST",
            path="/shift_coverage_requests/{id}/decline",
            summary="Say no to somebody who asks to be relieved",
            permission=Permission.RESPOND,
            run=_declined,
        ),
    ),
    attributes=(
        attribute("schedule_id", Kind.ID),
        attribute("shift_id", Kind.ID),
        attribute("original_shift_user_id", Kind.NUMBER, of="user_id"),
        attribute("user_id", Kind.NUMBER, edit="user_id"),
        attribute("created_by_user_id", Kind.NUMBER, of=lambda row: row["created_by"] or row["user_id"]),
        attribute("starts_at", Kind.TIME, edit="starts_at"),
        attribute("ends_at", Kind.TIME, edit="ends_at"),
        attribute("asked_user_id", Kind.NUMBER, edit="asked_user_id"),
        attribute("return_starts_at", Kind.TIME, edit="return_starts_at"),
        attribute("return_ends_at", Kind.TIME, edit="return_ends_at"),
        attribute("reason", edit="reason"),
        attribute("status", of="state"),
        attribute("taken_by_user_id", Kind.NUMBER),
        attribute("answered_at", Kind.TIME),
        *times(),
    ),
)
