"""A route while somebody edits it: rules in order, groups of conditions side by side, whom each rule pages.

Rule 1: what the form cannot show comes back as it went; nothing that the API set is lost by a save.
"""

from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from nightbell.core.directory import RouteRule
from nightbell.core.errors import Invalid
from nightbell.engine.configure_routes import ROUTE_OPERATORS
from nightbell.engine.directory import route_rule
from nightbell.engine.edits import RouteEdit
from nightbell.web.forms import Form

OPERATORS = tuple((one, one.replace("_", " ")) for one in ROUTE_OPERATORS)
KINDS = (("matcher", "labels match"), ("payload", "a value of the payload"))
_MOST_RULES, _MOST_GROUPS, _MOST_CONDITIONS = 50, 20, 20
_NOBODY = str(UUID(int=0))


class Condition(Struct, frozen=True, kw_only=True):
    """One comparison: a Prometheus matcher in `text`, or a path with operator and values separated by commas."""

    kind: str
    text: str = ""
    path: str = "$.commonLabels.severity"
    operator: str = "is_one_of"
    values: str = ""
    #: As it is stored, where the form cannot show it.
    kept: dict[str, Any] | None = None


class Rule(Struct, frozen=True, kw_only=True):
    """One rule; groups hold beside each other, conditions in a group together. Destinations are "User/1001"."""

    ident: str = ""
    name: str = ""
    fallback: bool = False
    groups: tuple[tuple[Condition, ...], ...] = ()
    destinations: tuple[str, ...] = ()


class Draft(Struct, frozen=True, kw_only=True):
    """A whole route in the form."""

    name: str = ""
    enabled: bool = True
    sources: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()


def new() -> Draft:
    """Return the form of a route that is yet to be made."""
    first = (Condition(kind="matcher", text='severity="critical"'),)
    return Draft(rules=(Rule(name="Critical", groups=(first,)),))


def from_row(row: dict[str, Any]) -> Draft:
    """Return the form of a stored route."""
    return Draft(
        name=row["name"],
        enabled=row["enabled"],
        sources=tuple(map(str, row["source_ids"])),
        rules=tuple(_rule(rule) for rule in row["rules"]),
    )


def _rule(rule: dict[str, Any]) -> Rule:
    return Rule(
        ident=str(rule["id"]),
        name=rule["name"],
        fallback=bool(rule.get("fallback")),
        groups=tuple(tuple(map(_condition, group["conditions"])) for group in rule["condition_groups"]),
        destinations=tuple(f"{d['target_type']}/{d['target_id']}" for d in rule["destinations"]),
    )


def _condition(one: dict[str, Any]) -> Condition:
    values = [str(value) for value in one.get("values") or ()]
    if one.get("field_type") == "matcher" and len(values) == 1 and not one.get("urgency_ids"):
        return Condition(kind="matcher", text=values[0])
    simple = one.get("field_type") == "payload" and not one.get("urgency_ids")
    if not simple or any("," in value or value != value.strip() for value in values):
        return Condition(kind=str(one.get("field_type")), kept=one)
    return Condition(
        kind="payload",
        path=str(one.get("field_name") or ""),
        operator=str(one.get("operator")),
        values=", ".join(values),
    )


def from_form(form: Form) -> Draft:
    """Return what the form holds, a target just chosen added to it.

    Raises: Invalid for a condition that cannot be read.
    """
    idents = form.aligned("rule")[:_MOST_RULES]
    return Draft(
        name=form.text("name"),
        enabled=form.raw("enabled") != "no",
        sources=tuple(form.many("source")),
        rules=tuple(_read_rule(form, number, ident) for number, ident in enumerate(idents)),
    )


def _read_rule(form: Form, number: int, ident: str) -> Rule:
    many = len(form.aligned(f"group-{number}")[:_MOST_GROUPS])
    chosen = [*form.many(f"to-{number}"), *form.many(f"add-{number}")]
    return Rule(
        ident=ident,
        name=form.text(f"rule-name-{number}"),
        fallback=form.flag(f"fallback-{number}"),
        groups=tuple(_read_group(form, f"{number}-{group}") for group in range(many)),
        destinations=tuple(dict.fromkeys(chosen)),
    )


def _read_group(form: Form, at: str) -> tuple[Condition, ...]:
    kinds = form.aligned(f"condition-{at}")[:_MOST_CONDITIONS]
    return tuple(_read_condition(form, f"{at}-{number}", kind) for number, kind in enumerate(kinds))


def _read_condition(form: Form, at: str, kind: str) -> Condition:
    if kept := form.raw(f"kept-{at}"):
        try:
            return Condition(kind=kind, kept=msgspec.json.decode(kept, type=dict[str, Any]))
        except msgspec.DecodeError:
            raise Invalid("This condition cannot be read.", place="rules") from None
    return Condition(
        kind=kind,
        text=form.text(f"text-{at}", longest=2_000),
        path=form.text(f"path-{at}"),
        operator=form.text(f"op-{at}") or "is_one_of",
        values=form.text(f"values-{at}", longest=5_000),
    )


def edit_of(draft: Draft) -> RouteEdit:
    """Return the edit that the form stands for.

    Raises: Invalid for a target that no picker offers, or a source that is none.
    """
    try:
        sources = [UUID(one) for one in draft.sources]
    except ValueError:
        raise Invalid("Choose sources from the list.", place="source_ids") from None
    return RouteEdit(name=draft.name, enabled=draft.enabled, source_ids=sources, rules=stored_rules(draft))


def stored_rules(draft: Draft) -> list[dict[str, Any]]:
    """Return the rules of the form as they are stored; an empty line of conditions is left out."""
    return [
        {
            "id": rule.ident or None,
            "name": rule.name,
            "fallback": rule.fallback,
            "condition_groups": [{"conditions": list(map(_stored, group))} for group in rule.groups if group],
            "destinations": [_destination(text) for text in rule.destinations],
        }
        for rule in draft.rules
    ]


def _stored(one: Condition) -> dict[str, Any]:
    if one.kept is not None:
        return one.kept
    if one.kind == "matcher":
        return {"field_type": "matcher", "field_name": None, "operator": "is_one_of", "values": [one.text]}
    values = [text.strip() for text in one.values.split(",") if text.strip()]
    return {"field_type": "payload", "field_name": one.path, "operator": one.operator, "values": values}


def _destination(text: str) -> dict[str, str]:
    kind, _, ident = text.partition("/")
    if not ident:
        raise Invalid("Choose whom to page from the list.", place="rules")
    return {"target_type": kind, "target_id": ident}


def core_rules(draft: Draft) -> tuple[RouteRule, ...]:
    """Return the rules as a decision would read them, the fallback last.

    Raises: Invalid for a condition that cannot be read.
    """
    rules = [route_rule({**rule, "id": rule["id"] or _NOBODY}) for rule in stored_rules(draft)]
    return tuple(sorted(rules, key=lambda rule: rule.fallback))


def edited(draft: Draft, what: str, form: Form) -> Draft:
    """Return the draft after one of its buttons: rule, drop:1, up:1, group:0, condition:0:1, uncondition:0:1:2, unto:0:User/1."""
    verb, _, rest = what.partition(":")
    first, _, tail = rest.partition(":")
    if verb == "rule" and len(draft.rules) < _MOST_RULES:
        return replace(draft, rules=(*draft.rules, Rule(groups=((Condition(kind="matcher"),),))))
    at = int(first) if first.isdecimal() and int(first) < len(draft.rules) else None
    if at is None:
        return draft
    rules = list(draft.rules)
    if verb == "drop":
        del rules[at]
    elif verb in ("up", "down"):
        to = at + (1 if verb == "down" else -1)
        if 0 <= to < len(rules):
            rules[at], rules[to] = rules[to], rules[at]
    else:
        rules[at] = _changed(rules[at], verb, tail, form.text("new_condition") or "matcher")
    return replace(draft, rules=tuple(rules))


def _changed(rule: Rule, verb: str, tail: str, kind: str) -> Rule:
    group, _, number = tail.partition(":")
    groups = list(rule.groups)
    g = int(group) if group.isdecimal() and int(group) < len(groups) else None
    match verb:
        case "unto":
            return replace(rule, destinations=tuple(one for one in rule.destinations if one != tail))
        case "group" if len(groups) < _MOST_GROUPS:
            groups.append((Condition(kind="matcher"),))
        case "condition" | "payload" if g is not None:
            groups[g] = (*groups[g], Condition(kind="payload" if verb == "payload" else kind))
        case "uncondition" if g is not None and number.isdecimal():
            kept = tuple(one for n, one in enumerate(groups[g]) if n != int(number))
            groups = [*groups[:g], *([kept] if kept else []), *groups[g + 1 :]]
        case _:
            return rule
    return replace(rule, groups=tuple(groups))
