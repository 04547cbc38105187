"""Writes what is said of shifts and swaps, each thing once."""

from datetime import datetime
from uuid import UUID

from nightbell.core.directory import ContactMethod
from nightbell.core.noticing import Notice
from nightbell.store.db import Row, Tx


async def lock(tx: Tx) -> Row | None:
    """Take the turn to look at shifts; None where another node has it."""
    return await tx.row("lock_noticing")


async def looked(tx: Tx, next_at: datetime | None, now: datetime, version: int) -> None:
    """Write down when to look again, and for which configuration that holds."""
    await tx.execute("noticed", next_at, now, version)


async def add(tx: Tx, ident: UUID, notice: Notice, *, user_id: int, said: str, now: datetime) -> bool:
    """Write a notice to a person; False where it was said already."""
    duty = notice.duty
    shift = (duty.schedule_id, notice.kind, duty.start, duty.end, notice.hours, notice.cause)
    return bool(await tx.rows("insert_notice", ident, user_id, duty.user_id, *shift, said, now))


async def send(
    tx: Tx, notice_id: UUID, ident: UUID, user_id: int, method: ContactMethod, now: datetime
) -> None:
    """Queue the message of a notice."""
    because = {"rule": "a notice of a shift"}
    to = (user_id, method.id, method.kind)
    await tx.execute("insert_notice_message", ident, *to, now, notice_id, because, now)
