"""Runs named statements as one: a batch costs one round trip and not one for each table it touches.

Rule 1: all parts see the rows as they were before any of them, so no two parts may change the same row.
"""

import re
from functools import cache
from typing import Any

from nightbell.store.db import Tx
from nightbell.store.queries import statement

_ARGUMENT = re.compile(r"\$(\d+)")


class Together:
    """Statements that wait to be run in one go."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._counts: list[int] = []
        self._args: list[Any] = []

    def add(self, name: str, *args: Any) -> None:
        """Add a named statement that changes rows; each name once."""
        self._names.append(name)
        self._counts.append(len(args))
        self._args += args

    async def run(self, tx: Tx) -> None:
        """Run what was added; nothing when there is nothing."""
        if self._names:
            await tx.run(_joined(tuple(self._names), tuple(self._counts)), *self._args)


@cache
def _joined(names: tuple[str, ...], counts: tuple[int, ...]) -> str:
    """Return one statement; there are as many as there are ways for a batch to look, a few dozen."""
    if len(names) == 1:
        return statement(names[0])
    parts, before = [], 0
    for name, count in zip(names, counts, strict=True):
        parts.append(f"{name} AS (\n{_shifted(statement(name), before)}\n)")
        before += count
    return "WITH " + ",\n".join(parts) + "\nSELECT 1"


def _shifted(text: str, by: int) -> str:
    return _ARGUMENT.sub(lambda found: f"${int(found[1]) + by}", text)
