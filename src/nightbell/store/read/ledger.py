"""This file reads the ledger of pages: its end, its latest entries, and all of it in order."""

from collections.abc import AsyncIterator
from uuid import UUID

from nightbell.core.ledger import Broken, Head, Sealed, disagreement, followed
from nightbell.store.db import Row, Runner

_SLICE = 1_000
_LAST = 2**62


async def head(runner: Runner) -> Head:
    """Return the end of the chain."""
    row = await runner.row("ledger_head")
    return Head(row["position"], bytes(row["digest"])) if row else Head()


async def latest(
    runner: Runner, *, limit: int, before: int = _LAST, alert_id: UUID | None = None
) -> list[Sealed]:
    """Return the latest entries, newest first, of one alert or of all."""
    return [_sealed(row) for row in await runner.rows("ledger_before", before, limit, alert_id)]


async def entries(runner: Runner, *, after: int = 0) -> AsyncIterator[Sealed]:
    """Yield every entry after a position, in order, without holding the whole in memory."""
    while True:
        rows = await runner.rows("ledger_after", after, _SLICE)
        for row in rows:
            yield _sealed(row)
        if len(rows) < _SLICE:
            return
        after = rows[-1]["position"]


async def verified(runner: Runner) -> Head | Broken:
    """Return the end of a chain that holds from its first entry on, or where it does not."""
    found = Head()
    async for one in entries(runner):
        said = disagreement(one.step, one.subject, one.alert_id, one.at, one.entry)
        step = followed(found, [(one.position, one.entry, one.digest)])
        if isinstance(step, Broken):
            return step
        if said:
            return Broken(one.position, said)
        found = step
    return found


def _sealed(row: Row) -> Sealed:
    return Sealed(**{**dict(row.items()), "digest": bytes(row["digest"])})
