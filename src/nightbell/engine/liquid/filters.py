"""Every filter beside those of Liquid itself, and ours in place of some of its own."""

import random
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from liquid import RenderContext
from liquid.filter import liquid_filter, sequence_filter, with_context
from liquid.undefined import is_undefined

from nightbell.engine.liquid import dates, expressions, texts
from nightbell.engine.liquid.words import as_json, written

_MISSING = object()


@liquid_filter
def get(value: Any, path: Any, otherwise: Any = None) -> Any:
    """Return what stands at a path: "labels.severity", "alerts[0].status", "alerts.0.status"."""
    found = dug(value, written(path))
    return otherwise if found is _MISSING else found


@sequence_filter
def find(many: Any, path: Any, wanted: Any = None) -> Any:
    """Return the first element with this value at this path, or with any."""
    return next((one for one in many if _meets(one, written(path), wanted)), None)


@sequence_filter
def where(many: Any, path: Any, wanted: Any = None) -> list[Any]:
    """Return every element with this value at this path, or with any."""
    return [one for one in many if _meets(one, written(path), wanted)]


@sequence_filter
def uniq(many: Any, path: Any = None) -> list[Any]:
    """Return the elements, each once; with a path, each value there once."""
    seen: dict[str, Any] = {}
    for one in many:
        what = one if path is None else dug(one, written(path))
        seen.setdefault(as_json(what), one)
    return list(seen.values())


@sequence_filter
def join(many: Any, between: Any = " ") -> str:
    """Return the elements as one text."""
    return written(between).join(written(one) for one in many)


@liquid_filter
def to_json(value: Any, pretty: Any = False) -> str:
    """Return a value as JSON."""
    return as_json(value, pretty=bool(pretty))


@liquid_filter
def to_values(value: Any) -> list[Any]:
    """Return the values of a table, without their names."""
    return list(value.values()) if isinstance(value, dict) else _listed(value)


@sequence_filter
def flatten(many: Any) -> list[Any]:
    """Return lists within lists as one list."""
    return [*many]


@with_context
@sequence_filter
def shuffle(many: Any, *, context: RenderContext) -> list[Any]:
    """Return the elements in another order: the same for the same elements at the same time."""
    mixed = list(many)
    seed = sha256(f"{len(mixed)}/{dates.iso(context.now)}".encode()).digest()  # type: ignore[attr-defined]  # our own context (templates.py) has it
    random.Random(seed).shuffle(mixed)
    return mixed


@liquid_filter
def to_table(value: Any, *columns: Any) -> str:
    """Return elements as a table in Markdown: one column for each name, or for all there are."""
    rows = [value] if isinstance(value, dict) else _listed(value)
    if not rows:
        return ""
    if not all(isinstance(row, dict) for row in rows):
        return _markdown(["value"], [[written(row)] for row in rows])
    names = [written(c) for c in columns] or list(dict.fromkeys(str(name) for row in rows for name in row))
    return _markdown(names, [[_cell(dug(row, name)) for name in names] for row in rows])


def _markdown(names: list[str], rows: list[list[str]]) -> str:
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(value: Any) -> str:
    text = "" if value is _MISSING else written(value)
    return text.replace("\r", "").replace("\n", " ").replace("|", "\\|")


def _listed(value: Any) -> list[Any]:
    if value is None or is_undefined(value):
        return []
    return list(value) if isinstance(value, (list, tuple, range)) else [value]


def _meets(one: Any, path: str, wanted: Any) -> bool:
    found = dug(one, path)
    if found is _MISSING:
        return False
    if wanted is None or is_undefined(wanted):
        return found not in (None, False)
    return bool(found == wanted) or written(found) == written(wanted)


def dug(value: Any, path: str) -> Any:
    """Return what stands at a path; a name that is there as it is written wins over a path."""
    if isinstance(value, dict) and path in value:
        return value[path]
    for part in path.replace("[", ".").replace("]", "").lstrip(".").split("."):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, (list, tuple)) and part.lstrip("-").isdecimal():
            at = int(part[:9])
            if not -len(value) <= at < len(value):
                return _MISSING
            value = value[at]
        else:
            return _MISSING
    return value


FILTERS: dict[str, Callable[..., Any]] = {
    one.__name__: one
    for one in (
        get,
        find,
        where,
        uniq,
        join,
        to_json,
        to_values,
        flatten,
        shuffle,
        to_table,
        dates.date,
        dates.smart_date,
        dates.date_add,
        dates.date_minus,
        dates.in_time_zone,
        dates.to_utc,
        dates.to_iso8601,
        dates.distance_of_time_in_words,
        dates.distance_of_time_in_words_to_now,
        expressions.regex_replace,
        expressions.regex_replace_first,
        expressions.regex_remove,
        expressions.regex_match,
        expressions.regex_match_all,
        texts.dasherize,
        texts.parameterize,
        texts.camelize,
        texts.titleize,
        texts.humanize,
        texts.pluralize,
        texts.shortener,
        texts.strip_html,
        texts.html_to_markdown,
    )
} | {"json": to_json}
