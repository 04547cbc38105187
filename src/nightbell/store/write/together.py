"""Runs named statements as one: a batch costs one round trip and not one for each table it touches.

Rule 1: all parts see the rows as they were before any of them, so no two parts may change the same row.

Where a statement says `$3::text[] /*=*/`, the values of that column are usually all the same; when all columns so
marked are, one value of each is sent instead of hundreds.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from nightbell.store.db import Tx
from nightbell.store.queries import statement

_ARGUMENT = re.compile(r"\$(\d+)")
_USUALLY_SAME = re.compile(r"\$(\d+)::(\w+)\[\] /\*=\*/")


class Together:
    """Statements that wait to be run in one go."""

    def __init__(self) -> None:
        #: Name, number of arguments, and whether the columns marked as usually the same are.
        self._parts: list[tuple[str, int, bool]] = []
        self._args: list[Any] = []

    def add(self, name: str, *args: Any) -> None:
        """Add a named statement that changes rows; each name once."""
        marked = _marked(name)
        lean = bool(marked) and all(_all_same(args[i]) for i in marked)
        self._parts.append((name, len(args), lean))
        self._args += [arg[0] if lean and i in marked else arg for i, arg in enumerate(args)]

    async def run(self, tx: Tx) -> None:
        """Run what was added; nothing when there is nothing."""
        if self._parts:
            await tx.run(_joined(tuple(self._parts)), *self._args)


@cache
def _marked(name: str) -> tuple[int, ...]:
    return tuple(int(found[1]) - 1 for found in _USUALLY_SAME.finditer(statement(name)))


def _all_same(column: Sequence[Any]) -> bool:
    return column.count(column[0]) == len(column)


@cache
def _joined(parts: tuple[tuple[str, int, bool], ...]) -> str:
    """Return one statement; there are as many as there are ways for a batch to look, a few dozen."""
    texts, before = [], 0
    for name, count, lean in parts:
        text = _lean(statement(name)) if lean else statement(name)
        texts.append((name, _shifted(text, before)))
        before += count
    if len(texts) == 1:
        return texts[0][1]
    return "WITH " + ",\n".join(f"{name} AS (\n{text}\n)" for name, text in texts) + "\nSELECT 1"


def _shifted(text: str, by: int) -> str:
    return _ARGUMENT.sub(lambda found: f"${int(found[1]) + by}", text)


def _lean(text: str) -> str:
    """Repeat single values as often as the first column is long."""
    return _USUALLY_SAME.sub(r"array_fill($\1::\2, ARRAY[cardinality($1)])", text)
