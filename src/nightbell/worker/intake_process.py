"""The program of an intake that has a process of its own: reads requests from its node, writes them, says so.

Rule 1: it lives as long as its node does. The connection is its standard input, and when that ends, so does this.
"""

import asyncio
import signal
import socket
from typing import Literal, cast

import structlog
import uvloop
from msgspec.structs import replace

from nightbell import clock
from nightbell.core.errors import BadPayload, Overloaded
from nightbell.core.leasing import Lease
from nightbell.engine.directory import Directories
from nightbell.engine.faults import FAULTS
from nightbell.engine.ingest import Committed
from nightbell.engine.intake import Inside
from nightbell.engine.tidings import tidings
from nightbell.engine.writer import Woken, Writers
from nightbell.store.db import DATABASE_TROUBLE, Db, connect
from nightbell.telemetry import log
from nightbell.telemetry.memory import settle_memory
from nightbell.worker.frames import Begin, Declined, Frames, Ready, Take, Taken, ToIntake, Told

#: Before the database is asked for again. Units: seconds.
_PAUSE = 0.5
_log = structlog.get_logger(__name__)


class Program:
    """One end of the connection, and the writers behind it."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self.frames = Frames(ToIntake, self._heard, self.over.set)
        self._intake: Inside | None = None
        self._db: Db | None = None
        self._lease: Lease | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def stop(self) -> None:
        """Let nothing go on; what was not answered is not known to be written."""
        for task in self._tasks:
            task.cancel()
        if self._intake:
            await self._intake.stop()
        if self._db:
            await self._db.close()

    def _heard(self, said: ToIntake) -> None:
        work = self._begin(said) if isinstance(said, Begin) else self._take(said)
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception():
            # Nothing that is known of; the node starts another, and tells whoever waits to come back.
            _log.error("intake.fault", exc_info=task.exception())
            self.over.set()

    async def _begin(self, begin: Begin) -> None:
        log.configure(level=begin.log_level, style=cast("Literal['json', 'console']", begin.log_format))
        self._db = db = await _connected(begin)
        directories = Directories(begin.providers)
        await directories.configuration(db)
        self._intake = inside(begin, db, directories, self._committed)
        await self._intake.start(self._lent)
        settle_memory()
        self.frames.send(Ready())

    def _committed(self, committed: Committed) -> None:
        self.frames.send(Told(news=tidings(committed)))

    def _lent(self) -> Lease | None:
        """Return the node's latest word on leases, as of now: a batch may have waited."""
        lease, now = self._lease, clock.now()
        return lease and replace(lease, now=now, until=now + (lease.until - lease.now))

    async def _take(self, take: Take) -> None:
        self._lease = take.lease
        try:
            if self._intake is None:
                raise Overloaded("The intake starts.")
            answer = await self._intake.take(take.arrived)
        except (BadPayload, Overloaded) as error:
            later = isinstance(error, Overloaded)
            self._declined(take, error.message, later=later, place=error.place, hint=error.hint)
        except FAULTS as fault:
            _log.error("intake.fault", delivery=str(take.arrived.id), exc_info=fault)
            self._declined(take, "The delivery could not be read.", later=True)
        else:
            self.frames.send(Taken(number=take.number, outcome=answer.outcome, body=answer.body))

    def _declined(self, take: Take, message: str, *, later: bool, place: str = "", hint: str = "") -> None:
        self.frames.send(Declined(number=take.number, later=later, message=message, place=place, hint=hint))


def inside(begin: Begin, db: Db, directories: Directories, woken: Woken) -> Inside:
    """Return what takes requests in the process that asks; the node itself does it by the same words."""
    return Inside(
        Writers(
            db,
            directories,
            woken,
            lanes=begin.lanes,
            hold_down=begin.hold_down,
            limit=begin.queue_limit,
        )
    )


async def _connected(begin: Begin) -> Db:
    """Return the database, as soon as there is one: its node waits for it too."""
    while True:
        try:
            return await connect(begin.dsn, size=begin.lanes + 1)
        except DATABASE_TROUBLE as lost:
            _log.warning("intake.unavailable", why=str(lost))
            await asyncio.sleep(_PAUSE)


async def _serve() -> None:
    program = Program()
    end = socket.socket(fileno=0)
    end.setblocking(False)
    await asyncio.get_running_loop().create_connection(lambda: program.frames, sock=end)
    await program.over.wait()
    program.frames.close()
    await program.stop()


def main() -> None:
    """Serve the node at the other end of the standard input."""
    # Both are its node's to hear: it ends the connection once everybody is answered.
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_IGN)
    uvloop.run(_serve())


if __name__ == "__main__":
    main()
