"""Paths of escalation policies: the default, and those that conditions choose. Conditions are shown as they were sent."""

from typing import Any
from uuid import UUID

from nightbell.api.attribute import Kept, Kind, attribute, times, with_kept
from nightbell.api.resource import Call, Resource
from nightbell.api.sent import uuid_of
from nightbell.core.errors import Unknown
from nightbell.engine.edits import PathEdit
from nightbell.store.read import policies
from nightbell.store.read.listing import Found, Record

_KEPT = (
    Kept("path_type", Kind.TEXT, "escalation", ("escalation", "deferral")),
    Kept("after_deferral_behavior", Kind.TEXT, None, ("re_evaluate", "execute_path")),
    Kept("after_deferral_path_id", Kind.ID),
    Kept("match_mode", Kind.TEXT, "match-all-rules", ("match-all-rules", "match-any-rule")),
    Kept("rules", Kind.LIST, []),
    Kept("time_restriction_time_zone", Kind.TEXT),
    Kept("time_restrictions", Kind.LIST, []),
    Kept("retrigger_timeout_minutes", Kind.NUMBER),
)


async def _find(call: Call) -> Found:
    policy_id = uuid_of(call.parent)
    if await policies.policy(call.db, policy_id) is None:
        raise Unknown(f"There is no escalation policy {policy_id}.")
    return await policies.paths(call.db, policy_id, call.listing)


async def _get(call: Call, key: str) -> Record | None:
    return await policies.path(call.db, uuid_of(key))


def _accept(sent: dict[str, Any]) -> dict[str, Any]:
    return with_kept(PATHS.taken(sent), sent, _KEPT)


async def _create(call: Call, edit: PathEdit) -> UUID:
    return await call.edge.configure.create_path(uuid_of(call.parent), edit, by=call.actor, now=call.now)


async def _change(call: Call, row: Record, edit: PathEdit) -> None:
    await call.edge.configure.update_path(row["id"], edit, by=call.actor, now=call.now)


async def _delete(call: Call, row: Record) -> None:
    await call.edge.configure.delete_path(row["id"], by=call.actor, now=call.now)


PATHS = Resource(
    type="escalation_paths",
    collections=("/escalation_policies/{id}/escalation_paths",),
    item="/escalation_paths/{id}",
    find=_find,
    get=_get,
    edit=PathEdit,
    accept=_accept,
    create=_create,
    change=_change,
    delete=_delete,
    attributes=(
        attribute("name", edit="name"),
        attribute("default", Kind.FLAG, of="is_default", edit="is_default"),
        attribute("notification_type", of="loudness", edit="loudness"),
        attribute("escalation_policy_id", Kind.ID, of="policy_id"),
        attribute("position", Kind.NUMBER, edit="position"),
        attribute("repeat", Kind.FLAG, edit="repeat"),
        attribute("repeat_count", Kind.NUMBER, edit="repeat_count"),
        attribute("initial_delay", Kind.NUMBER, of="initial_delay_minutes", edit="initial_delay_minutes"),
        *(one.attribute for one in _KEPT),
        *times(),
    ),
)
