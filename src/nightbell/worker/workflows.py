"""Runs workflows in lanes of their own: few at a time, on connections of their own, behind whoever is to be paged.

Rule 1: these lanes never hold anything that paging waits for, and let messages and senders go first.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

import structlog

from nightbell.core.delivery import Channel
from nightbell.core.exchange import Ask
from nightbell.engine.act import Act
from nightbell.engine.directory import Directories
from nightbell.engine.incidents import Incidents
from nightbell.engine.node import Node
from nightbell.engine.providers import Providers
from nightbell.engine.tasks.contract import Hands
from nightbell.engine.workflow_matching import BATCH, Matching
from nightbell.engine.workflow_running import Hand, Running
from nightbell.engine.workflow_runs import Runs
from nightbell.store.db import DATABASE_TROUBLE, Db, connect
from nightbell.telemetry import metrics
from nightbell.worker.loop import POLL, Bell, Chore
from nightbell.worker.pulse import Pulse

#: Runs under way at once, how many are claimed ahead for them, and connections that lanes and tasks share.
RUNNERS = 4
AHEAD = 12
CONNECTIONS = 6
#: While somebody is to be paged a task waits, looking so often, so long at most. Units: seconds.
_LOOK, _PATIENCE = 0.01, 0.1
#: What happened is kept so long after everybody heard of it.
_KEPT = timedelta(days=7)
_CARE = 60.0
_log = structlog.get_logger(__name__)


class Reach(NamedTuple):
    """What tasks reach people and services by: `web` where templates say, `services` where the machine's settings say."""

    channels: Mapping[str, Channel]
    providers: Providers
    web: Ask
    services: Ask
    base_url: str


class Lanes:
    """What a node does about workflows: matching what happened, and carrying out runs."""

    def __init__(self, db: Db, matching: Matching, running: Running, node: Node) -> None:
        """Begin with nobody to go behind; `db` is a pool of their own."""
        self._db = db
        self._matching = matching
        self._running = running
        self._clock = node.clock
        self._gone: tuple[str, ...] = (node.name,)
        self._busy: Callable[[], bool] = lambda: False
        self._door = asyncio.Lock()
        #: Whoever came through the door last had to wait for somebody's page.
        self._behind = False
        self.happened = Bell()
        self.due = Bell()
        self._ahead: deque[Hand] = deque()
        self._under_way: dict[asyncio.Task[None], UUID] = {}
        #: The database went away while it was written to: what it holds for us is perhaps in no hands here.
        self._unsure = False

    @property
    def under_way(self) -> frozenset["asyncio.Task[None]"]:
        """Return the runs that are carried out at this moment."""
        return frozenset(self._under_way)

    def ring(self) -> None:
        """Wake both lanes."""
        self.happened.ring()
        self.due.ring()

    def goes_behind(self, busy: Callable[[], bool]) -> None:
        """Say who goes first: `busy` tells whether somebody is being paged, or a sender waits, at this moment."""
        self._busy = busy

    async def close(self) -> None:
        """Let tasks under way finish, and their connections go."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=5)
        await self._db.close()

    def chores(self, *, keep_days: int) -> tuple[Chore, ...]:
        """Return the loops, for the worker. Each waits by itself, so that it can be woken."""

        async def care() -> None:
            await self._care(timedelta(days=keep_days))

        return (
            Chore("workflows", 0.0, self.match),
            Chore("runs", 0.0, self.run),
            Chore("workflows.care", _CARE, care),
        )

    async def match(self) -> None:
        """Look at what happened, until there is no more of it."""
        await self.happened.wait(POLL)
        while True:
            seen, made = await self._matching.match(self._clock())
            if made:
                self.due.ring()
            if seen < BATCH:
                return
            await self._polite()

    async def run(self) -> None:
        """Take up runs whose time has come, as many as there are hands."""
        await self.due.wait(POLL)
        if self._gone:
            await self._running.recover(self._gone)
            self._gone = ()
        if self._unsure:
            await self._let_go()
        while len(self._under_way) < RUNNERS:
            # Whatever waits here so long that its lease is over is carried out by whoever claims it then.
            if not self._ahead:
                self._ahead.extend(await self._claimed(RUNNERS + AHEAD - len(self._under_way)))
            if not self._ahead:
                return
            self._begin(self._ahead.popleft())

    async def _let_go(self) -> None:
        held = [*self._under_way.values(), *(hand.run.id for hand in self._ahead)]
        # Said before it is done: what is lost meanwhile is let go of by the next round.
        self._unsure = False
        try:
            await self._running.let_go(held)
        except DATABASE_TROUBLE:
            self._unsure = True
            raise

    async def _claimed(self, limit: int) -> list[Hand]:
        try:
            return await self._running.claim(limit)
        except DATABASE_TROUBLE:
            self._unsure = True
            raise

    def _begin(self, hand: Hand) -> None:
        task = asyncio.create_task(self._running.go(hand, self._polite), name=f"run {hand.run.id}")
        self._under_way[task] = hand.run.id
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._under_way.pop(task, None)
        fault = task.exception() if not task.cancelled() else None
        if fault:
            # The database is away: when it is back, the run is taken up again at the task it was at.
            self._unsure = True
            _log.error("workflow.run_lost", why=f"{type(fault).__name__}: {fault}")
        # What a run did may start others.
        self.ring()

    async def _polite(self) -> None:
        """Let whoever is paged go first; behind them tasks set out one by one, and not all in the same gap."""
        async with self._door:
            if self._behind:
                await asyncio.sleep(_LOOK)
            waited = 0.0
            while self._busy() and waited < _PATIENCE:
                await asyncio.sleep(_LOOK)
                waited += _LOOK
            self._behind = waited > 0

    async def _care(self, keep: timedelta) -> None:
        now = self._clock()
        since = await self._db.value("runs_overdue", now)
        metrics.WORKFLOW_LAG_SECONDS.set(max((now - since).total_seconds(), 0.0) if since else 0.0)
        await self._db.execute("forget_happenings", now - _KEPT)
        await self._db.execute("forget_runs", now - keep)


async def lanes_of(dsn: str, directories: Directories, pulse: Pulse, me: Node, reach: Reach) -> Lanes:
    """Return the lanes of a node, on connections of their own: nothing they do keeps a page waiting for one."""
    db = await connect(dsn, size=CONNECTIONS)
    act = Act(db, directories, pulse.committed)
    hands = Hands(
        db=db,
        act=act,
        incidents=Incidents(db, act, pulse.committed, pulse.incidents),
        directories=directories,
        channels=reach.channels,
        providers=reach.providers,
        web=reach.web,
        services=reach.services,
        trigger=Runs(db, directories, reach.base_url, pulse.happened).trigger,
        base_url=reach.base_url,
    )
    lanes = Lanes(db, Matching(db, directories, reach.base_url), Running(db, directories, hands, me), me)
    pulse.tells(lanes.ring)
    return lanes
