"""Says how a process of ours keeps its memory: what is made at start stays, and is not looked through again."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def all_to_stay() -> Iterator[None]:
    """Look for no garbage while much is made that stays: routes by the thousand took twice as long with it."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def settle_memory() -> None:
    """Freeze what was made at start: the oldest generation's collections were 30 ms pauses (stack.md 1)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)
