"""This file changes grouping rules: which alerts are one problem, so that the first pages and the others follow it.

Rule 1: a rule is asked when an alert first pages; changing or deleting it moves no alert that is in a group already.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from nightbell.core.comparing import compared
from nightbell.core.errors import Invalid
from nightbell.core.grouping import MATCHES_EXISTING
from nightbell.core.journal import Actor
from nightbell.core.uuids import as_uuid
from nightbell.engine.changing import Change, Writer, must_exist
from nightbell.engine.checks import Checks
from nightbell.engine.configure_routes import ROUTE_OPERATORS, check_condition
from nightbell.engine.configure_sources import target_must_exist
from nightbell.engine.configure_teams import SLUG, free_slug
from nightbell.engine.edits import GroupingEdit
from nightbell.engine.jsonpath import is_plain, path_problem
from nightbell.store.tables import grouping_rules

#: Rootly's words; alerts for a person only are grouped by rules for everything.
TARGETS = ("Group", "Service", "EscalationPolicy")
OPERATORS = (*ROUTE_OPERATORS, MATCHES_EXISTING)
CONDITION_TYPES = ("all", "any")
#: Minutes.
SHORTEST, LONGEST = 1, 10_080
_MOST = {"targets": 200, "attributes": 20, "conditions": 50}
_NEW: dict[str, Any] = {
    "condition_type": "all",
    "time_window": 10,
    "by_title": False,
    "by_urgency": False,
    "targets": [],
    "attributes": [],
    "conditions": [],
    "owner_team_ids": [],
}


class Groupings(Writer):
    """Changes grouping rules."""

    async def create_grouping(self, edit: GroupingEdit, *, by: Actor, now: datetime) -> UUID:
        """Add a rule behind those there are. Raises: Problems naming the fields."""
        fields = {**_NEW, **edit.sent()}
        checks = Checks(fields)
        checks.required("name")
        _checked(checks, fields)
        async with self.changing(by, now) as change:
            await _check_references(change, fields)
            if "slug" not in fields:
                fields["slug"] = await free_slug(change, "grouping_rule", fields["name"])
            fields.setdefault("position", await change.tx.value("next_grouping_position"))
            key: UUID = await change.add("alert_group", grouping_rules, fields)
        return key

    async def update_grouping(self, rule_id: UUID, edit: GroupingEdit, *, by: Actor, now: datetime) -> None:
        """Change a rule; lists that were sent replace those there were."""
        fields = edit.sent()
        async with self.changing(by, now) as change:
            before = await change.locked("alert_group", grouping_rules, rule_id)
            _checked(Checks(fields), {**before, **fields})
            await _check_references(change, fields)
            await change.change("alert_group", grouping_rules, rule_id, fields)

    async def delete_grouping(self, rule_id: UUID, *, by: Actor, now: datetime) -> None:
        """Forget a rule; groups it made go on as they are."""
        async with self.changing(by, now) as change:
            await change.remove("alert_group", grouping_rules, rule_id)


def _checked(checks: Checks, whole: dict[str, Any]) -> None:
    """Note what is wrong with a rule; `checks` holds what was sent of it, `whole` the rule as it will be.

    Raises: Problems.
    """
    sent = checks.sent
    for name in _NEW:
        if name in sent and sent[name] is None:
            sent[name] = whole[name] = _NEW[name]
    if not sent.get("slug"):
        sent.pop("slug", None)
    _check_fields(checks)
    _check_lists(checks)
    checks.done()
    for place, why in _impossible(whole):
        checks.wrong(place, why)
    checks.done()


def _check_fields(checks: Checks) -> None:
    checks.text("name")
    checks.that(
        "slug", lambda s: "" if SLUG.fullmatch(s) else "Slug: lower-case letters, digits, - and _ only."
    )
    checks.text("description", longest=10_000, empty=True)
    checks.choice("condition_type", CONDITION_TYPES)
    checks.number("time_window", SHORTEST, LONGEST)
    checks.number("position", 1, 10_000)
    for name, most in _MOST.items():
        if len(checks.sent.get(name) or []) > most:
            checks.wrong(name, f"At most {most}, please.")


def _check_lists(checks: Checks) -> None:
    for index, target in enumerate(checks.sent.get("targets") or []):
        _check_target(checks, f"targets[{index}]", target)
    for index, attribute in enumerate(checks.sent.get("attributes") or []):
        problem = path_problem(attribute.get("json_path") or "")
        if problem:
            checks.wrong(f"attributes[{index}].json_path", problem, "Try $.commonLabels.cluster.")
    for index, condition in enumerate(checks.sent.get("conditions") or []):
        check_condition(checks, f"conditions[{index}]", condition, OPERATORS)


def _check_target(checks: Checks, place: str, target: dict[str, Any]) -> None:
    if target.get("target_type") not in TARGETS:
        checks.wrong(f"{place}.target_type", f"Target type must be one of: {', '.join(TARGETS)}")
    elif as_uuid(str(target.get("target_id"))) is None:
        checks.wrong(f"{place}.target_id", "A target has the id of what it is, a UUID.")


async def _check_references(change: Change, fields: dict[str, Any]) -> None:
    await must_exist(change, "teams", "owner_team_ids", fields.get("owner_team_ids"))
    for index, target in enumerate(fields.get("targets") or []):
        place = f"targets[{index}].target_id"
        await target_must_exist(change, place, target["target_type"], str(target["target_id"]))
    for index, condition in enumerate(fields.get("conditions") or []):
        place = f"conditions[{index}].urgency_ids"
        asked = [as_uuid(str(key)) for key in condition.get("urgency_ids") or []]
        if None in asked:
            raise Invalid("There is no such urgency.", place=place)
        await must_exist(change, "urgencies", place, asked)


# ---------------------------------------------------------------- rules that can never match

_Asked = list[tuple[int, dict[str, Any]]]


def _impossible(rule: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield where a rule asks for what no alert can be. Where any condition is enough, another may hold."""
    if rule["condition_type"] != "all":
        return
    needed = {f"payload {a['json_path']}" for a in rule["attributes"]}
    by_subject: dict[str, _Asked] = defaultdict(list)
    for index, condition in enumerate(rule["conditions"]):
        subject = _subject(condition)
        if subject:
            by_subject[subject].append((index, condition))
    for subject, asked in by_subject.items():
        last = f"conditions[{asked[-1][0]}]"
        if not _possible(asked, needed=subject in needed):
            yield last, "It contradicts what else the rule asks for: this can never match."
    urgencies = [set(c["urgency_ids"]) for c in rule["conditions"] if c.get("urgency_ids")]
    if urgencies and not set.intersection(*urgencies):
        yield "conditions", "No urgency is named by all conditions: this can never match."


def _subject(condition: dict[str, Any]) -> str:
    """Return what a condition looks at, where that is one value at most; a path may find several."""
    kind, name = condition["field_type"], condition.get("field_name")
    if kind == "matcher" or (kind == "payload" and not is_plain(str(name))):
        return ""
    return f"{kind} {condition.get('field_id') or name}" if name or condition.get("field_id") else ""


def _possible(asked: _Asked, *, needed: bool) -> bool:
    """Return whether one value can satisfy all of these; `needed` where it may not be empty."""
    shared = needed or any(c["operator"] == MATCHES_EXISTING for _, c in asked)
    tests = [(c["operator"], tuple(c["values"])) for _, c in asked if c["operator"] in ROUTE_OPERATORS]
    lists = [set(values) for operator, values in tests if operator == "is_one_of" and values]
    wanted = set.intersection(*lists) if lists else None
    if any(operator == "is_empty" for operator, _ in tests):
        wanted = {""} if wanted is None else wanted & {""}
    if wanted is None:
        return True
    rest = [(operator, values) for operator, values in tests if values or operator == "is_empty"]
    fitting = {v for v in wanted if all(compared(operator, [v], values) for operator, values in rest)}
    return bool(fitting - {""} if shared else fitting)
