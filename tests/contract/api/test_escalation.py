"""Escalation over HTTP: what holds for all alerts, how a cycle goes round, asking for help, starting over."""

import json
import re
from typing import Any

import httpx
import pytest
from rootly_sdk import models
from rootly_sdk.api.alert_configuration import get_alert_configuration, update_alert_configuration

from support import bodies

CYCLE = "paging_strategy_configuration_"


def places(answer):
    pointers = (error["source"]["pointer"].removeprefix("/data/attributes/") for error in answer["errors"])
    return [re.sub(r"/(\d+)(?=/|$)", r"[\1]", pointer).replace("/", ".") for pointer in pointers]


@pytest.fixture
async def policy(call, people):
    made = await call("POST", "/v1/escalation_policies", {"name": "EP"}, status=201)
    return made["data"]["id"]


@pytest.fixture
async def level(call, policy, people):
    target = {"type": "user", "id": str(people["ana"][0])}

    async def made(*, status=201, **more):
        said = {"notification_target_params": [target], "delay": 5, "position": 1, **more}
        return await call("POST", f"/v1/escalation_policies/{policy}/escalation_levels", said, status=status)

    return made


# ---------------------------------------------------------------- how long an acknowledgement holds


async def test_rootlys_client_reads_and_sets_how_long_an_acknowledgement_holds(sdk, program):
    read: Any = await get_alert_configuration.asyncio(client=sdk)
    assert read.data.attributes.alert_acknowledgment.timeout_enabled is False
    document: dict[str, Any] = {"type": "alert_configurations", "attributes": {}}
    said: Any = None
    for sent, enabled, minutes in (
        ({"timeout_enabled": True, "timeout_minutes": 30}, True, 30),
        ({"timeout_enabled": True}, True, 30),
        ({"timeout_enabled": False}, False, 60),
    ):
        document["attributes"] = {"alert_acknowledgment": sent}
        body = models.UpdateAlertConfiguration.from_dict({"data": document})
        changed: Any = await update_alert_configuration.asyncio(client=sdk, body=body)
        said = changed.data.attributes.alert_acknowledgment
        assert (said.timeout_enabled, said.timeout_minutes) == (enabled, minutes)
    read = await get_alert_configuration.asyncio(client=sdk)
    assert read.data.attributes.alert_acknowledgment == said


@pytest.mark.parametrize(
    ("sent", "place"),
    [
        (None, "alert_acknowledgment"),
        ({"timeout_enabled": True, "timeout_minutes": 11}, "timeout_minutes"),
        ({"timeout_enabled": "perhaps"}, "timeout_enabled"),
        ({"timeout_enabled": True, "retrigger_manual_alerts": False}, "alert_acknowledgment.retrigger_manual_alerts"),
    ],
)  # fmt: skip
async def test_a_time_nobody_can_mean_is_refused(call, sent, place):
    refused = await call("PUT", "/v1/alert_configuration", {"alert_acknowledgment": sent}, status=422)
    assert places(refused) == [place]


async def test_only_whoever_operates_sets_what_holds_for_all(call):
    said = {"alert_acknowledgment": {"timeout_enabled": True, "timeout_minutes": 10}}
    await call("PUT", "/v1/alert_configuration", said, by="bo", status=403)
    await call("GET", "/v1/alert_configuration", by="olga")


async def test_the_installations_time_counts_where_nothing_nearer_says_so(call, level, policy, program):
    await level()
    said = {"alert_acknowledgment": {"timeout_enabled": True, "timeout_minutes": 10}}
    await call("PUT", "/v1/alert_configuration", said)
    alert = await _alert(call, policy)
    await call("POST", f"/v1/alerts/{alert}/acknowledge")
    wakes = await program.running.engine.db.value("next_due")
    assert (wakes - program.clock()).total_seconds() <= 600


# ---------------------------------------------------------------- a cycle


async def test_how_a_cycle_goes_round_reads_as_it_was_written(call, level):
    said = {CYCLE + "strategy": "cycle", CYCLE + "repeats": 3, CYCLE + "repeats_mode": "users",
            CYCLE + "page_users_count": 2}  # fmt: skip
    made = (await level(**said))["data"]["attributes"]
    assert {name: made[name] for name in said} == said
    plain = (await level(position=2))["data"]["attributes"]
    assert [plain[CYCLE + name] for name in ("repeats", "repeats_mode", "page_users_count")] == [None] * 3


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ({CYCLE + "repeats": 0}, CYCLE + "repeats"),
        ({CYCLE + "repeats": 101}, CYCLE + "repeats"),
        ({CYCLE + "page_users_count": 26}, CYCLE + "page_users_count"),
        ({CYCLE + "repeats_mode": "users"}, CYCLE + "repeats"),
        ({CYCLE + "repeats_mode": "some"}, CYCLE + "repeats_mode"),
        ({CYCLE + "strategy": "cycle", CYCLE + "repeats": 2, "delay": 0}, "delay"),
    ],
)
async def test_a_cycle_that_cannot_be_meant_is_refused(level, said, place):
    assert places(await level(status=422, **said)) == [place]


async def test_the_scope_of_a_rotation_is_refused_and_not_ignored(level):
    assert places(await level(status=422, **{CYCLE + "rotation_scope": "path"})) == [CYCLE + "rotation_scope"]
    await level(**{CYCLE + "rotation_scope": None})


# ---------------------------------------------------------------- help


async def _alert(call, policy):
    said = {
        "summary": "Down",
        "notification_target_type": "EscalationPolicy",
        "notification_target_id": policy,
    }
    return (await call("POST", "/v1/alerts", said, status=201))["data"]["id"]


@pytest.mark.parametrize("how", ["user_ids", "targets"])
async def test_others_are_asked_for_help(call, people, level, policy, how):
    await level()
    alert = await _alert(call, policy)
    bo = people["bo"][0]
    said = {"user_ids": [bo]} if how == "user_ids" else {"targets": [{"type": "user", "id": bo}]}
    shown = (await call("POST", f"/v1/alerts/{alert}/add_responders", said))["data"]["attributes"]
    assert [one["id"] for one in shown["responders"]] == [people["ana"][0], bo]
    assert shown["status"] == "triggered"
    await call("POST", f"/v1/alerts/{alert}/acknowledge")
    shown = await call("POST", f"/v1/alerts/{alert}/add_responders", said)
    assert shown["data"]["attributes"]["status"] == "acknowledged"


@pytest.mark.parametrize(
    "said", [{}, {"targets": "me"}, {"targets": [7]}, {"targets": [{"type": "User"}]}, {"user_ids": [4711]},
             {"targets": [{"type": "Moon", "id": "1"}]}]
)  # fmt: skip
async def test_whoever_is_not_there_cannot_be_asked(call, level, policy, said):
    await level()
    alert = await _alert(call, policy)
    assert places(await call("POST", f"/v1/alerts/{alert}/add_responders", said, status=422)) == ["targets"]


async def test_help_with_no_alert_and_by_nobody_who_may(call, level, policy, people):
    await level()
    said = {"user_ids": [people["bo"][0]]}
    await call("POST", "/v1/alerts/NoSuchOne/add_responders", said, status=404)
    alert = await _alert(call, policy)
    await call("POST", f"/v1/alerts/{alert}/add_responders", said, by="olga", status=403)
    await call("POST", f"/v1/alerts/{alert}/resolve")
    await call("POST", f"/v1/alerts/{alert}/add_responders", said, status=400)
    await call("POST", f"/v1/alerts/{alert}/restart", status=400)


async def test_an_escalation_starts_over_by_the_policy_as_it_is_now(call, people, level, policy):
    first = (await level())["data"]["id"]
    alert = await _alert(call, policy)
    changed = {"notification_target_params": [{"type": "user", "id": people["bo"][0]}]}
    await call("PUT", f"/v1/escalation_levels/{first}", changed)
    shown = (await call("POST", f"/v1/alerts/{alert}/restart"))["data"]["attributes"]
    assert [one["id"] for one in shown["responders"]] == [people["ana"][0], people["bo"][0]]
    events = await call("GET", f"/v1/alerts/{alert}/events")
    assert "Started over by Ana Silva" in str(events)


# ---------------------------------------------------------------- what would page nobody


async def _warnings(call, policy):
    shown = (await call("GET", f"/v1/escalation_policies/{policy}"))["data"]["attributes"]["warnings"]
    listed = (await call("GET", "/v1/escalation_policies"))["data"][0]["attributes"]["warnings"]
    assert listed == shown
    return [(one["code"], one["escalation_level_position"]) for one in shown]


async def test_a_policy_without_levels_can_be_attached_and_says_so(call, level, policy, program):
    assert await _warnings(call, policy) == [("no_levels", None)]
    made = {"name": "Platform", "escalation_policy_id": policy}
    await call("POST", "/v1/teams", made, status=201)
    async with httpx.AsyncClient(base_url=program.url) as client:
        await program.running.engine.directories.current(program.running.engine.db)
        assert "nightbell_policies_without_levels 1.0" in (await client.get("/metrics")).text
        first = (await level())["data"]["id"]
        assert await _warnings(call, policy) == []
        assert "nightbell_policies_without_levels 0.0" in (await client.get("/metrics")).text
    await call("DELETE", f"/v1/escalation_levels/{first}")
    assert await _warnings(call, policy) == [("no_levels", None)]


async def test_what_became_empty_later_is_named(call, level, policy, people):
    team = (await call("POST", "/v1/teams", {"name": "Few", "user_ids": [people["bo"][0]]}, status=201))[
        "data"
    ]["id"]
    await level()
    await level(position=2, notification_target_params=[{"type": "team", "id": team, "team_members": "all"}])
    high = {"name": "Odd", "description": "", "position": 9}
    urgency = (await call("POST", "/v1/alert_urgencies", high, status=201))["data"]["id"]
    path = {"name": "Odd ones", "rules": [{"rule_type": "alert_urgency", "urgency_ids": [urgency]}]}
    made = await call("POST", f"/v1/escalation_policies/{policy}/escalation_paths", path, status=201)
    target = {"type": "user", "id": str(people["ana"][0])}
    said = {"notification_target_params": [target], "position": 1}
    await call("POST", f"/v1/escalation_paths/{made['data']['id']}/escalation_levels", said, status=201)
    assert await _warnings(call, policy) == []
    await call("DELETE", f"/v1/teams/{team}")
    await call("DELETE", f"/v1/alert_urgencies/{urgency}")
    assert await _warnings(call, policy) == [("never_matches", None), ("nobody", 2)]


async def test_a_level_without_anybody_is_refused(level):
    assert places(await level(status=422, notification_target_params=[])) == ["notification_target_params"]


# ---------------------------------------------------------------- what can never match


def _group(*matchers):
    kind = {"property_field_type": "matcher", "property_field_condition_type": "is_one_of"}
    return {"conditions": [{**kind, "property_field_value": text} for text in matchers]}


@pytest.mark.parametrize(
    ("rules", "place"),
    [
        ([{"name": "A", "condition_groups": [_group('severity="a"', 'severity=~"b|c"')]}],
         "rules[0].condition_groups[0].conditions[1].property_field_values"),
        ([{"name": "A", "condition_groups": [_group('severity="a"'), _group('team!~".*"')]}],
         "rules[0].condition_groups[1].conditions[0].property_field_values"),
        ([{"name": "All"}, {"name": "B", "condition_groups": [_group('severity="a"')]}], "rules[1]"),
    ],
)  # fmt: skip
async def test_a_route_with_a_rule_that_can_never_match_is_refused(call, rules, place):
    refused = await call("POST", "/v1/alert_routes", {"name": "R", "rules": rules}, status=422)
    assert places(refused) == [place]


async def test_a_route_takes_groups_side_by_side_and_a_fallback(call, level, policy, send, people):
    await level()
    to = [{"target_type": "EscalationPolicy", "target_id": policy}]
    rules = [
        {"name": "Warn", "condition_groups": [_group('severity=~"warn.*",team!="db"'), _group('job="x"')],
         "destinations": to},
        {"name": "Else", "fallback_rule": True,
         "destinations": [{"target_type": "User", "target_id": people["bo"][0]}]},
    ]  # fmt: skip
    made = {"name": "R", "alerts_source_ids": [str(send.source_id)], "rules": rules}
    await call("POST", "/v1/alert_routes", made, status=201)
    for name, labels, whom in (
        ("RouteA", {"severity": "warning", "team": "web"}, "EscalationPolicy"),
        ("RouteB", {"severity": "warning", "team": "db"}, "User"),
        ("RouteC", {"severity": "info", "job": "x"}, "EscalationPolicy"),
    ):
        own = {"alertname": name, **labels}
        body = bodies.firing(labels=own, common=own, groupKey=f"{{}}:{{{name}}}")
        await send(json.dumps(body))
        shown = await call("GET", "/v1/alerts?filter[search]=" + name)
        kinds = [one["attributes"]["notification_target_type"] for one in shown["data"]]
        assert kinds[0] == whom


async def test_an_urgency_rule_that_repeats_another_is_refused(call):
    high = (await call("GET", "/v1/alert_urgencies?filter[name]=High"))["data"][0]["id"]
    rule = {
        "json_path": "$.commonLabels.severity",
        "operator": "is",
        "value": "page",
        "alert_urgency_id": high,
    }
    said = {"name": "S", "source_type": "alertmanager", "alert_source_urgency_rules_attributes": [rule, rule]}
    refused = await call("POST", "/v1/alert_sources", said, status=422)
    assert "can never match" in str(refused)
