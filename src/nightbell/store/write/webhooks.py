"""Events on their way to endpoints: written once, leased before they are sent, recorded after."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from nightbell.core.webhook import PATIENCE, Answered, Following
from nightbell.store.db import Runner, Tx

_WHY = 1_000


class News(Struct, frozen=True, kw_only=True):
    """One event for one endpoint. `id` is that of the delivery."""

    id: UUID
    endpoint_id: UUID
    event_id: UUID
    event_type: str
    payload: str


class Claimed(Struct, frozen=True, kw_only=True):
    """A delivery leased to this worker, and what it needs of its endpoint."""

    id: UUID
    event_id: UUID
    payload: str
    attempts: int
    give_up_at: datetime
    url: str
    sealed: bytes
    custom_headers: list[dict[str, str]]


class Done(Struct, frozen=True, kw_only=True):
    """A delivery after an attempt that took so many milliseconds."""

    claimed: Claimed
    answered: Answered
    following: Following
    at: datetime
    ms: int


async def add(tx: Runner, news: Sequence[News], now: datetime) -> None:
    """Write events on their way; what is there already stays as it is."""
    if news:
        columns = zip(
            *((n.id, n.endpoint_id, n.event_id, n.event_type, n.payload) for n in news), strict=True
        )
        await tx.execute("insert_webhook_deliveries", *columns, now, now + PATIENCE)


async def claim(
    tx: Runner, endpoint_id: UUID, now: datetime, until: datetime, *, worker: str, limit: int
) -> list[Claimed]:
    """Lease what is due for one endpoint, oldest first."""
    rows = await tx.rows("claim_webhook_deliveries", endpoint_id, now, limit, until, worker)
    return sorted((Claimed(**dict(row.items())) for row in rows), key=lambda one: one.id)


async def finish(tx: Tx, done: Sequence[Done], worker: str, now: datetime) -> None:
    """Write down how attempts ended."""
    rows = [
        (
            d.claimed.id,
            d.following.state,
            d.following.send_at,
            d.answered.status,
            d.answered.body,
            d.answered.why[:_WHY],
            _try(d),
        )
        for d in done
    ]
    await tx.execute("finish_webhook_deliveries", *zip(*rows, strict=True), now, worker)


def _try(done: Done) -> dict[str, Any]:
    why = done.answered.why[:_WHY]
    return {"at": done.at, "status": done.answered.status, "why": why, "ms": done.ms}
