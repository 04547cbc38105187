"""What is asked before a filter of the library runs: how much it would make, and what its values read as."""

from collections.abc import Callable
from typing import Any

from liquid.undefined import is_undefined

from nightbell.engine.liquid.limits import Meter
from nightbell.engine.liquid.words import written

#: Filters of texts: whatever they are given is given as it would be written.
_OF_TEXTS = frozenset(
    "append prepend replace replace_first replace_last remove remove_first remove_last capitalize downcase upcase"
    " escape escape_once lstrip rstrip strip squish strip_html strip_newlines newline_to_br split truncate truncatewords"
    " url_encode url_decode base64_encode base64_decode base64_url_safe_encode base64_url_safe_decode escapejs".split()
)
#: Their arguments that are texts too, by how many.
_TEXTS_AFTER = {
    name: 2
    for name in "append prepend replace replace_first replace_last remove remove_first remove_last".split()
}


def prepared(name: str, values: tuple[Any, ...], meter: Meter) -> tuple[Any, ...]:
    """Return the values for a filter, texts written out. Raises: TooMuch when it would make too much."""
    if name in _OF_TEXTS:
        many = 1 + _TEXTS_AFTER.get(name, 0)
        values = tuple(written(v) if n < many else v for n, v in enumerate(values))
        meter.would_make(len(values[0]))
    if growth := _GROWTH.get(name):
        meter.would_make(growth(values))
    return values


def _together(values: tuple[Any, ...]) -> int:
    return sum(len(v) for v in values if isinstance(v, str))


def _replaced(values: tuple[Any, ...]) -> int:
    text, gone, new = (str(v) for v in (*values, "", "")[:3])
    return len(text) + text.count(gone) * len(new)


def _joined(values: tuple[Any, ...]) -> int:
    many, between = values[0], written(values[1]) if len(values) > 1 else " "
    if not isinstance(many, (list, tuple)):
        return 0
    return len(many) * len(between) + sum(len(one) for one in many if isinstance(one, str))


def _shortened(values: tuple[Any, ...]) -> int:
    return sum(len(written(v)) for v in values if not is_undefined(v))


_GROWTH: dict[str, Callable[[tuple[Any, ...]], int]] = {
    "append": _together,
    "prepend": _together,
    "replace": _replaced,
    "join": _joined,
    "truncate": _shortened,
    "truncatewords": _shortened,
}
