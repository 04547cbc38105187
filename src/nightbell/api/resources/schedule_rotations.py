"""Rotations of schedules. Members are sent as an attribute and come back as a relationship, as at Rootly."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from nightbell.api import jsonapi
from nightbell.api.asking import chosen, with_times
from nightbell.api.attribute import Kind, attribute, times
from nightbell.api.jsonapi import Document, refer_all
from nightbell.api.resource import Call, Resource
from nightbell.api.resources.schedule_members import MEMBERS
from nightbell.api.sent import list_at, object_at, uuid_of
from nightbell.core.errors import Invalid, Unknown
from nightbell.core.uuids import as_uuid
from nightbell.engine.rotating import TYPES
from nightbell.engine.schedule_edits import RotationEdit
from nightbell.store.read import schedules
from nightbell.store.read.listing import Found, Record

_OURS = {wire: ours for ours, wire in TYPES.items()}
_HANDOFF = "schedule_rotationable_attributes"
_TURNS = {
    "handoff_time": "handoff_time",
    "handoff_day": "handoff_day",
    "shift_length": "length",
    "shift_length_unit": "length_unit",
}
#: Where the wire has what an edit calls by another name, beyond what the attributes say.
_PLACES = {ours: f"{_HANDOFF}.{wire}" for wire, ours in _TURNS.items()} | {
    "members": "schedule_rotation_members"
}
_ALL_DAYS = frozenset("SMTWRFU")


async def _find(call: Call) -> Found:
    key = uuid_of(call.parent)
    if await schedules.schedule(call.db, key) is None:
        raise Unknown(f"There is no schedule {key}.")
    return await schedules.rotations_of(call.db, key, call.listing)


async def _get(call: Call, key: str) -> Record | None:
    return await schedules.rotation(call.db, uuid_of(key))


def _accept(sent: dict[str, Any]) -> dict[str, Any]:
    fields = ROTATIONS.taken(sent)
    if "type" in fields:
        if str(fields["type"]) not in _OURS:
            hint = f"One of {', '.join(_OURS)}."
            raise Invalid("There is no such type.", place="schedule_rotationable_type", hint=hint)
        fields["type"] = _OURS[str(fields["type"])]
    fields.pop("turns", None)
    if sent.get(_HANDOFF) is not None:
        fields |= chosen(object_at(sent[_HANDOFF], _HANDOFF), _TURNS)
    if fields.get("hours", "all_day") in (None, ""):
        fields["hours"] = "all_day"
    if isinstance(fields.get("days"), list) and fields.get("all_week") is None:
        fields["all_week"] = _ALL_DAYS <= {str(day) for day in fields["days"]}
    for name in ("days", "all_week", "time_zone"):
        if name in fields and fields[name] is None:
            del fields[name]
    if "schedule_rotation_members" in sent:
        fields["members"] = _members(sent["schedule_rotation_members"])
    return with_times(fields, "starts_at", "ends_at")


def _members(value: Any) -> list[dict[str, Any]]:
    given = list_at(value, "schedule_rotation_members")
    return [_member(object_at(one, f"schedule_rotation_members[{n}]"), n) for n, one in enumerate(given)]


def _member(sent: dict[str, Any], number: int) -> dict[str, Any]:
    kind, key, position = (
        sent.get("member_type", "User"),
        str(sent.get("member_id", "")),
        sent.get("position"),
    )
    place = f"schedule_rotation_members[{number}]"
    if not isinstance(position, int | None) or isinstance(position, bool):
        raise Invalid("This must be a number.", place=f"{place}.position")
    if kind == "User" and key.isdecimal() and len(key) < 10:
        return {"user_id": int(key), "position": position}
    nested = as_uuid(key)
    if kind == "Schedule" and nested is not None:
        return {"nested_schedule_id": nested, "position": position}
    if kind not in ("User", "Schedule"):
        raise Invalid("A member is a User or a Schedule.", place=f"{place}.member_type")
    raise Invalid(f"There is no {kind.lower()} {key[:60]}.", place=f"{place}.member_id")


async def _create(call: Call, edit: RotationEdit) -> UUID:
    try:
        return await call.edge.configure.create_rotation(
            uuid_of(call.parent), edit, by=call.actor, now=call.now
        )
    except Invalid as error:
        raise jsonapi.renamed(error, _PLACES) from error


async def _change(call: Call, row: Record, edit: RotationEdit) -> None:
    try:
        await call.edge.configure.update_rotation(row["id"], edit, by=call.actor, now=call.now)
    except Invalid as error:
        raise jsonapi.renamed(error, _PLACES) from error


async def _delete(call: Call, row: Record) -> None:
    await call.edge.configure.delete_rotation(row["id"], by=call.actor, now=call.now)


def _relationships(row: Record) -> dict[str, Any]:
    named = [member["id"] for member in row["members"]]
    return {"schedule_rotation_members": refer_all("schedule_rotation_members", named)}


async def _member_documents(_call: Call, rows: Sequence[Record]) -> list[Document]:
    return [MEMBERS.document(member) for row in rows for member in row["members"]]


def _turns(row: Record) -> dict[str, Any]:
    shown = {wire: row[ours] for wire, ours in _TURNS.items()}
    return {name: value for name, value in shown.items() if value is not None}


ROTATIONS = Resource(
    type="schedule_rotations",
    collections=("/schedules/{id}/schedule_rotations",),
    item="/schedule_rotations/{id}",
    find=_find,
    get=_get,
    edit=RotationEdit,
    aliases=_PLACES,
    accept=_accept,
    create=_create,
    change=_change,
    delete=_delete,
    relationships=_relationships,
    include={"schedule_rotation_members": _member_documents},
    attributes=(
        attribute("schedule_id", Kind.ID),
        attribute("name", edit="name"),
        attribute("position", Kind.NUMBER, edit="position"),
        attribute("schedule_rotationable_type", of=lambda row: TYPES[row["type"]], edit="type"),
        attribute("active_all_week", Kind.FLAG, of="all_week", edit="all_week"),
        attribute("active_days", Kind.LIST, of="days", edit="days"),
        attribute("active_time_type", of="hours", edit="hours"),
        attribute("active_time_attributes", Kind.LIST, of="windows", edit="windows"),
        attribute("time_zone", edit="time_zone"),
        attribute(_HANDOFF, Kind.OBJECT, of=_turns, edit="turns"),
        # Sent as an attribute, shown as a relationship.
        attribute("schedule_rotation_members", Kind.LIST, of=lambda _: None, edit="members", omit_null=True),
        attribute("start_time", Kind.TIME, of="starts_at", edit="starts_at"),
        attribute("end_time", Kind.TIME, of="ends_at", edit="ends_at"),
        # Ours: when the next turn begins, and how long one serves where that is less than its whole length.
        attribute("advance", edit="advance"),
        attribute("turn_minutes", Kind.NUMBER, edit="turn_minutes"),
        *times(),
    ),
)
