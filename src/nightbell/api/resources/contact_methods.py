"""Where people are reached: our contact methods, and the two views of them that Rootly's clients know."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from nightbell.api.attribute import Kind, attribute, times
from nightbell.api.auth import require_own
from nightbell.api.resource import Action, Call, Resource
from nightbell.api.resources.users import get as get_user
from nightbell.api.resources.users import number
from nightbell.api.sent import uuid_of
from nightbell.core.access import Permission, may
from nightbell.core.errors import Unknown
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


def trusted(call: Call) -> bool:
    """Whoever looks after people vouches for an address; one's own has to be proven."""
    return may(call.visitor.role, Permission.PEOPLE)


async def create(call: Call, edit: ContactMethodEdit) -> UUID:
    """Add an address to the person in the path."""
    user_id = number(call.parent)
    require_own(call.visitor, user_id)
    if await get_user(call, call.parent) is None:
        raise Unknown(f"There is no user {user_id}.")
    return await call.edge.configure.create_contact_method(
        user_id, edit, verified=trusted(call), by=call.actor, now=call.now
    )


async def change(call: Call, row: Record, edit: ContactMethodEdit) -> None:
    """Change an address."""
    await call.edge.configure.update_contact_method(
        row["id"], edit, verified=trusted(call), by=call.actor, now=call.now
    )


async def delete(call: Call, row: Record) -> None:
    """Forget an address."""
    await call.edge.configure.delete_contact_method(row["id"], by=call.actor, now=call.now)


async def send_code(resource: Resource, call: Call) -> tuple[Any, int]:
    """Send a code to an address, and show it."""
    row = await resource.row(call, call.parent)
    await call.edge.configure.send_code(row["id"], row["user_id"], call.now)
    return await resource.shown(call, await resource.row(call, call.parent)), 200


async def confirm_code(resource: Resource, call: Call) -> tuple[Any, int]:
    """Verify an address by the code that went there, and show it."""
    row = await resource.row(call, call.parent)
    code = str(call.attributes.get("code") or "")
    await call.edge.configure.confirm_code(row["id"], row["user_id"], code, by=call.actor, now=call.now)
    return await resource.shown(call, await resource.row(call, call.parent)), 200


def proofs(path: str, resource: Callable[[], Resource]) -> tuple[Action, ...]:
    """Return how an address is proven over the wire. Source: Rootly's wizard (rootly.md 4a)."""

    async def send(call: Call) -> tuple[Any, int]:
        return await send_code(resource(), call)

    async def confirm(call: Call) -> tuple[Any, int]:
        return await confirm_code(resource(), call)

    return (
        Action(
            method="POST",
            path=f"{path}/resend_verification",
            summary="Send another code",
            permission=Permission.SELF,
            run=send,
        ),
        Action(
            method="PATCH",
            path=f"{path}/verify_code",
            summary="Prove the address by its code",
            permission=Permission.SELF,
            run=confirm,
            accepts={"code": Kind.TEXT},
        ),
    )


CONTACT_METHODS: Resource = Resource(
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
    actions=(
        Action(
            method="POST",
            path="/contact_methods/{id}/verify",
            summary="Send a code there",
            permission=Permission.SELF,
            run=lambda call: send_code(CONTACT_METHODS, call),
        ),
        *proofs("/contact_methods/{id}", lambda: CONTACT_METHODS),
    ),
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
    """Take an administrator's word for an address; whoever is none is sent a code."""
    row = await EMAIL_ADDRESSES.row(call, call.parent)
    if trusted(call):
        await call.edge.configure.verify_contact_method(row["id"], by=call.actor, now=call.now)
    else:
        await call.edge.configure.send_code(row["id"], row["user_id"], call.now)
    return await EMAIL_ADDRESSES.shown(call, await EMAIL_ADDRESSES.row(call, call.parent)), 200


EMAIL_ADDRESSES: Resource = Resource(
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
            summary="Send a code there; who looks after people vouches for it instead",
            permission=Permission.SELF,
            run=_verify,
        ),
        *proofs("/email_addresses/{id}", lambda: EMAIL_ADDRESSES),
    ),
    attributes=(
        attribute("user_id", Kind.NUMBER),
        attribute("email", of="address", edit="address"),
        attribute("primary", Kind.FLAG, of="is_primary", edit="is_primary"),
        attribute("verified_at", Kind.TIME),
        *times(),
    ),
)
