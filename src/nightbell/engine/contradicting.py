"""This file finds conditions that must all hold and never can: what is asked of one value is tried on every value left.

Rule 1: what cannot be decided is taken to be possible. A rule that was refused wrongly could not be written at all.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from nightbell.core.comparing import KEY_OPERATORS, compared
from nightbell.core.labels import Matcher, Op

WHY = "It contradicts the conditions beside it: this can never match."
NOTHING = "No value at all satisfies this: it can never match."
_EQUAL = ("is", "is_one_of")
_EMPTY = ("is_empty", "is_not_set")
_OPPOSITE = {
    "is": "is_not", "is_one_of": "is_not_one_of", "contains": "does_not_contain", "matches": "does_not_match",
    "matches_regex": "does_not_match", "starts_with": "does_not_start_with", "is_empty": "is_not_empty",
    "is_set": "is_not_set", Op.MATCHES: Op.MATCHES_NOT, Op.EQUAL: Op.NOT_EQUAL,
}  # fmt: skip
#: A regular expression that names its values: warn|crit.
_LISTED = re.compile(r"[\w\- /:]+(?:\|[\w\- /:]+)*")
#: What every text matches, the empty one too.
_ANYTHING = frozenset({".*", "^.*$", "^.*", ".*$", "(.*)", "(?s).*", ".*?"})


class Claim(Struct, frozen=True, kw_only=True):
    """What one condition asks of a subject, a text: a label, a plain path, a field."""

    subject: str
    place: str
    operator: str
    values: tuple[str, ...]
    holds: Callable[[str], bool]
    #: The only values that may hold; None where they cannot be listed.
    allowed: frozenset[str] | None = None
    #: No value satisfies it.
    never: bool = False


def comparison(subject: str, place: str, operator: str, values: tuple[str, ...]) -> Claim | None:
    """Return the claim of a comparison in Rootly's words; None where a subject is no text."""
    if operator in KEY_OPERATORS or not operator:
        return None
    allowed = frozenset(values) if operator in _EQUAL else frozenset(("",)) if operator in _EMPTY else None
    # These search, so the empty expression is found in everything.
    never = operator == "does_not_match" and any(not v or v in _ANYTHING for v in values)
    return Claim(
        subject=subject,
        place=place,
        operator=operator,
        values=values,
        holds=lambda text: compared(operator, [text], values),
        allowed=allowed,
        never=never or (operator.startswith("does_not_") and "" in values and operator != "does_not_match"),
    )


def matcher(one: Matcher, place: str) -> Claim:
    """Return the claim of a Prometheus matcher."""
    allowed = frozenset((one.value,)) if one.op is Op.EQUAL else None
    if one.op is Op.MATCHES and _LISTED.fullmatch(one.value):
        allowed = frozenset(one.value.split("|"))
    return Claim(
        subject=label(one.name),
        place=place,
        operator=one.op,
        values=(one.value,),
        holds=lambda text: one.matches({one.name: text}),
        allowed=allowed,
        never=one.op is Op.MATCHES_NOT and one.value in _ANYTHING,
    )


def label(name: str) -> str:
    """Return the subject of a common label, which a path may name too."""
    return f"$.commonLabels.{name}"


def contradicted(claims: Iterable[Claim | None]) -> tuple[str, str] | None:
    """Return the place and the reason of claims that cannot all hold; None where they may."""
    by_subject: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        if claim is not None:
            by_subject[claim.subject].append(claim)
    for found in by_subject.values():
        wrong = _wrong(found)
        if wrong:
            return wrong
    return None


def _wrong(found: Sequence[Claim]) -> tuple[str, str] | None:
    empty = next((claim for claim in found if claim.never), None)
    if empty:
        return empty.place, NOTHING
    # Those that list their values first, so that the place is that of whatever leaves none.
    ordered = sorted(found, key=lambda claim: claim.allowed is None)
    left = ordered[0].allowed
    for at, claim in enumerate(ordered):
        if left is not None:
            left = frozenset(text for text in left if claim.holds(text))
            if not left:
                return claim.place, WHY
        if any(_opposite(claim, other) for other in ordered[:at]):
            return claim.place, WHY
    return None


def _opposite(one: Claim, other: Claim) -> bool:
    says = {one.operator, other.operator}
    return set(one.values) == set(other.values) and any(
        says == {asked, denied} for asked, denied in _OPPOSITE.items()
    )
