"""Claim due messages, send them, record what is known; then do what follows: try again, or the next method at once.

Rule 1: an attempt is on disk before anything is sent, and an answer that never came is recorded as unknown (ADR 0010).
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from msgspec import Struct

from nightbell.core.attempting import Next, after_attempt
from nightbell.core.decision import decide
from nightbell.core.delivery import Channel, Message, Outcome, Refused, Unsure
from nightbell.core.draft import Decision
from nightbell.core.events import Failed
from nightbell.engine.apply import apply
from nightbell.engine.directory import Directories
from nightbell.engine.faults import FAULTS
from nightbell.engine.ids import minter, new_id
from nightbell.engine.ingest import Committed
from nightbell.engine.messages import Desk
from nightbell.engine.node import Node
from nightbell.store.db import Db, Row, Tx
from nightbell.store.write import facts, outbox
from nightbell.store.write.outbox import Claimed
from nightbell.telemetry import metrics

#: Longer than any channel's own time-outs together, so that a slow answer still finds its lease.
LEASE = timedelta(seconds=45)
BATCH = 100
_log = structlog.get_logger(__name__)


#: A leased message, or why it cannot be sent.
Work = tuple[Claimed, Message | Outcome]


class Done(Struct, frozen=True, kw_only=True):
    """A message after an attempt."""

    claimed: Claimed
    next: Next


class Deliver:
    """Sends messages on behalf of one node. The clock is handed in: an answer has a time of its own."""

    def __init__(
        self, db: Db, directories: Directories, channels: Mapping[str, Channel], desk: Desk, node: Node
    ) -> None:
        self._db = db
        self._directories = directories
        self._channels = channels
        self._desk = desk
        self._clock = node.clock
        self._woken = node.woken
        self._worker = node.name

    async def deliver(self, *, limit: int = BATCH) -> int:
        """Send what is due, at most `limit` messages; return how many were claimed."""
        work = await self.claim(limit)
        await self.send(work)
        return len(work)

    async def send(self, work: list[Work]) -> None:
        """Send claimed messages side by side, and record each as soon as something is known of it.

        A provider that keeps one message waiting must not keep the next method of another person waiting.
        """
        pending = {asyncio.create_task(self._attempt(claimed, message)) for claimed, message in work}
        try:
            while pending:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                await self._record([task.result() for task in done])
        finally:
            for task in pending:
                task.cancel()

    async def claim(self, limit: int = BATCH) -> list[Work]:
        """Lease due messages; whoever claims must send. A lease that lapses is taken back by `recover`."""
        now = self._clock()

        async def work(tx: Tx) -> list[Work]:
            claimed = await outbox.claim(tx, now, limit, now + LEASE, self._worker)
            if not claimed:
                return []
            await outbox.start(tx, [(new_id(now), c.id, c.attempts) for c in claimed], self._worker, now)
            rows = {r["id"]: r for r in await outbox.addressed(tx, [c.id for c in claimed])}
            return [(c, self._message(c, rows.get(c.id), now)) for c in claimed]

        return await self._db.in_tx(work)

    def _message(self, claimed: Claimed, row: Row | None, now: datetime) -> Message | Outcome:
        if row is None or not row["active"] or row["address"] is None:
            return Refused(why="the contact method or its person is gone")
        if claimed.kind not in self._channels:
            return Refused(why=f"no channel is called {claimed.kind}")
        try:
            return self._desk.message(claimed, row, now)
        except FAULTS as fault:
            # One message that cannot be written must not hold up those of others.
            return Refused(why=f"the message could not be written: {type(fault).__name__}: {fault}")

    async def _attempt(self, claimed: Claimed, message: Message | Outcome) -> Done:
        outcome = message
        if isinstance(message, Message):
            outcome = await self._sent(message, claimed.kind)
        now = self._clock()
        late = (now - claimed.send_at).total_seconds()
        metrics.HANDOVER_SECONDS.labels(channel=claimed.kind).observe(max(late, 0.0))
        following = after_attempt(_outcome(outcome), attempt=claimed.attempts, ident=claimed.id, now=now)
        metrics.NOTIFICATIONS.labels(channel=claimed.kind, outcome=following.outcome).inc()
        if following.outcome != "sent":
            _log.warning("notification." + following.outcome, notification=str(claimed.id), why=following.why)
        return Done(claimed=claimed, next=following)

    async def _sent(self, message: Message, kind: str) -> Outcome:
        try:
            return await self._channels[kind].send(message)
        except FAULTS as fault:
            # A defect of one channel must not lose what is known of the messages sent beside it.
            _log.error("channel.fault", channel=kind, why=str(fault), exc_info=fault)
            return Unsure(why=f"the channel failed: {type(fault).__name__}: {fault}")

    async def _record(self, done: list[Done]) -> None:
        now = self._clock()

        async def work(tx: Tx) -> Committed:
            await outbox.finish(tx, [(d.claimed, d.next) for d in done], self._worker, now)
            failed = [d for d in done if d.next.fail_over and d.claimed.page_id]
            return await self._fail_over(tx, failed, now)

        self._woken(await self._db.in_tx(work))

    async def _fail_over(self, tx: Tx, failed: list[Done], now: datetime) -> Committed:
        decisions: list[Decision] = []
        for one in failed:
            alert_id, page_id = one.claimed.alert_id, one.claimed.page_id
            if alert_id is None or page_id is None:
                continue
            why = f"{one.claimed.kind.capitalize()}: {one.next.why}".rstrip(".") + "."
            event = Failed(page_id=page_id, why=why, doubtful=one.next.doubtful)
            decisions += await self._decide(tx, alert_id, event, now)
        return Committed(
            outcomes=(), pages=any(d.notifications for d in decisions), decisions=tuple(decisions)
        )

    async def _decide(self, tx: Tx, alert_id: UUID, event: Failed, now: datetime) -> list[Decision]:
        directory = await self._directories.current(tx)
        mint = minter(now)
        for known in await facts.by_id(tx, [alert_id], directory):
            decided = decide(known, event, now, mint)
            if decided:
                await apply(tx, [decided[0]], now, mint)
                return [decided[0]]
        return []

    async def recover(self, *, gone: tuple[str, ...] = ()) -> int:
        """Take back messages whose worker stopped: send them again once, and use the next method at once.

        Shape: `gone` names workers that certainly do not run any more, such as this node before it was restarted.
        """
        now = self._clock()

        async def work(tx: Tx) -> Committed:
            lapsed = await outbox.lapsed(tx, now, gone)
            why = "The process that was sending stopped; the message may have been sent."
            decisions: list[Decision] = []
            for row in lapsed:
                if row["page_id"]:
                    event = Failed(page_id=row["page_id"], why=why, doubtful=True)
                    decisions += await self._decide(tx, row["alert_id"], event, now)
            return Committed(outcomes=(), pages=bool(lapsed), decisions=tuple(decisions))

        committed = await self._db.in_tx(work)
        self._woken(committed)
        return int(committed.pages)


def _outcome(value: Message | Outcome) -> Outcome:
    if isinstance(value, Message):
        raise TypeError("a channel answered with a message")
    return value
