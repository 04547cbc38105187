"""Levels of escalation paths: whom to page, and how long to wait for the next level."""

from typing import Any
from uuid import UUID

from nightbell.api.attribute import Kept, Kind, attribute, times, with_kept
from nightbell.api.resource import Call, Resource
from nightbell.api.sent import uuid_of
from nightbell.core.errors import Invalid, Unknown
from nightbell.engine.edits import LevelEdit
from nightbell.store.read import policies
from nightbell.store.read.listing import Found, Record

_PREFIX = "paging_strategy_configuration_"
#: Of Rootly's SDK; nothing we have read says what its values mean.
_SCOPE = f"{_PREFIX}rotation_scope"
_KEPT = (
    Kept(f"{_PREFIX}strategy", Kind.TEXT, "default", ("default", "random", "cycle", "alert")),
    Kept(f"{_PREFIX}schedule_strategy", Kind.TEXT, "on_call_only", ("on_call_only", "everyone")),
    Kept(f"{_PREFIX}repeats", Kind.NUMBER),
    Kept(f"{_PREFIX}repeats_mode", Kind.TEXT, None, ("users", "all")),
    Kept(f"{_PREFIX}page_users_count", Kind.NUMBER),
    # Ours: a level may wait instead of paging, and ask everybody for an acknowledgement.
    Kept("level_type", Kind.TEXT, "page", ("page", "wait", "threshold", "window")),
    Kept("require_all_acknowledgements", Kind.FLAG, False),
    Kept("threshold_count", Kind.NUMBER),
    Kept("threshold_minutes", Kind.NUMBER),
    Kept("window", Kind.OBJECT),
)


async def _find(call: Call) -> Found:
    key = uuid_of(call.parent)
    of_path = "/escalation_paths/" in call.url
    if (await policies.path(call.db, key) if of_path else await policies.policy(call.db, key)) is None:
        raise Unknown(f"There is no escalation {'path' if of_path else 'policy'} {key}.")
    read = policies.levels_of_path if of_path else policies.levels_of_policy
    rows = await read(call.db, key)
    start = call.listing.offset
    return Found(rows=rows[start : start + call.listing.limit], total=len(rows))


async def _get(call: Call, key: str) -> Record | None:
    return await policies.level(call.db, uuid_of(key))


def _accept(sent: dict[str, Any]) -> dict[str, Any]:
    if sent.get(_SCOPE) is not None:
        # Ignored, it would be a level that pages others than its author reads.
        raise Invalid(
            "This cannot be set: whose turn it is, is kept for each level by itself.",
            place=_SCOPE,
            hint="Leave it out or send null.",
        )
    return with_kept(LEVELS.taken(sent), sent, _KEPT)


async def _create(call: Call, edit: LevelEdit) -> UUID:
    key, path = uuid_of(call.parent), call.attributes.get("escalation_policy_path_id")
    if "/escalation_paths/" in call.url:
        return await call.edge.configure.create_level(None, key, edit, by=call.actor, now=call.now)
    path_id = uuid_of(str(path)) if path else None
    return await call.edge.configure.create_level(key, path_id, edit, by=call.actor, now=call.now)


async def _change(call: Call, row: Record, edit: LevelEdit) -> None:
    await call.edge.configure.update_level(row["id"], edit, by=call.actor, now=call.now)


async def _delete(call: Call, row: Record) -> None:
    await call.edge.configure.delete_level(row["id"], by=call.actor, now=call.now)


LEVELS = Resource(
    type="escalation_levels",
    collections=("/escalation_policies/{id}/escalation_levels", "/escalation_paths/{id}/escalation_levels"),
    item="/escalation_levels/{id}",
    find=_find,
    get=_get,
    edit=LevelEdit,
    accept=_accept,
    create=_create,
    change=_change,
    delete=_delete,
    attributes=(
        attribute("escalation_policy_id", Kind.ID, of="policy_id"),
        attribute("escalation_policy_path_id", Kind.ID, of="path_id"),
        *(one.attribute for one in _KEPT),
        attribute("delay", Kind.NUMBER, of="delay_minutes", edit="delay_minutes"),
        attribute("position", Kind.NUMBER, edit="position"),
        attribute("notification_target_params", Kind.LIST, of="targets", edit="targets"),
        *times(),
    ),
)
