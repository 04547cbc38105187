"""Messages on their way out: leased before they are sent, recorded after."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from nightbell.core.attempting import Next
from nightbell.store.db import Row, Runner, Tx

_WHY = 1_000


class Claimed(Struct, frozen=True, kw_only=True):
    """A message leased to this worker."""

    id: UUID
    alert_id: UUID | None
    page_id: UUID | None
    user_id: int
    contact_method_id: UUID | None
    kind: str
    purpose: str
    level: int | None
    attempts: int
    idempotency_key: str
    send_at: datetime
    created_at: datetime


async def claim(tx: Tx, now: datetime, limit: int, until: datetime, worker: str) -> list[Claimed]:
    """Lease due messages to a worker; another worker never gets them before the lease lapses."""
    rows = await tx.rows("claim_notifications", now, limit, until, worker)
    return [Claimed(**dict(row.items())) for row in rows]


async def start(tx: Tx, attempts: Sequence[tuple[UUID, UUID, int]], worker: str, now: datetime) -> None:
    """Write down what is about to be tried: (new id, message, number of the try)."""
    await tx.execute("start_attempts", *zip(*attempts, strict=True), worker, now)


async def addressed(tx: Tx, ids: Sequence[UUID]) -> list[Row]:
    """Return what the messages need of people, methods and alerts."""
    return await tx.rows("addressed", list(ids))


async def finish(tx: Tx, done: Sequence[tuple[Claimed, Next]], worker: str, now: datetime) -> None:
    """Write down how tries ended. What would be tried again is called off when its page ended meanwhile."""
    await _lock(tx, [c.alert_id for c, n in done if n.state == "waiting"])
    rows = [(c.id, n.state, n.send_at, n.provider_id[:_WHY], n.why[:_WHY]) for c, n in done]
    await tx.execute("finish_notifications", *zip(*rows, strict=True), worker, now)
    tries = [(c.id, c.attempts, n.outcome, n.why[:_WHY], n.provider_id[:_WHY]) for c, n in done]
    await tx.execute("finish_attempts", *zip(*tries, strict=True), now)


async def lapsed(tx: Tx, now: datetime, gone: Sequence[str]) -> list[Row]:
    """Release messages whose worker stopped, and return them."""
    rows = await tx.rows("lapsed_leases", now, list(gone))
    ids = [row["id"] for row in rows]
    if ids:
        await _lock(tx, [row["alert_id"] for row in rows])
        await tx.execute("release_lapsed", ids, now)
        await tx.execute("end_lapsed_attempts", ids, now)
    return rows


async def _lock(tx: Tx, alert_ids: Sequence[UUID | None]) -> None:
    known = [ident for ident in alert_ids if ident]
    if known:
        await tx.rows("lock_alerts_of_messages", known)


async def insert_test(db: Runner, ident: UUID, method_id: UUID, now: datetime) -> bool:
    """Queue a message that tries out a contact method; False when there is no such method."""
    return bool(await db.rows("insert_test_notification", ident, method_id, now))
