"""Group commit: deliveries that arrive together share a transaction, and each is answered after its fsync.

One writer does while it keeps up; in a storm a few work side by side, so that one encodes while another commits. What is
under way of a group is all at one writer, so its deliveries are decided in the order they came; between nodes the unique
identity decides, and the loser tries again.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import structlog

from nightbell.core.errors import Overloaded
from nightbell.engine.affinity import Affinity
from nightbell.engine.directory import Directories
from nightbell.engine.faults import FAULTS
from nightbell.engine.ingest import Committed, Incoming, Numbers, Outcome, ingest, set_aside
from nightbell.engine.leasing import Lends, nothing
from nightbell.store.db import DATABASE_TROUBLE, Db, Tx

#: Alerts in one transaction: past a few hundred a larger batch gains nothing and only waits longer.
MOST_ALERTS = 400
#: Deliveries that wait for one lane before another one helps: a transaction for each of two costs more than one for both.
FEW = 16
#: How often a batch that lost a race is decided again.
TRIES = 5
_log = structlog.get_logger(__name__)

#: Called after a commit with what it came to.
Woken = Callable[[Committed], None]


class Writer:
    """One lane: a queue and the task that empties it."""

    def __init__(self, db: Db, directories: Directories, woken: Woken, hold_down: timedelta) -> None:
        self._db = db
        self._directories = directories
        self._woken = woken
        self._hold_down = hold_down
        self.lends: Lends = nothing
        self._numbers = Numbers()
        self._queue: deque[tuple[Incoming, asyncio.Future[Outcome]]] = deque()
        self._ready = asyncio.Event()
        #: The last batch found no database.
        self._away = False
        self.waiting_bytes = 0

    def put(self, one: Incoming) -> asyncio.Future[Outcome]:
        """Queue a delivery; the future is done when it is on disk."""
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._queue.append((one, future))
        self.waiting_bytes += one.size
        self._ready.set()
        return future

    @property
    def waiting(self) -> int:
        """Deliveries that wait for the next batch."""
        return len(self._queue)

    async def run(self) -> None:
        """Write batches until cancelled."""
        while True:
            await self._ready.wait()
            batch = self._take()
            if not batch:
                self._ready.clear()
                continue
            await self._write(batch)

    def turn_away(self) -> None:
        """Tell whoever is still queued to come back: nothing of it is written."""
        while self._queue:
            one, future = self._queue.popleft()
            self.waiting_bytes -= one.size
            _fail(future, Overloaded("This node is stopping."))

    def _take(self) -> list[tuple[Incoming, asyncio.Future[Outcome]]]:
        batch: list[tuple[Incoming, asyncio.Future[Outcome]]] = []
        alerts = 0
        while self._queue and (not batch or alerts < MOST_ALERTS):
            one, future = self._queue.popleft()
            self.waiting_bytes -= one.size
            alerts += len(one.envelope.signals)
            if not future.cancelled():
                batch.append((one, future))
        return batch

    async def _write(self, batch: list[tuple[Incoming, asyncio.Future[Outcome]]]) -> None:
        try:
            committed = await self._commit([one for one, _ in batch])
        except FAULTS as fault:
            await self._one_by_one(batch, fault)
        except DATABASE_TROUBLE as lost:
            self._away = True
            _log.warning("ingest.unavailable", why=str(lost), deliveries=len(batch))
            for _, future in batch:
                _fail(future, Overloaded("The database is not available."))
        else:
            self._away = False
            try:
                # First: a person waits for a page, and a program for its answer.
                self._woken(committed)
            finally:
                for (_, future), outcome in zip(batch, committed.outcomes, strict=True):
                    if not future.done():
                        future.set_result(outcome)
        finally:
            # Whatever went wrong, and on a stop: nobody waits for an answer that never comes.
            for _, future in batch:
                _fail(future, Overloaded("The delivery was not written."))

    async def _commit(self, batch: list[Incoming]) -> Committed:
        async def work(tx: Tx) -> Committed:
            directory = await self._directories.current(tx)
            lease, hold_down = self.lends(), self._hold_down
            return await ingest(tx, batch, directory, self._numbers, hold_down=hold_down, lease=lease)

        if self._away:
            # One look instead of TRIES: a 503 must be cheap when ten thousand groups try again (alertmanager.md 1.5).
            await self._db.value("answers")
        return await self._db.in_tx(work, tries=TRIES)

    async def _one_by_one(
        self, batch: list[tuple[Incoming, asyncio.Future[Outcome]]], fault: Exception
    ) -> None:
        """Find the delivery that is at fault, keep its bytes, and let the others through."""
        if len(batch) > 1:
            for waiting in batch:
                await self._write([waiting])
            return
        one, future = batch[0]
        why = f"{type(fault).__name__}: {fault}"[:500]
        _log.error("ingest.fault", delivery=str(one.id), why=why, exc_info=fault)
        try:
            outcome = await self._db.in_tx(lambda tx: set_aside(tx, one, why))
        except (*FAULTS, *DATABASE_TROUBLE) as second:
            _fail(future, Overloaded(f"The delivery could not be kept: {type(second).__name__}."))
        else:
            if not future.done():
                future.set_result(outcome)
            self._woken(Committed(outcomes=(), pages=False, decisions=(), faults=1))


def _fail(future: asyncio.Future[Outcome], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)


class Writers:
    """The lanes of a node."""

    def __init__(
        self, db: Db, directories: Directories, woken: Woken, *, lanes: int, hold_down: timedelta, limit: int
    ) -> None:
        self._lanes = [Writer(db, directories, woken, hold_down) for _ in range(lanes)]
        self._limit = limit
        self._groups: Affinity[tuple[UUID, str]] = Affinity()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, lends: Lends = nothing) -> None:
        """Start writing; `lends` says how pages may be leased to a node that sends them."""
        for lane in self._lanes:
            lane.lends = lends
        self._tasks = [self._started(n) for n in range(len(self._lanes))]

    def _started(self, n: int) -> asyncio.Task[None]:
        task = asyncio.create_task(self._lanes[n].run(), name=f"writer {n}")
        task.add_done_callback(lambda ended: self._ended(n, ended))
        return task

    def _ended(self, n: int, task: asyncio.Task[None]) -> None:
        """Start a lane again that a defect stopped: the source it serves must not fall silent."""
        if not task.cancelled():
            _log.error("ingest.lane_fault", lane=n, exc_info=task.exception())
            self._tasks[n] = self._started(n)

    async def stop(self) -> None:
        """Stop; whoever still waits is told to come back."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for lane in self._lanes:
            lane.turn_away()

    @property
    def waiting_bytes(self) -> int:
        """Bytes of bodies that are decoded and not on disk yet."""
        return sum(lane.waiting_bytes for lane in self._lanes)

    def full(self) -> bool:
        """Whether a request should be refused before it is read: a shed request must be cheap."""
        return self.waiting_bytes > self._limit

    async def submit(self, one: Incoming) -> Outcome:
        """Write a delivery and return what became of it, after its fsync.

        Raises: Overloaded when the queue is full or the database away; the sender should try again.
        """
        if self.full():
            raise Overloaded("Too much is waiting to be written.", hint="Alertmanager tries again by itself.")
        with self._groups.at((one.source_id, one.envelope.group_key), self._next) as lane:
            return await self._lanes[lane].put(one)

    def _next(self) -> int:
        """Return the first lane while it keeps up, else the one for which the fewest wait."""
        waiting = [lane.waiting for lane in self._lanes]
        return 0 if waiting[0] < FEW else waiting.index(min(waiting))
