"""Telephone numbers as Rootly's clients know them: one number is a contact method that texts and one that calls."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from nightbell.api.attribute import Kind, attribute, times
from nightbell.api.auth import require_own
from nightbell.api.resource import Action, Call, Resource
from nightbell.api.resources.contact_methods import proofs, send_code, trusted
from nightbell.api.resources.users import get as get_user
from nightbell.api.resources.users import number
from nightbell.api.sent import uuid_of
from nightbell.core.access import Permission
from nightbell.core.errors import Invalid, Unknown
from nightbell.engine.edits import ContactMethodEdit
from nightbell.store.read import people
from nightbell.store.read.listing import Found, Record

_DAY = timedelta(days=1)


async def _find(call: Call) -> Found:
    user_id = await _person(call)
    rows = await people.phones(call.db, user_id, call.now - _DAY)
    start = call.listing.offset
    return Found(rows=rows[start : start + call.listing.limit], total=len(rows))


async def _person(call: Call) -> int:
    user_id = number(call.parent)
    require_own(call.visitor, user_id)
    if await get_user(call, call.parent) is None:
        raise Unknown(f"There is no user {user_id}.")
    return user_id


async def _get(call: Call, key: str) -> Record | None:
    row = await people.phone(call.db, uuid_of(key), call.now - _DAY)
    if row is not None:
        require_own(call.visitor, row["user_id"])
    return row


def _accept(sent: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if "phone" in sent:
        fields["address"] = sent["phone"]
    if "primary" in sent:
        fields["is_primary"] = sent["primary"]
    return fields


async def _create(call: Call, edit: ContactMethodEdit) -> UUID:
    """Add a number that is texted, and called, too, once it is proven."""
    user_id = await _person(call)
    known = await people.phones(call.db, user_id, call.now)
    if any(one["address"] == edit.sent().get("address") for one in known):
        raise Invalid("This person has this number already.", place="address")
    made = [
        await call.edge.configure.create_contact_method(
            user_id,
            msgspec.structs.replace(edit, kind=kind),
            verified=trusted(call),
            by=call.actor,
            now=call.now,
        )
        for kind in people.PHONES
    ]
    return made[0]


async def _change(call: Call, row: Record, edit: ContactMethodEdit) -> None:
    for method_id in (await people.ways_of_phone(call.db, row["id"])).values():
        await call.edge.configure.update_contact_method(
            method_id, edit, verified=trusted(call), by=call.actor, now=call.now
        )


async def _delete(call: Call, row: Record) -> None:
    for method_id in (await people.ways_of_phone(call.db, row["id"])).values():
        await call.edge.configure.delete_contact_method(method_id, by=call.actor, now=call.now)


PHONE_NUMBERS: Resource = Resource(
    type="user_phone_numbers",
    collections=("/users/{id}/phone_numbers",),
    item="/phone_numbers/{id}",
    find=_find,
    get=_get,
    edit=ContactMethodEdit,
    accept=_accept,
    create=_create,
    change=_change,
    delete=_delete,
    read=Permission.SELF,
    write=Permission.SELF,
    actions=(
        Action(
            method="POST",
            path="/phone_numbers/{id}/verify",
            summary="Send a code there",
            permission=Permission.SELF,
            run=lambda call: send_code(PHONE_NUMBERS, call),
        ),
        *proofs("/phone_numbers/{id}", lambda: PHONE_NUMBERS),
    ),
    attributes=(
        attribute("user_id", Kind.NUMBER),
        attribute("phone", of="address", edit="address"),
        attribute("primary", Kind.FLAG, of="is_primary", edit="is_primary"),
        attribute("verified_at", Kind.TIME),
        attribute("verification_attempts_today", Kind.NUMBER, of="attempts"),
        *times(),
    ),
)
