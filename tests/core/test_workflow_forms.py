"""The forms of workflows and tasks: what is stored comes back as it was, and what the form cannot show is kept."""

from typing import Any

import pytest

from nightbell.core.errors import Invalid
from nightbell.engine.tasks.registry import TASKS
from nightbell.web import task_form, workflow_form
from nightbell.web.forms import Form
from nightbell.web.starters import STARTERS

ROW: dict[str, Any] = {
    "name": "W",
    "description": None,
    "kind": "alert",
    "enabled": True,
    "triggers": ["alert_created"],
    "trigger_params": {},
    "wait": "10 min",
    "repeat_every_duration": None,
    "repeat_condition_duration_since_first_run": None,
    "repeat_condition_number_of_repeats": 0,
    "continuously_repeat": False,
    "repeat_on": ["M"],
    "run_once_per_resource": True,
}
SINGLE = {
    "trigger_type": "alert",
    "triggers": ["alert_created"],
    "alert_condition": "ANY",
    "alert_condition_source": "ANY",
    "alert_sources": [],
    "alert_condition_label": "CONTAINS",
    "alert_labels": ["team:a,b"],
    "alert_condition_label_use_regexp": True,
    "alert_condition_payload": "IS",
    "alert_query_payload": "$.commonLabels.severity",
    "alert_payload": ["critical"],
    "alert_condition_payload_use_regexp": False,
    "alert_field_conditions": [{"alert_field_id": "x", "condition_type": "SET", "values": []}],
    "added_later": {"by": "somebody"},
}
SEVERAL = {
    "trigger_type": "alert",
    "triggers": ["alert_status_updated"],
    "alert_condition": "NONE",
    "alert_payload_conditions": {
        "logic": "ANY",
        "conditions": [
            {"query": "$.a", "operator": "SET", "values": [], "use_regexp": False},
            {"query": "$.b", "operator": "IS", "values": ["1", "2"], "use_regexp": True},
        ],
    },
}
INCIDENT = {
    "trigger_type": "incident",
    "triggers": ["status_updated", "custom_fields.region.updated"],
    "incident_condition": "ALL",
    "incident_condition_kind": "IS",
    "incident_kinds": ["normal"],
    "incident_condition_visibility": "IS",
    "incident_visibilities": [True],
    "incident_condition_severity": "IS NOT",
    "incident_condition_summary": "UNSET",
}


@pytest.mark.parametrize("params", [SINGLE, SEVERAL, INCIDENT, *(s.trigger_params for s in STARTERS)])
def test_a_form_that_nobody_changed_saves_what_was_stored(params):
    beside = {"severity_ids": ["s1"]} if params is INCIDENT else {}
    row = {**ROW, **beside, "kind": params["trigger_type"], "triggers": params["triggers"]}
    row["trigger_params"] = params
    sent = workflow_form.edit_of(workflow_form.from_row(row), row).sent()
    kept = {k: v for k, v in sent["trigger_params"].items() if v != "ANY" or k in params}
    assert kept == params
    assert {name: sent[name] for name in ROW if name in sent} == {
        name: row[name] for name in ROW if name in sent
    } | {"trigger_params": sent["trigger_params"]}
    assert {name: sent[name] for name in beside} == beside


def params_of(draft: workflow_form.Draft, stored: dict[str, Any]) -> dict[str, Any]:
    sent: dict[str, Any] = workflow_form.edit_of(draft, stored).sent()["trigger_params"]
    return sent


def form(**fields: Any) -> Form:
    return Form(
        (k.replace("__", "-"), v)
        for k, held in fields.items()
        for v in (held if isinstance(held, list) else [held])
    )


def test_a_condition_is_added_filled_in_and_taken_away():
    draft = workflow_form.new("alert")
    asked = form(new_row="alert_condition_status")
    draft = workflow_form.edited(draft, "add", asked)
    assert [row.key for row in draft.rows] == ["alert_condition_status"]
    sent = form(
        name="N",
        trigger=["alert_created"],
        row=["alert_condition_status"],
        op__0="IS",
        values__0=["open", "triggered"],
    )
    read = workflow_form.from_form(sent, "alert")
    assert params_of(read, {})["alert_statuses"] == ["open", "triggered"]
    assert workflow_form.edited(read, "drop:0", asked).rows == ()
    stored = {"trigger_params": {"alert_condition_status": "IS", "alert_statuses": ["open"]}}
    gone = params_of(workflow_form.edited(read, "drop:0", asked), stored)
    assert gone["alert_condition_status"] == "ANY"


PICKERS = {"severity_id": [("s1", "SEV 1")], "user_target": [("1", "Ana")], "service_ids": [("v1", "Web")]}


@pytest.mark.parametrize("kind", sorted(TASKS))
def test_every_task_has_a_form_that_gives_back_what_it_shows(kind):
    task = TASKS[kind]
    shown = task_form.fields(task, {}, PICKERS)
    given = {
        "text": "t",
        "long": "t",
        "lines": "a\nb",
        "nameds": "#a",
        "number": "3",
        "json": '{"a": 1}',
        "flag": "1",
    }
    sent = {
        one.place: one.choices[0]
        if one.kind == "choice"
        else one.options[0][0]
        if one.options
        else given.get(one.kind, "")
        for one in shown
    }
    read = task_form.read(task, kind, Form(sent.items()), {}, PICKERS)
    again = task_form.fields(task, read, PICKERS)
    back = {one.place: one.chosen[0] if one.chosen else one.value for one in again}
    assert {name: back[name] for name, value in sent.items() if value and value[0] != "{"} == {
        name: value for name, value in sent.items() if value and value[0] != "{"
    }
    assert task_form.read(task, kind, Form(()), {"unknown": 7}, PICKERS)["unknown"] == 7


def test_what_is_chosen_from_a_list_is_an_id_with_its_name():
    task = TASKS["page_rootly_on_call_responders"]
    read = task_form.read(task, task.name, Form([("p-user_target", "1"), ("p-summary", "x")]), {}, PICKERS)
    assert read["user_target"] == {"id": "1", "name": "Ana"}


def test_parameters_of_another_vendor_are_json():
    sent = Form([("p-task_params", '{"title": "x"}')])
    assert task_form.read(None, "create_jira_issue", sent, {}, {}) == {
        "task_type": "create_jira_issue",
        "title": "x",
    }
    for wrong in ("[1]", "{"):
        with pytest.raises(Invalid):
            task_form.read(None, "create_jira_issue", Form([("p-task_params", wrong)]), {}, {})
