"""Planned work: our own resource. While it goes on, alerts of its services and sources are recorded and page nobody."""

from datetime import datetime
from typing import Any
from uuid import UUID

from nightbell.api.asking import with_times
from nightbell.api.attribute import Kind, attribute, times
from nightbell.api.resource import Action, Call, Resource
from nightbell.api.sent import uuid_of
from nightbell.core.access import Permission
from nightbell.engine.edits import MaintenanceEdit
from nightbell.engine.policies import maintenance as read_stored
from nightbell.store.read import maintenances
from nightbell.store.read.listing import Found, Record


async def _find(call: Call) -> Found:
    found = await maintenances.maintenances(call.db, call.listing)
    for row in found.rows:
        row["status"] = _status(row, call.now)
    return found


async def _get(call: Call, key: str) -> Record | None:
    row = await maintenances.maintenance(call.db, uuid_of(key))
    return row and {**row, "status": _status(row, call.now)}


def _status(row: Record, now: datetime) -> str:
    """Return over, active, or scheduled: also between two windows of one that comes back."""
    if row["ends_at"] is not None and row["ends_at"] <= now:
        return "over"
    return "active" if read_stored(row).until(now) else "scheduled"


def _accept(sent: dict[str, Any]) -> dict[str, Any]:
    return with_times(MAINTENANCES.taken(sent), "starts_at", "ends_at")


async def _create(call: Call, edit: MaintenanceEdit) -> UUID:
    return await call.edge.configure.create_maintenance(edit, by=call.actor, now=call.now)


async def _change(call: Call, row: Record, edit: MaintenanceEdit) -> None:
    await call.edge.configure.update_maintenance(row["id"], edit, by=call.actor, now=call.now)


async def _delete(call: Call, row: Record) -> None:
    await call.edge.configure.delete_maintenance(row["id"], by=call.actor, now=call.now)


async def _end(call: Call) -> tuple[Any, int]:
    """End it now; what still fires is paged."""
    row = await MAINTENANCES.row(call, call.parent)
    await call.edge.configure.end_maintenance(row["id"], by=call.actor, now=call.now)
    return await MAINTENANCES.shown(call, await MAINTENANCES.row(call, call.parent)), 200


MAINTENANCES = Resource(
    type="maintenances",
    collections=("/maintenances",),
    item="/maintenances/{id}",
    find=_find,
    get=_get,
    edit=MaintenanceEdit,
    accept=_accept,
    create=_create,
    change=_change,
    delete=_delete,
    write=Permission.RESPOND,
    actions=(
        Action(
            method="POST",
            path="/maintenances/{id}/end",
            summary="End planned work now; what still fires is paged",
            permission=Permission.RESPOND,
            run=_end,
        ),
    ),
    attributes=(
        attribute("name", edit="name"),
        attribute("description", edit="description"),
        attribute("service_ids", Kind.LIST, edit="service_ids"),
        attribute("alert_source_ids", Kind.LIST, of="source_ids", edit="source_ids"),
        attribute("starts_at", Kind.TIME, edit="starts_at"),
        attribute("ends_at", Kind.TIME, edit="ends_at"),
        attribute("hours", Kind.OBJECT, edit="hours"),
        attribute("status"),
        attribute("incident_id", Kind.ID),
        attribute("created_by_user_id", Kind.NUMBER, of="created_by"),
        *times(),
    ),
)
