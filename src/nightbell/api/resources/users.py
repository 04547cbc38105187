"""People. Their id is a number, sent as text where it stands for a resource (rootly.md 2.2)."""

from collections.abc import Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from msgspec.structs import replace

from nightbell.api.attribute import Kind, attribute, constant, times
from nightbell.api.auth import require
from nightbell.api.jsonapi import Document, refer, refer_all
from nightbell.api.resource import Action, Call, Resource
from nightbell.api.resources import flat
from nightbell.core.access import Permission
from nightbell.core.errors import Unknown
from nightbell.engine.edits import UserEdit
from nightbell.store.read import people
from nightbell.store.read.listing import Found, Record


def role_id(role: str) -> str:
    """Return the id of a role: the same on every installation."""
    return str(uuid5(NAMESPACE_URL, f"nightbell:role:{role}"))


def number(text: str) -> int:
    """Return a person's id from a path.

    Raises: Unknown for what cannot be one.
    """
    if not text.isdecimal() or len(text) > 9:
        raise Unknown(f"There is no user {text[:60]}.")
    return int(text)


async def _find(call: Call) -> Found:
    return await people.users(call.db, call.listing)


async def get(call: Call, key: str) -> Record | None:
    """Return a person with the ids of their teams and addresses; those who left are gone for the API."""
    row = await people.user(call.db, number(key))
    return row if row and row["active"] else None


#: What may be sent of a person, and what it is called here.
_ACCEPTED = {
    "name": "name",
    "email": "email",
    "role": "role",
    "time_zone": "time_zone",
    "quiet_hours": "quiet_hours",
    "status_updates": "updates",
    "shift_notice_hours": "notice_hours",
    "handoff_notices": "handoff_notices",
}


def _accept(sent: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {ours: sent[name] for name, ours in _ACCEPTED.items() if name in sent}
    parts = [str(sent[part]).strip() for part in ("first_name", "last_name") if sent.get(part)]
    if parts and "name" not in fields:
        fields["name"] = " ".join(parts)
    return fields


async def _create(call: Call, edit: UserEdit) -> int:
    require(call.visitor, Permission.PEOPLE)
    return await call.edge.configure.create_user(edit, by=call.actor, now=call.now)


async def _change(call: Call, row: Record, edit: UserEdit) -> None:
    if row["id"] != call.visitor.user_id or {"email", "role"} & edit.sent().keys():
        require(call.visitor, Permission.PEOPLE)
    if "name" not in call.attributes and edit.sent().get("name"):
        # Either half of a name may be sent alone.
        halves = {
            "first_name": flat.first_name(row),
            "last_name": flat.last_name(row) or "",
            **call.attributes,
        }
        edit = replace(edit, name=f"{halves['first_name']} {halves['last_name'] or ''}".strip())
    await call.edge.configure.update_user(row["id"], edit, by=call.actor, now=call.now)


async def _delete(call: Call, row: Record) -> None:
    require(call.visitor, Permission.PEOPLE)
    await call.edge.configure.delete_user(row["id"], by=call.actor, now=call.now)


def _relationships(row: Record) -> dict[str, Any]:
    role = role_id(row["role"])
    return {
        "role": refer("roles", role),
        "on_call_role": refer("on_call_roles", role),
        "email_addresses": refer_all("user_email_addresses", row["email_address_ids"]),
        "phone_numbers": refer_all("user_phone_numbers", row["phone_number_ids"]),
        "devices": refer_all("user_devices", ()),
        "teams": refer_all("groups", row["team_ids"]),
    }


async def _me(call: Call) -> tuple[Any, int]:
    return await USERS.shown(call, await USERS.row(call, str(call.visitor.user_id))), 200


async def documents(call: Call, ids: Sequence[int]) -> list[Document]:
    """Return these people as resource objects, for `included`."""
    rows = [await people.user(call.db, user_id) for user_id in dict.fromkeys(ids)]
    return [USERS.document(row) for row in rows if row]


USERS = Resource(
    type="users",
    collections=("/users",),
    item="/users/{id}",
    find=_find,
    get=get,
    edit=UserEdit,
    accept=_accept,
    create=_create,
    change=_change,
    delete=_delete,
    write=Permission.SELF,
    relationships=_relationships,
    actions=(
        Action(method="GET", path="/users/me", summary="Show who calls", permission=Permission.SELF, run=_me),
    ),
    attributes=(
        attribute("name", edit="name"),
        attribute("email", edit="email"),
        constant("phone", None),
        constant("phone_2", None),
        attribute("first_name", of=flat.first_name),
        attribute("last_name", of=flat.last_name),
        attribute("full_name", of="name"),
        attribute("full_name_with_team", of=flat.full_name_with_team),
        constant("slack_id", None),
        attribute("time_zone", edit="time_zone"),
        attribute("role", edit="role"),
        attribute("active", Kind.FLAG),
        attribute("quiet_hours", Kind.OBJECT, edit="quiet_hours"),
        attribute("status_updates", of="updates", edit="updates"),
        attribute("shift_notice_hours", Kind.LIST, of="notice_hours", edit="notice_hours"),
        attribute("handoff_notices", Kind.FLAG, edit="handoff_notices"),
        *times(),
    ),
)
