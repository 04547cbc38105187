"""Tells everybody who sleeps that something is to be done: loops and pages here at once, other nodes by NOTIFY.

Rule 1: a pulse only wakes early. What is due is in the tables, and every loop looks once a second anyway.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from nightbell.core.draft import Decision
from nightbell.engine.ingest import Committed
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

    def tells(self, happened: Callable[[], None]) -> None:
        """Say whom to wake when something happened that may start workflows."""
        self._happened = happened

    def happened(self) -> None:
        """Wake workflows: something happened, or a run was queued."""
        self._happened()

    def committed(self, committed: Committed) -> None:
        """Count what a commit came to, and wake whom it concerns."""
        if committed.shows or committed.decided:
            self._topics.add("alerts")
            self._beat.set()
        if any(d.shown for d in committed.decisions):
            self._grown()
        if any(d.happened for d in committed.decisions):
            self._happened()
        _count(committed)
        if committed.pages:
            self._messages()
            self._topics.add("messages")
        if committed.repeats or any(d.escalations or d.pages for d in committed.decisions):
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


def _count(committed: Committed) -> None:
    times = Counter(d.what for d in committed.decisions)
    pages = sum(_pages(d) for d in committed.decisions if d.pages)
    for one in committed.repeats:
        times[one.decision.what] += one.times
        pages += _pages(one.decision) * one.times
    for what, many in times.items():
        metrics.ALERTS.labels(what=what or "timed").inc(many)
    if pages:
        metrics.PAGES.inc(pages)
    for decision in committed.decisions:
        if decision.fallback:
            metrics.UNPAGED.labels(fallback=decision.fallback).inc()


def _pages(decision: Decision) -> int:
    return sum(entry.code == "page.created" for entry in decision.entries)
