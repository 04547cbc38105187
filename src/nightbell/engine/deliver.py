"""Claim due messages, send them, record what is known; then do what follows: try again, or the next method at once.

Rule 1: an attempt is on disk before anything is sent, and an answer that never came is recorded as unknown (ADR 0010).
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

import structlog
from msgspec import Struct

from nightbell.core.attempting import Next, after_attempt
from nightbell.core.decision import decide
from nightbell.core.delivery import Channel, Message, Outcome, Refused, Unsure
from nightbell.core.draft import Decision
from nightbell.core.events import Failed
from nightbell.core.leasing import Lease
from nightbell.core.paging import NOBODY
from nightbell.engine.apply import apply
from nightbell.engine.arming import IN_DOUBT, Arming
from nightbell.engine.claiming import LEASE, Batch, Claims, Held, Taken, Work
from nightbell.engine.directory import Directories
from nightbell.engine.faults import FAULTS
from nightbell.engine.ids import minter
from nightbell.engine.ingest import Committed
from nightbell.engine.leasing import Leased, addressed
from nightbell.engine.messages import Desk
from nightbell.engine.node import Node
from nightbell.engine.particulars import Particulars
from nightbell.engine.recording import Recorder
from nightbell.store.db import Db, Row, Tx
from nightbell.store.write import facts, outbox
from nightbell.store.write.outbox import Claimed, Lost
from nightbell.telemetry import metrics

#: Messages claimed at once.
BATCH = 250
#: What was leased to a node this long ago and never reached its sender, never will. Longer than a stall of the loop.
STRANDED = timedelta(seconds=3)
#: What messages need, by message.
Rows = Mapping[UUID, Row]
_log = structlog.get_logger(__name__)


class Done(Struct, frozen=True, kw_only=True):
    """Messages after an attempt: one, or all that were told as one."""

    claimed: tuple[Claimed, ...]
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
        self._claims = Claims(node.name)
        self._arming = Arming(channels)
        self._recorder = Recorder(self._record)
        self._held = Held()
        #: Contact methods at which nothing arrived when they were used last.
        self._failing: set[UUID] = set()

    async def deliver(self, *, limit: int = BATCH) -> int:
        """Send what is due, at most `limit` messages or those told with them; return how many were claimed."""
        batch = await self.claim(limit)
        await self.send(batch)
        return sum(len(one.claimed) for one in batch.work)

    async def send(self, batch: Batch) -> None:
        """Send claimed messages side by side, and record each as soon as something is known of it.

        A provider that keeps one message waiting must not keep the next method of another person waiting.
        """
        under_way = [c for one in batch.work for c in one.claimed]
        self._claims.began(under_way)
        try:
            each = [self._see_through(one) for one in batch.work]
            ended = await asyncio.gather(*each, return_exceptions=True)
        finally:
            self._claims.ended(under_way)
        for fault in ended:
            if fault is not None:
                raise fault

    async def _see_through(self, work: Work) -> None:
        await self._recorder.record(await self._attempt(work))
        self._held.release(work.claimed)

    def lease(self) -> Lease:
        """Return how pages may be leased to this node as they are decided; whoever commits them calls `take`."""
        now = self._clock()
        return Lease(worker=self._worker, now=now, until=now + LEASE)

    async def take(self, leased: Sequence[Leased]) -> None:
        """Send what was leased to this node in a transaction that has committed, once, however often it is told."""
        taken = self._held.hold([one.claimed for one in leased], self._clock())
        if taken:
            rows = {one.claimed.id: cast("Row", one.row) for one in leased}
            await self.send(await self._written([[c] for c in taken], rows, full=False))

    async def stranded(self) -> tuple[Leased, ...]:
        """Return what is leased to this node without its knowing, for `take`: the word of a commit was lost.

        Nothing of it was tried: what was tried is held until it is recorded, or until its lease lapses.
        """
        now = self._clock()

        async def work(tx: Tx) -> tuple[Leased, ...]:
            known = await outbox.leased(tx, self._worker, now, now - STRANDED)
            return await addressed(tx, self._held.unknown(known, now))

        return await self._db.in_tx(work)

    async def claim(self, limit: int = BATCH, *, in_turn: bool = False) -> Batch:
        """Lease due messages; whoever claims must send. A lease that lapses is taken back by `recover`.

        Shape: `in_turn` takes the first message of each person about each thing, for when more is due than goes.
        """
        now = self._clock()

        async def work(tx: Tx) -> Taken:
            directory = await self._directories.current(tx)
            return await self._claims.take(tx, directory.throttles, now, limit=limit, in_turn=in_turn)

        taken = await self._db.in_tx(work)
        self._held.hold([c for group in taken.groups for c in group], now)
        return await self._written(taken.groups, taken.rows, full=taken.full)

    async def _written(self, groups: list[list[Claimed]], rows: Rows, *, full: bool) -> Batch:
        """Write what messages say, after the commit that leased them: other nodes need not wait for the words."""
        now, claimed = self._clock(), [c for group in groups for c in group]
        try:
            found = await self._desk.clerk.look_up(self._db, claimed, now)
        except BaseException:
            # Nothing was tried: `stranded` finds them.
            self._held.release(claimed)
            raise
        return Batch(work=[self._work(group, rows, found, now) for group in groups], full=full)

    def _work(self, group: list[Claimed], rows: Rows, found: Particulars, now: datetime) -> Work:
        message = self._message(group, rows, now)
        if isinstance(message, Message):
            message = self._desk.clerk.completed(message, group[0], found)
        return Work(claimed=tuple(group), message=message)

    def _message(self, group: list[Claimed], rows: Rows, now: datetime) -> Message | Outcome:
        claimed, row = group[0], rows.get(group[0].id)
        if row is not None and row["failing_since"] and claimed.contact_method_id:
            self._failing.add(claimed.contact_method_id)
        if row is None or not row["active"] or row["address"] is None:
            return Refused(why="the contact method or its person is gone")
        if claimed.kind not in self._channels:
            return Refused(why=f"no channel is called {claimed.kind}")
        try:
            if len(group) > 1:
                return self._desk.bundle([(c, rows[c.id]) for c in group], now)
            return self._desk.message(claimed, row, now)
        except FAULTS as fault:
            # One message that cannot be written must not hold up those of others.
            return Refused(why=f"the message could not be written: {type(fault).__name__}: {fault}")

    async def _attempt(self, work: Work) -> Done:
        first, outcome = work.claimed[0], work.message
        if isinstance(outcome, Message):
            outcome = await self._sent(outcome, first.kind)
        now = self._clock()
        following = after_attempt(_outcome(outcome), attempt=first.attempts, ident=first.id, now=now)
        late = metrics.HANDOVER_SECONDS.labels(channel=first.kind)
        for claimed in work.claimed:
            late.observe(max((now - claimed.send_at).total_seconds(), 0.0))
        metrics.NOTIFICATIONS.labels(channel=first.kind, outcome=following.outcome).inc()
        if following.outcome != "sent":
            _log.warning("notification." + following.outcome, notification=str(first.id), why=following.why)
        return Done(claimed=work.claimed, next=following)

    async def _sent(self, message: Message, kind: str) -> Outcome:
        try:
            return await self._channels[kind].send(message)
        except FAULTS as fault:
            # A defect of one channel must not lose what is known of the messages sent beside it.
            _log.error("channel.fault", channel=kind, why=str(fault), exc_info=fault)
            return Unsure(why=f"the channel failed: {type(fault).__name__}: {fault}")

    async def _record(self, done: Sequence[Done]) -> None:
        now = self._clock()
        each = [(c, d.next) for d in done for c in d.claimed]

        async def work(tx: Tx) -> Committed:
            # Plans are generic then, too: to plan what follows costs more than to run it.
            await tx.value("by_indexes")
            await outbox.finish(tx, each, self._worker, now)
            if any(self._arming.concerns(c.kind) for c, _ in each):
                await self._arming.arm(tx, each, now)
            await self._judge(tx, each, now)
            await outbox.note_lost_posts(tx, _lost_posts(each, now), now)
            return await self._fail_over(tx, [one for one in each if one[1].fail_over], now)

        self._woken(await self._db.in_tx(work))

    async def _judge(self, tx: Tx, done: list[tuple[Claimed, Next]], now: datetime) -> None:
        """Mark addresses at which the last message did not arrive, and take the mark off where one does."""
        lost = [(c, n) for c, n in done if n.gone or n.state == "refused"]
        dead = {c.contact_method_id: n.why for c, n in lost if c.contact_method_id}
        if dead:
            await outbox.fails(tx, dead, now)
        well = {c.contact_method_id for c, n in done if n.outcome == "sent" and c.contact_method_id}
        if again := well & self._failing:
            await outbox.works(tx, sorted(again), now)
            self._failing -= again

    async def _fail_over(self, tx: Tx, failed: list[tuple[Claimed, Next]], now: datetime) -> Committed:
        decisions: list[Decision] = []
        for claimed, following in failed:
            if claimed.alert_id is None or claimed.page_id is None:
                continue
            why = f"{claimed.kind.capitalize()}: {following.why}".rstrip(".") + "."
            event = Failed(page_id=claimed.page_id, why=why, doubtful=following.doubtful)
            decisions += await self._decide(tx, claimed.alert_id, event, now)
        return Committed(
            outcomes=(), pages=any(d.notifications for d in decisions), decisions=tuple(decisions)
        )

    async def _decide(self, tx: Tx, alert_id: UUID, event: Failed, now: datetime) -> list[Decision]:
        directory = await self._directories.current(tx)
        mint = minter(now)
        for known in await facts.by_id(tx, [alert_id], directory):
            decided = decide(known, event, now, mint)
            if decided:
                return await apply(tx, [decided[0]], now, mint)
        return []

    async def recover(self, *, gone: tuple[str, ...] = ()) -> int:
        """Take back messages whose worker stopped: send them again once, and use the next method at once.

        Where the provider can be asked, it is asked before anything is sent again (engine/aftercare.py).

        Shape: `gone` names workers that certainly do not run any more, such as this node before it was restarted.
        """
        now = self._clock()

        async def work(tx: Tx) -> Committed:
            lapsed = await outbox.lapsed(tx, now, gone, (self._arming.traceable, now + IN_DOUBT))
            why = "The process that was sending stopped; the message may have been sent."
            decisions: list[Decision] = []
            mint = minter(now)
            posts = [row for row in lapsed if row["user_id"] == NOBODY and row["alert_id"]]
            await outbox.note_lost_posts(tx, [_lost(row, why, mint()) for row in posts], now)
            for row in lapsed:
                if row["page_id"]:
                    event = Failed(page_id=row["page_id"], why=why, doubtful=True)
                    decisions += await self._decide(tx, row["alert_id"], event, now)
            return Committed(outcomes=(), pages=bool(lapsed), decisions=tuple(decisions))

        committed = await self._db.in_tx(work)
        self._woken(committed)
        return int(committed.pages)


def _lost_posts(done: list[tuple[Claimed, Next]], now: datetime) -> list[Lost]:
    """Return the posts to channels that did not arrive, or may not have."""
    mint, words = minter(now), {"refused": "was refused", "unknown": "may not have arrived"}
    return [
        Lost(id=mint(), alert_id=c.alert_id, level=c.level, said=_said(c.kind, words[n.state], n.why))
        for c, n in done
        if c.user_id == NOBODY and c.alert_id and n.state in words
    ]


def _lost(row: Row, why: str, ident: UUID) -> Lost:
    said = _said(row["kind"], "may not have arrived", why)
    return Lost(id=ident, alert_id=row["alert_id"], level=row["level"], said=said)


def _said(kind: str, what: str, why: str) -> str:
    return f"What was posted to a channel of {kind.capitalize()} {what}: {why}".rstrip(".") + "."


def _outcome(value: Message | Outcome) -> Outcome:
    if isinstance(value, Message):
        raise TypeError("a channel answered with a message")
    return value
