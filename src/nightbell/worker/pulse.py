"""Tells everybody who sleeps that something is to be done: loops and pages here at once, other nodes by NOTIFY.

Rule 1: a pulse only wakes early. What is due is in the tables, and every loop looks once a second anyway.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from nightbell.engine.ingest import Committed
from nightbell.engine.leasing import Leased
from nightbell.engine.tidings import Tidings, tidings
from nightbell.store.db import DATABASE_TROUBLE, Db
from nightbell.telemetry import metrics

CHANNEL = "nightbell"
#: NOTIFY takes a lock that all commits share, so a storm sends a few a second, not one per batch.
_EVERY = 0.1


class Pulse:
    """The nervous system of a node."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._due: Callable[[], None] = lambda: None
        self._messages: Callable[[], None] = lambda: None
        self._publish: Callable[[str], None] = lambda _topic: None
        self._grown: Callable[[], None] = lambda: None
        self._happened: Callable[[], None] = lambda: None
        self._take: Callable[[Sequence[Leased]], None] = lambda _leased: None
        self._topics: set[str] = set()
        self._beat = asyncio.Event()

    def wakes(
        self,
        due: Callable[[], None],
        messages: Callable[[], None],
        publish: Callable[[str], None],
        grown: Callable[[], None],
    ) -> None:
        """Say whom to wake: for timers, for messages, for open pages, for new labels of alerts."""
        self._due, self._messages, self._publish, self._grown = due, messages, publish, grown

    def hands(self, take: Callable[[Sequence[Leased]], None]) -> None:
        """Say who sends messages that were leased to this node as they were decided."""
        self._take = take

    def tells(self, happened: Callable[[], None]) -> None:
        """Say whom to wake when something happened that may start workflows."""
        self._happened = happened

    def happened(self) -> None:
        """Wake workflows: something happened, or a run was queued."""
        self._happened()

    def committed(self, committed: Committed) -> None:
        """Count what a commit here came to, and wake whom it concerns."""
        self.told(tidings(committed))

    def told(self, news: Tidings) -> None:
        """Count what a commit came to, here or in the intake's process, and wake whom it concerns."""
        if news.shows:
            self._topics.add("alerts")
            self._beat.set()
        if news.grown:
            self._grown()
        if news.happened:
            self._happened()
        _count(news)
        if news.leased:
            self._take(news.leased)
        if news.pages:
            self._messages()
            self._topics.add("messages")
        if news.due:
            # No timer is due sooner than the next beat; our own node hears it too.
            self._topics.add("due")
            self._beat.set()

    def incidents(self) -> None:
        """Wake open pages and workflows: an incident changed."""
        self._happened()
        self._topics.add("incidents")
        self._beat.set()

    @asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        """Pass pulses between nodes for as long as the block lasts."""
        task = asyncio.create_task(self._run(), name="pulse")
        try:
            async with self._db.listen(CHANNEL, self._heard):
                yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    def _heard(self, topic: str) -> None:
        if topic in ("", "due"):
            self._due()
        if topic in ("", "messages"):
            self._messages()
        self._publish("alerts" if topic == "" else topic)

    async def _run(self) -> None:
        while True:
            await self._beat.wait()
            self._beat.clear()
            topics, self._topics = self._topics, set()
            for topic in sorted(topics):
                try:
                    await self._db.execute("notify", CHANNEL, topic)
                except DATABASE_TROUBLE:
                    # The database is away; whoever waits looks again within a second of its return.
                    break
            await asyncio.sleep(_EVERY)


def _count(news: Tidings) -> None:
    for what, many in news.alerts.items():
        metrics.ALERTS.labels(what=what or "timed").inc(many)
    if news.paged:
        metrics.PAGES.inc(news.paged)
    for fallback in news.unpaged:
        metrics.UNPAGED.labels(fallback=fallback).inc()
    for how in news.beats:
        metrics.HEARTBEATS.labels(how=how).inc()
    if news.faults:
        metrics.INGEST_FAULTS.inc(news.faults)
