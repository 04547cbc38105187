"""This file reads Rootly's `trigger_params` (rootly.md 6.2) as conditions, and says what is wrong with them, key by key."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from msgspec import Struct

from nightbell.core import alert_fields
from nightbell.core.directory import Find
from nightbell.core.errors import Invalid
from nightbell.core.identity import text
from nightbell.core.patterns import pattern
from nightbell.core.workflow_conditions import ALL, BARE, LOGICS, OPERATORS, Condition, Read, Rules
from nightbell.core.workflow_reads import field, labels, payload, plain

#: Compiles a JSONPath; raises Invalid.
Compile = Callable[[str], Find]
Params = Mapping[str, Any]


class Spec(Struct, frozen=True, kw_only=True):
    """A condition of the wire: the key of its operator, the key of its values, what it reads."""

    key: str
    #: "" where there are none: SET and UNSET alone.
    values: str = ""
    about: str
    read: Read
    regexp: str = ""
    #: Its values stand beside the trigger_params, as attributes of the workflow.
    beside: bool = False
    allowed: tuple[str, ...] = ()
    piece: bool = False
    default: str = "ANY"


def _catalog(name: str, values: str, *keys: str, key: str = "") -> Spec:
    return Spec(
        key=f"incident_condition_{key or name}",
        values=values,
        about=f"incident {name.replace('_', ' ')}",
        read=plain("incident", *keys),
        beside=True,
    )


def _stamp(name: str) -> Spec:
    return Spec(key=f"incident_condition_{name}", about=f"incident {name}", read=plain("incident", name))


INCIDENT_KINDS = (
    "test", "test_sub", "example", "example_sub", "normal", "normal_sub", "backfilled", "scheduled", "scheduled_sub",
)  # fmt: skip
INCIDENT_STATUSES = (
    "in_triage", "started", "detected", "acknowledged", "mitigated", "resolved", "closed", "cancelled", "scheduled",
    "in_progress", "completed",
)  # fmt: skip
ALERT_STATUSES = ("open", "triggered", "acknowledged", "resolved", "deferred")

ALERT = (
    Spec(
        key="alert_condition_source",
        values="alert_sources",
        about="alert source",
        read=plain("alert", "source", "source_type", "source_name", "source_id"),
        regexp="alert_condition_source_use_regexp",
    ),
    Spec(
        key="alert_condition_label",
        values="alert_labels",
        about="alert label",
        read=labels("alert"),
        regexp="alert_condition_label_use_regexp",
    ),
    Spec(
        key="alert_condition_status",
        values="alert_statuses",
        about="alert status",
        read=plain("alert", "status"),
        regexp="alert_condition_status_use_regexp",
        allowed=ALERT_STATUSES,
    ),
    Spec(
        key="alert_condition_urgency",
        values="alert_urgency_ids",
        about="alert urgency",
        read=plain("alert", "alert_urgency_id", "urgency_id", "alert_urgency"),
    ),
)
INCIDENT = (
    Spec(
        key="incident_condition_visibility",
        values="incident_visibilities",
        about="incident private",
        read=plain("incident", "private"),
        allowed=("true", "false"),
    ),
    Spec(
        key="incident_condition_kind",
        values="incident_kinds",
        about="incident kind",
        read=plain("incident", "kind"),
        allowed=INCIDENT_KINDS,
        default="IS",
    ),
    Spec(
        key="incident_condition_status",
        values="incident_statuses",
        about="incident status",
        read=plain("incident", "status"),
        allowed=INCIDENT_STATUSES,
    ),
    _catalog("sub_status", "sub_status_ids", "raw_sub_status", "sub_status", "sub_status_id"),
    _catalog("environment", "environment_ids", "raw_environments", "environments", "environment_ids"),
    _catalog("severity", "severity_ids", "raw_severity", "severity", "severity_id", "severity_slug"),
    _catalog(
        "incident_type", "incident_type_ids", "raw_types", "raw_incident_types", "types", "incident_types"
    ),
    _catalog("roles", "incident_role_ids", "raw_roles", "roles", "incident_role_ids", key="incident_roles"),
    _catalog("service", "service_ids", "raw_services", "services", "service_ids"),
    _catalog("functionality", "functionality_ids", "raw_functionalities", "functionalities"),
    _catalog("team", "group_ids", "raw_groups", "groups", "raw_teams", "teams", "group_ids", key="group"),
    _catalog("cause", "cause_ids", "raw_causes", "causes"),
    Spec(
        key="incident_condition_label",
        values="incident_labels",
        about="incident label",
        read=labels("incident"),
        regexp="incident_condition_label_use_regexp",
    ),
    Spec(
        key="incident_condition_title",
        values="incident_titles",
        about="incident title",
        read=plain("incident", "title"),
        regexp="incident_condition_title_use_regexp",
        piece=True,
    ),
    *(
        _stamp(name)
        for name in ("summary", "started_at", "detected_at", "acknowledged_at", "mitigated_at", "resolved_at")
    ),
)
ACTION_ITEM = (
    Spec(
        key="incident_action_item_condition_kind",
        values="incident_action_item_kinds",
        about="action item kind",
        read=plain("action_item", "kind"),
        allowed=("task", "follow_up"),
    ),
    Spec(
        key="incident_action_item_condition_status",
        values="incident_action_item_statuses",
        about="action item status",
        read=plain("action_item", "status"),
        allowed=("open", "in_progress", "cancelled", "done"),
    ),
    Spec(
        key="incident_action_item_condition_priority",
        values="incident_action_item_priorities",
        about="action item priority",
        read=plain("action_item", "priority"),
        allowed=("high", "medium", "low"),
    ),
    Spec(
        key="incident_action_item_condition_group",
        values="incident_action_item_group_ids",
        about="action item team",
        read=plain("action_item", "group_ids", "groups", "teams", "assigned_to_group_ids"),
    ),
)
#: For each kind: the key that says how conditions combine, and the conditions.
GROUPS: dict[str, tuple[tuple[str, tuple[Spec, ...]], ...]] = {
    "alert": (("alert_condition", ALERT),),
    "incident": (("incident_condition", INCIDENT),),
    "action_item": (("incident_condition", INCIDENT), ("incident_action_item_condition", ACTION_ITEM)),
    "simple": (),
}


def rules(kind: str, params: Params, beside: Params, compiled: Compile) -> Rules:
    """Return the conditions of a workflow. `beside` is its row: catalogs are named there.

    Raises: Invalid where a JSONPath does not compile.
    """
    groups = [
        Rules(
            logic=params.get(logic) or ALL,
            conditions=tuple(
                condition for spec in specs if (condition := _condition(spec, params, beside)) is not None
            )
            + (tuple(_of_payload(params, compiled)) if kind == "alert" else ()),
        )
        for logic, specs in GROUPS[kind]
    ]
    groups = [group for group in groups if group.conditions]
    return groups[0] if len(groups) == 1 else Rules(conditions=tuple(groups))


def _condition(spec: Spec, params: Params, beside: Params) -> Condition | None:
    operator = params.get(spec.key) or spec.default
    values = _values((beside if spec.beside else params).get(spec.values))
    unasked = spec.key not in params or spec.default != "ANY"
    if operator == "ANY" or (unasked and not values and operator not in BARE):
        return None
    if spec.values.endswith("_labels") and values:
        # Whether labels are there is asked of those that are named.
        operator = {"SET": "IS", "UNSET": "NONE"}.get(operator, operator)
    return Condition(
        about=spec.about,
        read=spec.read,
        operator=operator,
        values=values,
        regexp=bool(spec.regexp and params.get(spec.regexp)),
        piece=spec.piece,
    )


def _of_payload(params: Params, compiled: Compile) -> Iterator[Condition | Rules]:
    operator = params.get("alert_condition_payload") or "ANY"
    if operator != "ANY":
        yield _query(
            params["alert_query_payload"],
            operator,
            params.get("alert_payload"),
            params.get("alert_condition_payload_use_regexp"),
            compiled,
        )
    group = params.get("alert_payload_conditions") or {}
    inner = tuple(
        _query(c["query"], c["operator"], c.get("values"), c.get("use_regexp"), compiled)
        for c in group.get("conditions") or ()
        if c["operator"] != "ANY"
    )
    if inner:
        yield Rules(logic=group.get("logic") or ALL, conditions=inner)
    for one in params.get("alert_field_conditions") or ():
        if one["condition_type"] != "ANY":
            kind = alert_fields.KINDS[one["alert_field_id"]]
            yield Condition(
                about=f"alert field {alert_fields.BUILT_IN[kind]}",
                read=field(kind),
                operator=one["condition_type"],
                values=_values(one.get("values")),
                piece=True,
            )


def _query(path: str, operator: str, values: Any, use_regexp: Any, compiled: Compile) -> Condition:
    return Condition(
        about=f"payload {path}",
        read=payload(compiled(path)),
        operator=operator,
        values=_values(values),
        regexp=bool(use_regexp),
        piece=True,
    )


def _values(sent: Any) -> tuple[str, ...]:
    return tuple(text(value) for value in sent or ())


# ---------------------------------------------------------------- what is not read

#: Keys of Rootly's that ask nothing by themselves, beside those of conditions.
_SILENT = frozenset(
    {"trigger_type", "triggers", "incident_inactivity_duration", "incident_conditional_inactivity",
     "incident_post_mortem_condition_cause"}
)  # fmt: skip
_PAYLOAD = frozenset(
    {"alert_query_payload", "alert_condition_payload", "alert_condition_payload_use_regexp", "alert_payload",
     "alert_payload_conditions", "alert_field_conditions"}
)  # fmt: skip


def unread(kind: str, params: Params) -> tuple[str, ...]:
    """Return a sentence for every key that says something and that nothing here reads, as where it is misspelt."""
    known = _SILENT | (_PAYLOAD if kind == "alert" else frozenset())
    for logic, specs in GROUPS[kind]:
        known |= {logic} | {name for spec in specs for name in (spec.key, spec.values, spec.regexp) if name}
    return tuple(not_read(key, known) for key in params if key not in known and params[key] not in _UNSAID)


def not_read(key: str, known: Collection[str]) -> str:
    """Return that a key is not read, and what may have been meant."""
    near = get_close_matches(key, sorted(known), n=1, cutoff=0.7)
    return f"{key[:60]} is not read" + (f": {near[0]} may be meant." if near else ".")


#: What clients send where nothing was said.
_UNSAID: tuple[Any, ...] = (None, "", [], {}, False, "ANY")

# ---------------------------------------------------------------- what is wrong


def problems(
    kind: str, params: Params, beside: Params, path_problem: Callable[[object], str]
) -> list[Invalid]:
    """Return what is wrong with trigger_params, each at its place; without any, `rules` can read them."""
    found: list[Invalid] = []
    for logic, specs in GROUPS[kind]:
        found += _one_of(logic, params.get(logic), LOGICS)
        for spec in specs:
            found += _wrong(spec, params, beside)
    if kind == "alert":
        found += _wrong_payload(params, path_problem)
        found += _wrong_fields(params)
    if params.get("incident_conditional_inactivity"):
        found.append(
            _invalid("incident_conditional_inactivity", "Nothing watches how long an incident is quiet yet.")
        )
    return found


def _wrong(spec: Spec, params: Params, beside: Params) -> list[Invalid]:
    operators = OPERATORS if spec.values else ("SET", "UNSET")
    found = _one_of(spec.key, params.get(spec.key), operators)
    if found:
        return found
    held, place = (
        (beside.get(spec.values), spec.values) if spec.beside else (params.get(spec.values), spec.values)
    )
    found = _not_texts(place, held)
    operator = params.get(spec.key) or "ANY"
    if not found and not held and operator not in (*BARE, "NONE") and spec.default == "ANY":
        found = [
            _invalid(place, f"{spec.key} {operator} needs values.", "Name some, or say ANY for no condition.")
        ]
    regexp = spec.regexp and params.get(spec.regexp)
    if not found and regexp:
        found = _not_regexps(place, held)
    elif not found and spec.allowed and operator not in BARE:
        strange = [v for v in _values(held) if v not in spec.allowed]
        if strange:
            found = [_invalid(place, f"There is no {strange[0]}.", f"Use {', '.join(spec.allowed)}.")]
    return found


def _wrong_payload(params: Params, path_problem: Callable[[object], str]) -> list[Invalid]:
    operator = params.get("alert_condition_payload") or "ANY"
    found = _comparison(
        ("alert_query_payload", "alert_condition_payload", "alert_payload"),
        (params.get("alert_query_payload"), operator, params.get("alert_payload")),
        bool(params.get("alert_condition_payload_use_regexp")),
        path_problem,
    )
    group = params.get("alert_payload_conditions")
    if group is None:
        return found
    conditions = group.get("conditions") if isinstance(group, Mapping) else None
    if not isinstance(group, Mapping) or not isinstance(conditions or [], list):
        return [
            *found,
            _invalid("alert_payload_conditions", "This is {logic, conditions: [{query, operator, values}]}."),
        ]
    found += _one_of("alert_payload_conditions.logic", group.get("logic"), LOGICS)
    for number, one in enumerate(conditions or ()):
        at = f"alert_payload_conditions.conditions[{number}]"
        if not isinstance(one, Mapping):
            found.append(_invalid(at, "A condition is {query, operator, values}."))
            continue
        found += _comparison(
            (f"{at}.query", f"{at}.operator", f"{at}.values"),
            (one.get("query") or "", one.get("operator") or "", one.get("values")),
            bool(one.get("use_regexp")),
            path_problem,
        )
    return found


def _comparison(
    places: tuple[str, str, str],
    held: tuple[Any, Any, Any],
    regexp: bool,
    path_problem: Callable[[object], str],
) -> list[Invalid]:
    """Return what is wrong with one comparison; `places` and `held` are its query, its operator and its values."""
    (query, operator, values), (at_query, at_operator, at_values) = held, places
    found = _one_of(at_operator, operator, OPERATORS, needed=True)
    if (query or (query == "" and operator != "ANY")) and (why := path_problem(query)):
        found.append(_invalid(at_query, why, "Try $.commonLabels.severity."))
    if operator != "ANY" and query is None:
        found.append(
            _invalid(
                at_query, "Which part of the payload? It can't be blank.", "Try $.commonLabels.severity."
            )
        )
    texts = _not_texts(at_values, values)
    found += texts or (_not_regexps(at_values, values) if regexp else [])
    if not found and not values and operator not in (*BARE, "NONE"):
        found.append(
            _invalid(at_values, f"{operator} needs values.", "Name some, or say ANY for no condition.")
        )
    return found


def _wrong_fields(params: Params) -> list[Invalid]:
    found: list[Invalid] = []
    listed = params.get("alert_field_conditions")
    if listed is not None and not isinstance(listed, list):
        return [
            _invalid("alert_field_conditions", "This is a list of {alert_field_id, condition_type, values}.")
        ]
    for number, one in enumerate(listed or ()):
        at = f"alert_field_conditions[{number}]"
        held = one if isinstance(one, Mapping) else {}
        if str(held.get("alert_field_id")) not in alert_fields.KINDS:
            known = ", ".join(alert_fields.BUILT_IN)
            found.append(
                _invalid(f"{at}.alert_field_id", "There is no such field.", f"GET /v1/alert_fields: {known}.")
            )
        found += _one_of(f"{at}.condition_type", held.get("condition_type"), OPERATORS, needed=True)
        found += _not_texts(f"{at}.values", held.get("values"))
    return found


def _one_of(place: str, value: Any, allowed: Sequence[str], needed: bool = False) -> list[Invalid]:
    if (value is None and not needed) or value in allowed:
        return []
    return [_invalid(place, f"{place.rpartition('.')[2]} must be one of: {', '.join(allowed)}")]


def _not_texts(place: str, values: Any) -> list[Invalid]:
    if values is None or (
        isinstance(values, list) and all(isinstance(v, str | int | float | bool) for v in values)
    ):
        return []
    return [_invalid(place, "This is a list of texts.")]


def _not_regexps(place: str, values: Any) -> list[Invalid]:
    for number, value in enumerate(values or ()):
        try:
            pattern(text(value))
        except Invalid as error:
            return [_invalid(f"{place}[{number}]", error.message, error.hint)]
    return []


def _invalid(place: str, message: str, hint: str = "") -> Invalid:
    where = place if place in _BESIDE else f"trigger_params.{place}"
    return Invalid(message, place=where, hint=hint)


#: Attributes of the workflow itself.
_BESIDE = frozenset(spec.values for spec in INCIDENT if spec.beside)
