"""This file reads what decides whether a path of a policy applies: its rules, its hours, what follows a deferral.

Rule 1: one reader for writing and for loading. What is wrong is named with its place; loaded, it never holds.
"""

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from nightbell.core import alert_fields, patterns
from nightbell.core.comparing import KEY_OPERATORS
from nightbell.core.directory import Find, PathRule, Windows
from nightbell.core.uuids import as_uuid
from nightbell.engine import windows
from nightbell.engine.checks import Checks
from nightbell.engine.jsonpath import compiled, path_problem

PATH_TYPES = ("escalation", "deferral")
MATCH_MODES = ("match-all-rules", "match-any-rule")
AFTER = ("re_evaluate", "execute_path")
MOST_RULES = 50
LONGEST_HOLD = 10_080
_VALUE = ("is", "is_not", "contains", "does_not_contain", "starts_with", "does_not_start_with")
_LIST = ("is_one_of", "is_not_one_of")
_REGEXP = ("matches", "does_not_match")
_WITHOUT = ("is_set", "is_not_set", "is_empty", "is_not_empty")
JSON_OPERATORS = (*_VALUE, *KEY_OPERATORS, *_REGEXP, *_LIST, "is_set", "is_not_set")
FIELD_OPERATORS = (*_VALUE, *KEY_OPERATORS, *_REGEXP, *_LIST, "is_empty", "is_not_empty")
SOURCE_OPERATORS = ("is", "is_not", *_LIST)


class Conditions(Struct, frozen=True, kw_only=True):
    """When a path applies, as it was read."""

    kind: str
    match_any: bool
    rules: tuple[PathRule, ...]
    windows: Windows | None


def conditions(checks: Checks, settings: dict[str, Any]) -> Conditions:
    """Read the settings of a path; `checks` gathers what is wrong with them."""
    for name, allowed, default in (
        ("path_type", PATH_TYPES, "escalation"),
        ("match_mode", MATCH_MODES, "match-all-rules"),
    ):
        if (settings.get(name) or default) not in allowed:
            checks.wrong(name, f"Must be one of: {', '.join(allowed)}.")
    given = settings.get("rules") or []
    if not isinstance(given, list) or len(given) > MOST_RULES:
        checks.wrong("rules", f"Rules are a list of at most {MOST_RULES}.")
        given = []
    hours = windows.restrictions(
        checks,
        "time_restrictions",
        settings.get("time_restriction_time_zone") or "Etc/UTC",
        settings.get("time_restrictions"),
    )
    return Conditions(
        kind=settings.get("path_type") or "escalation",
        match_any=settings.get("match_mode") == "match-any-rule",
        rules=tuple(rule_of(checks, f"rules[{i}]", rule) for i, rule in enumerate(given)),
        windows=None if hours is not None and windows.never_ends(hours) else hours,
    )


def check_hold(checks: Checks, minutes: Any, place: str = "retrigger_timeout_minutes") -> None:
    """Note what is wrong with how long an acknowledgement holds: minutes, -1 for ever, None for whoever else says."""
    whole = isinstance(minutes, int) and not isinstance(minutes, bool)
    if minutes is not None and (not whole or (minutes != -1 and not 1 <= minutes <= LONGEST_HOLD)):
        checks.wrong(place, f"Must be from 1 to {LONGEST_HOLD}, or -1 for never.")


def rule_of(checks: Checks, place: str, rule: Any) -> PathRule:
    """Read one rule of the wire."""
    kind = rule.get("rule_type") if isinstance(rule, dict) else None
    reader = _READERS.get(str(kind))
    if reader is None:
        known = ", ".join(_READERS)
        hint = "Incidents are not related to alerts yet." if kind == "related_incidents" else ""
        checks.wrong(f"{place}.rule_type", f"Rule type must be one of: {known}", hint=hint)
        return PathRule(kind="unreadable")
    return reader(checks, place, rule)


def _ids(checks: Checks, place: str, rule: dict[str, Any], name: str) -> frozenset[str]:
    given = rule.get(name)
    if not isinstance(given, list) or not given:
        checks.wrong(f"{place}.{name}", "Without any id this rule can never match; name at least one.")
        return frozenset()
    ids = [as_uuid(str(one)) for one in given]
    if None in ids:
        checks.wrong(f"{place}.{name}", f"{str(given[ids.index(None)])[:60]!r} is no id.")
    return frozenset(str(one) for one in ids if one)


def _urgency(checks: Checks, place: str, rule: dict[str, Any]) -> PathRule:
    return PathRule(kind="alert_urgency", ids=_ids(checks, place, rule, "urgency_ids"))


def _service(checks: Checks, place: str, rule: dict[str, Any]) -> PathRule:
    return PathRule(kind="service", ids=_ids(checks, place, rule, "service_ids"))


def _working_hour(checks: Checks, place: str, rule: dict[str, Any]) -> PathRule:
    within = rule.get("within_working_hour")
    if not isinstance(within, bool):
        checks.wrong(f"{place}.within_working_hour", "Must be true or false.")
    return PathRule(kind="working_hour", within=within is not False)


def _deferral_window(checks: Checks, place: str, rule: dict[str, Any]) -> PathRule:
    read = windows.deferral(checks, place, rule)
    if read is not None and windows.never_ends(read):
        checks.wrong(f"{place}.time_blocks", "This window never ends: alerts would be put off for ever.")
        return PathRule(kind="unreadable")
    return PathRule(kind="deferral_window" if read else "unreadable", windows=read)


def _source(checks: Checks, place: str, rule: dict[str, Any]) -> PathRule:
    operator, values = _comparison(checks, place, rule, SOURCE_OPERATORS)
    return PathRule(kind="source" if operator else "unreadable", operator=operator, values=values)


def _json_path(checks: Checks, place: str, rule: dict[str, Any]) -> PathRule:
    operator, values = _comparison(checks, place, rule, JSON_OPERATORS)
    path = rule.get("json_path")
    if problem := path_problem(path):
        checks.wrong(f"{place}.json_path", problem, hint="Try $.commonLabels.severity.")
        return PathRule(kind="unreadable")
    find = compiled(str(path))
    return PathRule(
        kind="json_path" if operator else "unreadable", find=find, operator=operator, values=values
    )


def _field(checks: Checks, place: str, rule: dict[str, Any]) -> PathRule:
    operator, values = _comparison(checks, place, rule, FIELD_OPERATORS)
    if rule.get("fieldable_type") not in (None, "AlertField"):
        checks.wrong(f"{place}.fieldable_type", "Must be AlertField.")
    kind = alert_fields.KINDS.get(str(rule.get("fieldable_id")))
    if kind is None:
        checks.wrong(f"{place}.fieldable_id", "There is no such alert field.", hint="GET /v1/alert_fields")
        return PathRule(kind="unreadable")
    return PathRule(
        kind="field" if operator else "unreadable", find=_field_finder(kind), operator=operator, values=values
    )


def _field_finder(kind: str) -> Find:
    return lambda payload: [alert_fields.value(payload, kind)]


def _comparison(
    checks: Checks, place: str, rule: dict[str, Any], allowed: Iterable[str]
) -> tuple[str, tuple[str, ...]]:
    """Read operator and values; "" for an operator that cannot be used."""
    operator = rule.get("operator")
    if operator not in tuple(allowed):
        checks.wrong(f"{place}.operator", f"Operator must be one of: {', '.join(allowed)}")
        return "", ()
    name = "values" if rule.get("values") or "value" not in rule else "value"
    given = rule.get("values") or ([] if rule.get("value") is None else [rule["value"]])
    if not isinstance(given, list) or not all(isinstance(v, str) and len(v) <= 1_000 for v in given):
        checks.wrong(f"{place}.{name}", "Values are texts of at most 1000 characters.")
        return "", ()
    if not given and operator not in _WITHOUT:
        checks.wrong(f"{place}.{name}", "There is nothing to compare with; give at least one value.")
        return "", ()
    if operator in _REGEXP and (problem := next(filter(None, map(patterns.problem, given)), "")):
        checks.wrong(f"{place}.{name}", problem)
        return "", ()
    return str(operator), tuple(given)


_READERS: dict[str, Callable[[Checks, str, dict[str, Any]], PathRule]] = {
    "alert_urgency": _urgency,
    "service": _service,
    "working_hour": _working_hour,
    "deferral_window": _deferral_window,
    "source": _source,
    "json_path": _json_path,
    "field": _field,
}
