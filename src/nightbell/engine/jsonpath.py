"""This file compiles the patterns people write about a payload, JSONPath (RFC 9535) first, and says what is wrong with one."""

import re
from typing import Any

from jsonpath_rfc9535 import JSONPathEnvironment
from jsonpath_rfc9535.exceptions import JSONPathError

from nightbell.core.directory import Find
from nightbell.core.errors import Invalid

_PATHS = JSONPathEnvironment()
#: `$.commonLabels.severity` is nearly every path in the wild (rootly.md fact 1): 0.3 us instead of 40.
_PLAIN = re.compile(r"\$((?:\.[A-Za-z_]\w*)+)")


def compiled(path: str) -> Find:
    """Return a JSONPath compiled (RFC 9535).

    Raises: Invalid naming the character.
    """
    plain = _PLAIN.fullmatch(path)
    if plain:
        return _walk(tuple(plain.group(1)[1:].split(".")))
    try:
        query = _PATHS.compile(path)
    except JSONPathError as fault:
        raise Invalid(
            f"This is no JSONPath: {fault}", place="json_path", hint="Try $.commonLabels.severity."
        ) from fault
    return lambda document: list(query.find(document).values())


def is_plain(path: str) -> bool:
    """Return whether a path leads to one value at most."""
    return _PLAIN.fullmatch(path) is not None


def _walk(names: tuple[str, ...]) -> Find:
    def find(document: Any) -> list[Any]:
        for name in names:
            if not isinstance(document, dict) or name not in document:
                return []
            document = document[name]
        return [document]

    return find


def path_problem(path: object) -> str:
    """Return what is wrong with a JSONPath, "" when nothing is."""
    if not isinstance(path, str) or len(path) > 500:
        return "JSONPath must be a text of at most 500 characters."
    try:
        compiled(path)
    except Invalid as error:
        return error.message
    except RecursionError:
        return "This JSONPath is nested too deep."
    return ""


def regexp_problem(pattern: str) -> str:
    """Return what is wrong with a regular expression, "" when nothing is."""
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return f"Not a regular expression: {error}"
    return ""
