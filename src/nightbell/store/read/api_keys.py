"""This file reads API tokens: whose they are and when they were used, never more of one than its last four letters."""

from uuid import UUID

from sqlalchemy import select, true

from nightbell.store.db import Runner
from nightbell.store.read.listing import Record
from nightbell.store.statements import fetch_core
from nightbell.store.tables import api_keys as keys
from nightbell.store.tables import users

_SHOWN = (
    keys.c.id,
    keys.c.name,
    keys.c.role,
    keys.c.last_four,
    keys.c.created_at,
    keys.c.last_used_at,
    keys.c.user_id,
    users.c.email,
    users.c.name.label("user_name"),
)


async def api_keys(runner: Runner, *, user_id: int | None = None) -> list[Record]:
    """Return tokens with the `email` of their person, everybody's or one person's, in the order they were made."""
    whose = true() if user_id is None else keys.c.user_id == user_id
    statement = select(*_SHOWN).join(users, users.c.id == keys.c.user_id).where(whose).order_by(keys.c.id)
    return [dict(row) for row in await fetch_core(runner, statement)]


async def api_key(runner: Runner, key_id: UUID) -> Record | None:
    """Return one token with the `email` of its person."""
    statement = select(*_SHOWN).join(users, users.c.id == keys.c.user_id).where(keys.c.id == key_id)
    rows = await fetch_core(runner, statement)
    return dict(rows[0]) if rows else None
