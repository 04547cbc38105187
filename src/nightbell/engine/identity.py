"""Who is asking: passwords, browser sessions, one-time links and API tokens.

Rule 1: a secret leaves this file once, when it is made; what is stored is a hash nobody can turn back.
"""

import asyncio
import hashlib
import re
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID
from zoneinfo import available_timezones

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from msgspec import Struct

from nightbell.core.access import Role, may_grant, narrowed
from nightbell.core.errors import Forbidden, Invalid, Unauthenticated, Unknown
from nightbell.core.journal import Actor, person
from nightbell.engine.ids import new_id
from nightbell.store.db import Db, Row, Runner
from nightbell.store.write import identity as rows

T = TypeVar("T")

#: A browser that is used stays logged in; one that is not is logged out after this.
SESSION = timedelta(days=30)
#: last_seen_at is written no more often than this: a page view must not cost an fsync.
TOUCH = timedelta(minutes=5)
SETUP = timedelta(hours=24)
INVITATION = timedelta(days=7)
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 256
TOKEN_PREFIX = "rootly_"

# 19 MiB and two passes (RFC 9106 allows less memory with more passes; OWASP's first choice of 2025).
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
#: Two at a time: a burst of log-ins may queue, it may not take the machine from those who are being paged.
_THREADS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")
#: Checked when nobody has the address, so that the answer takes as long as for a wrong password.
_NOBODY = _HASHER.hash(secrets.token_hex(16))
_EMAIL = re.compile(r"[^@\s<>\"]{1,64}@[^@\s<>\"]{1,190}")


class Visitor(Struct, frozen=True, kw_only=True):
    """A person who proved who they are, and how. `role` is what they may do now, never more than they have."""

    user_id: int
    name: str
    email: str
    role: Role
    time_zone: str
    #: The browser session, None for an API token.
    session_id: UUID | None = None
    #: Secret of the session's forms, "" for an API token.
    csrf: str = ""

    @property
    def actor(self) -> Actor:
        """Return the person as the one behind a change."""
        return person(self.user_id, self.name)


class Browser(Struct, frozen=True, kw_only=True):
    """Where a log-in comes from, for the list of sessions."""

    user_agent: str
    remote_ip: str


class Account(Struct, frozen=True, kw_only=True):
    """What a new person says of themselves."""

    email: str
    name: str
    password: str
    time_zone: str = "Etc/UTC"


class Invitation(Struct, frozen=True, kw_only=True):
    """What a one-time link offers. `email` None leaves the address to whoever uses it."""

    id: UUID
    role: Role
    email: str | None
    expires_at: datetime


# ---------------------------------------------------------------- passwords


async def hash_password(password: str) -> str:
    """Return what is stored of a password; 50 ms of one core, in a thread."""
    return await _in_thread(lambda: _HASHER.hash(password))


async def verify_password(password_hash: str | None, password: str) -> bool:
    """Return whether the password fits; equally slow when there is no hash to fit."""
    return await _in_thread(lambda: _fits(password_hash, password))


def check_password(password: str) -> None:
    """Raise Invalid for a password that is too short to keep anyone out, or absurdly long."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        message = f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters."
        raise Invalid(message, place="password", hint="Four random words are easy to remember.")


async def change_password(db: Db, user_id: int, old: str, new: str, now: datetime) -> None:
    """Replace one's own password, given the old one.

    Raises: Invalid for a wrong old or an unfit new one.
    """
    found = await rows.user_by_id(db, user_id)
    if found is None or not await verify_password(found["password_hash"], old):
        raise Invalid("That is not your present password.", place="old_password")
    check_password(new)
    await rows.set_password(db, user_id, await hash_password(new), now)
    await note(db, person(user_id, found["name"]), "password.changed", str(user_id), now)


def _fits(password_hash: str | None, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash or _NOBODY, password[:LONGEST_PASSWORD]) and bool(password_hash)
    except (VerificationError, InvalidHashError):
        return False


async def _in_thread(work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_THREADS, work)


# ---------------------------------------------------------------- sessions


async def log_in(db: Db, email: str, password: str, browser: Browser, now: datetime) -> str:
    """Return the token of a new session.

    Raises: Unauthenticated, the same for an unknown address and a wrong password.
    """
    found = await rows.user_by_email(db, email.strip())
    known = found is not None and found["active"]
    if not await verify_password(found["password_hash"] if known and found else None, password) or not found:
        raise Unauthenticated("The e-mail address or the password is wrong.", place="password")
    return await open_session(db, found["id"], browser, now)


async def open_session(db: Runner, user_id: int, browser: Browser, now: datetime) -> str:
    """Return the token of a new session for somebody who has just proved who they are."""
    token = secrets.token_hex(32)
    session = {
        "id": new_id(now),
        "user_id": user_id,
        "token_hash": _digest(token),
        "csrf": secrets.token_hex(32),
        "user_agent": browser.user_agent[:300],
        "remote_ip": browser.remote_ip[:60],
        "expires_at": now + SESSION,
    }
    await rows.insert_session(db, session, now)
    return token


async def visitor_by_session(db: Db, token: str, now: datetime) -> Visitor | None:
    """Return who a browser's cookie belongs to, or None."""
    found = await rows.session_by_token(db, _digest(token), now) if token else None
    if found is None:
        return None
    if now - found["last_seen_at"] >= TOUCH:
        await rows.touch_session(db, found["id"], now, now + SESSION)
    return _visitor(found, Role(found["role"]), session_id=found["id"], csrf=found["csrf"])


async def log_out(db: Db, visitor: Visitor, *, session_id: UUID | None = None) -> bool:
    """End one session of the visitor's, their present one unless another is named."""
    chosen = session_id or visitor.session_id
    return chosen is not None and await rows.delete_session(db, chosen, visitor.user_id)


async def log_out_elsewhere(db: Db, visitor: Visitor) -> int:
    """End every session of the visitor's but the present one; return how many."""
    return await rows.delete_sessions(db, visitor.user_id, visitor.session_id)


def _visitor(found: Row, role: Role, *, session_id: UUID | None = None, csrf: str = "") -> Visitor:
    user_id = found["user_id"]
    names = ("name", "email", "time_zone")
    return Visitor(
        user_id=user_id, role=role, session_id=session_id, csrf=csrf, **{name: found[name] for name in names}
    )


# ---------------------------------------------------------------- one-time links


async def first_link(db: Db, now: datetime) -> str | None:
    """Return the token of a link that creates the first owner, or None when there is one; older links end."""
    async with db.tx() as tx:
        if await rows.owners(tx):
            return None
        await rows.delete_setup_invitations(tx)
        return await _offer(tx, Role.OWNER, None, now + SETUP, now)


async def invite(db: Db, by: Visitor, role: Role, email: str, now: datetime) -> str:
    """Return the token of a link with which one person may join.

    Raises: Forbidden for a role above the inviter's; Invalid for an address that is none or is taken.
    """
    if not may_grant(by.role, role):
        raise Forbidden(f"Only an owner may invite an {role}.", place="role")
    address = check_email(email)
    if await rows.user_by_email(db, address):
        raise Invalid("Somebody has this address already.", place="email")
    token = await _offer(db, role, address, now + INVITATION, now)
    await note(db, by.actor, "invitation.created", address, now)
    return token


async def invitation(db: Db, token: str, now: datetime) -> Invitation:
    """Return what a link offers.

    Raises: Unknown when it was used, expired or never existed.
    """
    found = await rows.invitation_by_token(db, _digest(token), now)
    if found is None:
        hint = (
            "`nightbell user link` makes a new one for the first administrator; others ask an administrator."
        )
        raise Unknown("This link was used already, has expired, or never was one.", hint=hint)
    return Invitation(
        id=found["id"], role=Role(found["role"]), email=found["email"], expires_at=found["expires_at"]
    )


def check_account(account: Account, *, email: str | None = None) -> dict[str, str]:
    """Return the fields of a person, cleaned.

    Raises: Invalid naming the field.
    """
    check_password(account.password)
    name = " ".join(account.name.split())
    if not name or len(name) > 100:
        raise Invalid("A name has 1 to 100 characters.", place="name")
    if account.time_zone not in available_timezones():
        raise Invalid(f"There is no time zone {account.time_zone[:60]!r}.", place="time_zone")
    return {"email": email or check_email(account.email), "name": name, "time_zone": account.time_zone}


def check_email(email: str) -> str:
    """Return an e-mail address without space around it.

    Raises: Invalid for what cannot be one.
    """
    address = email.strip()
    if not _EMAIL.fullmatch(address):
        raise Invalid("That is not an e-mail address.", place="email", hint="like ana@example.org")
    return address


async def _offer(db: Runner, role: Role, email: str | None, expires_at: datetime, now: datetime) -> str:
    token = secrets.token_urlsafe(32)
    offer = {
        "id": new_id(now),
        "token_hash": _digest(token),
        "role": role.value,
        "email": email,
        "expires_at": expires_at,
    }
    await rows.insert_invitation(db, offer, now)
    return token


# ---------------------------------------------------------------- API tokens


async def create_token(db: Db, user_id: int, name: str, role: Role, now: datetime) -> str:
    """Return a new API token: `rootly_` and 64 hex digits. It is shown this once.

    Raises: Unknown for a person there is not; Invalid without a name; Forbidden for a role above the person's.
    """
    owner = await rows.user_by_id(db, user_id)
    if owner is None:
        raise Unknown(f"There is no user {user_id}.")
    if not name.strip() or len(name) > 100:
        raise Invalid("A token needs a name of 1 to 100 characters.", place="name", hint="what will use it?")
    if narrowed(owner["role"], role) is not role:
        raise Forbidden("A token cannot do more than the person it belongs to.", place="role")
    token = TOKEN_PREFIX + secrets.token_hex(32)
    key = {
        "id": new_id(now),
        "user_id": user_id,
        "name": name.strip(),
        "role": role.value,
        "token_hash": _digest(token),
        "last_four": token[-4:],
        "expires_at": None,
    }
    await rows.insert_api_key(db, key, now)
    await note(db, person(user_id, owner["name"]), "api_key.created", str(key["id"]), now)
    return token


async def visitor_by_token(db: Db, token: str, now: datetime) -> Visitor | None:
    """Return whose API token this is, or None."""
    found = await rows.api_key_by_token(db, _digest(token), now) if token.startswith(TOKEN_PREFIX) else None
    if found is None:
        return None
    if found["last_used_at"] is None or now - found["last_used_at"] >= TOUCH:
        await rows.touch_api_key(db, found["id"], now)
    return _visitor(found, narrowed(found["user_role"], found["role"]))


async def revoke_token(db: Db, visitor: Visitor, key_id: UUID, now: datetime) -> bool:
    """Take back one of the visitor's tokens; False when there is none."""
    taken = await rows.delete_api_key(db, key_id, visitor.user_id)
    if taken:
        await note(db, visitor.actor, "api_key.deleted", str(key_id), now)
    return taken


# ---------------------------------------------------------------- parts


async def note(db: Runner, by: Actor, action: str, item_id: str, now: datetime) -> None:
    """Write into the audit log what somebody did: "api_key.created" and which."""
    entry = {
        "id": new_id(now),
        "user_id": by.user_id,
        "actor": by.name,
        "action": action,
        "item_type": action.split(".")[0],
        "item_id": item_id,
    }
    await rows.insert_audit(db, entry, now)


async def forget_stale(db: Db, now: datetime) -> int:
    """Delete sessions that expired; for housekeeping."""
    return await rows.delete_stale_sessions(db, now)


def _digest(token: str) -> bytes:
    # 256 random bits need no slow hash: there is nothing to guess.
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
