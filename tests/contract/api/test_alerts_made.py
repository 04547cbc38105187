"""Alerts that programs make through the API: what they concern, what they carry, when they end."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from nightbell.core.journal import SYSTEM
from nightbell.engine import edits

NOWHERE = str(UUID(int=1))


@pytest.fixture
async def concerned(program):
    """A service and a team that alerts may concern; nobody is paged through them."""
    configure, now = program.configure, program.clock()
    service = await configure.create_service(edits.ServiceEdit(name="Checkout"), by=SYSTEM, now=now)
    team = await configure.create_team(edits.TeamEdit(name="Payments"), by=SYSTEM, now=now)
    return {"service_ids": [str(service)], "group_ids": [str(team)]}


async def made(call, **sent):
    """Make an alert and return its attributes, its id among them."""
    document = (await call("POST", "/v1/alerts", {"summary": "Checkout is slow", **sent}, status=201))["data"]
    return {"id": document["id"], **document["attributes"]}


@pytest.mark.parametrize("status", [None, "open"])
async def test_an_alert_concerns_services_and_teams_that_it_does_not_page(call, concerned, people, status):
    ana = {"notification_target_type": "User", "notification_target_id": str(people["ana"][0])}
    shown = await made(call, status=status, **concerned, **ana)
    assert {name: shown[name] for name in concerned} == concerned
    assert [one["name"] for one in (*shown["services"], *shown["groups"])] == ["Checkout", "Payments"]
    assert [one["id"] for one in shown["responders"]] == ([] if status else [people["ana"][0]])
    for name, ids in (("services", "service_ids"), ("groups", "group_ids")):
        found = await call("GET", f"/v1/alerts?filter[{name}]={concerned[ids][0]}")
        assert [one["id"] for one in found["data"]] == [shown["id"]]


async def test_a_service_that_is_paged_and_attached_stands_once(call, concerned):
    service = concerned["service_ids"][0]
    target = {"notification_target_type": "Service", "notification_target_id": service}
    assert (await made(call, **concerned, **target))["service_ids"] == [service]


async def test_a_path_for_a_service_is_taken_by_what_concerns_it(program, call, concerned, people):
    configure, now = program.configure, program.clock()
    policy = await configure.create_policy(edits.PolicyEdit(name="EP"), by=SYSTEM, now=now)
    rule = {"rule_type": "service", "service_ids": concerned["service_ids"]}
    path = await call("POST", f"/v1/escalation_policies/{policy}/escalation_paths", {"name": "Own", "rules": [rule]}, status=201)  # fmt: skip
    for name, where in (("bo", f"escalation_paths/{path['data']['id']}"), ("ana", f"escalation_policies/{policy}")):  # fmt: skip
        level = {"notification_target_params": [{"type": "user", "id": str(people[name][0])}], "delay": 5}
        await call("POST", f"/v1/{where}/escalation_levels", {**level, "position": 1}, status=201)
    target = {"notification_target_type": "EscalationPolicy", "notification_target_id": str(policy)}
    shown = await made(call, **target, service_ids=concerned["service_ids"])
    assert [one["id"] for one in shown["responders"]] == [people["bo"][0]]
    shown = await made(call, **target)
    assert [one["id"] for one in shown["responders"]] == [people["ana"][0]]


async def test_what_it_concerns_is_rewritten_and_emptied(call, concerned):
    path = f"/v1/alerts/{(await made(call))['id']}"
    emptied: dict[str, list[str]] = {"service_ids": []}
    for sent in (concerned, emptied):
        changed = (await call("PATCH", path, sent))["data"]["attributes"]
        assert {name: changed[name] for name in sent} == sent
    assert changed["group_ids"] == concerned["group_ids"]


@pytest.mark.parametrize("name", ["service_ids", "group_ids"])
async def test_what_does_not_exist_is_refused_at_its_field(call, name):
    there = f"/v1/alerts/{(await made(call))['id']}"
    for method, path in (("POST", "/v1/alerts"), ("PATCH", there)):
        refused = await call(method, path, {"summary": "x", name: [NOWHERE]}, status=422)
        [error] = refused["errors"]
        assert error["source"]["pointer"] == f"/data/attributes/{name}" and NOWHERE in error["title"]


async def test_its_data_is_shown_and_chooses_a_path(program, call, people):
    policy = await program.configure.create_policy(
        edits.PolicyEdit(name="EP"), by=SYSTEM, now=program.clock()
    )
    rule = {"rule_type": "json_path", "json_path": "$.region.name", "operator": "is", "values": ["west"]}
    path = await call("POST", f"/v1/escalation_policies/{policy}/escalation_paths", {"name": "West", "rules": [rule]}, status=201)  # fmt: skip
    level = {"notification_target_params": [{"type": "user", "id": str(people["bo"][0])}], "delay": 5}
    await call("POST", f"/v1/escalation_paths/{path['data']['id']}/escalation_levels", {**level, "position": 1}, status=201)  # fmt: skip
    data = {"region": {"name": "west", "zones": [1, 2.5, None]}}
    target = {"notification_target_type": "EscalationPolicy", "notification_target_id": str(policy)}
    shown = await made(call, **target, data=data)
    assert shown["data"]["region"] == data["region"] and shown["data"]["rootly_alert_status"] == "triggered"
    assert [one["id"] for one in shown["responders"]] == [people["bo"][0]]


async def test_one_that_is_over_already_pages_nobody(program, call, people):
    ana = {"notification_target_type": "User", "notification_target_id": str(people["ana"][0])}
    ended = program.clock() - timedelta(minutes=5)
    shown = await made(call, **ana, ended_at=ended.isoformat(), deduplication_key="late")
    assert (shown["status"], shown["ended_at"], shown["responders"]) == (
        "resolved",
        "2026-11-23T01:55:05.000Z",
        [],
    )


async def test_one_that_fires_is_ended_by_saying_when_it_ended(program, call, people):
    ana = {"notification_target_type": "User", "notification_target_id": str(people["ana"][0])}
    first = await made(call, **ana, deduplication_key="same")
    assert first["status"] == "triggered"
    over = await made(call, **ana, deduplication_key="same", ended_at=program.clock().isoformat())
    assert (over["id"], over["status"]) == (first["id"], "resolved")
    again = await made(call, **ana, deduplication_key="same", ended_at=program.clock().isoformat())
    assert (again["id"], again["status"]) == (first["id"], "resolved")


async def test_one_that_will_end_is_over_then(program, call):
    end = program.clock() + timedelta(minutes=10)
    path = f"/v1/alerts/{(await made(call, ended_at=end.isoformat()))['id']}"
    assert (await call("GET", path))["data"]["attributes"]["status"] == "open"
    program.clock.instant += timedelta(minutes=11)
    for _ in range(200):
        shown = (await call("GET", path))["data"]["attributes"]
        if shown["status"] == "resolved":
            break
        await asyncio.sleep(0.05)
    assert (shown["status"], shown["ended_at"]) == ("resolved", "2026-11-23T02:10:05.000Z")


async def test_an_end_before_the_start_is_refused(call):
    times = {"started_at": "2026-11-23T01:00:00Z", "ended_at": "2026-11-23T00:59:00Z"}
    refused = await call("POST", "/v1/alerts", {"summary": "x", **times}, status=422)
    assert refused["errors"][0]["source"]["pointer"] == "/data/attributes/ended_at"
