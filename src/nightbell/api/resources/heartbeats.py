"""Heartbeats, in Rootly's shape (rootly.md 5.3). Pings come in by web/beats.py, which no framework slows down."""

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from nightbell.api.attribute import Kind, attribute, times
from nightbell.api.resource import Action, Call, Resource
from nightbell.api.sent import uuid_of
from nightbell.core.access import Permission, may
from nightbell.engine.edits import HeartbeatEdit
from nightbell.store.read import heartbeats
from nightbell.store.read.listing import Found, Record


async def _find(call: Call) -> Found:
    found = await heartbeats.heartbeats(call.db, call.listing)
    for row in found.rows:
        await _complete(call, row)
    return found


async def _get(call: Call, key: str) -> Record | None:
    row = await heartbeats.heartbeat(call.db, uuid_of(key))
    if row is not None:
        await _complete(call, row)
    return row


async def _complete(call: Call, row: Record) -> None:
    row["ping_url"] = f"{call.edge.base_url}/v1/heartbeats/{row['id']}/ping"
    row["email_address"] = f"{row['mail_name']}@{urlsplit(call.edge.base_url).hostname}"
    shown = may(call.visitor.role, Permission.CONNECT)
    row["secret"] = await call.edge.configure.reveal_heartbeat_secret(row["id"]) if shown else None


def _accept(sent: dict[str, Any]) -> dict[str, Any]:
    fields = HEARTBEATS.taken(sent)
    kind, ident = sent.get("notification_target_type"), sent.get("notification_target_id")
    if kind is not None or ident is not None:
        fields["target"] = {"type": kind, "id": str(ident or "")}
    return fields


async def _create(call: Call, edit: HeartbeatEdit) -> UUID:
    return await call.edge.configure.create_heartbeat(edit, by=call.actor, now=call.now)


async def _change(call: Call, row: Record, edit: HeartbeatEdit) -> None:
    if isinstance(edit.target, dict):
        # One half of a target may be sent alone; the other half stays.
        for name in ("type", "id"):
            edit.target[name] = edit.target[name] or row["target"][name]
    await call.edge.configure.update_heartbeat(row["id"], edit, by=call.actor, now=call.now)


async def _delete(call: Call, row: Record) -> None:
    await call.edge.configure.delete_heartbeat(row["id"], by=call.actor, now=call.now)


async def _rotate(call: Call) -> tuple[Any, int]:
    """Replace the secret; the one before it no longer works."""
    row = await HEARTBEATS.row(call, call.parent)
    await call.edge.configure.rotate_heartbeat_secret(row["id"], by=call.actor, now=call.now)
    return await HEARTBEATS.shown(call, await HEARTBEATS.row(call, call.parent)), 200


HEARTBEATS = Resource(
    type="heartbeats",
    collections=("/heartbeats",),
    item="/heartbeats/{id}",
    find=_find,
    get=_get,
    edit=HeartbeatEdit,
    aliases={"target": "notification_target_id"},
    accept=_accept,
    create=_create,
    change=_change,
    delete=_delete,
    write=Permission.CONFIGURE,
    actions=(
        Action(
            method="POST",
            path="/heartbeats/{id}/rotate_secret",
            summary="Replace the secret of a heartbeat",
            permission=Permission.CONNECT,
            run=_rotate,
        ),
    ),
    attributes=(
        attribute("name", edit="name"),
        attribute("description", edit="description"),
        attribute("alert_summary", edit="alert_summary"),
        attribute("alert_description", edit="alert_description"),
        attribute("alert_urgency_id", Kind.ID, of="urgency_id", edit="urgency_id"),
        attribute("interval", Kind.NUMBER, of="interval_count", edit="interval_count"),
        attribute("interval_unit", edit="interval_unit"),
        attribute("notification_target_id", of=lambda row: row["target"]["id"]),
        attribute("notification_target_type", of=lambda row: row["target"]["type"]),
        attribute("owner_group_ids", Kind.LIST, of="owner_team_ids", edit="owner_team_ids"),
        attribute("enabled", Kind.FLAG, edit="enabled"),
        attribute("status"),
        attribute("ping_url"),
        attribute("secret"),
        attribute("email_address"),
        attribute("last_pinged_at", Kind.TIME),
        attribute("expires_at", Kind.TIME),
        attribute("grace_seconds", Kind.NUMBER, edit="grace_seconds"),
        attribute("matchers", edit="matchers"),
        attribute("last_pinged_by"),
        *times(),
    ),
)
