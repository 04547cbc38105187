"""Checks and fills in templates: `check` says where one is wrong, `render` fills it in within its limits.

Rule 1: only the text of a template is ever read as a template. Values, whoever sent them, are written as they are.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from liquid.exceptions import LiquidError
from liquid.template import BoundTemplate
from msgspec import Struct

from nightbell.core.errors import Invalid
from nightbell.core.labels import clean
from nightbell.engine.liquid.limits import LONGEST, USUAL, Limit, Meter
from nightbell.engine.liquid.sandbox import SANDBOX, Context, Written
from nightbell.engine.liquid.tags import unclosed

#: Templates up to this length stay in memory once they were read. Units: characters.
_KEPT = 4_000


class Place(Struct, frozen=True):
    """Where in a template something is, from 1; `at` is the text that stands there."""

    line: int
    column: int
    at: str


class BadTemplate(Invalid):
    """A template that is not Liquid, or that needs more than it may. `where` is None for the whole of it."""

    def __init__(self, why: str, where: Place | None, *, place: str = "") -> None:
        said = f"line {where.line}, column {where.column}: {why}" if where else why
        super().__init__(said, place=place)
        self.why = why
        self.where = where

    def of(self, place: str) -> "BadTemplate":
        """Return the same fault as one of this field."""
        return BadTemplate(self.why, self.where, place=place)


def plain(text: str) -> bool:
    """Return whether there is nothing to fill in."""
    return "{{" not in text and "{%" not in text


def check(text: str) -> None:
    """Raise BadTemplate where a text is not a template."""
    if not plain(text):
        _template(text)


async def checked(text: str) -> None:
    """Check a template in a thread of its own: a long one takes a while. Raises: BadTemplate."""
    if not plain(text):
        await asyncio.to_thread(_template, text)


def render(text: str, values: Mapping[str, Any], *, now: datetime, limit: Limit = USUAL) -> str:
    """Return a template filled in. Unknown variables are empty.

    Shape: `values` is plain JSON; `now` and `today` are added to it. What no database takes (NUL) is replaced.
    Raises: BadTemplate, for a limit too.
    """
    if plain(text):
        return text
    template = _template(text)
    said = now.isoformat(timespec="seconds").replace("+00:00", "Z")
    meter = Meter(limit)
    context = Context(template, values={**values, "now": said, "today": said[:10]}, meter=meter, now=now)
    out = Written(meter)
    try:
        template.render_with_context(context, out)
    except LiquidError as error:
        raise _explained(error, text) from error
    except RecursionError as error:
        raise BadTemplate("a value goes deeper than templates follow", None) from error
    return clean(out.getvalue())


async def rendered(text: str, values: Mapping[str, Any], *, now: datetime, limit: Limit = USUAL) -> str:
    """Return a template filled in, in a thread of its own: whatever it does, everything else goes on."""
    if plain(text):
        return text
    return await asyncio.to_thread(render, text, values, now=now, limit=limit)


def _template(text: str) -> BoundTemplate:
    # A long one takes megabytes once it is read; those that run often are short.
    return _kept(text) if len(text) <= _KEPT else _read(text)


@lru_cache(maxsize=512)
def _kept(text: str) -> BoundTemplate:
    return _read(text)


def _read(text: str) -> BoundTemplate:
    if len(text) > LONGEST:
        raise BadTemplate(f"the template is longer than {LONGEST} characters", None)
    if fault := unclosed(text):
        raise BadTemplate(fault.why, place_of(text, fault.index, fault.length))
    try:
        template = SANDBOX.from_string(text)
        used = template.analyze(include_partials=False).filters
    except LiquidError as error:
        raise _explained(error, text) from error
    except (RecursionError, ValueError) as error:
        raise BadTemplate("the template is nested too deeply", None) from error
    for name, spans in used.items():
        if name not in SANDBOX.filters:
            raise BadTemplate(f"there is no filter '{name}'", place_of(text, spans[0].index, len(name)))
    return template


def place_of(text: str, index: int, length: int = 1) -> Place:
    """Return where in a text an index is."""
    index = max(0, min(index, len(text)))
    before = text[:index]
    column = index - (before.rfind("\n") + 1)
    return Place(before.count("\n") + 1, column + 1, text[index : index + max(length, 1)][:40])


def _explained(error: LiquidError, text: str) -> BadTemplate:
    token = error.token
    why = str(error.message or "this is not Liquid")
    if token is None or token.start_index < 0:
        # What is missing was looked for to the end.
        return BadTemplate(why, place_of(text, len(text.rstrip())) if "end of" in why else None)
    return BadTemplate(why, place_of(text, token.start_index, len(token.value)))
