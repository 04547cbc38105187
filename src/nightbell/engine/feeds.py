"""This file reads calendars elsewhere as layers: looks when one is due, keeps the last good copy, says what went wrong.

Rule 1: what lies behind the moment of a look stays as it was then, so a calendar edited afterwards changes no past.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any, NamedTuple
from uuid import UUID

import structlog

from nightbell.core.calendar import zone
from nightbell.core.errors import NightbellError
from nightbell.engine.ids import minter
from nightbell.engine.vault import Vault
from nightbell.store.db import Db, Row, Runner, Tx
from nightbell.telemetry import metrics

#: Returns the body found at an address; raises Unreadable. Handed in, because the engine does not know the network.
Fetch = Callable[[str], Awaitable[bytes]]

#: How far ahead a calendar is read.
AHEAD = timedelta(days=400)
BATCH = 8
_log = structlog.get_logger(__name__)
#: No other node looks while one does.
LEASE = timedelta(minutes=2)
#: After a failure, sooner than usual.
AGAIN = timedelta(minutes=5)
_MOST_UNKNOWN = 20
_ADDRESS = re.compile(r"[\w.+-]+@[\w.-]+\w")
#: Names a handful of people; more of it is not looked through.
_LONGEST_SUMMARY = 500
_BETWEEN = re.compile(r"\s*[,;/|&+]\s*|\s+-\s+|:\s+|\s+and\s+")


class Unreadable(NightbellError):
    """A calendar elsewhere could not be fetched or read."""

    code = "calendar_unreadable"


class Entry(NamedTuple):
    """One occurrence in a calendar."""

    start: datetime
    end: datetime
    summary: str
    #: E-mail addresses of who takes part, in lower case.
    addresses: tuple[str, ...]


class Booked(NamedTuple):
    """Somebody is on call by a calendar."""

    start: datetime
    end: datetime
    user: int


async def refresh(db: Db, vault: Vault, fetch: Fetch, now: datetime) -> int:
    """Look at every calendar that is due; return how many were."""
    due = await db.rows("claim_feeds", now, now + LEASE, BATCH)
    await asyncio.gather(*(_look(db, vault, fetch, feed, now) for feed in due))
    metrics.CALENDARS_FAILING.set(await db.value("feeds_failing"))
    return len(due)


async def _look(db: Db, vault: Vault, fetch: Fetch, feed: Row, now: datetime) -> None:
    try:
        body = await fetch(vault.open(feed["url"]))
        reader: Any = await asyncio.to_thread(import_module, "nightbell.engine.ical")
        place = zone(feed["time_zone"])
        entries = await asyncio.to_thread(reader.read, body, place, now, now + AHEAD)
    except NightbellError as fault:
        again = now + min(AGAIN, timedelta(minutes=feed["refresh_minutes"]))
        await db.execute("feed_failed", feed["id"], now, again, fault.message)
        metrics.CALENDARS.labels(outcome="failed").inc()
        # Its address is a secret, and so may be what its server said: the page shows that to whoever looks after it.
        _log.warning(
            "calendar.failed", schedule=str(feed["schedule_id"]), feed=str(feed["id"]), code=fault.code
        )
        return
    metrics.CALENDARS.labels(outcome="read").inc()
    await db.in_tx(lambda tx: _keep(tx, feed, entries, now))


async def _keep(tx: Tx, feed: Row, entries: list[Entry], now: datetime) -> None:
    people = People(await tx.rows("people_by_address"))
    found = [Booked(e.start, e.end, user) for e in entries for user in people.of(e)]
    following = now + timedelta(minutes=feed["refresh_minutes"])
    if not await tx.execute("feed_read", feed["id"], now, following, people.unknown):
        return
    # A calendar that is new here speaks from the moment it was added on.
    since = now if feed["good_at"] else feed["created_at"]
    old = await _stored(tx, feed["id"])
    new = merged(old, found, since)
    if new != old:
        await _write(tx, feed["id"], new, now)
        await tx.execute("bump_configuration")


def merged(old: Sequence[Booked], new: Iterable[Booked], now: datetime) -> list[Booked]:
    """Return what was until now, by the old copy, and what will be, by the new one; who goes on keeps the beginning."""
    kept: list[Booked] = [one for one in old if one.end <= now]
    running = {one.user: one for one in old if one.start < now < one.end}
    coming: list[Booked] = []
    for one in sorted(set(new)):
        if one.end <= now:
            continue
        before = running.pop(one.user, None) if one.start <= now else None
        coming.append(one._replace(start=before.start if before else max(one.start, now)))
    cut = [one._replace(end=now) for one in running.values()]
    return sorted({*kept, *cut, *coming})


async def cut_bookings(tx: Tx, feed_id: UUID, now: datetime) -> None:
    """Keep of a calendar's copy what was until now."""
    await _write(tx, feed_id, merged(await _stored(tx, feed_id), (), now), now)


async def _stored(runner: Runner, feed_id: UUID) -> list[Booked]:
    rows = await runner.rows("bookings_of_feed", feed_id)
    return sorted(Booked(r["starts_at"], r["ends_at"], r["user_id"]) for r in rows)


async def _write(tx: Tx, feed_id: UUID, bookings: Iterable[Booked], now: datetime) -> None:
    mint = minter(now)
    await tx.execute("forget_bookings", feed_id)
    rows = [(mint(), feed_id, one.user, one.start, one.end, now) for one in bookings]
    await tx.many("add_booking", rows)


class People:
    """Finds people in what calendars call them: by address, by whole name, by the address's first half or first name."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._known: dict[str, int] = {}
        loose: dict[str, set[int]] = {}
        for r in rows:
            self._known[r["email"]] = self._known[r["name"]] = r["id"]
            for word in (r["email"].partition("@")[0], r["name"].partition(" ")[0]):
                loose.setdefault(word, set()).add(r["id"])
        #: A first name that two people share names neither.
        self._loose = {word: min(ids) for word, ids in loose.items() if len(ids) == 1}
        self._unknown: dict[str, None] = {}

    def of(self, entry: Entry) -> list[int]:
        """Return who is on call by an entry; notes whoever is not known here."""
        named = [self._known[address] for address in entry.addresses if address in self._known]
        if named:
            return list(dict.fromkeys(named))
        text = entry.summary.strip()[:_LONGEST_SUMMARY].lower()
        wanted = _ADDRESS.findall(text) or [text, *_BETWEEN.split(text)]
        found = [self._known.get(word, self._loose.get(word)) for word in wanted]
        people = list(dict.fromkeys(user for user in found if user is not None))
        if not people:
            self._unknown[(entry.summary.strip() or "an entry without a name")[:80]] = None
        return people

    @property
    def unknown(self) -> list[str]:
        """Return what the calendar called people whom nobody knows here, some of it."""
        return list(self._unknown)[:_MOST_UNKNOWN]
