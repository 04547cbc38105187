"""What is done to an incident over the API beside changing its attributes: statuses, people, what belongs together."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from nightbell.api.resource import Call
from nightbell.api.resources.incident_shapes import viewer
from nightbell.core.errors import Invalid
from nightbell.core.incident import Status
from nightbell.core.uuids import as_uuid
from nightbell.engine.incident_edits import IncidentEdit
from nightbell.engine.incidents_change import MESSAGES
from nightbell.store.read import incident_catalogs, incidents
from nightbell.store.read.listing import Record

Do = Callable[[Call, Record], Awaitable[None]]


def to(status: str) -> Do:
    """Return what brings an incident to a status, with the message that belongs to it."""
    wanted = Status(status)

    async def do(call: Call, row: Record) -> None:
        message = _text(call, MESSAGES[wanted]) if wanted in MESSAGES else None
        await call.edge.incidents.move(row["id"], wanted, message=message, by=call.actor, now=call.now)

    return do


async def restart(call: Call, row: Record) -> None:
    """Take it up again."""
    await call.edge.incidents.restart(row["id"], by=call.actor, now=call.now)


async def acknowledge(call: Call, row: Record) -> None:
    """Say that somebody has it."""
    edit = IncidentEdit(status="acknowledged")
    await call.edge.incidents.update(row["id"], edit, by=call.actor, now=call.now)


async def duplicate(call: Call, row: Record) -> None:
    """Make it the duplicate of another one."""
    into = await _incident(call, call.attributes.get("duplicate_incident_id"), "duplicate_incident_id")
    # Rootly's own clients say why by three names.
    names = ("reason_for_cancellation", "cancellation_message", "resolution_message")
    message = next((said for name in names if (said := _text(call, name))), None)
    cancel = call.attributes.get("auto_cancel_incident")
    if not isinstance(cancel, bool | None):
        raise Invalid("Must be true or false.", place="auto_cancel_incident")
    await call.edge.incidents.merge(
        row["id"], into, message=message, cancel=cancel is not False, by=call.actor, now=call.now
    )


async def unmark(call: Call, row: Record) -> None:
    """Say that it is no duplicate after all."""
    await call.edge.incidents.unmerge(row["id"], by=call.actor, now=call.now)


async def detach_from_parent(call: Call, row: Record) -> None:
    """Take it out from below another one."""
    if row["parent_incident_id"] is None:
        raise Invalid("This incident is below no other one.", place="parent_incident_id")
    edit = IncidentEdit(parent_incident_id=None)
    await call.edge.incidents.update(row["id"], edit, by=call.actor, now=call.now)


async def merge(call: Call, row: Record) -> None:
    """Make others duplicates of this one."""
    asked = _list(call, "incident_ids")
    if not asked:
        raise Invalid("Name at least one incident.", place="incident_ids")
    ids = [await _incident(call, one, "incident_ids") for one in asked]
    for ident in ids:
        await call.edge.incidents.merge(ident, row["id"], by=call.actor, now=call.now)


async def add_subscribers(call: Call, row: Record) -> None:
    """Tell people of it."""
    ids = _people(call)
    await call.edge.incidents.subscribe(row["id"], ids, by=call.actor, now=call.now)


async def remove_subscribers(call: Call, row: Record) -> None:
    """Tell people no more of it."""
    ids = _people(call)
    await call.edge.incidents.drop_subscribers(row["id"], ids, by=call.actor, now=call.now)


async def assign(call: Call, row: Record) -> None:
    """Give a role to a person, or to whoever is on call by a schedule."""
    role = await _role(call)
    schedule = call.attributes.get("schedule_id")
    if schedule:
        ident = as_uuid(str(schedule))
        if ident is None:
            raise Invalid(f"There is no schedule {str(schedule)[:60]}.", place="schedule_id")
        await call.edge.incidents.assign(row["id"], role, schedule_id=ident, by=call.actor, now=call.now)
        return
    user_id = _person(call.attributes.get("user_id"), "user_id")
    await call.edge.incidents.assign(row["id"], role, user_id=user_id, by=call.actor, now=call.now)


async def unassign(call: Call, row: Record) -> None:
    """Take a role from a person."""
    role = await _role(call)
    user_id = _person(call.attributes.get("user_id"), "user_id")
    await call.edge.incidents.take_role(row["id"], role, user_id, by=call.actor, now=call.now)


# ---------------------------------------------------------------- what was sent


def _text(call: Call, name: str) -> str | None:
    value = call.attributes.get(name)
    if not isinstance(value, str | None):
        raise Invalid("Must be a text.", place=name)
    return value


def _list(call: Call, name: str) -> list[Any]:
    value = call.attributes.get(name) or []
    if not isinstance(value, list):
        raise Invalid("Must be a list.", place=name)
    return value


def _people(call: Call) -> list[int]:
    ids = _list(call, "user_ids")
    if not ids:
        raise Invalid("Name at least one person.", place="user_ids")
    return [_person(one, "user_ids") for one in ids]


def _person(value: Any, place: str) -> int:
    """Return a person's id; clients send it as a number and as text."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 10:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Invalid("Name a person by their id.", place=place, hint="1001")
    return value


async def _role(call: Call) -> UUID:
    asked = call.attributes.get("incident_role_id")
    found = (
        await incident_catalogs.entry(call.db, "incident_roles", asked) if isinstance(asked, str) else None
    )
    if found is None:
        raise Invalid(
            "There is no such role.", place="incident_role_id", hint="Name one of /v1/incident_roles."
        )
    ident: UUID = found["id"]
    return ident


async def _incident(call: Call, asked: Any, place: str) -> UUID:
    """Return the id of another incident that was named by id, slug or number, as far as one may see it."""
    found = await incidents.incident_id(call.db, viewer(call), str(asked)) if asked else None
    if found is None:
        said = f"There is no incident {str(asked)[:60]}." if asked else "Name an incident."
        raise Invalid(said, place=place, hint="Name one that exists.")
    return found
