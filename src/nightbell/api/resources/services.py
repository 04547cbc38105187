"""Services."""

from uuid import UUID

from nightbell.api.attribute import Kind, attribute, constant, times
from nightbell.api.resource import Call, Resource
from nightbell.api.resources import flat
from nightbell.engine.edits import ServiceEdit
from nightbell.store.read import teams
from nightbell.store.read.listing import Found, Record


async def _find(call: Call) -> Found:
    return await teams.services(call.db, call.listing)


async def _get(call: Call, key: str) -> Record | None:
    return await teams.service(call.db, key)


async def _create(call: Call, edit: ServiceEdit) -> UUID:
    return await call.edge.configure.create_service(edit, by=call.actor, now=call.now)


async def _change(call: Call, row: Record, edit: ServiceEdit) -> None:
    await call.edge.configure.update_service(row["id"], edit, by=call.actor, now=call.now)


async def _delete(call: Call, row: Record) -> None:
    await call.edge.configure.delete_service(row["id"], by=call.actor, now=call.now)


SERVICES = Resource(
    type="services",
    collections=("/services",),
    item="/services/{id}",
    find=_find,
    get=_get,
    edit=ServiceEdit,
    create=_create,
    change=_change,
    delete=_delete,
    attributes=(
        attribute("name", edit="name"),
        attribute("slug", edit="slug"),
        attribute("description", edit="description"),
        constant("notify_emails", [], Kind.LIST),
        attribute("color", of=lambda row: row["color"] or flat.DEFAULT_COLOR, edit="color"),
        constant("position", 1, Kind.NUMBER),
        constant("backstage_id", None),
        constant("environment_ids", [], Kind.LIST),
        constant("service_ids", [], Kind.LIST),
        attribute("owner_group_ids", Kind.LIST, of="owner_team_ids", edit="owner_team_ids"),
        constant("owner_user_ids", [], Kind.LIST),
        attribute("alert_urgency_id", Kind.ID, of="urgency_id", edit="urgency_id"),
        attribute("escalation_policy_id", Kind.ID, edit="escalation_policy_id"),
        constant("alerts_email_enabled", False, Kind.FLAG),
        constant("slack_channels", [], Kind.LIST),
        constant("slack_aliases", [], Kind.LIST),
        *times(),
    ),
)
