"""Makes tomorrow's partition of deliveries, drops the oldest, and forgets what has expired.

Bodies that an alert still shows are saved before their partition goes: nothing a page needs is lost.
"""

from datetime import UTC, date, datetime, timedelta

from nightbell.store.db import Db, Tx

_AHEAD = 2
_LOCK = 7_420_001


async def keep_house(db: Db, now: datetime, *, retention_days: int) -> None:
    """Do what is due; cheap when nothing is, and one node at a time."""

    async def work(tx: Tx) -> None:
        if not await tx.value("try_housekeeping_lock", _LOCK):
            return
        have = {r["name"] for r in await tx.rows("delivery_partitions")}
        for offset in range(_AHEAD + 1):
            await _make(tx, (now + timedelta(days=offset)).date(), have)
        oldest = (now - timedelta(days=retention_days)).date()
        for name in sorted(have):
            day = _day(name)
            if day and day < oldest:
                await tx.execute("save_shown_payloads", datetime.combine(day, datetime.min.time(), UTC), now)
                await tx.run(f"DROP TABLE {name}")
        await tx.execute("wake_forgotten", now)
        await tx.execute("forget_sessions", now)
        await tx.execute("forget_replies", now - timedelta(days=retention_days))

    await db.in_tx(work)


async def settle_index(db: Db) -> None:
    """Move new labels to their place in the index.

    Left to itself PostgreSQL does so in the middle of somebody's transaction, megabytes at once, and until then every
    search by label reads them one by one.
    """
    await db.value("settle_index")


def _day(name: str) -> date | None:
    digits = name.removeprefix("deliveries_")
    return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])) if digits.isdecimal() else None


async def _make(tx: Tx, day: date, have: set[str]) -> None:
    """Make the partition of a day, taking over what landed in the default one meanwhile."""
    name = f"deliveries_{day:%Y%m%d}"
    if name in have:
        return
    start, end = day.isoformat(), (day + timedelta(days=1)).isoformat()
    # A table name cannot be an argument; it is made of a date and nothing else.
    await tx.run(f"CREATE TABLE {name} (LIKE deliveries INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
    await tx.run(f"ALTER TABLE {name} ALTER COLUMN body SET STORAGE EXTERNAL")
    moved = (
        f"DELETE FROM deliveries_default WHERE received_at >= '{start}' AND received_at < '{end}' RETURNING *"
    )
    await tx.run(f"WITH moved AS ({moved}) INSERT INTO {name} SELECT * FROM moved")
    await tx.run(f"ALTER TABLE deliveries ATTACH PARTITION {name} FOR VALUES FROM ('{start}') TO ('{end}')")
