"""Where alerts come from. The secret is shown to those who may connect senders, masked to everybody else."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from nightbell.api.attribute import Kept, Kind, attribute, constant, times, with_kept
from nightbell.api.jsonapi import stamp
from nightbell.api.resource import Action, Call, Resource
from nightbell.api.sent import list_at, object_at, uuid_of
from nightbell.core.access import Permission, may
from nightbell.core.errors import BadPayload, Invalid
from nightbell.engine.configure_sources import GRACE
from nightbell.engine.edits import SourceEdit
from nightbell.store.read import sources
from nightbell.store.read.listing import Found, Record

#: Rootly's types whose webhook path is not named after them.
_PATHS = {"generic_webhook": "generic_webhooks"}
_NO_AUTO = {"auto_resolve": True, "resolve_state": "resolved", "accept_threaded_emails": False}
_RULES = "alert_source_urgency_rules_attributes"
#: [] and never null, or Terraform plans a change (rootly.md 4c).
_KEPT = (
    Kept(
        "alert_template_attributes", Kind.OBJECT, {"title": None, "description": None, "external_url": None}
    ),
    Kept("sourceable_attributes", Kind.OBJECT, {**_NO_AUTO, "field_mappings_attributes": []}),
    Kept("resolution_rule_attributes", Kind.OBJECT),
    Kept("alert_source_fields_attributes", Kind.LIST, []),
    # Ours: how long an acknowledgement of its alerts holds, in minutes; -1 for ever.
    Kept("retrigger_timeout_minutes", Kind.NUMBER),
)


def webhook_path(source_type: str) -> str:
    """Return the path senders of this type post to."""
    return f"/webhooks/incoming/{_PATHS.get(source_type, f'{source_type}_webhooks')}"


async def _find(call: Call) -> Found:
    found = await sources.sources(call.db, call.listing, call.now)
    for row in found.rows:
        await _complete(call, row)
    return found


async def _get(call: Call, key: str) -> Record | None:
    row = await sources.source(call.db, uuid_of(key), call.now)
    if row is not None:
        await _complete(call, row)
    return row


async def _complete(call: Call, row: Record) -> None:
    row["webhook_endpoint"] = call.edge.base_url + webhook_path(row["type"])
    current = row["secrets"][0] if row["secrets"] else None
    shown = current is not None and may(call.visitor.role, Permission.CONNECT)
    row["secret"] = (
        await call.edge.configure.reveal_secret(row["id"], now=call.now) if shown else _masked(current)
    )


def _masked(current: Record | None) -> str:
    return "•" * 60 + current["last_four"] if current else ""


def _accept(sent: dict[str, Any]) -> dict[str, Any]:
    fields = SOURCES.taken(sent)
    if sent.get("deduplication_key_kind") not in (None, "", "payload"):
        raise Invalid("Must be one of: payload.", place="deduplication_key_kind")
    if "deduplicate_alerts_by_key" in sent and "identity" not in fields:
        fields["identity"] = "key" if sent["deduplicate_alerts_by_key"] else "group"
    if _RULES in sent:
        rules = [object_at(rule, f"{_RULES}[{i}]") for i, rule in enumerate(list_at(sent[_RULES], _RULES))]
        fields["urgency_rules"] = [_rule(rule) for rule in rules if not rule.get("_destroy")]
    return with_kept(fields, sent, _KEPT)


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    urgency = rule.get("alert_urgency_id")
    return {name: rule.get(name) for name in ("json_path", "operator", "value")} | {"urgency_id": urgency}


def _shown_rule(rule: Record) -> dict[str, Any]:
    return {
        "json_path": rule["json_path"],
        "operator": rule["operator"],
        "value": rule["value"],
        "kind": "payload",
        "conditionable_type": None,
        "conditionable_id": None,
        "alert_urgency_id": rule["urgency_id"],
    }


async def _create(call: Call, edit: SourceEdit) -> UUID:
    return (await call.edge.configure.create_source(edit, by=call.actor, now=call.now))[0]


async def _change(call: Call, row: Record, edit: SourceEdit) -> None:
    sent = edit.sent()
    if sent.get("identity") == "group" and "identity" not in call.attributes and row["identity"] != "key":
        # "Not by key" keeps whatever other mode was chosen: Terraform sends false each time.
        edit = SourceEdit(**{name: value for name, value in sent.items() if name != "identity"})
    await call.edge.configure.update_source(row["id"], edit, by=call.actor, now=call.now)


async def _delete(call: Call, row: Record) -> None:
    await call.edge.configure.delete_source(row["id"], by=call.actor, now=call.now)


async def _rotate(call: Call) -> tuple[Any, int]:
    """Replace the secret; the present one works for `grace_minutes` more, a day unless said otherwise."""
    row = await SOURCES.row(call, call.parent)
    minutes = call.attributes.get("grace_minutes", GRACE.total_seconds() / 60)
    if isinstance(minutes, bool) or not isinstance(minutes, int | float):
        raise BadPayload("grace_minutes must be a number.", place="grace_minutes")
    grace = timedelta(minutes=min(minutes, 1e9))
    await call.edge.configure.rotate_secret(row["id"], by=call.actor, now=call.now, grace=grace)
    return await SOURCES.shown(call, await SOURCES.row(call, call.parent)), 200


def _valid(row: Record) -> list[dict[str, Any]]:
    return [
        {
            "last_four": secret["last_four"],
            "expires_at": stamp(secret["expires_at"]),
            "created_at": stamp(secret["created_at"]),
        }
        for secret in row["secrets"]
    ]


SOURCES = Resource(
    type="alert_sources",
    collections=("/alert_sources",),
    item="/alert_sources/{id}",
    find=_find,
    get=_get,
    edit=SourceEdit,
    aliases={"urgency_rules": _RULES},
    accept=_accept,
    create=_create,
    change=_change,
    delete=_delete,
    write=Permission.CONNECT,
    actions=(
        Action(
            method="POST",
            path="/alert_sources/{id}/rotate_secret",
            summary="Replace the secret; the present one works a while longer",
            permission=Permission.CONNECT,
            run=_rotate,
            accepts={"grace_minutes": Kind.NUMBER},
        ),
    ),
    attributes=(
        attribute("name", edit="name"),
        attribute("enabled", Kind.FLAG, edit="enabled"),
        attribute("status", of=lambda row: "connected" if row["last_delivery_at"] else "setup_incomplete"),
        attribute("source_type", of="type", edit="type"),
        attribute("secret"),
        constant("email", None),
        attribute("webhook_endpoint"),
        attribute("alert_urgency_id", Kind.ID, of="urgency_id", edit="urgency_id"),
        attribute("deduplicate_alerts_by_key", Kind.FLAG, of=lambda row: row["identity"] == "key"),
        constant("deduplication_key_kind", "payload"),
        attribute("deduplication_key_path", of="dedup_path", edit="dedup_path"),
        attribute("deduplication_key_regexp", of="dedup_regexp", edit="dedup_regexp"),
        attribute("owner_group_ids", Kind.LIST, of="owner_team_ids", edit="owner_team_ids"),
        attribute(
            _RULES,
            Kind.LIST,
            of=lambda row: [_shown_rule(rule) for rule in row["urgency_rules"]],
        ),
        *(one.attribute for one in _KEPT),
        attribute("identity", edit="identity"),
        attribute("default_target", Kind.OBJECT, edit="default_target"),
        attribute("repage_new_members", Kind.FLAG, edit="repage_new_members"),
        attribute("last_delivery_at", Kind.TIME),
        attribute("valid_secrets", Kind.LIST, of=_valid),
        *times(),
    ),
)
