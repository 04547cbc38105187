"""The filters that take regular expressions, which a template brings along: each is bounded in size and in time.

Rule 1: an expression that never ends must not stop the program: it is matched without holding the interpreter, as
long as the template has time left and no longer.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import regex
from liquid import RenderContext
from liquid.exceptions import FilterArgumentError
from liquid.filter import string_filter, with_context

from nightbell.engine.liquid.limits import Meter, TooMuch
from nightbell.engine.liquid.words import written

#: Characters of an expression.
_LONGEST = 1_000
#: Elements once counted repetitions are written out, which the library does before it matches.
_LARGEST = 5_000
_MOST_MATCHES = 10_000
#: Seconds for one expression beside any template.
_MOMENT = 0.1


@with_context
@string_filter
def regex_replace(text: str, pattern: Any, new: Any = "", *, context: RenderContext) -> str:
    r"""Return a text with every match replaced; `\1` is the first group."""
    return _replaced(text, pattern, new, meter_of(context), most=_MOST_MATCHES)


@with_context
@string_filter
def regex_replace_first(text: str, pattern: Any, new: Any = "", *, context: RenderContext) -> str:
    """Return a text with the first match replaced."""
    return _replaced(text, pattern, new, meter_of(context), most=1)


@with_context
@string_filter
def regex_remove(text: str, pattern: Any, *, context: RenderContext) -> str:
    """Return a text without any match."""
    return _replaced(text, pattern, "", meter_of(context), most=_MOST_MATCHES)


@with_context
@string_filter
def regex_match(text: str, pattern: Any, *, context: RenderContext) -> str | None:
    """Return the first match: its first group where there is one, else all of it; nothing where there is none."""
    return next(map(_caught, _matches(text, pattern, meter_of(context))), None)


@with_context
@string_filter
def regex_match_all(text: str, pattern: Any, *, context: RenderContext) -> list[str]:
    """Return every match."""
    return [_caught(found) for found in _matches(text, pattern, meter_of(context))]


def fits(pattern: str, text: str) -> bool:
    """Return whether an expression matches all of a text, within a moment. Raises: FilterArgumentError."""
    try:
        return _compiled(pattern).fullmatch(text, timeout=_MOMENT, concurrent=True) is not None
    except TimeoutError as error:
        raise FilterArgumentError("the expression takes too long", token=None) from error


def meter_of(context: RenderContext) -> Meter:
    """Return the meter of a rendering."""
    meter: Meter = context.meter  # type: ignore[attr-defined]  # our own context (templates.py) has it
    return meter


def _caught(found: Any) -> str:
    return str((found.group(1) if found.re.groups else found.group()) or "")


def _matches(text: str, pattern: Any, meter: Meter) -> Iterator[Any]:
    compiled = _compiled(written(pattern))
    count = 0
    try:
        for found in compiled.finditer(text, timeout=max(meter.left(), 0.001), concurrent=True):
            count += 1
            if count > _MOST_MATCHES:
                raise TooMuch(f"the expression matches more than {_MOST_MATCHES} times")
            yield found
    except TimeoutError as error:
        raise TooMuch(f"matching takes longer than {meter.limit.seconds:g} s") from error


def _replaced(text: str, pattern: Any, new: Any, meter: Meter, *, most: int) -> str:
    pieces, at, length = [], 0, 0
    for count, found in enumerate(_matches(text, pattern, meter), start=1):
        fresh = found.expand(written(new))
        pieces += [text[at : found.start()], fresh]
        at = found.end()
        length += len(fresh)
        meter.would_make(length)
        if count >= most:
            break
    return "".join(pieces) + text[at:]


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    if len(pattern) > _LONGEST:
        raise FilterArgumentError(f"the expression is longer than {_LONGEST} characters", token=None)
    if _written_out(pattern) > _LARGEST:
        raise FilterArgumentError("the expression repeats too much", token=None)
    try:
        return regex.compile(pattern)
    except (regex.error, RecursionError, OverflowError) as error:
        raise FilterArgumentError(f"not a regular expression: {error}", token=None) from error


_REPEATS = regex.compile(r"\{(\d{0,9})(,?)(\d{0,9})\}")


def _written_out(pattern: str) -> int:
    """Return about how many elements an expression has once its counted repetitions are written out."""
    open_groups, last, at = [0], 1, 0
    while at < len(pattern):
        mark, step = pattern[at], 1
        repeat = _REPEATS.match(pattern, at) if mark == "{" else None
        if repeat:
            times = max(int(repeat[1] or 0), int(repeat[3] or 0), 1)
            open_groups[-1] += last * (times - 1)
            last, step = last * times, len(repeat[0])
        elif mark == "(":
            open_groups.append(0)
        elif mark == ")" and len(open_groups) > 1:
            last = open_groups.pop()
            open_groups[-1] += last
        else:
            step = 2 if mark == "\\" else 1
            last = 1
            open_groups[-1] += 1
        at += step
    return sum(open_groups)
