"""Runs the engine: looks once a second, at once when woken, and never harder. Correctness never rests on a wake-up.

This is one of the two places that may catch everything: a defect in one alert must not stop the others' pages.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from time import monotonic
from typing import NamedTuple
from uuid import UUID

import structlog

from nightbell.clock import by_hand
from nightbell.core.leasing import Lease
from nightbell.engine import housekeeping, tick
from nightbell.engine.awake import Awake
from nightbell.engine.claiming import Batch
from nightbell.engine.deliver import Deliver
from nightbell.engine.directory import Directories
from nightbell.engine.heartbeats import Heartbeats
from nightbell.engine.leasing import Leased
from nightbell.engine.node import Node
from nightbell.store.db import Db, Retryable, retryable
from nightbell.telemetry import metrics

#: The longest anything due waits when every wake-up was lost.
POLL = 1.0
#: Batches of messages under way at once: a slow provider holds one, the others go on.
SENDERS = 8
#: Batches more for whoever has waited for nothing yet, while a storm keeps the others busy.
SPARE = 2
#: Messages under way that were leased as they were decided; more are left to the claim, which lets others go first.
AT_HAND = 100
RECOVER = 5.0
#: Heartbeats are looked for no more often than this, however often a storm rings. Units: seconds.
BEATS = 0.2
#: Transactions of due timers under way at once.
LANES = 2
#: How long new labels wait for the index at most. Units: seconds.
SETTLED = 0.5
_log = structlog.get_logger(__name__)


class Bell:
    """Wakes a loop; rung twice before it looks, it looks once."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        """Wake the loop."""
        self._event.set()

    async def wait(self, seconds: float) -> None:
        """Wait until rung, or this long."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            pass
        self._event.clear()


class Chore(NamedTuple):
    """Something else to be done every so many seconds, by whichever node is first."""

    name: str
    every: float
    work: Callable[[], Awaitable[None]]
    #: Does what falls due at an instant: whoever moves time wakes it.
    timed: bool = False


class Worker:
    """The loops of a node."""

    def __init__(
        self,
        db: Db,
        directories: Directories,
        deliver: Deliver,
        node: Node,
        *,
        retention_days: int,
        chores: Sequence[Chore] = (),
    ) -> None:
        self._db = db
        self._directories = directories
        self._deliver = deliver
        self._heartbeats = Heartbeats(db, directories, node)
        self._beat_at = 0.0
        self._awake = None if by_hand(node.clock) else Awake(db, self._heartbeats, node.clock)
        self._clock = node.clock
        self._woken = node.woken
        self._retention_days = retention_days
        self._chores = tuple((chore, Bell()) for chore in chores)
        self.due = Bell()
        self.grown = Bell()
        self.messages = Bell()
        self.leases = Bell()
        self._sending: set[asyncio.Task[None]] = set()
        #: Beside them, what was leased to this node as it was decided, and how many messages of it are under way.
        self._taken: set[asyncio.Task[None]] = set()
        self._at_hand = 0
        #: By when each loop is to go round again, by a clock that no one sets: what /readyz looks at.
        self.seen: dict[str, float] = {}
        self._lanes = [tick.Lane(db, directories) for _ in range(LANES)]
        #: More was due than was claimed: the next claim goes in turn.
        self._crowded = False

    def start(self, *, gone: tuple[str, ...] = ()) -> list[asyncio.Task[None]]:
        """Start the loops; `gone` names workers that certainly do not run any more."""
        return [
            asyncio.create_task(self._loop("tick", self._tick, self.due, POLL)),
            asyncio.create_task(self._loop("deliver", self._pump, self.messages, POLL)),
            asyncio.create_task(self._loop("recover", self._recover(gone), self.leases, RECOVER)),
            asyncio.create_task(self._loop("configuration", self._refresh, Bell(), POLL)),
            asyncio.create_task(self._loop("index", self._settle, self.grown, 30.0)),
            asyncio.create_task(self._loop("housekeeping", self._keep_house, Bell(), 30.0)),
            *(asyncio.create_task(self._loop(c.name, c.work, bell, c.every)) for c, bell in self._chores),
        ]

    async def _loop(self, name: str, work: Callable[[], Awaitable[None]], bell: Bell, every: float) -> None:
        while True:
            fault = await _fault(work())
            if fault is None:
                self.seen[name] = monotonic() + every
            else:
                away = retryable(fault) is Retryable.LOST
                _log.error("worker.fault", loop=name, why=_said(fault), exc_info=None if away else fault)
                await asyncio.sleep(0.5)
            await bell.wait(every)

    async def _tick(self) -> None:
        fault = await _fault(self._beats())
        if fault is not None:
            # Alerts do not wait for heartbeats that a defect holds up.
            _log.error("heartbeats.fault", why=_said(fault), exc_info=fault)
        now = self._clock()
        if await self._lane(self._lanes[0]):
            # More than one transaction's worth: one lane decides while PostgreSQL does what the other one said.
            await asyncio.gather(*(self._until_done(lane) for lane in self._lanes))
        metrics.TIMERS_LAG_SECONDS.set(await tick.lag(self._db, now))

    async def _beats(self) -> None:
        if self._awake:
            if monotonic() - self._beat_at < BEATS:
                return
            self._beat_at = monotonic()
            await self._awake.look()
        await self._heartbeats.expire()

    async def _until_done(self, lane: tick.Lane) -> None:
        while await self._lane(lane):
            pass

    async def _lane(self, lane: tick.Lane) -> bool:
        """Let a lane do some of what is due; return whether there may be more."""
        now, more = self._clock(), False

        async def work() -> None:
            nonlocal more
            committed, more = await lane.tick(now)
            self._woken(committed)

        fault = await _fault(work())
        if fault is not None:
            if retryable(fault) is Retryable.LOST:
                raise fault
            _log.error("tick.fault", why=_said(fault), exc_info=fault)
            await self._one_by_one(now)
        return more

    async def _one_by_one(self, now: datetime) -> None:
        """Find the alert at fault, let the others through."""
        for alert_id in await tick.due(self._db, now):
            await self._alone(alert_id, now)

    async def _alone(self, alert_id: UUID, now: datetime) -> None:
        async def work() -> None:
            self._woken(await tick.one(self._db, self._directories, alert_id, now))

        fault = await _fault(work())
        if fault is not None:
            metrics.TIMER_FAULTS.inc()
            why = f"A timer could not be carried out and is tried again: {_said(fault)}"
            await tick.push_back(self._db, alert_id, why, now)

    async def _pump(self) -> None:
        while (busy := len(self._sending)) < SENDERS + SPARE:
            in_turn = self._crowded or busy >= SENDERS
            batch = await self._deliver.claim(in_turn=in_turn)
            if batch.work:
                self._send(batch)
            # Where more is due than goes at once, the oldest and the first of each person and thing take turns.
            self._crowded = batch.full and not in_turn
            if not batch.full or (busy >= SENDERS and not batch.work):
                return

    def _send(self, batch: Batch) -> None:
        task = asyncio.create_task(self._deliver.send(batch))
        self._sending.add(task)
        task.add_done_callback(self._sent)

    def lends(self) -> Lease | None:
        """Return how pages may be leased to this node as they are decided; None while it has enough to send."""
        crowded = self._crowded or len(self._sending) >= SENDERS or self._at_hand >= AT_HAND
        return None if crowded else self._deliver.lease()

    def take(self, leased: Sequence[Leased]) -> None:
        """Send messages that were leased to this node as they were decided."""
        self._at_hand += len(leased)
        task = asyncio.create_task(self._deliver.take(leased))
        self._taken.add(task)
        task.add_done_callback(lambda done: self._taken_done(done, len(leased)))

    def _taken_done(self, task: asyncio.Task[None], many: int) -> None:
        self._at_hand -= many
        self._taken.discard(task)
        _told(task)

    def _sent(self, task: asyncio.Task[None]) -> None:
        # Only where all lanes were busy may something have been left.
        full = len(self._sending) >= SENDERS
        self._sending.discard(task)
        _told(task)
        if full:
            self.messages.ring()

    def _recover(self, gone: tuple[str, ...]) -> Callable[[], Awaitable[None]]:
        left = list(gone)

        async def recover() -> None:
            if await self._deliver.recover(gone=tuple(left)):
                self.messages.ring()
            left.clear()
            if stranded := await self._deliver.stranded():
                self.take(stranded)

        return recover

    async def _refresh(self) -> None:
        """Look whether the configuration moved: a secret taken back stops working at the door within a second."""
        await self._directories.configuration(self._db)

    async def _settle(self) -> None:
        await housekeeping.settle_index(self._db)
        # A storm rings all the time; what comes meanwhile is settled together.
        await asyncio.sleep(SETTLED)

    async def _keep_house(self) -> None:
        await housekeeping.keep_house(self._db, self._clock(), retention_days=self._retention_days)

    def ring(self) -> None:
        """Wake every loop that does what is due."""
        for bell in (self.due, self.messages, self.leases, *(bell for c, bell in self._chores if c.timed)):
            bell.ring()

    @property
    def sending(self) -> bool:
        """Whether messages are under way."""
        return bool(self._sending or self._taken)

    async def drain(self) -> None:
        """Let messages under way finish, for a clean stop."""
        if under_way := self._sending | self._taken:
            await asyncio.wait(under_way, timeout=5)


def _told(task: asyncio.Task[None]) -> None:
    """Say what went wrong while messages were sent."""
    fault = task.exception() if not task.cancelled() else None
    if fault:
        # The leases lapse and the messages are taken back, marked as in doubt.
        _log.error("deliver.fault", why=_said(fault), exc_info=fault)


async def _fault(work: Awaitable[None]) -> Exception | None:
    """Await some work and return what went wrong, whatever it is: a loop must outlive any defect."""
    try:
        await work
    except Exception as fault:  # noqa: BLE001  recorded by the caller, and the work is tried again
        return fault
    return None


def _said(fault: BaseException) -> str:
    return f"{type(fault).__name__}: {fault}"
