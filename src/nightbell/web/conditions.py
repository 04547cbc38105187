"""Conditions of a path while somebody edits them: what the form holds, as text, and the rules they stand for.

Rule 1: what the form cannot show comes back as it went; nothing that the API set is lost by a save.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from nightbell.core import alert_fields
from nightbell.core.calendar import DAY_LETTERS, DAY_NAMES
from nightbell.core.directory import Directory
from nightbell.core.errors import Invalid
from nightbell.engine.checking_paths import FIELD_OPERATORS, JSON_OPERATORS, SOURCE_OPERATORS
from nightbell.web.forms import Form

KINDS = (
    ("alert_urgency", "its urgency"),
    ("service", "the service it is for"),
    ("source", "the type of its source"),
    ("working_hour", "the policy's working hours"),
    ("json_path", "a value of its payload"),
    ("field", "its title, description or link"),
    ("deferral_window", "hours of the week"),
)
MOST = 20
_NAMES = {letter: DAY_NAMES[n].lower() for letter, n in DAY_LETTERS.items()}
_ALONE = ("is_set", "is_not_set", "is_empty", "is_not_empty")
FIELDS = tuple((str(alert_fields.field_id(kind)), name) for kind, name in alert_fields.BUILT_IN.items())
OPERATORS = {
    kind: tuple((one, one.replace("_", " ")) for one in given)
    for kind, given in (
        ("source", SOURCE_OPERATORS),
        ("json_path", JSON_OPERATORS),
        ("field", FIELD_OPERATORS),
    )
}


class Asked(Struct, frozen=True, kw_only=True):
    """One condition in the form; of its fields those count that its kind has."""

    kind: str
    ids: tuple[str, ...] = ()
    operator: str = "is"
    #: Separated by commas.
    values: str = ""
    json_path: str = "$.commonLabels.severity"
    field: str = FIELDS[0][0]
    within: bool = True
    days: tuple[str, ...] = tuple("MTWRF")
    start: str = "18:00"
    end: str = "09:00"
    zone: str = "Etc/UTC"
    #: The rule as it was sent, where the form cannot show it.
    kept: dict[str, Any] | None = None


def from_rule(rule: Mapping[str, Any]) -> Asked:
    """Return the form of a stored rule."""
    kind = str(rule.get("rule_type"))
    match kind:
        case "alert_urgency" | "service":
            ids = rule.get("urgency_ids" if kind == "alert_urgency" else "service_ids") or ()
            return Asked(kind=kind, ids=tuple(map(str, ids)))
        case "working_hour":
            return Asked(kind=kind, within=rule.get("within_working_hour") is not False)
        case "deferral_window":
            return _hours(rule)
        case "source" | "json_path" | "field":
            return _comparison(kind, rule)
        case _:
            return Asked(kind=kind, kept=dict(rule))


def _hours(rule: Mapping[str, Any]) -> Asked:
    blocks = rule.get("time_blocks") or []
    if len(blocks) != 1 or blocks[0].get("all_day"):
        return Asked(kind="deferral_window", kept=dict(rule))
    return Asked(
        kind="deferral_window",
        days=tuple(letter for letter, name in _NAMES.items() if blocks[0].get(name)),
        start=str(blocks[0].get("start_time"))[:5],
        end=str(blocks[0].get("end_time"))[:5],
        zone=str(rule.get("time_zone") or "Etc/UTC"),
    )


def _comparison(kind: str, rule: Mapping[str, Any]) -> Asked:
    values = rule.get("values") or ([rule["value"]] if rule.get("value") is not None else [])
    if any("," in value or value != value.strip() for value in values):
        return Asked(kind=kind, kept=dict(rule))
    return Asked(
        kind=kind,
        operator=str(rule.get("operator")),
        values=", ".join(values),
        json_path=str(rule.get("json_path") or ""),
        field=str(rule.get("fieldable_id") or FIELDS[0][0]),
    )


def rule_of(asked: Asked) -> dict[str, Any]:
    """Return the rule that a condition of the form stands for."""
    if asked.kept is not None:
        return asked.kept
    match asked.kind:
        case "alert_urgency":
            said: dict[str, Any] = {"urgency_ids": list(asked.ids)}
        case "service":
            said = {"service_ids": list(asked.ids)}
        case "working_hour":
            said = {"within_working_hour": asked.within}
        case "deferral_window":
            block = {name: letter in asked.days for letter, name in _NAMES.items()}
            times = {"start_time": asked.start, "end_time": asked.end, "all_day": False}
            said = {"time_zone": asked.zone, "time_blocks": [{**block, **times}]}
        case kind:
            said = {"operator": asked.operator, "values": _split(asked)}
            said |= {"json_path": asked.json_path} if kind == "json_path" else {}
            if kind == "field":
                said |= {"fieldable_type": "AlertField", "fieldable_id": asked.field}
    return {"rule_type": asked.kind, **said}


def _split(asked: Asked) -> list[str]:
    if asked.operator in _ALONE:
        return []
    return [text.strip() for text in asked.values.split(",") if text.strip()]


def from_form(form: Form) -> tuple[Asked, ...]:
    """Return the conditions that the form holds, in order.

    Raises: Invalid for one that cannot be read.
    """
    return tuple(_read(form, number, kind) for number, kind in enumerate(form.aligned("rule")[:MOST]))


def _read(form: Form, number: int, kind: str) -> Asked:
    if kept := form.raw(f"rule-kept-{number}"):
        try:
            return Asked(kind=kind, kept=msgspec.json.decode(kept, type=dict[str, Any]))
        except msgspec.DecodeError:
            raise Invalid("This condition cannot be read.", place="rules") from None
    if kind not in dict(KINDS):
        raise Invalid("There is no such kind of condition.", place="rules")
    return Asked(
        kind=kind,
        ids=tuple(form.many(f"rule-id-{number}")),
        operator=form.text(f"rule-op-{number}") or "is",
        values=form.text(f"rule-values-{number}", longest=5_000),
        json_path=form.text(f"rule-path-{number}"),
        field=form.text(f"rule-field-{number}") or FIELDS[0][0],
        within=form.raw(f"rule-within-{number}") != "outside",
        days=tuple(form.many(f"rule-day-{number}")),
        start=form.text(f"rule-from-{number}"),
        end=form.text(f"rule-to-{number}"),
        zone=form.text(f"rule-zone-{number}") or "Etc/UTC",
    )


def sentence(rule: Mapping[str, Any], directory: Directory, urgencies: Mapping[str, str]) -> str:
    """Return how a rule reads: "urgency is High or Medium"."""
    kind = rule.get("rule_type")
    match kind:
        case "alert_urgency":
            names = [urgencies.get(str(one), "a deleted urgency") for one in rule.get("urgency_ids") or ()]
            return f"urgency is {' or '.join(names)}"
        case "service":
            found = (directory.services.get(str(one)) for one in rule.get("service_ids") or ())
            return f"it is for {' or '.join(s.name if s else 'a deleted service' for s in found)}"
        case "working_hour":
            return f"{'within' if rule.get('within_working_hour') else 'outside of'} working hours"
        case "deferral_window":
            return "; ".join(f"{_block(one)}" for one in rule.get("time_blocks") or ())
        case "source" | "json_path" | "field":
            values = rule.get("values") or [rule.get("value") or ""]
            fields = dict(FIELDS)
            what = {"source": "source", "json_path": rule.get("json_path")}.get(
                str(kind), fields.get(str(rule.get("fieldable_id")), "field")
            )
            return f"{what} {str(rule.get('operator')).replace('_', ' ')} {' or '.join(values)}".strip()
        case _:
            return str(kind)


def _block(one: Mapping[str, Any]) -> str:
    days = " ".join(name[:2].title() for name in _NAMES.values() if one.get(name))
    return (
        f"{days} all day" if one.get("all_day") else f"{days} {one.get('start_time')}–{one.get('end_time')}"
    )
