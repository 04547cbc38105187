"""This file changes routes: ordered rules that say whom an alert is for."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from nightbell.core import alert_fields, patterns
from nightbell.core.errors import Invalid
from nightbell.core.grouping import MATCHES_EXISTING
from nightbell.core.journal import Actor
from nightbell.core.labels import parse_matchers
from nightbell.core.uuids import as_uuid
from nightbell.engine.changing import Change, Writer, must_exist
from nightbell.engine.checking_routes import check_groups, check_order
from nightbell.engine.checks import Checks
from nightbell.engine.configure_sources import target_must_exist
from nightbell.engine.edits import RouteEdit
from nightbell.engine.ids import new_id
from nightbell.engine.jsonpath import path_problem
from nightbell.store.tables import routes

#: Rootly's words; core/comparing.py knows more.
ROUTE_OPERATORS = (
    "is_one_of",
    "is_not_one_of",
    "contains",
    "does_not_contain",
    "starts_with",
    "ends_with",
    "matches_regex",
    "is_empty",
)
#: A matcher is ours: its value is written as in Prometheus, `severity=~"warn.*"`.
FIELD_TYPES = ("payload", "attribute", "alert_field", "matcher")
DESTINATIONS = ("Service", "Group", "EscalationPolicy", "User")
_WITHOUT_VALUE = ("is_empty", MATCHES_EXISTING)
_MOST_RULES = 200
_MOST_CONDITIONS = 50


class Routes(Writer):
    """Changes routes."""

    async def create_route(self, edit: RouteEdit, *, by: Actor, now: datetime) -> UUID:
        """Add a route behind those there are. Raises: Problems naming the fields."""
        fields = {"rules": [], "source_ids": [], **edit.sent()}
        checks = Checks(fields)
        checks.required("name")
        _checked_route(checks)
        fields["rules"] = _numbered(fields["rules"], [], now)
        async with self.changing(by, now) as change:
            await _check_references(change, fields)
            fields.setdefault("position", await change.tx.value("next_route_position"))
            key: UUID = await change.add("route", routes, fields)
        return key

    async def update_route(self, route_id: UUID, edit: RouteEdit, *, by: Actor, now: datetime) -> None:
        """Change a route; rules that were sent replace those there were."""
        fields = edit.sent()
        _checked_route(Checks(fields))
        async with self.changing(by, now) as change:
            before = await change.locked("route", routes, route_id)
            if "rules" in fields:
                fields["rules"] = _numbered(fields["rules"], before["rules"], now)
            await _check_references(change, fields)
            await change.change("route", routes, route_id, fields)

    async def delete_route(self, route_id: UUID, *, by: Actor, now: datetime) -> None:
        """Forget a route."""
        async with self.changing(by, now) as change:
            await change.remove("route", routes, route_id)


def _checked_route(checks: Checks) -> None:
    checks.text("name")
    checks.number("position", 1, 10_000)
    rules = checks.sent.get("rules") or []
    if len(rules) > _MOST_RULES:
        checks.wrong("rules", f"At most {_MOST_RULES} rules.")
    if sum(bool(rule.get("fallback")) for rule in rules) > 1:
        checks.wrong("rules", "A route has at most one fallback rule.")
    for index, rule in enumerate(rules):
        _check_rule(checks, f"rules[{index}]", rule)
    check_order(checks, rules)
    checks.done()
    for name in ("source_ids", "owner_team_ids", "rules"):
        if name in checks.sent and checks.sent[name] is None:
            checks.sent[name] = []


def _check_rule(checks: Checks, place: str, rule: dict[str, Any]) -> None:
    name = rule.get("name")
    if not isinstance(name, str) or not 1 <= len(name.strip()) <= 255:
        checks.wrong(f"{place}.name", "A rule has a name of 1 to 255 characters.")
    for index, destination in enumerate(rule.get("destinations") or []):
        if destination.get("target_type") not in DESTINATIONS or not destination.get("target_id"):
            checks.wrong(
                f"{place}.destinations[{index}]", f"Target type must be one of: {', '.join(DESTINATIONS)}"
            )
    conditions = [
        (f"{place}.condition_groups[{g}].conditions[{c}]", condition)
        for g, group in enumerate(rule.get("condition_groups") or [])
        for c, condition in enumerate(group.get("conditions") or [])
    ]
    if len(conditions) > _MOST_CONDITIONS:
        checks.wrong(f"{place}.condition_groups", f"A rule has at most {_MOST_CONDITIONS} conditions.")
    for where, condition in conditions:
        check_condition(checks, where, condition)
    if not checks.found(place):
        check_groups(checks, place, rule)


def check_condition(
    checks: Checks, place: str, condition: dict[str, Any], operators: Sequence[str] = ROUTE_OPERATORS
) -> None:
    """Note what is wrong with one condition, at the field that says it."""
    kind, operator = condition.get("field_type"), condition.get("operator")
    values = condition.get("values") or []
    if not all(isinstance(value, str) for value in values):
        checks.wrong(f"{place}.values", "Values are texts.")
    elif kind == "matcher":
        _check_matcher(checks, f"{place}.values", values)
    else:
        _check_field(checks, place, condition)
        if operator not in operators:
            checks.wrong(f"{place}.operator", f"Operator must be one of: {', '.join(operators)}")
        elif operator == "matches_regex":
            for problem in filter(None, map(patterns.problem, values)):
                checks.wrong(f"{place}.values", problem)
        if operator not in _WITHOUT_VALUE and not values and not condition.get("urgency_ids"):
            checks.wrong(f"{place}.values", "Without a value this never holds, or always; name at least one.")


def _check_field(checks: Checks, place: str, condition: dict[str, Any]) -> None:
    kind, name = condition.get("field_type"), condition.get("field_name")
    if kind not in FIELD_TYPES:
        checks.wrong(f"{place}.field_type", f"Field type must be one of: {', '.join(FIELD_TYPES)}")
    elif kind == "payload" and (problem := path_problem(name)):
        checks.wrong(f"{place}.field_name", problem)
    elif kind == "attribute" and not name and not condition.get("urgency_ids"):
        checks.wrong(f"{place}.field_name", "An attribute has a name.")
    elif kind == "alert_field" and alert_fields.named(condition) is None:
        checks.wrong(f"{place}.field_id", "There is no such alert field.", hint="GET /v1/alert_fields")


def _check_matcher(checks: Checks, place: str, values: list[str]) -> None:
    if not values:
        checks.wrong(place, "A matcher is missing.", hint='severity=~"warn.*"')
    for text in values:
        try:
            if not parse_matchers(text):
                hint = 'Name a label: severity=~"warn.*". A rule without conditions takes everything.'
                checks.wrong(place, "This matcher takes everything.", hint=hint)
        except Invalid as error:
            checks.wrong(place, f"This is no matcher: {error.message}", hint=error.hint)


def _numbered(
    rules: list[dict[str, Any]], before: list[dict[str, Any]], now: datetime
) -> list[dict[str, Any]]:
    """Give every rule an id: its own if it had one here, that of the rule it replaces by name, or a new one."""
    by_id = {rule["id"] for rule in before}
    by_name = {rule["name"]: rule["id"] for rule in before}
    used: set[str] = set()
    numbered = []
    for rule in rules:
        ident = rule.get("id") if rule.get("id") in by_id else by_name.get(rule["name"])
        ident = str(new_id(now)) if ident is None or ident in used else ident
        used.add(ident)
        numbered.append({**_complete(rule), "id": ident})
    return numbered


def _complete(rule: dict[str, Any]) -> dict[str, Any]:
    """Fill in what readers of a stored rule count on."""
    groups = [
        {**group, "conditions": group.get("conditions") or []} for group in rule.get("condition_groups") or []
    ]
    return {
        **rule,
        "name": rule["name"].strip(),
        "fallback": bool(rule.get("fallback")),
        "destinations": rule.get("destinations") or [],
        "condition_groups": groups,
    }


async def _check_references(change: Change, fields: dict[str, Any]) -> None:
    await must_exist(change, "sources", "source_ids", fields.get("source_ids"))
    await must_exist(change, "teams", "owner_team_ids", fields.get("owner_team_ids"))
    for index, rule in enumerate(fields.get("rules") or []):
        for number, target in enumerate(rule.get("destinations") or []):
            place = f"rules[{index}].destinations[{number}].target_id"
            await target_must_exist(change, place, target["target_type"], str(target["target_id"]))
        for group in rule.get("condition_groups") or []:
            for condition in group.get("conditions") or []:
                asked = [as_uuid(str(key)) for key in condition.get("urgency_ids") or []]
                if None in asked:
                    raise Invalid("There is no such urgency.", place=f"rules[{index}].condition_groups")
                await must_exist(change, "urgencies", f"rules[{index}].condition_groups", asked)
