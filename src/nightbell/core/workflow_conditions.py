"""One condition of a workflow: what it reads, how it compares, and why it does or does not hold.

Rule 1: a condition reads the context that templates read too, so that what is previewed, tried and run is the same.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from nightbell.core import patterns

#: Everything a run may speak of: {"alert": {...}, "incident": {...}, "action_item": {...}}.
Subject = Mapping[str, Any]
Read = Callable[[Subject], tuple[str, ...]]

ALL, ANY, NONE = "ALL", "ANY", "NONE"
#: How conditions combine.
LOGICS = (ALL, ANY, NONE)
#: How one condition compares, in Rootly's words. ANY does not ask at all.
OPERATORS = ("IS", "IS NOT", "ANY", "CONTAINS", "CONTAINS_ALL", "CONTAINS_NONE", "NONE", "SET", "UNSET")
#: They look at no values of their own.
BARE = frozenset({"ANY", "SET", "UNSET"})
#: They hold when nothing of what is wanted is there.
NEGATIVE = frozenset({"IS NOT", "CONTAINS_NONE", "NONE"})

_WORDS = {
    "IS": "is one of",
    "IS NOT": "is not",
    "CONTAINS": "contains one of",
    "CONTAINS_ALL": "contains all of",
    "CONTAINS_NONE": "contains none of",
    "NONE": "is none of",
    "SET": "is set",
    "UNSET": "is not set",
}
_LONGEST = 200
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Condition(Struct, frozen=True, kw_only=True):
    """One comparison.

    Shape: two conditions with the same `about` read the same. `piece`: CONTAINS means a piece of the text, not one of
    several values.
    """

    about: str
    read: Read
    operator: str
    values: tuple[str, ...] = ()
    regexp: bool = False
    piece: bool = False
    #: How people call the values, where these are ids.
    names: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """Return the condition as a person would say it."""
        word = _WORDS[self.operator]
        if self.operator in BARE:
            return f"{self.about} {word}"
        wanted = ", ".join(self.names or self.values)
        return f"{self.about} {word} {'/' + wanted + '/' if self.regexp else wanted}"


class Rules(Struct, frozen=True, kw_only=True):
    """Conditions, and how they combine; without any of them everything matches."""

    logic: str = ALL
    conditions: "tuple[Condition | Rules, ...]" = ()


class Finding(Struct, frozen=True, kw_only=True):
    """What became of one condition."""

    met: bool
    condition: str
    found: str

    @property
    def told(self) -> str:
        """Return it as a sentence."""
        return f"{self.condition}: {'yes' if self.met else 'no'}, it is {self.found or 'not there'}."


def met(condition: Condition, found: tuple[str, ...]) -> bool:
    """Return whether values that were found are as wanted."""
    match condition.operator:
        case "ANY":
            return True
        case "SET":
            return any(found)
        case "UNSET":
            return not any(found)
        case "NONE" if not condition.values:
            return not any(found)
    agrees = _agreement(condition)
    if condition.operator == "CONTAINS_ALL":
        return all(any(agrees(have, want) for have in found) for want in condition.values)
    hit = any(agrees(have, want) for want in condition.values for have in found)
    return hit is (condition.operator not in NEGATIVE)


def holds(rules: Rules, subject: Subject) -> bool:
    """Return whether rules hold, without saying why."""
    if not rules.conditions:
        return True
    results = (
        holds(c, subject) if isinstance(c, Rules) else met(c, c.read(subject)) for c in rules.conditions
    )
    return combined(rules.logic, results)


def findings(rules: Rules, subject: Subject) -> tuple[bool, tuple[Finding, ...]]:
    """Return whether rules hold, and what became of every condition: none is left out because another decided."""
    told: list[Finding] = []
    results = []
    for condition in rules.conditions:
        if isinstance(condition, Rules):
            result, inner = findings(condition, subject)
            told += inner
        else:
            found = condition.read(subject)
            result = met(condition, found)
            told.append(Finding(met=result, condition=condition.said, found=_shown(condition, found)))
        results.append(result)
    return not results or combined(rules.logic, iter(results)), tuple(told)


def combined(logic: str, results: Any) -> bool:
    """Return what results that are there come to."""
    if logic == ANY:
        return any(results)
    return not any(results) if logic == NONE else all(results)


def _agreement(condition: Condition) -> Callable[[str, str], bool]:
    if condition.regexp:
        return _matches
    if condition.piece and condition.operator.startswith("CONTAINS"):
        return _inside
    return _equal


def _matches(have: str, want: str) -> bool:
    return patterns.within(want, have)


def _inside(have: str, want: str) -> bool:
    return want in have


def _equal(have: str, want: str) -> bool:
    return have == want


def _shown(condition: Condition, found: tuple[str, ...]) -> str:
    """Return what was found as a person would say it: a name instead of an id, a label once."""
    if condition.about.endswith(" label"):
        found = tuple(text for text in found if ":" in text)
    wanted = set(condition.values)
    named = [text for text in found if text in wanted or not _ID.fullmatch(text)]
    shown = ", ".join(named or found)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
