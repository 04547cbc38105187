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
_COLUMN = re.compile(r"\$(\d+)::(\w+)\[\](?: /\*=\*/)?")
_USUALLY_SAME = re.compile(r"\$(\d+)::\w+\[\] /\*=\*/")
_NONE: frozenset[int] = frozenset()


class Together:
    """Statements that wait to be run in one go."""

    def __init__(self) -> None:
        #: Name, number of arguments, and which of them are one value for all rows.
        self._parts: list[tuple[str, int, frozenset[int]]] = []
        self._args: list[Any] = []

    def add(self, name: str, *args: Any) -> None:
        """Add a named statement that changes rows; each name once."""
        marked = _marked(name)
        lean = marked if marked and all(_all_same(args[i]) for i in marked) else _NONE
        self._put(name, [arg[0] if i in lean else arg for i, arg in enumerate(args)], lean)

    def add_shared(self, name: str, args: Sequence[Any], shared: frozenset[int]) -> None:
        """Add a named statement whose arguments at these places are one value for all rows; never the first."""
        self._put(name, args, shared)

    def _put(self, name: str, args: Sequence[Any], lean: frozenset[int]) -> None:
        self._parts.append((name, len(args), lean))
        self._args += args

    async def run(self, tx: Tx) -> None:
        """Run what was added; nothing when there is nothing."""
        if self._parts:
            await tx.run(_joined(tuple(self._parts)), *self._args)


@cache
def _marked(name: str) -> frozenset[int]:
    return frozenset(int(found[1]) - 1 for found in _USUALLY_SAME.finditer(statement(name)))


def _all_same(column: Sequence[Any]) -> bool:
    return column.count(column[0]) == len(column)


@cache
def _joined(parts: tuple[tuple[str, int, frozenset[int]], ...]) -> str:
    """Return one statement; there are as many as there are ways for a batch to look, a few dozen."""
    texts, before = [], 0
    for name, count, lean in parts:
        text = _lean(statement(name), lean) if lean else statement(name)
        texts.append((name, _shifted(text, before)))
        before += count
    if len(texts) == 1:
        return texts[0][1]
    return "WITH " + ",\n".join(f"{name} AS (\n{text}\n)" for name, text in texts) + "\nSELECT 1"


def _shifted(text: str, by: int) -> str:
    return _ARGUMENT.sub(lambda found: f"${int(found[1]) + by}", text)


def _lean(text: str, which: frozenset[int]) -> str:
    """Repeat single values as often as the first column is long."""

    def filled(found: re.Match[str]) -> str:
        if int(found[1]) - 1 not in which:
            return found[0]
        return f"array_fill(${found[1]}::{found[2]}, ARRAY[cardinality($1)])"

    return _COLUMN.sub(filled, text)
