"""Stores who may come in: passwords, sessions, invitations and tokens, each secret only as a hash."""

from datetime import datetime
from typing import Any
from uuid import UUID

from nightbell.store.db import Row, Runner


async def user_by_email(db: Runner, email: str) -> Row | None:
    """Return a person with the password hash, by e-mail address in any case."""
    return await db.row("user_by_email", email)


async def user_by_id(db: Runner, user_id: int) -> Row | None:
    """Return a person with the password hash."""
    return await db.row("user_by_id", user_id)


async def insert_user(db: Runner, person: dict[str, Any], password_hash: str | None, now: datetime) -> int:
    """Add a person of email, name, role and time_zone; return the id."""
    args = (person["email"], person["name"], person["role"], person["time_zone"])
    return int(await db.value("insert_user", *args, password_hash, now))


async def set_password(db: Runner, user_id: int, password_hash: str, now: datetime) -> None:
    """Replace a password."""
    await db.execute("set_password", user_id, password_hash, now)


async def owners(db: Runner) -> int:
    """Return how many active owners there are."""
    return int(await db.value("count_people"))


async def insert_session(db: Runner, session: dict[str, Any], now: datetime) -> None:
    """Remember a log-in."""
    names = ("id", "user_id", "token_hash", "csrf", "user_agent", "remote_ip", "expires_at")
    await db.execute("insert_session", *(session[name] for name in names), now)


async def session_by_token(db: Runner, token_hash: bytes, now: datetime) -> Row | None:
    """Return the session and its person, unless it expired or the person was switched off."""
    return await db.row("session_by_token", token_hash, now)


async def touch_session(db: Runner, session_id: UUID, now: datetime, expires_at: datetime) -> None:
    """Note that a browser is in use."""
    await db.execute("touch_session", session_id, now, expires_at)


async def delete_session(db: Runner, session_id: UUID, user_id: int) -> bool:
    """Log one browser out; False when there was none."""
    return bool(await db.execute("delete_session", session_id, user_id))


async def delete_sessions(db: Runner, user_id: int, keep: UUID | None) -> int:
    """Log a person out of every browser but one."""
    return await db.execute("delete_sessions", user_id, keep)


async def delete_stale_sessions(db: Runner, now: datetime) -> int:
    """Forget sessions that expired."""
    return await db.execute("delete_stale_sessions", now)


async def insert_invitation(db: Runner, invitation: dict[str, Any], now: datetime) -> None:
    """Keep a link that may be used once."""
    names = ("id", "token_hash", "role", "email", "expires_at")
    await db.execute("insert_invitation", *(invitation[name] for name in names), now)


async def invitation_by_token(db: Runner, token_hash: bytes, now: datetime) -> Row | None:
    """Return what a link offers, unless it was used or expired."""
    return await db.row("invitation_by_token", token_hash, now)


async def use_invitation(db: Runner, invitation_id: UUID, now: datetime) -> bool:
    """Spend a link; False when somebody else did."""
    return await db.execute("use_invitation", invitation_id, now) == 1


async def delete_setup_invitations(db: Runner) -> None:
    """Forget earlier links for the first administrator."""
    await db.execute("delete_setup_invitations")


async def insert_api_key(db: Runner, key: dict[str, Any], now: datetime) -> None:
    """Keep a token."""
    names = ("id", "user_id", "name", "role", "token_hash", "last_four", "expires_at")
    await db.execute("insert_api_key", *(key[name] for name in names), now)


async def api_key_by_token(db: Runner, token_hash: bytes, now: datetime) -> Row | None:
    """Return a token and its person, unless it expired or the person was switched off."""
    return await db.row("api_key_by_token", token_hash, now)


async def touch_api_key(db: Runner, key_id: UUID, now: datetime) -> None:
    """Note that a token is in use."""
    await db.execute("touch_api_key", key_id, now)


async def delete_api_key(db: Runner, key_id: UUID, user_id: int) -> bool:
    """Take a token back; False when there was none."""
    return bool(await db.execute("delete_api_key", key_id, user_id))


async def insert_audit(db: Runner, entry: dict[str, Any], now: datetime) -> None:
    """Say who did what: `entry` has id, user_id, actor, action, item_type and item_id."""
    names = ("id", "user_id", "actor", "action", "item_type", "item_id")
    await db.execute("insert_identity_audit", *(entry[name] for name in names), now)
