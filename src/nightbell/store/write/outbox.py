"""Messages on their way out: leased before they are sent, recorded after."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from nightbell.core.attempting import Next
from nightbell.core.leasing import Lease
from nightbell.core.paging import NOTHING
from nightbell.store.db import Row, Runner, Tx
from nightbell.store.write.together import Together

_WHY = 1_000
#: (person, thing, contact method, purpose): what messages have in common that may be told as one.
Fellowship = tuple[int, UUID, UUID, str]


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
    about: UUID = NOTHING
    #: The bundle it was tried in before.
    bundle_id: UUID | None = None
    notice_id: UUID | None = None


class Lost(Struct, frozen=True, kw_only=True):
    """A post to a channel that did not arrive, or may not have; `id` is that of a new line of the journal."""

    id: UUID
    alert_id: UUID | None
    level: int | None
    said: str


async def claim(tx: Tx, lease: Lease, limit: int) -> list[Claimed]:
    """Lease the oldest due messages; another worker never gets them before the lease lapses."""
    rows = await tx.rows("claim_notifications", lease.now, limit, lease.until, lease.worker)
    return [Claimed(**dict(row.items())) for row in rows]


async def turns(tx: Tx, after: tuple[int, UUID], limit: int) -> list[tuple[int, UUID]]:
    """Return (person, thing) for messages that wait, in order from a turn on."""
    return [(r["user_id"], r["about"]) for r in await tx.rows("turns_after", *after, limit)]


async def claim_first(tx: Tx, lease: Lease, turn: Sequence[tuple[int, UUID]]) -> list[Claimed]:
    """Lease the first due message of each (person, thing)."""
    if not turn:
        return []
    columns = zip(*turn, strict=True)
    rows = await tx.rows("claim_first", lease.now, lease.until, lease.worker, *columns)
    return [Claimed(**dict(row.items())) for row in rows]


async def claim_fellows(tx: Tx, lease: Lease, keys: Sequence[Fellowship]) -> list[Claimed]:
    """Lease what else is due for (person, thing, contact method, purpose)."""
    if not keys:
        return []
    columns = zip(*keys, strict=True)
    rows = await tx.rows("claim_fellows", lease.now, lease.until, lease.worker, *columns)
    return [Claimed(**dict(row.items())) for row in rows]


async def bundle(tx: Tx, groups: Sequence[Sequence[Claimed]]) -> None:
    """Write down which messages are told as one: by the id of the first, for ever."""
    together = [(c.id, g[0].bundle_id or g[0].id) for g in groups if len(g) > 1 for c in g]
    if together:
        await tx.execute("bundle_notifications", *zip(*together, strict=True))


async def hold_back(tx: Tx, held: Sequence[tuple[UUID, datetime, str]], now: datetime) -> None:
    """Put claimed messages back until an instant: (message, when, why). Nothing was tried."""
    if held:
        await tx.execute("hold_back", *zip(*held, strict=True), now)


async def use_throttles(tx: Tx, uses: Sequence[tuple[UUID, str, UUID]], now: datetime) -> None:
    """Write down what throttles must count: (new id, kind, contact method)."""
    if uses:
        await tx.execute("use_throttles", *zip(*uses, strict=True), now)


async def start(tx: Tx, attempts: Sequence[tuple[UUID, UUID, int]], worker: str, now: datetime) -> list[Row]:
    """Write down what is about to be tried, (new id, message, number of the try), and return what each needs."""
    if not attempts:
        return []
    await tx.execute("start_attempts", *zip(*attempts, strict=True), worker, now)
    return await addressed(tx, [message for _, message, _ in attempts])


def begin(rows: Together, attempts: Sequence[tuple[UUID, UUID, int]], lease: Lease) -> None:
    """Write down what is tried at once, (new id, message, number of the try), with what else is written."""
    rows.add("start_attempts", *zip(*attempts, strict=True), lease.worker, lease.now)


async def fellows(tx: Tx, keys: Sequence[Fellowship]) -> set[Fellowship]:
    """Return those of which a message waits or is under way: another one may be told with it."""
    rows = await tx.rows("fellows_of", *zip(*keys, strict=True))
    return {(r["user_id"], r["about"], r["method_id"], r["purpose"]) for r in rows}


async def addressed(tx: Tx, messages: Sequence[UUID]) -> list[Row]:
    """Return what messages need of people, contact methods and alerts."""
    return await tx.rows("addressed", messages)


async def leased(db: Runner, worker: str, now: datetime, before: datetime) -> list[Claimed]:
    """Return what was leased to a worker before an instant and is under way still, as the tables say."""
    rows = await db.rows("leased_before", worker, now, before)
    return [Claimed(**dict(row.items())) for row in rows]


async def finish(tx: Tx, done: Sequence[tuple[Claimed, Next]], worker: str, now: datetime) -> None:
    """Write down how tries ended. What would be tried again is called off when its page ended meanwhile."""
    await _lock(tx, [c.alert_id for c, n in done if n.state == "waiting"])
    rows = [(c.id, n.state, n.send_at, n.provider_id[:_WHY], n.why[:_WHY]) for c, n in done]
    tries = [(c.id, c.attempts, n.outcome, n.why[:_WHY], n.provider_id[:_WHY]) for c, n in done]
    both = Together()
    both.add("finish_notifications", *zip(*rows, strict=True), worker, now)
    both.add("finish_attempts", *zip(*tries, strict=True), now)
    await both.run(tx)


async def note_lost_posts(tx: Tx, lost: Sequence[Lost], now: datetime) -> None:
    """Write into the journal which posts to channels did not arrive, or may not have."""
    if lost:
        lines = [(one.id, one.alert_id, one.said[:_WHY], one.level) for one in lost]
        await tx.execute("note_lost_posts", *zip(*lines, strict=True), now)


async def fails(tx: Tx, dead: Mapping[UUID, str], now: datetime) -> None:
    """Mark contact methods at which nothing will ever arrive, with the reason."""
    await tx.execute("method_fails", list(dead), [why[:_WHY] for why in dead.values()], now)


async def works(tx: Tx, ids: Sequence[UUID], now: datetime) -> None:
    """Take the mark off contact methods at which something arrived."""
    await tx.execute("method_works", list(ids), now)


async def lapsed(
    tx: Tx, now: datetime, gone: Sequence[str], asking: tuple[frozenset[str], datetime]
) -> list[Row]:
    """Release messages whose worker stopped, and return those of which nobody knows whether they arrived.

    Shape: `asking` holds the kinds whose providers can be asked, and when they are.
    """
    rows = await tx.rows("lapsed_leases", now, list(gone))
    ids = [row["id"] for row in rows]
    if not ids:
        return []
    await _lock(tx, [row["alert_id"] for row in rows])
    released = await tx.rows("release_lapsed", ids, now, sorted(asking[0]), asking[1])
    await tx.execute("end_lapsed_attempts", ids, now)
    arrived = {row["id"] for row in released if row["state"] == "sent"}
    return [row for row in rows if row["id"] not in arrived]


async def _lock(tx: Tx, alert_ids: Sequence[UUID | None]) -> None:
    known = [ident for ident in alert_ids if ident]
    if known:
        await tx.rows("lock_alerts_of_messages", known)


async def insert_test(db: Runner, ident: UUID, method_id: UUID, now: datetime) -> bool:
    """Queue a message that tries out a contact method; False when there is no such method."""
    return bool(await db.rows("insert_test_notification", ident, method_id, now))
