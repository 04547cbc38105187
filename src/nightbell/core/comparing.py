"""This file compares what a payload holds with what a rule wants: Rootly's words for routes, urgencies and paths.

Rule 1: what is absent counts as empty, so every word that says "not" holds for it.
"""

from collections.abc import Callable, Iterable
from typing import Any

from nightbell.core import identity, patterns

Test = Callable[[list[str], tuple[str, ...]], bool]


def compared(operator: str, found: Iterable[Any], wanted: tuple[str, ...]) -> bool:
    """Return whether values found in a payload are as wanted; `operator` is of OPERATORS or KEY_OPERATORS."""
    values = [value for value in found if value is not None]
    if operator in KEY_OPERATORS:
        has = any(isinstance(value, dict) and key in value for value in values for key in wanted)
        return has is (operator == "contains_key")
    return OPERATORS[operator]([identity.text(value) for value in values] or [""], wanted)


def _any(test: Callable[[str, str], bool]) -> Test:
    return lambda found, wanted: any(test(have, want) for have in found for want in wanted)


def _none(test: Callable[[str, str], bool]) -> Test:
    return lambda found, wanted: not any(test(have, want) for have in found for want in wanted)


def _among(found: list[str], wanted: tuple[str, ...]) -> bool:
    return any(have in wanted for have in found)


def _not_among(found: list[str], wanted: tuple[str, ...]) -> bool:
    return not _among(found, wanted)


def _contains(have: str, want: str) -> bool:
    return want in have


def _matches(have: str, want: str) -> bool:
    return patterns.within(want, have)


#: Over the texts of what was found; never an empty list.
OPERATORS: dict[str, Test] = {
    "is": _among,
    "is_one_of": _among,
    "is_not": _not_among,
    "is_not_one_of": _not_among,
    "contains": _any(_contains),
    "does_not_contain": _none(_contains),
    "starts_with": _any(str.startswith),
    "does_not_start_with": _none(str.startswith),
    "ends_with": _any(str.endswith),
    "matches_regex": _any(_matches),
    "matches": _any(_matches),
    "does_not_match": _none(_matches),
    "is_empty": lambda found, wanted: not any(found),
    "is_not_empty": lambda found, wanted: any(found),
    "is_set": lambda found, wanted: any(found),
    "is_not_set": lambda found, wanted: not any(found),
}
#: Over what was found itself: an object that has one of these keys.
KEY_OPERATORS = ("contains_key", "does_not_contain_key")
