"""When people are away and when they work: time off, public holidays, working hours. All of it is their own."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from nightbell.api.asking import with_times
from nightbell.api.attribute import Kind, attribute, times
from nightbell.api.auth import require_own
from nightbell.api.resource import Call, Resource
from nightbell.api.resources.users import get as get_user
from nightbell.api.resources.users import number
from nightbell.api.sent import uuid_of
from nightbell.core.access import Permission
from nightbell.core.errors import Unknown
from nightbell.engine.schedule_edits import HolidayEdit, TimeOffEdit, WorkingHoursEdit
from nightbell.store.db import Runner
from nightbell.store.read import schedules
from nightbell.store.read.listing import Found, Record


async def _whose(call: Call) -> int:
    user_id = number(call.parent)
    if await get_user(call, call.parent) is None:
        raise Unknown(f"There is no user {user_id}.")
    return user_id


async def _own(call: Call) -> int:
    user_id = await _whose(call)
    require_own(call.visitor, user_id)
    return user_id


def _listed(
    read: Callable[[Runner, int], Awaitable[list[Record]]],
) -> Callable[[Call], Awaitable[Found]]:
    async def find(call: Call) -> Found:
        rows = await read(call.db, await _whose(call))
        return Found(rows=rows, total=len(rows))

    return find


# ---------------------------------------------------------------- time off


async def _find_time_off(call: Call) -> Found:
    return await schedules.time_off_of(call.db, await _whose(call), call.listing)


async def _get_time_off(call: Call, key: str) -> Record | None:
    return await schedules.one_time_off(call.db, uuid_of(key))


def _accept_time_off(sent: dict[str, Any]) -> dict[str, Any]:
    return with_times(TIME_OFF.taken(sent), "starts_at", "ends_at")


async def _create_time_off(call: Call, edit: TimeOffEdit) -> UUID:
    return await call.edge.configure.create_time_off(await _own(call), edit, by=call.actor, now=call.now)


async def _change_time_off(call: Call, row: Record, edit: TimeOffEdit) -> None:
    require_own(call.visitor, row["user_id"])
    await call.edge.configure.update_time_off(row["id"], edit, by=call.actor, now=call.now)


async def _delete_time_off(call: Call, row: Record) -> None:
    require_own(call.visitor, row["user_id"])
    await call.edge.configure.delete_time_off(row["id"], by=call.actor, now=call.now)


TIME_OFF = Resource(
    type="time_offs",
    collections=("/users/{id}/time_offs",),
    item="/time_offs/{id}",
    find=_find_time_off,
    get=_get_time_off,
    edit=TimeOffEdit,
    accept=_accept_time_off,
    create=_create_time_off,
    change=_change_time_off,
    delete=_delete_time_off,
    write=Permission.SELF,
    attributes=(
        attribute("user_id", Kind.NUMBER),
        attribute("starts_at", Kind.TIME, edit="starts_at"),
        attribute("ends_at", Kind.TIME, edit="ends_at"),
        attribute("reason", edit="reason"),
        *times(),
    ),
)


# ---------------------------------------------------------------- public holidays


async def _get_calendar(call: Call, key: str) -> Record | None:
    return await schedules.holiday_calendar(call.db, uuid_of(key))


async def _create_calendar(call: Call, edit: HolidayEdit) -> UUID:
    user_id = await _own(call)
    return await call.edge.configure.create_holiday_calendar(user_id, edit, by=call.actor, now=call.now)


async def _change_calendar(call: Call, row: Record, edit: HolidayEdit) -> None:
    require_own(call.visitor, row["user_id"])
    await call.edge.configure.update_holiday_calendar(row["id"], edit, by=call.actor, now=call.now)


async def _delete_calendar(call: Call, row: Record) -> None:
    require_own(call.visitor, row["user_id"])
    await call.edge.configure.delete_holiday_calendar(row["id"], by=call.actor, now=call.now)


HOLIDAYS = Resource(
    type="holiday_calendars",
    collections=("/users/{id}/holiday_calendars",),
    item="/holiday_calendars/{id}",
    find=_listed(schedules.holiday_calendars_of),
    get=_get_calendar,
    edit=HolidayEdit,
    create=_create_calendar,
    change=_change_calendar,
    delete=_delete_calendar,
    write=Permission.SELF,
    attributes=(
        attribute("user_id", Kind.NUMBER),
        attribute("country", edit="country"),
        attribute("subdivision", edit="subdivision"),
        *times(),
    ),
)


# ---------------------------------------------------------------- working hours


async def _get_hours(call: Call, key: str) -> Record | None:
    return await schedules.one_working_hours(call.db, uuid_of(key))


async def _create_hours(call: Call, edit: WorkingHoursEdit) -> UUID:
    user_id = await _own(call)
    return await call.edge.configure.create_working_hours(user_id, edit, by=call.actor, now=call.now)


async def _change_hours(call: Call, row: Record, edit: WorkingHoursEdit) -> None:
    require_own(call.visitor, row["user_id"])
    await call.edge.configure.update_working_hours(row["id"], edit, by=call.actor, now=call.now)


async def _delete_hours(call: Call, row: Record) -> None:
    require_own(call.visitor, row["user_id"])
    await call.edge.configure.delete_working_hours(row["id"], by=call.actor, now=call.now)


WORKING_HOURS = Resource(
    type="working_hours",
    collections=("/users/{id}/working_hours",),
    item="/working_hours/{id}",
    find=_listed(schedules.working_hours_of),
    get=_get_hours,
    edit=WorkingHoursEdit,
    create=_create_hours,
    change=_change_hours,
    delete=_delete_hours,
    write=Permission.SELF,
    attributes=(
        attribute("user_id", Kind.NUMBER),
        attribute("days", Kind.LIST, edit="days"),
        attribute("times", Kind.LIST, of="windows", edit="windows"),
        *times(),
    ),
)
