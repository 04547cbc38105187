"""Grouping rules: which alerts are one problem. Rootly calls them alert groups."""

from typing import Any
from uuid import UUID

from nightbell.api.attribute import Kind, attribute, constant, times
from nightbell.api.resource import Call, Resource
from nightbell.api.resources import conditions
from nightbell.api.sent import list_at, object_at
from nightbell.core.errors import Invalid
from nightbell.core.uuids import as_uuid
from nightbell.engine.edits import GroupingEdit
from nightbell.store.read import groupings
from nightbell.store.read.listing import Found, Record

#: A record that a condition names by its type; Rootly has more of them.
_URGENCY = "AlertUrgency"


async def _find(call: Call) -> Found:
    found = await groupings.groupings(call.db, call.listing)
    return Found(rows=[_shown(row) for row in found.rows], total=found.total)


async def _get(call: Call, key: str) -> Record | None:
    row = await groupings.grouping(call.db, as_uuid(key) or key)
    return row and _shown(row)


def _shown(row: Record) -> Record:
    row["shown_conditions"] = [{**conditions.shown(c), "values": []} for c in row["conditions"]]
    return row


def _accept(sent: dict[str, Any]) -> dict[str, Any]:
    fields = GROUPS.taken(sent)
    for name, read in (("targets", _target), ("attributes", _attribute), ("conditions", _condition)):
        if name in sent:
            asked = [object_at(one, f"{name}[{i}]") for i, one in enumerate(list_at(sent[name], name))]
            kept = [one for one in asked if not one.get("_destroy")]
            fields[name] = [read(one, f"{name}[{i}]") for i, one in enumerate(kept)]
    return fields


def _target(sent: dict[str, Any], place: str) -> dict[str, Any]:
    return {name: sent.get(name) for name in ("target_type", "target_id")}


def _attribute(sent: dict[str, Any], place: str) -> dict[str, Any]:
    return {"json_path": sent.get("json_path")}


def _condition(sent: dict[str, Any], place: str) -> dict[str, Any]:
    records = [
        object_at(one, f"{place}.values[{i}]")
        for i, one in enumerate(list_at(sent.get("values"), f"{place}.values"))
        if one is not None
    ]
    for index, record in enumerate(records):
        if record.get("record_type") != _URGENCY:
            where = f"{place}.values[{index}].record_type"
            raise Invalid(f"Record type must be {_URGENCY}.", place=where)
    read = conditions.sent(sent, place)
    read["urgency_ids"] = [*read["urgency_ids"], *(record.get("record_id") for record in records)]
    return read


async def _create(call: Call, edit: GroupingEdit) -> UUID:
    with conditions.in_wire_words():
        return await call.edge.configure.create_grouping(edit, by=call.actor, now=call.now)


async def _change(call: Call, row: Record, edit: GroupingEdit) -> None:
    with conditions.in_wire_words():
        await call.edge.configure.update_grouping(row["id"], edit, by=call.actor, now=call.now)


async def _delete(call: Call, row: Record) -> None:
    await call.edge.configure.delete_grouping(row["id"], by=call.actor, now=call.now)


GROUPS = Resource(
    type="alert_groups",
    collections=("/alert_groups",),
    item="/alert_groups/{id}",
    find=_find,
    get=_get,
    edit=GroupingEdit,
    accept=_accept,
    create=_create,
    change=_change,
    delete=_delete,
    attributes=(
        attribute("name", edit="name"),
        attribute("slug", edit="slug"),
        attribute("description", edit="description"),
        attribute("condition_type", edit="condition_type"),
        attribute("time_window", Kind.NUMBER, edit="time_window"),
        attribute("group_by_alert_title", Kind.FLAG, of="by_title", edit="by_title"),
        attribute("group_by_alert_urgency", Kind.FLAG, of="by_urgency", edit="by_urgency"),
        attribute("targets", Kind.LIST, edit="targets"),
        attribute("attributes", Kind.LIST, edit="attributes"),
        attribute("conditions", Kind.LIST, of="shown_conditions", edit="conditions"),
        attribute("owner_group_ids", Kind.LIST, of="owner_team_ids", edit="owner_team_ids"),
        attribute("position", Kind.NUMBER, edit="position"),
        # A rule that is deleted is gone.
        constant("deleted_at", None, Kind.TIME),
        *times(),
    ),
)
