"""This file finds paths that could never be taken: rules that contradict each other, hours that never meet."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from nightbell.core.directory import PathRule, Windows
from nightbell.engine.checking_paths import Conditions
from nightbell.engine.contradicting import comparison, contradicted
from nightbell.engine.jsonpath import is_plain

#: A Monday; which one does not matter, wall clocks are compared with wall clocks.
_MONDAY = datetime.combine(date(2024, 1, 1), time())


def contradiction(read: Conditions, given: Sequence[Any], business: Windows | None) -> tuple[str, str] | None:
    """Return the place and the reason why a path can never match; None when it may.

    Shape: `given` are the rules as sent, in the order of `read.rules`.
    """
    if not business and (index := _asks_for_hours(read)) is not None:
        why = "The policy has no business hours, so this rule can never match; give the policy some first."
        return f"rules[{index}]", why
    if read.match_any:
        return None
    for found in (_ids(read.rules), _hours(read, business), _values(read.rules, given)):
        if found:
            return found
    return None


def _asks_for_hours(read: Conditions) -> int | None:
    # Where one rule is enough the others may still match.
    hidden = [i for i, rule in enumerate(read.rules) if rule.kind == "working_hour"]
    return hidden[0] if hidden and not (read.match_any and len(hidden) < len(read.rules)) else None


def _ids(rules: tuple[PathRule, ...]) -> tuple[str, str] | None:
    wanted: frozenset[str] | None = None
    for index, rule in enumerate(rules):
        # An alert has one urgency; it may have several services.
        if rule.kind == "alert_urgency" and rule.ids:
            wanted = rule.ids if wanted is None else wanted & rule.ids
            if not wanted:
                return (
                    f"rules[{index}].urgency_ids",
                    "No urgency is named by all rules: this can never match.",
                )
    return None


def _hours(read: Conditions, business: Windows | None) -> tuple[str, str] | None:
    within = [(i, rule.within) for i, rule in enumerate(read.rules) if rule.kind == "working_hour"]
    if len({inside for _, inside in within}) > 1:
        return f"rules[{within[-1][0]}]", "Inside and outside of working hours at once can never match."
    opened = [rule.windows for rule in read.rules if rule.kind == "deferral_window" and rule.windows]
    opened += [read.windows] if read.windows else []
    opened += [business] if business and any(inside for _, inside in within) else []
    if len({windows.zone for windows in opened}) != 1 or _meet(opened):
        return None
    return "time_restrictions" if read.windows else "rules", "These hours never meet: this can never match."


def _meet(opened: list[Windows]) -> bool:
    """Return whether windows of one zone are ever open together; if so, also when one of them opens."""
    openings = (
        _MONDAY + timedelta(days=day) + start
        for windows in opened
        for day, stretches in enumerate(windows.hours.by_day)
        for start, _ in stretches
    )
    return any(all(windows.hours.cover(at) for windows in opened) for at in openings)


def _values(rules: tuple[PathRule, ...], given: Sequence[Any]) -> tuple[str, str] | None:
    """Return what no single value can satisfy; a path that finds several values may satisfy anything."""
    return contradicted(
        comparison(subject, f"rules[{index}]", rule.operator, rule.values)
        for index, rule in enumerate(rules)
        if (subject := _subject(rule, given[index]))
    )


def _subject(rule: PathRule, sent: Any) -> str:
    if rule.kind == "source":
        return "source"
    if rule.kind == "field":
        return f"field {sent.get('fieldable_id')}"
    if rule.kind == "json_path" and is_plain(str(sent.get("json_path"))):
        return str(sent["json_path"])
    return ""
