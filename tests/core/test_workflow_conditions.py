"""When a workflow matches: every operator over everything a condition can be about, by tables."""

import re
from uuid import UUID

import pytest

from nightbell.core.alert_fields import field_id
from nightbell.core.errors import Invalid
from nightbell.core.workflow import TRIGGERS, Workflow, duration, known_trigger, matches
from nightbell.core.workflow_conditions import OPERATORS, Condition, findings, holds, met
from nightbell.core.workflow_params import problems, rules, unread
from nightbell.engine.jsonpath import compiled, path_problem

URGENT = "0b9d1e54-0000-4000-8000-000000000001"
ALERT = {
    "source": "alertmanager",
    "source_name": "Prod",
    "status": "triggered",
    "labels": {"severity": "critical", "service": "api-gateway"},
    "alert_urgency_id": URGENT,
    "alert_urgency": {"id": URGENT, "name": "High"},
    "data": {
        "commonLabels": {"alertname": "DiskFull", "severity": "critical"},
        "commonAnnotations": {"summary": "disk full on web-1", "empty": ""},
        "alerts": [{"labels": {"instance": "web-1"}}, {"labels": {"instance": "web-2"}}],
        "tags": ["a", "b"],
        "count": 3,
    },
}


def found_by(operator, values=(), found=("a", "b"), **more):
    condition = Condition(about="x", read=lambda _: (), operator=operator, values=tuple(values), **more)
    return met(condition, tuple(found))


@pytest.mark.parametrize(
    ("operator", "values", "found", "holds"),
    [
        ("ANY", (), (), True),
        ("ANY", ("z",), ("a",), True),
        ("IS", ("a",), ("a",), True),
        ("IS", ("z", "a"), ("a",), True),
        ("IS", ("z",), ("a",), False),
        ("IS", ("a",), ("a", "b"), True),
        ("IS", ("a",), (), False),
        ("IS", ("A",), ("a",), False),
        ("IS NOT", ("a",), ("a",), False),
        ("IS NOT", ("z",), ("a", "b"), True),
        ("IS NOT", ("z", "b"), ("a", "b"), False),
        ("IS NOT", ("a",), (), True),
        ("CONTAINS", ("b", "z"), ("a", "b"), True),
        ("CONTAINS", ("y", "z"), ("a", "b"), False),
        ("CONTAINS", ("a",), (), False),
        ("CONTAINS_ALL", ("a", "b"), ("a", "b", "c"), True),
        ("CONTAINS_ALL", ("a", "z"), ("a", "b"), False),
        ("CONTAINS_ALL", ("a",), (), False),
        ("CONTAINS_NONE", ("y", "z"), ("a", "b"), True),
        ("CONTAINS_NONE", ("b",), ("a", "b"), False),
        ("CONTAINS_NONE", ("b",), (), True),
        ("NONE", ("z",), ("a",), True),
        ("NONE", ("a",), ("a",), False),
        ("NONE", (), (), True),
        ("NONE", (), ("a",), False),
        ("SET", (), ("a",), True),
        ("SET", (), ("",), False),
        ("SET", (), (), False),
        ("UNSET", (), (), True),
        ("UNSET", (), ("",), True),
        ("UNSET", (), ("a",), False),
    ],
)
def test_what_each_operator_means(operator, values, found, holds):
    assert found_by(operator, values, found) is holds


def test_every_operator_has_a_row_in_the_table():
    (table,) = (m for m in test_what_each_operator_means.pytestmark if m.name == "parametrize")
    assert {row[0] for row in table.args[1]} == set(OPERATORS)


@pytest.mark.parametrize(
    ("operator", "values", "found", "holds"),
    [
        ("IS", ("^a.c$",), ("abc",), True),
        ("IS", ("^a.$",), ("abc",), False),
        ("IS NOT", ("^a",), ("abc",), False),
        ("CONTAINS", ("x", "b+"), ("abbc",), True),
        ("CONTAINS_ALL", ("^a", "c$"), ("abc",), True),
        ("CONTAINS_ALL", ("^a", "d$"), ("abc",), False),
        ("CONTAINS_NONE", ("[xyz]",), ("abc",), True),
        ("NONE", ("b",), ("abc",), False),
    ],
)
def test_with_regexps_an_operator_searches(operator, values, found, holds):
    assert found_by(operator, values, found, regexp=True) is holds


@pytest.mark.parametrize(
    ("operator", "values", "found", "holds"),
    [
        ("CONTAINS", ("disk",), ("a disk full",), True),
        ("CONTAINS_ALL", ("disk", "full"), ("a disk full",), True),
        ("CONTAINS_ALL", ("disk", "empty"), ("a disk full",), False),
        ("CONTAINS_NONE", ("memory",), ("a disk full",), True),
        ("CONTAINS_NONE", ("disk",), ("a disk full",), False),
        ("IS", ("disk",), ("a disk full",), False),
    ],
)
def test_in_texts_contains_means_a_piece(operator, values, found, holds):
    assert found_by(operator, values, found, piece=True) is holds


def of_alert(**params):
    wrong = problems("alert", params, {}, path_problem)
    assert [(p.place, p.message) for p in wrong] == []
    return rules("alert", params, {}, compiled)


@pytest.mark.parametrize(
    ("params", "holds_for_it"),
    [
        ({}, True),
        ({"alert_condition_source": "IS", "alert_sources": ["alertmanager"]}, True),
        ({"alert_condition_source": "IS", "alert_sources": ["Prod"]}, True),
        ({"alert_condition_source": "IS", "alert_sources": ["grafana"]}, False),
        (
            {
                "alert_condition_source": "IS",
                "alert_sources": ["^alert"],
                "alert_condition_source_use_regexp": True,
            },
            True,
        ),
        ({"alert_condition_status": "IS", "alert_statuses": ["triggered", "open"]}, True),
        ({"alert_condition_status": "IS NOT", "alert_statuses": ["triggered"]}, False),
        ({"alert_condition_label": "IS", "alert_labels": ["severity:critical"]}, True),
        ({"alert_condition_label": "IS", "alert_labels": ["severity=critical"]}, True),
        ({"alert_condition_label": "CONTAINS", "alert_labels": ["service:api"]}, False),
        (
            {
                "alert_condition_label": "CONTAINS_ALL",
                "alert_labels": ["service:api-gateway", "severity:critical"],
            },
            True,
        ),
        ({"alert_condition_label": "CONTAINS", "alert_labels": ["severity"]}, True),
        ({"alert_condition_label": "UNSET"}, False),
        ({"alert_condition_label": "SET", "alert_labels": ["runbook", "severity"]}, True),
        ({"alert_condition_label": "SET", "alert_labels": ["runbook"]}, False),
        ({"alert_condition_label": "UNSET", "alert_labels": ["runbook"]}, True),
        ({"alert_condition_label": "UNSET", "alert_labels": ["runbook", "severity"]}, False),
        (
            {
                "alert_condition_label": "IS",
                "alert_labels": ["^service:api-.*"],
                "alert_condition_label_use_regexp": True,
            },
            True,
        ),
        ({"alert_condition_urgency": "IS", "alert_urgency_ids": [URGENT]}, True),
        ({"alert_condition_urgency": "IS", "alert_urgency_ids": ["High"]}, True),
        ({"alert_condition_urgency": "NONE", "alert_urgency_ids": [URGENT]}, False),
    ],
)
def test_what_an_alert_is_asked(params, holds_for_it):
    assert holds(of_alert(**params), {"alert": ALERT}) is holds_for_it


@pytest.mark.parametrize(
    ("query", "operator", "values", "holds_for_it"),
    [
        ("$.commonLabels.severity", "IS", ["critical"], True),
        ("$.commonLabels.severity", "IS", ["warning"], False),
        ("$.commonAnnotations.summary", "CONTAINS", ["disk"], True),
        ("$.alerts[*].labels.instance", "CONTAINS_ALL", ["web-1", "web-2"], True),
        ("$.alerts[*].labels.instance", "IS", ["web-3"], False),
        ("$.alerts[?@.labels.instance == 'web-2']", "SET", [], True),
        ("$.alerts[?@.labels.instance == 'web-9']", "UNSET", [], True),
        ("$.tags", "CONTAINS", ["b"], True),
        ("$.count", "IS", ["3"], True),
        ("$.count", "IS", [3], True),
        ("$.commonAnnotations.empty", "SET", [], False),
        ("$.nothing", "NONE", [], True),
    ],
)
def test_what_a_payload_is_asked(query, operator, values, holds_for_it):
    alone = of_alert(alert_condition_payload=operator, alert_query_payload=query, alert_payload=values)
    listed = of_alert(
        alert_payload_conditions={
            "logic": "ALL",
            "conditions": [{"query": query, "operator": operator, "values": values}],
        }
    )
    assert holds(alone, {"alert": ALERT}) is holds(listed, {"alert": ALERT}) is holds_for_it


def test_a_field_is_asked_by_its_id():
    title = str(field_id("title"))
    asked = of_alert(
        alert_field_conditions=[{"alert_field_id": title, "condition_type": "IS", "values": ["DiskFull"]}]
    )
    assert holds(asked, {"alert": ALERT})


SEVERE = {"alert_condition_label": "IS", "alert_labels": ["severity:critical"]}
OPEN = {"alert_condition_status": "IS", "alert_statuses": ["open"]}


@pytest.mark.parametrize(("logic", "result"), [("ALL", False), ("ANY", True), ("NONE", False), (None, False)])
def test_how_conditions_combine(logic, result):
    assert holds(of_alert(alert_condition=logic, **SEVERE, **OPEN), {"alert": ALERT}) is result


@pytest.mark.parametrize(("logic", "result"), [("ALL", False), ("ANY", True), ("NONE", False)])
def test_conditions_on_the_payload_combine_among_themselves(logic, result):
    conditions = [
        {"query": "$.commonLabels.severity", "operator": "IS", "values": [value]}
        for value in ("critical", "warning")
    ]
    asked = of_alert(alert_payload_conditions={"logic": logic, "conditions": conditions})
    assert holds(asked, {"alert": ALERT}) is result


@pytest.mark.parametrize("logic", ["ALL", "ANY", "NONE"])
def test_without_conditions_everything_matches(logic):
    assert holds(of_alert(alert_condition=logic), {"alert": ALERT})


INCIDENT = {
    "private": False,
    "kind": "normal",
    "status": "started",
    "severity": {"id": "s1", "slug": "sev1", "name": "SEV 1"},
    "services": [
        {"id": "v1", "slug": "checkout", "name": "Checkout"},
        {"id": "v2", "slug": "web", "name": "Web"},
    ],
    "environments": [],
    "labels": {"region": "eu"},
    "title": "Checkout is slow",
    "summary": None,
    "started_at": "2026-11-23T02:00:00Z",
}


@pytest.mark.parametrize(
    ("params", "beside", "holds_for_it"),
    [
        ({"incident_condition_kind": "IS", "incident_kinds": ["normal"]}, {}, True),
        ({"incident_kinds": ["test"]}, {}, False),
        ({"incident_condition_kind": "IS", "incident_kinds": []}, {}, True),
        ({"incident_condition_status": "IS", "incident_statuses": ["started"]}, {}, True),
        ({"incident_condition_visibility": "IS", "incident_visibilities": [True]}, {}, False),
        ({"incident_condition_visibility": "IS", "incident_visibilities": [False]}, {}, True),
        ({"incident_condition_severity": "IS"}, {"severity_ids": ["s1"]}, True),
        ({"incident_condition_severity": "IS"}, {"severity_ids": ["s2"]}, False),
        ({"incident_condition_severity": "IS NOT"}, {"severity_ids": ["s2"]}, True),
        ({"incident_condition_service": "CONTAINS_ALL"}, {"service_ids": ["v1", "v2"]}, True),
        ({"incident_condition_service": "CONTAINS_ALL"}, {"service_ids": ["v1", "v3"]}, False),
        ({"incident_condition_service": "CONTAINS"}, {"service_ids": ["v3", "v2"]}, True),
        ({"incident_condition_service": "CONTAINS_NONE"}, {"service_ids": ["v1"]}, False),
        ({"incident_condition_environment": "UNSET"}, {}, True),
        ({"incident_condition_environment": "SET"}, {}, False),
        ({"incident_condition_label": "CONTAINS", "incident_labels": ["region:eu"]}, {}, True),
        ({"incident_condition_title": "CONTAINS", "incident_titles": ["slow"]}, {}, True),
        ({"incident_condition_summary": "SET"}, {}, False),
        ({"incident_condition_summary": "UNSET"}, {}, True),
        ({"incident_condition_started_at": "SET"}, {}, True),
        ({"incident_condition_mitigated_at": "SET"}, {}, False),
    ],
)
def test_what_an_incident_is_asked(params, beside, holds_for_it):
    assert problems("incident", params, beside, path_problem) == []
    assert holds(rules("incident", params, beside, compiled), {"incident": INCIDENT}) is holds_for_it


def test_an_action_item_is_asked_as_well_as_its_incident():
    params = {
        "incident_condition_status": "IS",
        "incident_statuses": ["started"],
        "incident_action_item_condition": "ANY",
        "incident_action_item_condition_priority": "IS",
        "incident_action_item_priorities": ["high"],
        "incident_action_item_condition_kind": "IS",
        "incident_action_item_kinds": ["task"],
    }
    asked = rules("action_item", params, {}, compiled)
    item = {"priority": "low", "kind": "task", "status": "open"}
    assert holds(asked, {"incident": INCIDENT, "action_item": item})
    assert not holds(asked, {"incident": {**INCIDENT, "status": "resolved"}, "action_item": item})
    assert not holds(asked, {"incident": INCIDENT, "action_item": {**item, "kind": "follow_up"}})


def test_a_verdict_says_what_became_of_every_condition():
    matched, told = findings(of_alert(**SEVERE, **OPEN), {"alert": ALERT})
    assert not matched
    assert [f.met for f in told] == [True, False]
    assert told[1].told == "alert status is one of open: no, it is triggered."


def workflow(kind="alert", **more):
    return Workflow(
        id=UUID(int=1), name="W", slug="w", kind=kind, triggers=("alert_created",), rules=of_alert(), **more
    )


def test_a_workflow_without_what_it_is_about_never_matches():
    verdict = matches(workflow(), {"incident": INCIDENT})
    assert not verdict.matched
    assert verdict.why_not


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("kind", "params", "beside", "place"),
    [
        ("alert", {"alert_condition": "SOME"}, {}, "trigger_params.alert_condition"),
        ("alert", {"alert_condition_status": "EQUALS"}, {}, "trigger_params.alert_condition_status"),
        ("alert", {"alert_condition_status": "IS"}, {}, "trigger_params.alert_statuses"),
        (
            "alert",
            {"alert_condition_status": "IS", "alert_statuses": ["firing"]},
            {},
            "trigger_params.alert_statuses",
        ),
        (
            "alert",
            {"alert_condition_source": "IS", "alert_sources": "x"},
            {},
            "trigger_params.alert_sources",
        ),
        (
            "alert",
            {"alert_condition_label": "IS", "alert_labels": ["("], "alert_condition_label_use_regexp": True},
            {},
            "trigger_params.alert_labels[0]",
        ),
        ("alert", {"alert_condition_payload": "IS"}, {}, "trigger_params.alert_query_payload"),
        (
            "alert",
            {"alert_condition_payload": "IS", "alert_query_payload": "$.a[", "alert_payload": ["x"]},
            {},
            "trigger_params.alert_query_payload",
        ),
        (
            "alert",
            {"alert_payload_conditions": {"conditions": [{"query": "$.a", "operator": "LIKE"}]}},
            {},
            "trigger_params.alert_payload_conditions.conditions[0].operator",
        ),
        (
            "alert",
            {"alert_payload_conditions": {"conditions": [{"operator": "SET"}]}},
            {},
            "trigger_params.alert_payload_conditions.conditions[0].query",
        ),
        (
            "alert",
            {
                "alert_payload_conditions": {
                    "conditions": [{"query": "$.a", "operator": "IS", "values": ["["], "use_regexp": True}]
                }
            },
            {},
            "trigger_params.alert_payload_conditions.conditions[0].values[0]",
        ),
        ("alert", {"alert_payload_conditions": []}, {}, "trigger_params.alert_payload_conditions"),
        (
            "alert",
            {"alert_payload_conditions": {"conditions": 7}},
            {},
            "trigger_params.alert_payload_conditions",
        ),
        (
            "alert",
            {"alert_field_conditions": [{"alert_field_id": "x", "condition_type": "SET"}]},
            {},
            "trigger_params.alert_field_conditions[0].alert_field_id",
        ),
        ("incident", {"incident_condition_severity": "IS"}, {}, "severity_ids"),
        ("incident", {"incident_condition_summary": "IS"}, {}, "trigger_params.incident_condition_summary"),
        (
            "incident",
            {"incident_condition_status": "IS", "incident_statuses": ["open"]},
            {},
            "trigger_params.incident_statuses",
        ),
        (
            "incident",
            {"incident_conditional_inactivity": "IS"},
            {},
            "trigger_params.incident_conditional_inactivity",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_place(kind, params, beside, place):
    (problem,) = problems(kind, params, beside, path_problem)
    assert problem.place == place


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10 min", 600),
        ("1h", 3600),
        ("2h 30min", 9000),
        ("3 days", 259_200),
        ("2 weeks", 1_209_600),
        ("45s", 45),
    ],
)
def test_durations_are_written_as_people_write_them(text, seconds):
    assert duration(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "soon", "10", "10 moons", "0 min", "5 years", "1h x", "-1h"])
def test_what_is_no_duration_is_refused_with_what_would_be_right(text):
    with pytest.raises(Invalid) as refused:
        duration(text)
    assert re.search(r"\d", refused.value.hint)


def test_a_custom_field_may_start_a_workflow_of_incidents():
    assert known_trigger("incident", "custom_fields.region.updated")
    assert not known_trigger("alert", "custom_fields.region.updated")
    assert not known_trigger("incident", "alert_created")
    assert all(known_trigger(kind, one) for kind, listed in TRIGGERS.items() for one in listed)


def test_what_is_not_read_is_said_with_what_may_have_been_meant():
    sent = {
        "trigger_type": "alert",
        "triggers": [],
        "alert_condtion": "NONE",
        "colour": "red",
        "new_list": [],
    }
    assert unread("alert", sent) == (
        "alert_condtion is not read: alert_condition may be meant.",
        "colour is not read.",
    )
    assert unread("incident", {"incident_condition_visibility": "IS", "alert_payload": ["x"]}) == (
        "alert_payload is not read.",
    )
