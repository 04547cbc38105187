"""Escalation policies, and beside each what of it would page nobody."""

from typing import Any
from uuid import UUID

from nightbell.api.attribute import Kind, attribute, constant, times
from nightbell.api.resource import Call, Resource
from nightbell.api.sent import uuid_of
from nightbell.core import holes
from nightbell.core.directory import Directory
from nightbell.engine.edits import PolicyEdit
from nightbell.store.read import policies
from nightbell.store.read.listing import Found, Record


async def _find(call: Call) -> Found:
    found = await policies.policies(call.db, call.listing)
    directory = await call.edge.directory()
    for row in found.rows:
        row["warnings"] = _warnings(row, directory)
    return found


async def get(call: Call, key: str) -> Record | None:
    """Return one policy as it is shown."""
    row = await policies.policy(call.db, uuid_of(key))
    if row is not None:
        row["warnings"] = _warnings(row, await call.edge.directory())
    return row


def _warnings(row: Record, directory: Directory) -> list[dict[str, Any]]:
    policy = directory.policies.get(str(row["id"]))
    return [
        {
            "code": one.code,
            "detail": one.details,
            "escalation_policy_path_id": str(one.path_id),
            "escalation_level_position": one.level,
        }
        for one in (holes.holes(policy, directory) if policy else ())
    ]


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
    get=get,
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
        # Ours: a policy may be made before its levels; until it has some it says so (ADR 0022).
        attribute("warnings", Kind.LIST),
        *times(),
    ),
)
