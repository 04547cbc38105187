"""This file reads the ledger of pages: its end, its latest entries, and all of it in order."""

from collections.abc import AsyncIterator
from uuid import UUID

from nightbell.core.ledger import Broken, Head, Sealed, disagreement, followed, unvouched, vouched
from nightbell.store.db import Row, Runner

_SLICE = 1_000
_LAST = 2**62


async def head(runner: Runner) -> Head:
    """Return the end of the chain."""
    row = await runner.row("ledger_head")
    return Head(row["position"], bytes(row["digest"])) if row else Head()


async def beginning(runner: Runner) -> Head:
    """Return what the first entry that is still here follows: nothing, or the end of what was put away."""
    row = await runner.row("ledger_beginning")
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


async def linked(runner: Runner, *, after: int = 0) -> AsyncIterator[tuple[Sealed, bytes]]:
    """Yield every entry after a position, each with the digest it follows."""
    previous = (await beginning(runner)).digest
    async for one in entries(runner, after=max(after - 1, 0)):
        if one.position > after:
            yield one, previous
        previous = one.digest


async def verified(runner: Runner) -> Head | Broken:
    """Return the end of a chain that holds from its first entry on, or where it does not.

    Shape: where older entries were put away, the chain must begin behind them and say so itself.
    """
    begun = found = await beginning(runner)
    said_so = begun == Head()
    async for one in entries(runner):
        step = _followed(found, one)
        if isinstance(step, Broken):
            return step
        said_so |= vouched(one.step, one.entry) == begun
        found = step
    return found if said_so else unvouched(begun)


def _followed(head: Head, one: Sealed) -> Head | Broken:
    said = disagreement(one.step, one.subject, one.alert_id, one.at, one.entry)
    step = followed(head, [(one.position, one.entry, one.digest)])
    return Broken(one.position, said) if said and not isinstance(step, Broken) else step


def _sealed(row: Row) -> Sealed:
    return Sealed(**{**dict(row.items()), "digest": bytes(row["digest"])})
