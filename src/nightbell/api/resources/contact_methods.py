"""Where people are reached: our contact methods, and the two views of them that Rootly's clients know."""

from typing import Any
from uuid import UUID

from nightbell.api.attribute import Kind, attribute, constant, times
from nightbell.api.auth import require, require_own
from nightbell.api.resource import Action, Call, Resource
from nightbell.api.resources.users import get as get_user
from nightbell.api.resources.users import number
from nightbell.api.sent import uuid_of
from nightbell.core.access import Permission, may
from nightbell.core.errors import Invalid, Unknown
from nightbell.engine.edits import ContactMethodEdit
from nightbell.engine.sealed import masked_settings, shown_address
from nightbell.store.read import people
from nightbell.store.read.listing import Found, Record


async def of_user(call: Call, kinds: tuple[str, ...] = ()) -> Found:
    """Return the contact methods of the person in the path, who must exist."""
    user_id = number(call.parent)
    require_own(call.visitor, user_id)
    if await get_user(call, call.parent) is None:
        raise Unknown(f"There is no user {user_id}.")
    return await people.contact_methods(call.db, user_id, call.listing, kinds=kinds)


async def own(call: Call, key: str, kinds: tuple[str, ...] = ()) -> Record | None:
    """Return a contact method of these kinds that the caller may see."""
    row = await people.contact_method(call.db, uuid_of(key))
    if row is None or (kinds and row["kind"] not in kinds):
        return None
    require_own(call.visitor, row["user_id"])
    return row


def _trusted(call: Call) -> bool:
    """Whoever looks after people vouches for an address; one's own has to be proven."""
    return may(call.visitor.role, Permission.PEOPLE)


async def create(call: Call, edit: ContactMethodEdit) -> UUID:
    """Add an address to the person in the path."""
    user_id = number(call.parent)
    require_own(call.visitor, user_id)
    if await get_user(call, call.parent) is None:
        raise Unknown(f"There is no user {user_id}.")
    return await call.edge.configure.create_contact_method(
        user_id, edit, verified=_trusted(call), by=call.actor, now=call.now
    )


async def change(call: Call, row: Record, edit: ContactMethodEdit) -> None:
    """Change an address."""
    await call.edge.configure.update_contact_method(
        row["id"], edit, verified=_trusted(call), by=call.actor, now=call.now
    )


async def delete(call: Call, row: Record) -> None:
    """Forget an address."""
    await call.edge.configure.delete_contact_method(row["id"], by=call.actor, now=call.now)


CONTACT_METHODS = Resource(
    type="contact_methods",
    collections=("/users/{id}/contact_methods",),
    item="/contact_methods/{id}",
    find=of_user,
    get=own,
    edit=ContactMethodEdit,
    create=create,
    change=change,
    delete=delete,
    read=Permission.SELF,
    write=Permission.SELF,
    attributes=(
        attribute("user_id", Kind.NUMBER),
        attribute("kind", edit="kind"),
        attribute("name", edit="name"),
        attribute("address", of=lambda row: shown_address(row["address"]), edit="address"),
        attribute("settings", Kind.OBJECT, of=lambda row: masked_settings(row["settings"]), edit="settings"),
        attribute("primary", Kind.FLAG, of="is_primary", edit="is_primary"),
        attribute("verified_at", Kind.TIME),
        *times(),
    ),
)


# ---------------------------------------------------------------- e-mail addresses

_EMAIL = ("email",)


async def _emails(call: Call) -> Found:
    return await of_user(call, _EMAIL)


async def _email(call: Call, key: str) -> Record | None:
    return await own(call, key, _EMAIL)


def _accept_email(sent: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {"kind": "email"}
    if "email" in sent:
        fields["address"] = sent["email"]
    if "primary" in sent:
        fields["is_primary"] = sent["primary"]
    return fields


async def _verify(call: Call) -> tuple[Any, int]:
    """Take an administrator's word for an address."""
    require(call.visitor, Permission.PEOPLE)
    row = await EMAIL_ADDRESSES.row(call, call.parent)
    await call.edge.configure.verify_contact_method(row["id"], by=call.actor, now=call.now)
    return await EMAIL_ADDRESSES.shown(call, await EMAIL_ADDRESSES.row(call, call.parent)), 200


EMAIL_ADDRESSES = Resource(
    type="user_email_addresses",
    collections=("/users/{id}/email_addresses",),
    item="/email_addresses/{id}",
    find=_emails,
    get=_email,
    edit=ContactMethodEdit,
    accept=_accept_email,
    create=create,
    change=change,
    delete=delete,
    read=Permission.SELF,
    write=Permission.SELF,
    actions=(
        Action(
            method="POST",
            path="/email_addresses/{id}/verify",
            summary="Say that an address belongs to its person",
            permission=Permission.PEOPLE,
            run=_verify,
        ),
    ),
    attributes=(
        attribute("user_id", Kind.NUMBER),
        attribute("email", of="address", edit="address"),
        attribute("primary", Kind.FLAG, of="is_primary", edit="is_primary"),
        attribute("verified_at", Kind.TIME),
        *times(),
    ),
)


# ---------------------------------------------------------------- telephones


async def _phones(call: Call) -> Found:
    return await of_user(call, people.PHONES)


async def _phone(call: Call, key: str) -> Record | None:
    return await own(call, key, people.PHONES)


async def _no_phone(call: Call, edit: ContactMethodEdit) -> UUID:
    raise Invalid("This installation has no channel that calls or texts a telephone.", place="phone")


PHONE_NUMBERS = Resource(
    type="user_phone_numbers",
    collections=("/users/{id}/phone_numbers",),
    item="/phone_numbers/{id}",
    find=_phones,
    get=_phone,
    edit=ContactMethodEdit,
    create=_no_phone,
    delete=delete,
    read=Permission.SELF,
    write=Permission.SELF,
    attributes=(
        attribute("user_id", Kind.NUMBER),
        attribute("phone", of="address", edit="address"),
        attribute("primary", Kind.FLAG, of="is_primary"),
        attribute("verified_at", Kind.TIME),
        constant("verification_attempts_today", 0, Kind.NUMBER),
        *times(),
    ),
)
