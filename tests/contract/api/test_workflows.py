"""Workflows on the wire: Rootly's shapes and its SDK, what Terraform sends and must find again, and hostile input."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from rootly_sdk.api.workflow_groups import list_workflow_groups
from rootly_sdk.api.workflows import create_workflow, get_workflow, list_workflows, update_workflow
from rootly_sdk.models import NewWorkflow, UpdateWorkflow

from nightbell.api.resources.workflows import WORKFLOWS
from support import bodies

GOLDEN = json.loads((Path(__file__).parent / "golden.json").read_text())
NOBODY = "00000000-0000-4000-8000-000000000000"
#: What the golden document was made from: as Terraform's rootly_workflow_alert sends it.
PARAMS = {
    "trigger_type": "alert",
    "triggers": ["alert_created"],
    "alert_condition": "ALL",
    "alert_condition_source": "IS",
    "alert_sources": ["alertmanager"],
    "alert_condition_label": "ANY",
    "alert_labels": [],
    "alert_condition_status": "ANY",
    "alert_statuses": [],
    "alert_condition_urgency": "ANY",
    "alert_urgency_ids": [],
    "alert_condition_payload": "IS",
    "alert_query_payload": "$.commonLabels.severity",
    "alert_payload": ["critical"],
    "alert_field_conditions": [],
}
PRINT = {"task_type": "print", "message": "{{ alert.summary }}"}


@pytest.fixture
def made(call):
    async def make(status=201, **more):
        said = {"name": "Critical → incident", "trigger_params": PARAMS, **more}
        return await call("POST", "/v1/workflows", said, status=status)

    return make


@pytest.fixture
def task(call):
    async def make(workflow, status=201, **more):
        path = f"/v1/workflows/{workflow}/workflow_tasks"
        return await call("POST", path, {"task_params": PRINT, **more}, status=status)

    return make


async def test_a_workflow_has_the_shape_of_the_golden_document(made):
    document = (await made())["data"]
    golden = GOLDEN["workflow_response"]["data"]["attributes"] if "workflow_response" in GOLDEN else None
    attributes = document["attributes"]
    assert document["type"] == "workflows"
    if golden is not None:
        assert golden.keys() <= attributes.keys()
        same = [key for key in golden if not key.endswith("_at")]
        assert {key: attributes[key] for key in same} == {key: golden[key] for key in same}
    assert attributes["slug"] == "critical-incident"
    assert attributes["trigger_params"] == PARAMS
    assert {a.name for a in WORKFLOWS.attributes} == attributes.keys()


async def test_what_terraform_sends_it_finds_again(made, call, task):
    key = (await made(wait="10 min", repeat_on=["M", "R"], position=3))["data"]["id"]
    row = (await call("GET", f"/v1/workflows/{key}"))["data"]["attributes"]
    assert (row["wait"], row["repeat_on"], row["position"]) == ("10 min", ["M", "R"], 3)
    assert (row["repeat_every_duration"], row["description"], row["workflow_group_id"]) == (None, None, None)
    params = {**PRINT, "unknown_to_us": {"a": [1, 2.5, None, True]}}
    made_task = (await task(key, task_params=params, name="Say", skip_on_failure=True))["data"]
    again = (await call("GET", f"/v1/workflow_tasks/{made_task['id']}"))["data"]["attributes"]
    assert again["task_params"] == params
    assert (again["name"], again["skip_on_failure"], again["enabled"], again["position"]) == (
        "Say",
        True,
        True,
        1,
    )
    changed = await call("PUT", f"/v1/workflows/{key}", {"name": "Other", "wait": None})
    assert changed["data"]["attributes"] == {
        **row,
        "name": "Other",
        "wait": None,
        "updated_at": changed["data"]["attributes"]["updated_at"],
    }


async def test_a_workflow_is_found_by_its_slug_and_its_name(made, call):
    await made()
    await made(name="Second")
    assert (await call("GET", "/v1/workflows/second"))["data"]["attributes"]["name"] == "Second"
    found = await call("GET", "/v1/workflows", params={"filter[name]": "Second"})
    assert [w["attributes"]["slug"] for w in found["data"]] == ["second"]
    assert [w["attributes"]["position"] for w in (await call("GET", "/v1/workflows"))["data"]] == [1, 2]


async def test_the_sdk_reads_workflows_and_groups(made, call, sdk):
    await call("POST", "/v1/workflow_groups", {"name": "Nights", "kind": "alert"}, status=201)
    key = (await made())["data"]["id"]
    found: Any = await get_workflow.asyncio(key, client=sdk)
    assert found.data.attributes.name == "Critical → incident"
    listed: Any = await list_workflows.asyncio(client=sdk)
    assert [w.attributes.slug for w in listed.data] == ["critical-incident"]
    groups: Any = await list_workflow_groups.asyncio(client=sdk)
    assert [(g.attributes.name, g.attributes.expanded) for g in groups.data] == [("Nights", True)]


async def test_the_sdk_makes_and_changes_workflows(call, sdk):
    sent = {
        "data": {
            "type": "workflows",
            "attributes": {"name": "By SDK", "slug": "by-sdk", "trigger_params": PARAMS},
        }
    }
    made: Any = await create_workflow.asyncio(client=sdk, body=NewWorkflow.from_dict(sent))
    assert (made.data.attributes.slug, made.data.attributes.locked) == ("by-sdk", False)
    change = {"data": {"type": "workflows", "attributes": {"wait": "1h"}}}
    body = UpdateWorkflow.from_dict(change)
    changed: Any = await update_workflow.asyncio(made.data.id, client=sdk, body=body)
    assert (changed.data.attributes.wait, changed.data.attributes.name) == ("1h", "By SDK")
    stored = (await call("GET", "/v1/workflows/by-sdk"))["data"]["attributes"]["trigger_params"]
    assert stored.items() >= {k: v for k, v in PARAMS.items() if v not in ([], "ANY")}.items()
    await call("POST", "/v1/workflows", {"name": "X", "slug": "by-sdk"}, status=422)
    await call("POST", "/v1/workflows", {"name": "X", "slug": "No Slug"}, status=422)


async def test_tasks_keep_their_order_whatever_moves(made, call, task):
    key = (await made())["data"]["id"]
    ids = [(await task(key, name=name))["data"]["id"] for name in "abc"]
    first = (await task(key, name="d", position=1))["data"]["id"]

    async def order():
        listed = await call("GET", f"/v1/workflows/{key}/workflow_tasks")
        assert [t["attributes"]["position"] for t in listed["data"]] == list(
            range(1, len(listed["data"]) + 1)
        )
        return "".join(t["attributes"]["name"] for t in listed["data"])

    assert await order() == "dabc"
    await call("PUT", f"/v1/workflow_tasks/{ids[2]}", {"position": 2})
    assert await order() == "dcab"
    await call("PUT", f"/v1/workflow_tasks/{first}", {"position": 99})
    assert await order() == "cabd"
    gone = await call("DELETE", f"/v1/workflow_tasks/{ids[0]}")
    assert gone["data"]["attributes"]["name"] == "a"
    assert await order() == "cbd"
    shown = await call("GET", f"/v1/workflows/{key}", params={"include": "genius_tasks"})
    assert [t["attributes"]["name"] for t in shown["included"]] == list("cbd")


async def test_a_task_of_another_vendor_is_kept(made, task):
    key = (await made())["data"]["id"]
    params = {"task_type": "create_jira_issue", "title": "{{ incident.title }}", "project_key": "OPS"}
    assert (await task(key, task_params=params))["data"]["attributes"]["task_params"] == params


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "name"),
    ({"trigger_params": {"trigger_type": "night"}}, "trigger_params.trigger_type"),
    ({"trigger_params": {"trigger_type": "pulse"}}, "trigger_params.trigger_type"),
    ({"trigger_params": {**PARAMS, "triggers": ["incident_created"]}}, "trigger_params.triggers[0]"),
    ({"trigger_params": {**PARAMS, "triggers": "alert_created"}}, "trigger_params.triggers"),
    (
        {"trigger_params": {**PARAMS, "alert_condition_source": "EQUALS"}},
        "trigger_params.alert_condition_source",
    ),
    ({"trigger_params": {**PARAMS, "alert_query_payload": "$.["}}, "trigger_params.alert_query_payload"),
    ({"trigger_params": {**PARAMS, "alert_payload": []}}, "trigger_params.alert_payload"),
    ({"trigger_params": []}, "trigger_params"),
    ({"wait": "a while"}, "wait"),
    ({"repeat_every_duration": "10 sec"}, "repeat_every_duration"),
    ({"repeat_condition_duration_since_first_run": "1h"}, "repeat_every_duration"),
    ({"repeat_on": ["X"]}, "repeat_on"),
    ({"workflow_group_id": NOBODY}, "workflow_group_id"),
    ({"position": -1}, "position"),
]


def pointer(place):
    parts = re.sub(r"[.\[]", "/", place).replace("]", "")
    return f"/data/attributes/{parts}"


async def test_what_is_wrong_with_a_workflow_is_named(made, call):
    for sent, place in WRONG:
        refused = await made(status=422, **sent)
        assert [error["source"]["pointer"] for error in refused["errors"]] == [pointer(place)], sent
    assert (await call("GET", "/v1/workflows"))["data"] == []


WRONG_TASKS: list[tuple[dict[str, Any], str]] = [
    ({"task_params": {}}, "task_params"),
    ({"task_params": {"task_type": "create_incidnet"}}, "create_incident"),
    ({"task_params": {"task_type": 7}}, "task_params/task_type"),
    ({"task_params": "print"}, "task_params"),
    ({"position": 0}, "position"),
]


async def test_what_is_wrong_with_a_task_is_named(made, task, call):
    key = (await made())["data"]["id"]
    for sent, said in WRONG_TASKS:
        assert said in json.dumps((await task(key, status=422, **sent))["errors"])
    assert (await call("GET", f"/v1/workflows/{key}/workflow_tasks"))["data"] == []


def triggers(workflow):
    return {
        "task_type": "trigger_workflow",
        "kind": "alert",
        "workflow": {"id": workflow, "name": "?"},
        "resource": {"id": "{{ alert.id }}", "name": "?"},
        "attribute_to_query_by": "id",
    }


async def test_workflows_that_start_each_other_for_ever_are_refused(made, task, call):
    a, b, c = [(await made(name=name))["data"]["id"] for name in "ABC"]
    await task(a, task_params=triggers(b))
    await task(b, task_params=triggers("c"))
    refused = await task(c, status=422, task_params=triggers(a))
    assert "C → A → B → C" in json.dumps(refused["errors"], ensure_ascii=False)
    own = await task(a, status=422, task_params=triggers(a))
    assert "A → A" in json.dumps(own["errors"], ensure_ascii=False)
    harmless = (await task(c))["data"]["id"]
    await call("PUT", f"/v1/workflow_tasks/{harmless}", {"task_params": triggers(b)}, status=422)


async def test_tasks_that_come_at_once_wait_for_each_other(made, task, call):
    key = (await made())["data"]["id"]
    ids = [t["data"]["id"] for t in await asyncio.gather(*(task(key, name=str(n)) for n in range(6)))]
    moves = [
        call("PUT", f"/v1/workflow_tasks/{one}", {"position": n % 3 + 1}) for n, one in enumerate(ids[:4])
    ]
    await asyncio.gather(*moves, task(key), call("DELETE", f"/v1/workflow_tasks/{ids[5]}"))
    listed = (await call("GET", f"/v1/workflows/{key}/workflow_tasks"))["data"]
    assert [t["attributes"]["position"] for t in listed] == [1, 2, 3, 4, 5, 6]


async def test_a_locked_workflow_is_only_unlocked(made, task, call):
    key = (await made(locked=True))["data"]["id"]
    path = f"/v1/workflows/{key}"
    await call("PUT", path, {"name": "Other"}, status=400)
    await call("PUT", path, {"name": "Critical → incident"})
    await call("DELETE", path, status=400)
    await task(key, status=400)
    unlocked = await call("PUT", path, {"locked": False, "name": "Other"})
    assert unlocked["data"]["attributes"]["name"] == "Other"
    await task(key)
    assert (await call("DELETE", path))["data"]["attributes"]["name"] == "Other"
    await call("GET", path, status=404)


async def test_only_who_configures_changes_workflows(made, call):
    key = (await made())["data"]["id"]
    assert (await call("GET", f"/v1/workflows/{key}", by="olga"))["data"]["id"] == key
    for who in ("bo", "olga"):
        await call("POST", "/v1/workflows", {"name": "X"}, by=who, status=403)
        await call("PUT", f"/v1/workflows/{key}", {"name": "X"}, by=who, status=403)
        await call("POST", f"/v1/workflows/{key}/workflow_tasks", {"task_params": PRINT}, by=who, status=403)


async def test_a_group_is_made_changed_and_forgotten_and_its_workflows_stay(made, call):
    group = (await call("POST", "/v1/workflow_groups", {"name": "Nights", "icon": "🌙"}, status=201))["data"]
    assert (group["attributes"]["slug"], group["attributes"]["position"]) == ("nights", 1)
    key = (await made(workflow_group_id=group["id"]))["data"]["id"]
    path = f"/v1/workflow_groups/{group['id']}"
    assert (await call("PUT", path, {"expanded": False}))["data"]["attributes"]["expanded"] is False
    await call("PUT", path, {"kind": "dream"}, status=422)
    await call("DELETE", path)
    assert (await call("GET", f"/v1/workflows/{key}"))["data"]["attributes"]["workflow_group_id"] is None


def body(name, severity):
    labels = {"alertname": name, "severity": severity}
    group = f"{{}}:{{{name}{severity}}}"
    return json.dumps(bodies.firing(labels=labels, common=labels, groupKey=group))


async def test_a_dry_run_says_what_would_happen_and_why_not(made, task, call, send, db):
    key = (await made(enabled=False))["data"]["id"]
    await task(key)
    await task(key, task_params={"task_type": "create_jira_issue", "title": "{{ alert.labels.severity }}"})
    results = [
        (await send(body("HighErrorRate", severity)))["alerts"][0] for severity in ("critical", "warning")
    ]
    path = f"/v1/workflows/{key}/dry_run"
    said = [(await call("POST", path, {"alert_id": one["short_id"]}))["data"] for one in results]
    assert said[0]["type"] == "workflow_dry_runs"
    hit, miss = (one["attributes"] for one in said)
    assert (hit["matched"], hit["why_not"]) == (True, [])
    assert [(c["met"], c["found"]) for c in hit["conditions"]] == [
        (True, "alertmanager, prod"),
        (True, "critical"),
    ]
    assert [t["task_params"].get("message") or t["task_params"]["title"] for t in hit["tasks"]] == [
        "HighErrorRate",
        "critical",
    ]
    assert [t["configured"] for t in hit["tasks"]] == [True, False]
    assert not miss["matched"]
    assert miss["why_not"] == ["payload $.commonLabels.severity is one of critical: no, it is warning."]
    assert (await db.fetch("SELECT count(*) FROM workflow_runs"))[0][0] == 0

    await call("POST", path, {}, status=422)
    await call("POST", path, {"alert_id": NOBODY}, status=422)
    await call("POST", path, {"alert_id": results[0]["short_id"]}, by="bo", status=403)
    await call("POST", f"/v1/workflows/{NOBODY}/dry_run", {"alert_id": "x"}, status=404)


async def test_a_dry_run_says_what_is_not_read(made, task, call, send):
    key = (await made(trigger_params={"trigger_type": "alert", "triggers": [], "alert_label": ["a:b"]}))[
        "data"
    ]["id"]
    await task(key, task_params={"task_type": "print", "message": "x", "massage": "y"})
    alert = (await send(body("DiskFull", "critical")))["alerts"][0]
    said = await call("POST", f"/v1/workflows/{key}/dry_run", {"alert_id": alert["short_id"]})
    assert said["data"]["attributes"]["ignored"] == ["alert_label is not read: alert_labels may be meant."]
    (tried,) = said["data"]["attributes"]["tasks"]
    assert tried["problems"] == ["massage is not read: message may be meant."]


async def test_hostile_parameters_are_kept_or_refused_and_never_a_fault_of_ours(made, task, call):
    key = (await made(enabled=False))["data"]["id"]
    deep: Any = "x"
    for _ in range(60):
        deep = {"a": deep}
    for params in (
        {"task_type": "create_jira_issue", "title": "a\u0000b"},
        {"task_type": "create_jira_issue", "deep": deep},
        {"task_type": "create_jira_issue", "huge": 10**40, "inf": 1e308},
        {"task_type": "create_jira_issue", "\u0000": "x"},
    ):
        document = (await task(key, task_params=params))["data"]
        assert document["attributes"]["task_params"]["task_type"] == "create_jira_issue"
    odd: list[dict[str, Any]] = [
        {"alert_condition": ["ALL"]},
        {"alert_condition_source": {"IS": 1}, "alert_sources": ["x"]},
        {"alert_condition_label": "IS", "alert_labels": [None]},
        {"alert_condition_label": "IS", "alert_labels": {"a": 1}},
        {"alert_condition_payload": "IS", "alert_query_payload": ["$.a"], "alert_payload": ["x"]},
        {"alert_condition_payload": "IS", "alert_query_payload": "$" + "[?@.a" * 300, "alert_payload": ["x"]},
        {"alert_payload_conditions": {"conditions": [7]}},
        {"alert_payload_conditions": {"logic": [], "conditions": None}},
        {"alert_field_conditions": [7]},
        {"alert_field_conditions": {"a": 1}},
        {"triggers": [{"a": 1}]},
    ]
    for wrong in odd:
        await made(status=422, trigger_params={"trigger_type": "alert", "triggers": [], **wrong})
    await made(status=422, trigger_params={"trigger_type": ["alert"]})
    await made(status=422, trigger_params=None, repeat_on="M")
    await made(status=422, position=10**20)
    assert (await made(trigger_params={"trigger_type": "alert", "x": "a\u0000b"}))["data"]["id"]


async def test_what_opens_something_is_shown_to_who_may_change_it_alone(made, task, call):
    key = (await made(enabled=False))["data"]["id"]
    headers = json.dumps({"Authorization": "Bearer s3cret", "X-Team": "a"})
    made_task = await task(
        key,
        task_params={
            "task_type": "http_client",
            "url": "https://example.org/",
            "succeed_on_status": "200",
            "headers": headers,
        },
    )
    path, listed = f"/v1/workflow_tasks/{made_task['data']['id']}", f"/v1/workflows/{key}/workflow_tasks"
    for asked in (path, listed, f"/v1/workflows/{key}?include=genius_tasks"):
        assert "s3cret" in json.dumps(await call("GET", asked))
        assert "s3cret" not in json.dumps(await call("GET", asked, by="bo"))
