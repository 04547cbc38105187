"""Looks after messages that were handed over: asks what became of them, changes what is no longer true."""

from collections.abc import Callable
from datetime import datetime

from nightbell.engine.aftercare import BATCH, Aftercare
from nightbell.worker.loop import Chore

#: How often somebody looks. Units: seconds.
_TRACES = 5.0
_EDITS = 1.0


def chores(care: Aftercare, clock: Callable[[], datetime]) -> tuple[Chore, ...]:
    """Return what a worker does about messages that were handed over."""

    async def trace() -> None:
        while await care.trace(clock()) >= BATCH:
            pass

    async def edit() -> None:
        while await care.edit(clock()) >= BATCH:
            pass

    return (Chore("traces", _TRACES, trace), Chore("posts", _EDITS, edit))
