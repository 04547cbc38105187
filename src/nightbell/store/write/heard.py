"""What came back: receipts of messages, answers of people, and the codes they answer with."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from nightbell.core.receipt import FINAL, Receipt, Stage
from nightbell.store.db import Row, Tx

_LONGEST = 1_000


class Move(Struct, frozen=True, kw_only=True):
    """A message after a report. `why` is "" where the old reason stays."""

    id: UUID
    stage: Stage
    state: str
    why: str
    provider_id: str


class Reply(Struct, frozen=True, kw_only=True):
    """What somebody answered, and what they were told."""

    id: UUID
    kind: str
    reference: str
    address: str
    user_id: int | None
    notification_id: UUID | None
    alert_id: UUID | None
    said: str
    verdict: str
    answer: str


async def message(tx: Tx, ident: UUID) -> Row | None:
    """Lock a message, and before it its alert, as every act does."""
    alert_id = await tx.value("alert_of_message", ident)
    if alert_id:
        await tx.rows("lock_alerts_of_messages", [alert_id])
    return await tx.row("lock_message", ident)


async def receipt(tx: Tx, ident: UUID, one: Receipt, now: datetime) -> bool:
    """Keep what was said of a message; False when it was said before."""
    args = (one.notification_id, str(one.stage), one.provider_id[:200], one.why[:_LONGEST], one.at or now)
    return bool(await tx.rows("insert_receipt", ident, *args, now))


async def move(tx: Tx, to: Move, now: datetime) -> None:
    """Write down how far a message came."""
    final = to.stage in FINAL
    args = (to.id, str(to.stage), now, to.state, to.why[:_LONGEST], to.provider_id[:200], now, final)
    await tx.execute("move_message", *args)


async def reply(tx: Tx, one: Reply, now: datetime) -> None:
    """Keep an answer; the same reference is kept once."""
    args = (
        one.user_id,
        one.notification_id,
        one.alert_id,
        one.said[:_LONGEST],
        one.verdict,
        one.answer[:_LONGEST],
    )
    await tx.execute("insert_reply", one.id, one.kind, one.reference[:200], one.address[:200], *args, now)


async def put_codes(tx: Tx, codes: Sequence[tuple[int, str, UUID]], now: datetime) -> None:
    """Let codes mean alerts: (person, code, alert)."""
    people, _, alerts = (list(column) for column in zip(*codes, strict=True))
    await tx.execute("drop_codes", people, alerts)
    await tx.execute("put_codes", *zip(*codes, strict=True), now)
