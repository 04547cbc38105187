"""When and how a person is told of a page. A rule here is one contact method; Rootly names it by kind or by id."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from nightbell.api.attribute import Kind, attribute, constant, times
from nightbell.api.auth import require_own
from nightbell.api.resource import Call, Resource
from nightbell.api.resources.users import get as get_user
from nightbell.api.resources.users import number
from nightbell.api.sent import list_at, uuid_of
from nightbell.core.access import Permission
from nightbell.core.errors import Invalid, Unknown
from nightbell.engine.edits import NotificationRuleEdit
from nightbell.store.read import people
from nightbell.store.read.listing import Found, Record

#: Rootly's word for a kind of contact, and the kinds of ours it may mean. An inbox is the nearest to a device.
_CONTACT_TYPES = {
    "email": ("email",),
    "sms": ("sms",),
    "call": ("voice",),
    "device": ("push", "ntfy", "inbox"),
    "non_critical_device": ("inbox", "ntfy", "push"),
    "slack": ("slack",),
    "google_chat": ("google_chat",),
}
#: Which way of a telephone number each attribute names.
_NUMBERS = {"user_sms_number_id": "sms", "user_call_number_id": "voice"}
_WIRE = {"email": "email", "sms": "sms", "voice": "call", "slack": "slack", "google_chat": "google_chat"}


async def _find(call: Call) -> Found:
    user_id = number(call.parent)
    require_own(call.visitor, user_id)
    if await get_user(call, call.parent) is None:
        raise Unknown(f"There is no user {user_id}.")
    asked = [c.values for c in call.listing.where if c.field == "notification_type"]
    every = await people.notification_rules(call.db, user_id)
    rows = [row for row in every if all(row["loudness"] in values for values in asked)]
    start = call.listing.offset
    return Found(rows=rows[start : start + call.listing.limit], total=len(rows))


async def _get(call: Call, key: str) -> Record | None:
    row = await people.notification_rule(call.db, uuid_of(key))
    if row is not None:
        require_own(call.visitor, row["user_id"])
    return row


def _accept(sent: dict[str, Any]) -> dict[str, Any]:
    fields = RULES.taken(sent)
    for name in ("user_email_address_id", "user_device_id", *_NUMBERS):
        if sent.get(name) and not fields.get("contact_method_id"):
            fields["contact_method_id"] = sent[name]
    return fields


async def _named(
    call: Call, user_id: int, edit: NotificationRuleEdit, *, present: str = ""
) -> NotificationRuleEdit:
    """Return the edit with its contact method, found by kind where only a kind was sent."""
    kinds = list_at(call.attributes.get("enabled_contact_types"), "enabled_contact_types")
    edit = await _way_of_number(call, edit)
    if edit.sent().get("contact_method_id") or not kinds or _wire_kind(present) in kinds:
        return edit
    wanted = [kind for word in kinds for kind in _CONTACT_TYPES.get(str(word), ())]
    methods = await people.all_contact_methods(call.db, user_id)
    for kind in wanted:
        for method in methods:
            if method["kind"] == kind:
                return replace(edit, contact_method_id=method["id"])
    raise Invalid(
        f"This person has no contact method of: {', '.join(map(str, kinds))}.", place="enabled_contact_types"
    )


async def _way_of_number(call: Call, edit: NotificationRuleEdit) -> NotificationRuleEdit:
    """Return the edit with the method that texts, or that calls, the number somebody named."""
    chosen = edit.sent().get("contact_method_id")
    kind = next((kind for name, kind in _NUMBERS.items() if call.attributes.get(name)), "")
    if not chosen or not kind or call.attributes.get("contact_method_id"):
        return edit
    ways = await people.ways_of_phone(call.db, chosen)
    return replace(edit, contact_method_id=ways.get(kind, chosen))


def _wire_kind(kind: str) -> str:
    return _WIRE.get(kind, "device") if kind else ""


async def _create(call: Call, edit: NotificationRuleEdit) -> UUID:
    user_id = number(call.parent)
    require_own(call.visitor, user_id)
    if await get_user(call, call.parent) is None:
        raise Unknown(f"There is no user {user_id}.")
    named = await _named(call, user_id, edit)
    return await call.edge.configure.create_notification_rule(user_id, named, by=call.actor, now=call.now)


async def _change(call: Call, row: Record, edit: NotificationRuleEdit) -> None:
    named = await _named(call, row["user_id"], edit, present=row["kind"])
    await call.edge.configure.update_notification_rule(row["id"], named, by=call.actor, now=call.now)


async def _delete(call: Call, row: Record) -> None:
    await call.edge.configure.delete_notification_rule(row["id"], by=call.actor, now=call.now)


def _of_kind(*kinds: str, of: str = "contact_method_id") -> Callable[[Record], Any]:
    return lambda row: row[of] if row["kind"] in kinds else None


RULES = Resource(
    type="user_notification_rules",
    collections=("/users/{id}/notification_rules",),
    item="/notification_rules/{id}",
    find=_find,
    get=_get,
    edit=NotificationRuleEdit,
    accept=_accept,
    create=_create,
    change=_change,
    delete=_delete,
    read=Permission.SELF,
    write=Permission.SELF,
    attributes=(
        attribute("user_id", Kind.NUMBER),
        attribute("delay", Kind.NUMBER, of="delay_minutes", edit="delay_minutes"),
        attribute("position", Kind.NUMBER, edit="position"),
        attribute("user_email_address_id", Kind.ID, of=_of_kind("email")),
        attribute("user_call_number_id", Kind.ID, of=_of_kind("voice", of="phone_id")),
        attribute("user_sms_number_id", Kind.ID, of=_of_kind("sms", of="phone_id")),
        constant("user_device_id", None, Kind.ID),
        attribute("enabled_contact_types", Kind.LIST, of=lambda row: [_wire_kind(row["kind"])]),
        attribute("notification_type", of="loudness", edit="loudness"),
        attribute("contact_method_id", Kind.ID, edit="contact_method_id"),
        attribute("contact_method_kind", of="kind"),
        *times(),
    ),
)
