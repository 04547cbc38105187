"""What watches: the ledger is sealed every other second, and the auditor goes round twice a minute."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

from nightbell.engine.keeping import keep
from nightbell.engine.sealing import BATCH, seal
from nightbell.store.db import Db
from nightbell.telemetry import metrics
from nightbell.worker.loop import Chore

#: Units: seconds.
SEAL_EVERY = 2.0
#: How often what was left behind long ago is looked for.
WIDE_EVERY = 300.0
AUDIT_EVERY = 30.0
KEEP_EVERY = 3600.0


class Kept(NamedTuple):
    """How long the ledger stays in the database, and where what is older is put."""

    days: int
    folder: Path


def chores(
    db: Db, clock: Callable[[], datetime], audit: Callable[[], Awaitable[Any]], kept: Kept
) -> tuple[Chore, ...]:
    """Return what a worker does about the ledger and its auditor; `audit` goes round once."""
    widely: list[float] = []

    async def seal_ledger() -> None:
        wide = not widely or monotonic() - widely[-1] > WIDE_EVERY
        # A batch and then a pause: in a storm the pages themselves go first.
        added = await seal(db, clock(), wide=wide, once=True)
        metrics.LEDGER_ENTRIES.inc(added)
        if wide and added < BATCH:
            widely[:] = [monotonic()]

    async def go_round() -> None:
        await audit()

    async def put_away() -> None:
        await keep(db, clock(), days=kept.days, folder=kept.folder)

    return (
        Chore("ledger", SEAL_EVERY, seal_ledger),
        Chore("audit", AUDIT_EVERY, go_round),
        Chore("keeping", KEEP_EVERY, put_away),
    )
