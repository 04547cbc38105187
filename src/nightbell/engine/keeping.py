"""Puts away what of the ledger is too old to be kept in the database, and forgets findings settled as long ago.

Rule 1: an entry leaves the table only after it lies in a file, in one piece and checked, and the chain itself says so.
"""

import asyncio
import os
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import structlog

from nightbell.core import ledger
from nightbell.core.ledger import Broken, Fact, Head, Sealed, Step
from nightbell.engine import sealing
from nightbell.engine.ids import new_id
from nightbell.store.db import Db, Row, Tx
from nightbell.store.read.ledger import beginning
from nightbell.store.read.ledger_export import json_line

#: Nothing is put away for less than this: a file a week, not one every hour.
WORTH = timedelta(days=7)
#: Entries in one file and one transaction: some megabytes.
BATCH = 10_000
_log = structlog.get_logger(__name__)


async def keep(db: Db, now: datetime, *, days: int, folder: Path) -> int:
    """Put away what was sealed more than `days` ago and forget old findings; return how many entries left.

    Shape: 0 days is for ever. A part that does not hold stays where it is, for whoever looks into it.
    """
    if not days:
        return 0
    before = now - timedelta(days=days)
    await db.execute("forget_findings", before)
    oldest = await db.value("ledger_oldest")
    if oldest is None or oldest >= before - WORTH:
        return 0
    many = 0
    while gone := await db.in_tx(lambda tx: _put_away(tx, now, before, folder)):
        many += gone
    return many


async def _put_away(tx: Tx, now: datetime, before: datetime, folder: Path) -> int:
    if not await tx.value("try_housekeeping_lock", sealing.LOCK):
        return 0
    begun = await beginning(tx)
    rows = [_sealed(row) for row in await tx.rows("ledger_old", before, BATCH)]
    if not rows:
        return 0
    end = ledger.followed(begun, ((one.position, one.entry, one.digest) for one in rows))
    if isinstance(end, Broken):
        _log.error("ledger.not_put_away", position=end.position, why=end.why)
        return 0
    name = f"ledger-{rows[0].position:012d}-{end.position:012d}.jsonl"
    checksum = await asyncio.to_thread(_write, folder / name, _lines(begun, rows))
    anchor = new_id(now)
    told = {"first": rows[0].position, "last": end.position, "digest": end.digest.hex(), "file": name,
            "sha256": checksum.hex()}  # fmt: skip
    fact = Fact(
        step=Step.PUT_AWAY, subject=anchor, alert_id=None, page_id=None, notification_id=None, user_id=None,
        provider_id="", at=now, told=told,
    )  # fmt: skip
    await sealing.add(tx, [fact], now)
    await tx.execute(
        "anchor_ledger", anchor, rows[0].position, end.position, end.digest, name, checksum, before, now
    )
    await tx.execute("put_away", end.position)
    _log.info("ledger.put_away", entries=len(rows), last=end.position, file=name)
    return len(rows)


def _lines(begun: Head, rows: list[Sealed]) -> bytes:
    digests = [begun.digest, *(one.digest for one in rows)]
    return b"".join(json_line(one, previous) for one, previous in zip(rows, digests, strict=False))


def _write(file: Path, lines: bytes) -> bytes:
    """Write a file so that it is there in one piece or not at all; return its checksum."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = file.with_suffix(".new")
    with new.open("wb") as out:
        out.write(lines)
        out.flush()
        os.fsync(out.fileno())
    new.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return sha256(lines).digest()


def _sealed(row: Row) -> Sealed:
    return Sealed(**{**dict(row.items()), "digest": bytes(row["digest"])})
