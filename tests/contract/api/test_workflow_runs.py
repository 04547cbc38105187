"""Runs of workflows on the wire: by hand, listed with their steps, canceled, done again, for Rootly's own client."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from rootly_sdk.api.workflow_runs import list_workflow_runs

GOLDEN = json.loads((Path(__file__).parent / "golden.json").read_text())
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def made(call):
    async def make(*tasks, kind="simple", **more):
        said = {"name": "Tidy up", "trigger_params": {"trigger_type": kind, "triggers": []}, **more}
        workflow = (await call("POST", "/v1/workflows", said, status=201))["data"]["id"]
        for params in tasks:
            body = {"task_params": params}
            await call("POST", f"/v1/workflows/{workflow}/workflow_tasks", body, status=201)
        return workflow

    return make


@pytest.fixture
def over(call):
    async def over(ident):
        for _ in range(200):
            document = await call("GET", f"/v1/workflow_runs/{ident}?include=genius_task_runs")
            if document["data"]["attributes"]["status"] not in ("queued", "started"):
                return document
            await asyncio.sleep(0.05)
        raise AssertionError("the run never ended")

    return over


async def test_a_run_by_hand_has_the_shape_of_the_golden_document(call, made, over):
    workflow = await made({"task_type": "print", "message": "hello {{ context.who }}"})
    path = f"/v1/workflows/{workflow}/workflow_runs"
    begun = await call("POST", path, {"immediate": True, "context": {"who": "Ana", "token": "x"}}, status=201)
    ended = await over(begun["data"]["id"])
    attributes, golden = ended["data"]["attributes"], GOLDEN["workflow_run_response"]["data"]["attributes"]
    assert golden.keys() <= attributes.keys()
    assert (attributes["status"], attributes["triggered_by"]) == ("completed", "user")
    assert attributes["context"] == {"who": "Ana", "token": "•••"}
    (step,) = ended["included"]
    assert step["type"] == "genius_task_runs"
    assert step["attributes"]["task_type"] == "print"
    assert step["attributes"]["output"] == {"message": "hello Ana"}
    assert step["attributes"]["duration"] >= 0


async def test_the_sdk_lists_runs(call, sdk, made, over):
    workflow = await made({"task_type": "print", "message": "x"})
    path = f"/v1/workflows/{workflow}/workflow_runs"
    for _ in range(2):
        await over((await call("POST", path, {}, status=201))["data"]["id"])
    listed: Any = await list_workflow_runs.asyncio(workflow, client=sdk, include="genius_task_runs")
    assert [run.attributes.status for run in listed.data] == ["completed", "completed"]
    failed = await call("GET", f"{path}?filter[status]=failed")
    assert failed["data"] == []


async def test_a_run_is_canceled_and_done_again(call, made):
    workflow = await made({"task_type": "wait", "duration": "1 hour"})
    begun = await call("POST", f"/v1/workflows/{workflow}/workflow_runs", {}, status=201)
    ident = begun["data"]["id"]
    ended = await call("POST", f"/v1/workflow_runs/{ident}/cancel")
    assert ended["data"]["attributes"]["status"] == "canceled"
    assert ended["data"]["attributes"]["canceled_at"]
    await call("POST", f"/v1/workflow_runs/{ident}/cancel", status=400)
    again = await call("POST", f"/v1/workflow_runs/{ident}/rerun", status=201)
    assert again["data"]["id"] != ident


async def test_what_cannot_run_is_refused_and_says_why(call, made):
    workflow = await made(
        kind="alert", trigger_params={"trigger_type": "alert", "triggers": ["alert_created"]}
    )
    path = f"/v1/workflows/{workflow}/workflow_runs"
    missing = await call("POST", path, {}, status=422)
    assert "about an alert" in missing["errors"][0]["title"]
    await call("POST", path, {"alert_id": NOBODY}, status=422)
    await call("POST", path, {"alert_id": "x" * 300}, status=422)
    await call("POST", path, {"immediate": "perhaps"}, status=422)
    await call("POST", f"/v1/workflows/{NOBODY}/workflow_runs", {}, status=404)
    await call("GET", f"/v1/workflow_runs/{NOBODY}", status=404)
    await call("GET", f"/v1/workflows/{NOBODY}/workflow_runs", status=404)
