"""What a beat does inside a transaction, whoever brings it: the heartbeat is active, and its alert is over.

Rule 1: the heartbeat's row is locked first, its alert after it; whoever beats, expires or changes one goes that way.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from nightbell.core import heartbeat as rules
from nightbell.core.decision import decide
from nightbell.core.directory import Directory, Target
from nightbell.core.draft import Decision
from nightbell.core.events import Report, Resolve
from nightbell.core.heartbeat import Heartbeat, Status
from nightbell.core.journal import Actor
from nightbell.core.signal import State
from nightbell.engine.apply import apply
from nightbell.engine.ids import minter
from nightbell.store.db import Row, Tx
from nightbell.store.write import facts

_NOW = timedelta()


def stored(row: Row | Mapping[str, Any]) -> Heartbeat:
    """Return a heartbeat from its row."""
    target = row["target"]
    return Heartbeat(
        id=row["id"],
        name=row["name"],
        summary=row["alert_summary"],
        description=row["alert_description"],
        urgency_id=row["urgency_id"],
        target=Target(type=target["type"], id=str(target["id"])),
        interval=row["interval_count"] * rules.UNITS[row["interval_unit"]],
        grace=timedelta(seconds=row["grace_seconds"]),
        enabled=row["enabled"],
        status=Status(row["status"]),
        last_pinged_at=row["last_pinged_at"],
        expires_at=row["expires_at"],
    )


def hashed(secret: str) -> bytes:
    """Return what is stored of a secret. It has 256 random bits: no slow hash is needed."""
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()


async def beat(
    tx: Tx, ids: Iterable[UUID], by: str, directory: Directory, now: datetime
) -> tuple[Decision, ...]:
    """Let heartbeats beat in the caller's transaction; the alert of one that was silent is over."""
    made: list[Decision] = []
    for row in await tx.rows("lock_heartbeats", sorted(ids)):
        before = stored(row)
        after = rules.beaten(before, now)
        await tx.execute("beat_heartbeat", after.id, now, by, after.expires_at, after.wake_at)
        if before.status is Status.EXPIRED:
            made += await _over(tx, before, directory, now)
    return tuple(made)


async def _over(tx: Tx, heartbeat: Heartbeat, directory: Directory, now: datetime) -> list[Decision]:
    envelope, unit = rules.said(heartbeat, State.RESOLVED, now)
    mint = minter(now)
    for known in await facts.by_identity(tx, [unit.identity], directory):
        if known.alert and known.alert.is_open:
            report = reported(heartbeat, State.RESOLVED, now, mint())
            if decided := decide(known, report, now, mint):
                await apply(tx, [decided[0]], now, mint)
                return [decided[0]]
    return []


async def call_off(
    tx: Tx, heartbeat: Heartbeat, directory: Directory, by: Actor, now: datetime
) -> tuple[Decision, ...]:
    """End the alert of a heartbeat that is deleted, switched off or changed: nobody is paged for it any more."""
    _, unit = rules.said(heartbeat, State.RESOLVED, now)
    mint = minter(now)
    for known in await facts.by_identity(tx, [unit.identity], directory):
        if known.alert and known.alert.is_open and (decided := decide(known, Resolve(by=by), now, mint)):
            await apply(tx, [decided[0]], now, mint)
            return (decided[0],)
    return ()


def reported(heartbeat: Heartbeat, state: State, now: datetime, ident: UUID, number: int = 0) -> Report:
    """Return what a heartbeat says, as a delivery that nobody delivered; `number` is for a new alert."""
    envelope, unit = rules.said(heartbeat, state, now)
    return Report(
        unit=unit,
        envelope=envelope,
        source=rules.source(heartbeat),
        url_target=None,
        delivery_id=ident,
        number=number,
        hold_down=_NOW,
    )
