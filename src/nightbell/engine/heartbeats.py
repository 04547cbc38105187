"""Looks after heartbeats: pings at the door, silence that became an alert, and time that nobody could be heard in."""

import hmac
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from nightbell.core import heartbeat as rules
from nightbell.core.decision import decide
from nightbell.core.draft import Decision
from nightbell.core.errors import Forbidden, Unknown
from nightbell.core.signal import State
from nightbell.engine.apply import apply
from nightbell.engine.beating import beat, hashed, reported, stored
from nightbell.engine.directory import Directories
from nightbell.engine.faults import FAULTS
from nightbell.engine.ids import minter
from nightbell.engine.ingest import Committed, Numbers
from nightbell.engine.node import Node
from nightbell.store.db import Db, Row, Tx
from nightbell.store.write import facts
from nightbell.telemetry import metrics

BATCH = 50
#: A heartbeat that a defect of ours cannot digest must not jam the others.
PUSHED_BACK = timedelta(minutes=1)
_log = structlog.get_logger(__name__)


def _committed(decisions: tuple[Decision, ...], *beats: str) -> Committed:
    pages = any(d.notifications for d in decisions)
    return Committed(outcomes=(), pages=pages, decisions=decisions, shows=True, beats=beats)


class Heartbeats:
    """The heartbeats of an installation, as one node looks after them."""

    def __init__(self, db: Db, directories: Directories, node: Node) -> None:
        self._db = db
        self._directories = directories
        self._clock = node.clock
        self._woken = node.woken
        self._numbers = Numbers()

    async def ping(self, heartbeat_id: UUID, *, secret: str | None, by: str = "http") -> None:
        """Let one beat; `secret` None is somebody who may without it.

        Raises: Unknown when there is none, Forbidden for another secret.
        """
        now = self._clock()

        async def work(tx: Tx) -> Committed:
            rows = await tx.rows("lock_heartbeats", [heartbeat_id])
            if not rows:
                raise Unknown("There is no such heartbeat.")
            if secret is not None and not hmac.compare_digest(hashed(secret), bytes(rows[0]["secret_hash"])):
                raise Forbidden("This is not the secret of this heartbeat.")
            directory = await self._directories.current(tx)
            return _committed(await beat(tx, [heartbeat_id], by, directory, now), by)

        self._woken(await self._db.in_tx(work))

    async def expire(self) -> int:
        """Make alerts of those that were silent for too long; return how many were."""
        now = self._clock()
        due = await self._db.rows("due_heartbeats", now, BATCH)
        for row in due:
            await self._expire_one(row["id"], now)
        return len(due)

    async def _expire_one(self, heartbeat_id: UUID, now: datetime) -> None:
        async def work(tx: Tx) -> Committed:
            row = await tx.row("lock_due_heartbeat", heartbeat_id, now)
            return _committed(await self._expired(tx, row, now) if row else ())

        try:
            self._woken(await self._db.in_tx(work))
        except FAULTS as fault:
            metrics.TIMER_FAULTS.inc()
            _log.error("heartbeat.fault", heartbeat=str(heartbeat_id), why=str(fault), exc_info=fault)
            await self._db.execute("push_back_heartbeat", heartbeat_id, now + PUSHED_BACK, now)

    async def _expired(self, tx: Tx, row: Row, now: datetime) -> tuple[Decision, ...]:
        after = rules.expired(stored(row))
        await tx.execute("expire_heartbeat", after.id, now)
        _log.warning("heartbeat.expired", heartbeat=after.name, enabled=after.enabled)
        if not after.enabled:
            return ()
        await tx.execute("keep_heartbeat_source", rules.SOURCE_ID, now)
        await self._numbers.reserve(tx, 1)
        mint = minter(now)
        directory = await self._directories.current(tx)
        report = reported(after, State.FIRING, now, mint(), self._numbers.take())
        loaded = await facts.by_identity(tx, [report.unit.identity], directory)
        decided = decide(loaded[0] if loaded else await facts.nothing(tx, directory), report, now, mint)
        if decided is None:
            return ()
        await apply(tx, [decided[0]], now, mint)
        return (decided[0],)

    async def forgive(self, since: datetime) -> int:
        """Start anew whatever would expire by what nobody could hear: silence up to `since` was ours, not theirs."""
        return await self._db.execute("forgive_heartbeats", self._clock(), since)
