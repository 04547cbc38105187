"""Finds marks that are opened and never closed, looking at each character once.

The library's own reader looks on to the end from every open mark: slow where there are many, and it cannot be stopped.
"""

import re

from msgspec import Struct

#: Within these nothing is read until their end.
_VERBATIM = ("raw", "comment", "doc")
#: The library's reader takes the square of the length of a run of spaces: 78 s for 50,000 of them, measured.
_WIDEST = 100
_GAP = re.compile(rf"\s{{{_WIDEST},}}")
#: And the square of the length of a tag: 7 s for 50,000 opening brackets, measured.
_LONGEST = 2_000
#: A tag that holds others, one a line.
_LINES = re.compile(r"-?\s*(liquid|#)\s")
_CLOSES = {"{{": "}}", "{%": "%}"}


class Fault(Struct, frozen=True):
    """What is wrong at an index."""

    index: int
    length: int
    why: str


def unclosed(text: str) -> Fault | None:
    """Return the first mark without its end."""
    at = 0
    while (start := _next(text, at)) >= 0:
        mark = text[start : start + 2]
        end = text.find(_CLOSES[mark], start + 2)
        if end < 0:
            return Fault(start, 2, f"'{mark}' is not closed: expected '{_CLOSES[mark]}'")
        inner = text[start + 2 : end]
        # The library's reader takes the next opening mark for part of this one, and speaks of something else.
        if mark in inner:
            inside = start + 2 + inner.index(mark)
            return Fault(start, 2, f"'{mark}' is not closed before the next one at character {inside + 1}")
        if gap := _GAP.search(inner):
            return Fault(start + 2 + gap.start(), 1, f"more than {_WIDEST} spaces in a row")
        if max(map(len, inner.split("\n"))) > _LONGEST or (len(inner) > _LONGEST and not _LINES.match(inner)):
            return Fault(start, 2, f"a tag of more than {_LONGEST} characters")
        at = end + 2
        name = inner.strip("- \t\r\n").split(None, 1)[0] if inner.strip("- \t\r\n") else ""
        if mark == "{%" and not name:
            return Fault(start, 2, "a tag without a name")
        if mark == "{%" and name in _VERBATIM:
            closing = _closing(text, name, at)
            if closing < 0:
                return Fault(start, 2, f"'{name}' is not closed: expected 'end{name}'")
            at = closing
    return None


def _next(text: str, at: int) -> int:
    found = [index for index in (text.find("{{", at), text.find("{%", at)) if index >= 0]
    return min(found, default=-1)


def _closing(text: str, name: str, at: int) -> int:
    """Return where the tag that ends a verbatim block is over."""
    depth = 1
    while (start := text.find("{%", at)) >= 0:
        end = text.find("%}", start)
        if end < 0:
            return -1
        word = text[start + 2 : end].strip("- \t\r\n")
        depth += (word.split(None, 1)[:1] == [name]) - (word == f"end{name}")
        at = end + 2
        if depth == 0 or (name != "comment" and word == f"end{name}"):
            return at
    return -1
