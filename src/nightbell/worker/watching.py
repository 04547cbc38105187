"""What watches: the ledger is sealed every other second, and the auditor goes round twice a minute."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from time import monotonic
from typing import Any

from nightbell.engine.sealing import BATCH, seal
from nightbell.store.db import Db
from nightbell.telemetry import metrics
from nightbell.worker.loop import Chore

#: Units: seconds.
SEAL_EVERY = 2.0
#: How often what was left behind long ago is looked for.
WIDE_EVERY = 300.0
AUDIT_EVERY = 30.0


def chores(db: Db, clock: Callable[[], datetime], audit: Callable[[], Awaitable[Any]]) -> tuple[Chore, ...]:
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

    return Chore("ledger", SEAL_EVERY, seal_ledger), Chore("audit", AUDIT_EVERY, go_round)
