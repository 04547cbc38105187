"""This file says which rules of a route can never match: groups that contradict themselves, rules behind one that takes all."""

from collections.abc import Sequence
from typing import Any

from nightbell.core.labels import parse_matchers
from nightbell.engine.checks import Checks
from nightbell.engine.contradicting import Claim, comparison, contradicted, matcher
from nightbell.engine.jsonpath import is_plain

Asked = list[tuple[str, dict[str, Any]]]


def check_groups(checks: Checks, place: str, rule: dict[str, Any]) -> None:
    """Note groups that can never hold: what stands in one must all be true of one alert."""
    for number, group in enumerate(rule.get("condition_groups") or []):
        where = f"{place}.condition_groups[{number}]"
        given = group.get("conditions") or []
        asked = [(f"{where}.conditions[{index}]", one) for index, one in enumerate(given)]
        found = _urgencies_exclude(asked) or contradicted(
            claim for at, one in asked for claim in _claims(f"{at}.values", one)
        )
        if found:
            checks.wrong(*found)


def _urgencies_exclude(asked: Asked) -> tuple[str, str] | None:
    left: set[str] | None = None
    for place, one in asked:
        named = set(map(str, one.get("urgency_ids") or ()))
        if named:
            left = named if left is None else left & named
            if not left:
                return f"{place}.urgency_ids", "No urgency is named by all conditions: this can never match."
    return None


def _claims(place: str, condition: dict[str, Any]) -> list[Claim | None]:
    kind, name = condition.get("field_type"), str(condition.get("field_name") or "")
    values = tuple(map(str, condition.get("values") or ()))
    match kind:
        case "matcher":
            return [matcher(one, place) for text in values for one in parse_matchers(text)]
        case "payload" if is_plain(name):
            subject = name
        case "attribute" if name:
            subject = f"attribute {name}"
        case "alert_field":
            subject = f"field {condition.get('field_id') or name}"
        case _:
            return []
    return [comparison(subject, place, str(condition.get("operator")), values)]


def check_order(checks: Checks, rules: Sequence[dict[str, Any]]) -> None:
    """Note rules behind one that takes everything: the first that matches counts."""
    ahead: int | None = None
    for index, rule in enumerate(rules):
        if rule.get("fallback"):
            continue
        if ahead is not None:
            why = f"Rule {ahead + 1} has no conditions and takes everything: this can never match."
            checks.wrong(f"rules[{index}]", why, hint="Move it up, or make the other the fallback rule.")
        elif not rule.get("condition_groups"):
            ahead = index
