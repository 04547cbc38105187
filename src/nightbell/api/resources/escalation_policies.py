"""Escalation policies."""

from uuid import UUID

from nightbell.api.attribute import Kind, attribute, constant, times
from nightbell.api.resource import Call, Resource
from nightbell.api.sent import uuid_of
from nightbell.engine.edits import PolicyEdit
from nightbell.store.read import policies
from nightbell.store.read.listing import Found, Record


async def _find(call: Call) -> Found:
    return await policies.policies(call.db, call.listing)


async def _get(call: Call, key: str) -> Record | None:
    return await policies.policy(call.db, uuid_of(key))


async def _create(call: Call, edit: PolicyEdit) -> UUID:
    return await call.edge.configure.create_policy(edit, by=call.actor, now=call.now)


async def _change(call: Call, row: Record, edit: PolicyEdit) -> None:
    await call.edge.configure.update_policy(row["id"], edit, by=call.actor, now=call.now)


async def _delete(call: Call, row: Record) -> None:
    await call.edge.configure.delete_policy(row["id"], by=call.actor, now=call.now)


POLICIES = Resource(
    type="escalation_policies",
    collections=("/escalation_policies",),
    item="/escalation_policies/{id}",
    find=_find,
    get=_get,
    edit=PolicyEdit,
    create=_create,
    change=_change,
    delete=_delete,
    attributes=(
        attribute("name", edit="name"),
        attribute("description", edit="description"),
        attribute("repeat_count", Kind.NUMBER, edit="repeat_count"),
        # Rootly's SDK and Terraform provider read a number here and nothing else.
        attribute("created_by_user_id", Kind.NUMBER, of=lambda row: row["created_by"] or 0),
        constant("last_updated_by_user_id", None, Kind.NUMBER),
        attribute("group_ids", Kind.LIST, of="team_ids", edit="team_ids"),
        attribute("service_ids", Kind.LIST, edit="service_ids"),
        attribute("business_hours", Kind.OBJECT, edit="business_hours"),
        *times(),
    ),
)
