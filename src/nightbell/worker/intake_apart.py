"""The intake in a process of its own, as its node sees it: started, handed requests, started again when it ends.

Rule 1: a request is answered when the intake says that it is on disk. Whoever waits when it ends is told to come back.
"""

import asyncio
import sys
from collections.abc import Callable

import structlog

from nightbell.core.errors import BadPayload, Overloaded
from nightbell.engine.intake import Answer, Arrived
from nightbell.engine.leasing import Lends, nothing
from nightbell.engine.tidings import Tidings
from nightbell.worker.frames import Begin, Declined, Frames, FromIntake, Ready, Take, Taken, Told, pair

#: The program it runs (worker/intake_process.py).
PROGRAM = "nightbell.worker.intake_process"
#: Before it is started again. Units: seconds.
_PAUSE = 0.2
#: How long it may take to end. Units: seconds.
_ENDS = 5.0
_log = structlog.get_logger(__name__)


class Apart:
    """Hands requests to the process and its answers back."""

    def __init__(self, begin: Begin, told: Callable[[Tidings], None]) -> None:
        """`told` hears of each of its commits."""
        self._begin = begin
        self._told = told
        self._limit = begin.queue_limit
        self._frames: Frames | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._lends: Lends = nothing
        self._number = 0
        self._bytes = 0
        #: Of the process that runs now; None between two.
        self.pid: int | None = None

    @property
    def waiting_bytes(self) -> int:
        """Bytes of requests that are not on disk yet."""
        return self._bytes

    def full(self) -> bool:
        """Whether a request should be refused before it is read."""
        return self._bytes > self._limit

    def problem(self) -> str:
        """Return why nothing can be taken now, "" when it can."""
        return "" if self._ready.is_set() else "its process starts"

    async def take(self, arrived: Arrived) -> Answer:
        """Hand a request over and return what to tell its sender, after its fsync.

        Raises: BadPayload when it is not JSON; Overloaded when the sender should try again.
        """
        if self.full():
            raise Overloaded("Too much is waiting to be written.", hint="Alertmanager tries again by itself.")
        if self._frames is None or not self._ready.is_set():
            raise Overloaded("The intake starts again.")
        self._number = number = self._number + 1
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        self._bytes += len(arrived.body)
        try:
            self._frames.send(Take(number=number, arrived=arrived, lease=self._lends()))
            return await future
        finally:
            self._bytes -= len(arrived.body)
            self._waiting.pop(number, None)

    async def start(self, lends: Lends = nothing) -> None:
        """Start the process, and again whenever it ends; until it is up another stands in (engine/intake.py)."""
        self._lends = lends
        self._keeper = asyncio.create_task(self._keep(), name="intake")

    async def stop(self) -> None:
        """End the process; whoever still waits is told to come back."""
        if self._keeper:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])

    async def _keep(self) -> None:
        while True:
            try:
                await self._run()
            except OSError as error:
                _log.error("intake.not_started", why=str(error))
            else:
                _log.error("intake.ended", hint="it is started again; senders try again by themselves")
            await asyncio.sleep(_PAUSE)

    async def _run(self) -> None:
        """Run the process once, to its end or ours."""
        ours, its = pair()
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", PROGRAM),
                stdin=its.fileno(),
                # Ctrl-C is its node's to hear.
                start_new_session=True,
            )
        except BaseException:
            ours.close()
            raise
        finally:
            its.close()
        self.pid = process.pid
        gone = asyncio.Event()
        frames = Frames(FromIntake, self._heard, gone.set)
        try:
            await asyncio.get_running_loop().create_connection(lambda: frames, sock=ours)
            self._frames = frames
            frames.send(self._begin)
            await gone.wait()
        finally:
            self._away()
            frames.close()
            await _ended(process)

    def _heard(self, said: FromIntake) -> None:
        match said:
            case Ready():
                self._ready.set()
            case Told():
                self._told(said.news)
            case Taken():
                if future := self._waited(said.number):
                    future.set_result(Answer(outcome=said.outcome, body=said.body))
            case Declined():
                if future := self._waited(said.number):
                    kind = Overloaded if said.later else BadPayload
                    future.set_exception(kind(said.message, place=said.place, hint=said.hint))

    def _waited(self, number: int) -> asyncio.Future[Answer] | None:
        """Return the future of a request whose sender still waits."""
        future = self._waiting.get(number)
        return future if future and not future.done() else None

    def _away(self) -> None:
        """Tell whoever waits to come back: whether their request is on disk is not known."""
        self._ready.clear()
        self._frames = self.pid = None
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(Overloaded("The delivery may not have been written."))


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Wait for the end of a process that was asked to; make an end of it after a while."""
    try:
        async with asyncio.timeout(_ENDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
