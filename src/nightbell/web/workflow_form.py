"""A workflow while somebody edits it: what starts it, its conditions as sentences, when it waits and comes again.

Rule 1: what the form cannot show stays as it was stored; nothing that the API set is lost by a save.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from nightbell.core.workflow import TRIGGERS, WEEKDAYS
from nightbell.core.workflow_conditions import ALL, BARE, OPERATORS
from nightbell.core.workflow_params import GROUPS, Spec
from nightbell.engine.workflow_edits import WorkflowEdit
from nightbell.web.forms import Form

#: What the wire calls each operator, and how a sentence goes on with it. ANY is a condition that is not there.
WORDS = {
    "IS": "is one of", "IS NOT": "is none of", "CONTAINS": "contains one of", "CONTAINS_ALL": "contains all of",
    "CONTAINS_NONE": "contains none of", "NONE": "is none of (or unset)", "SET": "is set", "UNSET": "is not set",
}  # fmt: skip
KINDS = {"alert": "an alert", "incident": "an incident", "action_item": "an action item", "simple": "nothing: it is run by hand"}  # fmt: skip
LOGIC = (("ALL", "all of these hold"), ("ANY", "any of these holds"), ("NONE", "none of these holds"))
DAYS = tuple(zip(WEEKDAYS, ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), strict=True))
PAYLOAD = "payload"
_MOST = 40
#: Triggers that few choose, and those of services that are not set up here.
_RARE = re.compile(
    r"slack|microsoft|google|meeting|causes|functionalit|subscribers|_(added|removed)$|status_page"
)


class Row(Struct, frozen=True, kw_only=True):
    """One condition. `key` is that of a Spec, or PAYLOAD; values stand one on each line."""

    key: str
    operator: str = "IS"
    values: tuple[str, ...] = ()
    regexp: bool = False
    query: str = ""


class Draft(Struct, frozen=True, kw_only=True):
    """A whole workflow in the form, without its tasks."""

    kind: str
    name: str = ""
    description: str = ""
    enabled: bool = True
    triggers: tuple[str, ...] = ()
    logic: str = ALL
    payload_logic: str = ALL
    rows: tuple[Row, ...] = ()
    wait: str = ""
    every: str = ""
    within: str = ""
    times: str = "0"
    stubborn: bool = False
    days: tuple[str, ...] = ()
    once: bool = False


def usual(kind: str, chosen: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what starts a workflow of a kind: what people mostly want or have chosen, and the rest."""
    listed = (*TRIGGERS[kind], *(one for one in chosen if one not in TRIGGERS[kind]))
    rare = tuple(one for one in listed if one not in chosen and _RARE.search(one))
    return tuple(one for one in listed if one not in rare), rare


def specs(kind: str) -> dict[str, Spec]:
    """Return the conditions that a workflow of a kind can ask for, by key."""
    return {spec.key: spec for _, group in GROUPS[kind] for spec in group}


def operators(kind: str, key: str) -> tuple[tuple[str, str], ...]:
    """Return the operators that make sense of a condition."""
    spec = specs(kind).get(key)
    bare = spec is not None and not spec.values
    return tuple((one, WORDS[one]) for one in OPERATORS if one in WORDS and (not bare or one in BARE))


def new(kind: str) -> Draft:
    """Return the form of a workflow that is yet to be made."""
    first = TRIGGERS[kind][:1] if kind in ("alert", "action_item") else ("incident_created",)
    return Draft(kind=kind, triggers=first if kind != "simple" else ())


def from_row(row: Mapping[str, Any]) -> Draft:
    """Return the form of a stored workflow."""
    params, kind = row["trigger_params"], row["kind"]
    listed = tuple(
        _stored_row(spec, params, row) for spec in specs(kind).values() if _asked(spec, params, row)
    )
    group = params.get("alert_payload_conditions") or {}
    logic = GROUPS[kind][0][0] if GROUPS[kind] else ""
    return Draft(
        kind=kind,
        name=row["name"],
        description=row["description"] or "",
        enabled=row["enabled"],
        triggers=tuple(row["triggers"]),
        logic=params.get(logic) or ALL,
        payload_logic=group.get("logic") or ALL,
        rows=(*listed, *_payload_rows(params)),
        wait=row["wait"] or "",
        every=row["repeat_every_duration"] or "",
        within=row["repeat_condition_duration_since_first_run"] or "",
        times=str(row["repeat_condition_number_of_repeats"]),
        stubborn=row["continuously_repeat"],
        days=tuple(row["repeat_on"]),
        once=row["run_once_per_resource"],
    )


def _asked(spec: Spec, params: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    operator = params.get(spec.key) or spec.default
    held = (row if spec.beside else params).get(spec.values)
    return operator != "ANY" and (bool(held) or operator in BARE or operator == "NONE")


def _stored_row(spec: Spec, params: Mapping[str, Any], row: Mapping[str, Any]) -> Row:
    held = (row if spec.beside else params).get(spec.values) or ()
    return Row(
        key=spec.key,
        operator=params.get(spec.key) or spec.default,
        values=tuple(_text(value) for value in held),
        regexp=bool(spec.regexp and params.get(spec.regexp)),
    )


def _payload_rows(params: Mapping[str, Any]) -> list[Row]:
    operator = params.get("alert_condition_payload") or "ANY"
    rows = []
    if operator != "ANY":
        held = tuple(_text(value) for value in params.get("alert_payload") or ())
        regexp = bool(params.get("alert_condition_payload_use_regexp"))
        query = str(params.get("alert_query_payload") or "")
        rows.append(Row(key=PAYLOAD, operator=operator, values=held, regexp=regexp, query=query))
    for one in (params.get("alert_payload_conditions") or {}).get("conditions") or ():
        values = tuple(_text(value) for value in one.get("values") or ())
        rows.append(
            Row(
                key=PAYLOAD,
                operator=one["operator"],
                values=values,
                regexp=bool(one.get("use_regexp")),
                query=one["query"],
            )
        )
    return [row for row in rows if row.operator != "ANY"]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


# ---------------------------------------------------------------- from the form


def from_form(form: Form, kind: str) -> Draft:
    """Return what the form holds. Raises: Invalid for what is too long."""
    known = {*specs(kind), PAYLOAD}
    keys = [key if key in known else PAYLOAD for key in form.aligned("row")[:_MOST]]
    return Draft(
        kind=kind,
        name=form.text("name", longest=255),
        description=form.text("description", longest=10_000),
        enabled=form.raw("enabled") != "no",
        triggers=tuple(form.many("trigger")),
        logic=form.raw("logic") or ALL,
        payload_logic=form.raw("payload_logic") or ALL,
        rows=tuple(_read_row(form, number, key) for number, key in enumerate(keys)),
        wait=form.text("wait", longest=60),
        every=form.text("every", longest=60),
        within=form.text("within", longest=60),
        times=form.text("times", longest=9),
        stubborn=form.flag("stubborn"),
        days=tuple(form.many("day")),
        once=form.flag("once"),
    )


def _read_row(form: Form, number: int, key: str) -> Row:
    lines = [line.strip() for text in form.many(f"values-{number}") for line in text.splitlines()]
    return Row(
        key=key,
        operator=form.raw(f"op-{number}") or "IS",
        values=tuple(line for line in lines if line)[:200],
        regexp=form.flag(f"regexp-{number}"),
        query=form.text(f"query-{number}"),
    )


def edited(draft: Draft, what: str, form: Form) -> Draft:
    """Return the draft after one of its buttons: add (of `new_row`), drop:2."""
    verb, _, rest = what.partition(":")
    key = form.raw("new_row")
    if verb == "add" and len(draft.rows) < _MOST and (key == PAYLOAD or key in specs(draft.kind)):
        operator = operators(draft.kind, key)[0][0]
        query = "$.commonLabels.severity" if key == PAYLOAD else ""
        return replace(draft, rows=(*draft.rows, Row(key=key, operator=operator, query=query)))
    if verb == "drop" and rest.isdecimal():
        kept = tuple(row for number, row in enumerate(draft.rows) if number != int(rest))
        return replace(draft, rows=kept)
    return draft


def edit_of(draft: Draft, stored: Mapping[str, Any]) -> WorkflowEdit:
    """Return the edit that the form stands for; `stored` is the row it began with, {} for a new one."""
    params = {**(stored.get("trigger_params") or {})}
    params |= {"trigger_type": draft.kind, "triggers": list(draft.triggers)}
    beside: dict[str, list[str]] = {}
    rows: dict[str, Row] = {row.key: row for row in draft.rows if row.key != PAYLOAD}
    for logic, _ in GROUPS[draft.kind][:1]:
        params[logic] = draft.logic
    for key, spec in specs(draft.kind).items():
        _put(spec, rows.get(key), params, beside)
    if draft.kind == "alert":
        _put_payload(draft, params)
    edit = WorkflowEdit(
        name=draft.name,
        description=draft.description or None,
        enabled=draft.enabled,
        trigger_params=params,
        wait=draft.wait or None,
        repeat_every_duration=draft.every or None,
        repeat_condition_duration_since_first_run=draft.within or None,
        repeat_condition_number_of_repeats=int(draft.times) if draft.times.isdecimal() else 0,
        continuously_repeat=draft.stubborn,
        repeat_on=list(draft.days),
        run_once_per_resource=draft.once,
    )
    return replace(edit, **beside)


def _put(spec: Spec, row: Row | None, params: dict[str, Any], beside: dict[str, list[str]]) -> None:
    """Write a condition into the params, or take it out."""
    if row is None:
        if spec.key in params or spec.default != "ANY":
            params[spec.key] = "ANY" if spec.values else None
        return
    params[spec.key] = row.operator
    if spec.regexp and (row.regexp or spec.regexp in params):
        params[spec.regexp] = row.regexp
    if spec.beside:
        beside[spec.values] = list(row.values)
    elif spec.values:
        yes = "incident_visibilities"
        params[spec.values] = [v == "true" for v in row.values] if spec.values == yes else list(row.values)


def _put_payload(draft: Draft, params: dict[str, Any]) -> None:
    """Write what is asked of the payload; a single condition stays where Terraform looks for it."""
    rows = [row for row in draft.rows if row.key == PAYLOAD]
    stayed = len(rows) == 1 and (params.get("alert_condition_payload") or "ANY") != "ANY"
    if stayed:
        (row,), rows = rows, []
        params |= {"alert_condition_payload": row.operator, "alert_query_payload": row.query}
        params |= {"alert_payload": list(row.values), "alert_condition_payload_use_regexp": row.regexp}
    elif "alert_condition_payload" in params:
        params["alert_condition_payload"] = "ANY"
    conditions = [
        {"query": row.query, "operator": row.operator, "values": list(row.values), "use_regexp": row.regexp}
        for row in rows
    ]
    if conditions or params.get("alert_payload_conditions"):
        params["alert_payload_conditions"] = (
            {"logic": draft.payload_logic, "conditions": conditions} if conditions else None
        )
