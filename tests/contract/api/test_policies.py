"""Policies over HTTP: conditions read as they were written, what could never work is refused by field, planned work."""

import re
from typing import Any

import pytest

NOBODY = "00000000-0000-4000-8000-000000000000"
TUESDAY = {"tuesday": True, "start_time": "09:00", "end_time": "17:00", "all_day": False}


@pytest.fixture
async def policy(call):
    hours = {"time_zone": "Europe/Berlin", "days": ["M", "T"], "start_time": "09:00", "end_time": "17:00"}
    made = await call("POST", "/v1/escalation_policies", {"name": "EP", "business_hours": hours}, status=201)
    assert made["data"]["attributes"]["business_hours"] == hours
    return made["data"]["id"]


@pytest.fixture
def me(people):
    return {"type": "user", "id": str(people["ana"][0]), "team_members": None}


def places(answer):
    pointers = (error["source"]["pointer"].removeprefix("/data/attributes/") for error in answer["errors"])
    return [re.sub(r"/(\d+)(?=/|$)", r"[\1]", pointer).replace("/", ".") for pointer in pointers]


async def test_a_path_reads_as_it_was_written(call, policy):
    high = (await call("GET", "/v1/alert_urgencies?filter[name]=High"))["data"][0]["id"]
    said: dict[str, Any] = {
        "name": "Night", "path_type": "deferral", "match_mode": "match-any-rule", "retrigger_timeout_minutes": 30,
        "after_deferral_behavior": "re_evaluate",
        "rules": [
            {"rule_type": "alert_urgency", "urgency_ids": [high]},
            {"rule_type": "working_hour", "within_working_hour": False},
            {"rule_type": "json_path", "json_path": "$.commonLabels.team", "operator": "is", "value": "db"},
            {"rule_type": "deferral_window", "time_zone": "Pacific Time (US & Canada)", "time_blocks": [TUESDAY]},
            {"rule_type": "source", "operator": "is_one_of", "values": ["alertmanager"]},
        ],
        "time_restriction_time_zone": "Europe/Berlin",
        "time_restrictions": [{"start_day": "friday", "start_time": "18:00", "end_day": "monday", "end_time": "08:00"}],
    }  # fmt: skip
    made = await call("POST", f"/v1/escalation_policies/{policy}/escalation_paths", said, status=201)
    path = f"/v1/escalation_paths/{made['data']['id']}"
    read = (await call("GET", path))["data"]["attributes"]
    assert {name: read[name] for name in said} == said
    changed = await call("PUT", path, {"rules": said["rules"][2:4]})
    assert changed["data"]["attributes"]["rules"] == said["rules"][2:4]
    assert changed["data"]["attributes"]["path_type"] == "deferral"


async def test_all_that_is_wrong_with_a_path_is_named_at_once(call, policy):
    said = {
        "name": "Night",
        "rules": [{"rule_type": "moon"}, {"rule_type": "alert_urgency", "urgency_ids": []}],
        "time_restrictions": [{"start_day": "monday", "start_time": "9", "end_day": "monday", "end_time": "17:00"}],
    }  # fmt: skip
    refused = await call("POST", f"/v1/escalation_policies/{policy}/escalation_paths", said, status=422)
    assert places(refused) == [
        "time_restrictions[0].start_time",
        "rules[0].rule_type",
        "rules[1].urgency_ids",
    ]


async def test_a_level_reads_as_it_was_written(call, policy, me):
    levels = f"/v1/escalation_policies/{policy}/escalation_levels"
    window = {"time_zone": "Etc/UTC", "blocks": [{"days": ["M"], "start_time": "09:00", "end_time": "17:00"}]}
    for said in (
        {"notification_target_params": [me], "paging_strategy_configuration_strategy": "alert",
         "paging_strategy_configuration_schedule_strategy": "everyone", "require_all_acknowledgements": True},
        {"notification_target_params": [], "level_type": "wait", "delay": 15},
        {"level_type": "threshold", "threshold_count": 3, "threshold_minutes": 5},
        {"level_type": "window", "window": window},
    ):  # fmt: skip
        made = (await call("POST", levels, said, status=201))["data"]
        read = (await call("GET", f"/v1/escalation_levels/{made['id']}"))["data"]["attributes"]
        assert {name: read[name] for name in said} == said


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ({"notification_target_params": []}, "notification_target_params"),
        ({"level_type": "wait", "delay": 0}, "delay"),
        ({"level_type": "wait", "delay": 5, "notification_target_params": ["me"]}, "notification_target_params"),
        ({"level_type": "threshold", "threshold_count": 0, "threshold_minutes": 5}, "threshold_count"),
        ({"level_type": "threshold", "threshold_count": 3}, "threshold_minutes"),
        ({"level_type": "window"}, "window"),
        ({"level_type": "window", "window": {"time_zone": "Etc/UTC", "blocks": []}}, "window.blocks"),
        ({"level_type": "window", "window": {"time_zone": "Nowhere", "blocks": [{"days": ["M"], "all_day": True}]}},
         "window.time_zone"),
        ({"level_type": "nap"}, "level_type"),
        ({"notification_target_params": ["me"], "paging_strategy_configuration_strategy": "loudest"},
         "paging_strategy_configuration_strategy"),
        ({"notification_target_params": ["me"], "require_all_acknowledgements": "yes"}, "require_all_acknowledgements"),
        ({"notification_target_params": [{"type": "schedule", "id": NOBODY}]}, "notification_target_params[0].id"),
    ],
)  # fmt: skip
async def test_a_level_that_cannot_be_meant_is_refused_by_field(call, policy, me, said, place):
    targets = said.get("notification_target_params", [])
    said = {**said, "notification_target_params": [me if one == "me" else one for one in targets]}
    refused = await call("POST", f"/v1/escalation_policies/{policy}/escalation_levels", said, status=422)
    assert places(refused) == [place]


async def test_a_level_may_not_be_emptied_by_parts(call, policy, me):
    levels = f"/v1/escalation_policies/{policy}/escalation_levels"
    level = (await call("POST", levels, {"notification_target_params": [me]}, status=201))["data"]["id"]
    url = f"/v1/escalation_levels/{level}"
    assert places(await call("PUT", url, {"notification_target_params": []}, status=422))
    assert places(await call("PUT", url, {"level_type": "wait"}, status=422))
    await call("PUT", url, {"level_type": "wait", "notification_target_params": [], "delay": 5})


async def test_a_policy_may_be_attached_before_it_has_levels(call, policy, me):
    nobody = {"escalation_policy_id": "00000000-0000-4000-8000-00000000dead"}
    for url, name in (("/v1/services", "API"), ("/v1/teams", "Platform")):
        refused = await call("POST", url, {"name": name, **nobody}, status=422)
        assert places(refused) == ["escalation_policy_id"]
        made = await call("POST", url, {"name": name, "escalation_policy_id": policy}, status=201)
        assert (await call("GET", f"{url}/{made['data']['id']}"))["data"]["id"] == made["data"]["id"]
    policies = f"/v1/escalation_policies/{policy}"
    await call("POST", f"{policies}/escalation_levels", {"notification_target_params": [me]}, status=201)


async def test_how_long_an_acknowledgement_holds_reads_as_it_was_written(call):
    urgency = (await call("GET", "/v1/alert_urgencies?filter[name]=High"))["data"][0]
    assert urgency["attributes"]["retrigger_timeout_minutes"] is None
    url = f"/v1/alert_urgencies/{urgency['id']}"
    changed = await call("PUT", url, {"retrigger_timeout_minutes": 10})
    assert changed["data"]["attributes"]["retrigger_timeout_minutes"] == 10
    assert places(await call("PUT", url, {"retrigger_timeout_minutes": 0}, status=422))
    source = {"name": "prod", "retrigger_timeout_minutes": -1}
    made = await call("POST", "/v1/alert_sources", source, status=201)
    assert made["data"]["attributes"]["retrigger_timeout_minutes"] == -1
    assert places(
        await call("POST", "/v1/alert_sources", source | {"retrigger_timeout_minutes": -2}, status=422)
    )


# ---------------------------------------------------------------- routes


def rule(*conditions, to):
    """A rule of one group."""
    return {
        "name": "rule", "destinations": [{"target_type": "EscalationPolicy", "target_id": to}],
        "condition_groups": [{"conditions": list(conditions)}],
    }  # fmt: skip


def condition(kind, value, *, name=None, how="is_one_of", **more):
    """A condition as on the wire."""
    return {"property_field_type": kind, "property_field_name": name, "property_field_condition_type": how,
            "property_field_value": value, **more}  # fmt: skip


async def test_a_route_reads_as_it_was_written(call, policy):
    fields = (await call("GET", "/v1/alert_fields?filter[kind]=title"))["data"][0]["id"]
    high = (await call("GET", "/v1/alert_urgencies?filter[name]=High"))["data"][0]["id"]
    said = [
        condition("matcher", 'severity=~"warn.*",team!="db"', how=None),
        condition(
            "alert_field", "Disk", how="starts_with", conditionable_type="AlertField", conditionable_id=fields
        ),
        condition("attribute", None, alert_urgency_ids=[high]),
    ]
    made = await call(
        "POST", "/v1/alert_routes", {"name": "R", "rules": [rule(*said, to=policy)]}, status=201
    )
    read = made["data"]["attributes"]["rules"][0]["condition_groups"][0]["conditions"]
    assert [{name: one[name] for name in asked} for one, asked in zip(read, said, strict=True)] == said


@pytest.mark.parametrize(
    ("one", "place"),
    [
        (condition("matcher", "severity=~"), "property_field_values"),
        (condition("matcher", 'severity=~"("'), "property_field_values"),
        (condition("matcher", None), "property_field_values"),
        (condition("matcher", ""), "property_field_values"),
        (condition("matcher", "{}"), "property_field_values"),
        (condition("alert_field", "x", conditionable_id=NOBODY), "conditionable_id"),
        (condition("payload", None, name="$.a"), "property_field_values"),
        (condition("payload", "(", name="$.a", how="matches_regex"), "property_field_values"),
        (condition("attribute", None, alert_urgency_ids=[NOBODY]), ""),
    ],
)
async def test_a_condition_that_cannot_be_read_is_refused(call, policy, one, place):
    refused = await call(
        "POST", "/v1/alert_routes", {"name": "R", "rules": [rule(one, to=policy)]}, status=422
    )
    (found,) = places(refused)
    assert found.startswith("rules[0].condition_groups")
    assert found.endswith(place)


# ---------------------------------------------------------------- planned work


async def test_planned_work_is_made_changed_and_ended(call, clock):
    service = (await call("POST", "/v1/services", {"name": "API"}, status=201))["data"]["id"]
    said = {
        "name": "Upgrade", "description": "PostgreSQL 18", "service_ids": [service], "alert_source_ids": [],
        "starts_at": "2026-11-23T02:00:00.000Z", "ends_at": "2026-11-23T04:00:00.000Z", "hours": None,
    }  # fmt: skip
    made = (await call("POST", "/v1/maintenances", said, status=201, by="ana"))["data"]
    url = f"/v1/maintenances/{made['id']}"
    assert {name: made["attributes"][name] for name in ("name", "description", "service_ids")} == {
        name: said[name] for name in ("name", "description", "service_ids")
    }
    assert made["attributes"]["status"] == "active"
    changed = await call("PUT", url, {"ends_at": "2026-11-23T03:00:00Z"}, by="bo")
    assert changed["data"]["attributes"]["ends_at"].startswith("2026-11-23T03:00:00")
    assert [one["id"] for one in (await call("GET", "/v1/maintenances"))["data"]] == [made["id"]]
    ended = await call("POST", f"{url}/end", by="bo")
    assert ended["data"]["attributes"]["status"] == "over"
    await call("POST", f"{url}/end", status=400)
    await call("DELETE", url)
    await call("GET", url, status=404)


async def test_an_observer_plans_no_work(call):
    await call("POST", "/v1/maintenances", {"name": "x"}, by="olga", status=403)


async def test_planned_work_on_nothing_or_without_an_end_is_refused(call):
    refused = await call("POST", "/v1/maintenances", {"name": "Upgrade"}, status=422)
    assert places(refused) == ["service_ids", "ends_at"]
    said = {"name": "x", "alert_source_ids": [NOBODY], "ends_at": "2027-01-01T00:00:00Z"}
    refused = await call("POST", "/v1/maintenances", said, status=422)
    assert places(refused) == ["alert_source_ids"]


async def test_planned_work_whose_hours_never_come_is_refused(call):
    service = (await call("POST", "/v1/services", {"name": "Mondays"}, status=201))["data"]["id"]
    hours = {"time_zone": "UTC", "blocks": [{"days": ["M"], "start_time": "02:00", "end_time": "04:00"}]}
    said = {"name": "x", "service_ids": [service], "hours": hours, "starts_at": "2026-11-24T00:00:00Z"}
    for ends, status in (
        ("2026-11-29T23:59:00Z", 422),
        ("2026-11-30T02:00:00Z", 422),
        ("2026-11-30T02:01:00Z", 201),
    ):
        answer = await call("POST", "/v1/maintenances", {**said, "ends_at": ends}, status=status)
        assert status == 201 or places(answer) == ["hours"]
    answer = await call("POST", "/v1/maintenances", {**said, "starts_at": "soon"}, status=422)
    assert places(answer) == ["starts_at"]
    assert "2026-11-23T02:00:00Z" in answer["errors"][0]["detail"]


async def test_a_slack_channel_is_a_target_as_rootlys_clients_send_it(call, policy, me):
    levels = f"/v1/escalation_policies/{policy}/escalation_levels"
    channel = {"id": "C06Q2JK7RQW", "type": "slack_channel", "team_members": None}
    said = {"delay": 5, "position": 1, "notification_target_params": [me, channel]}
    made = (await call("POST", levels, said, status=201))["data"]
    assert made["attributes"]["notification_target_params"] == [me, channel]
    await call("PUT", f"/v1/escalation_levels/{made['id']}", {"notification_target_params": [channel]})
    read = (await call("GET", f"/v1/escalation_levels/{made['id']}"))["data"]["attributes"]
    assert read["notification_target_params"] == [channel]
    # Slack is not set up here, and a channel is nobody: both are said, neither is refused.
    warnings = (await call("GET", f"/v1/escalation_policies/{policy}"))["data"]["attributes"]["warnings"]
    assert {(one["code"], one["escalation_level_position"]) for one in warnings} >= {
        ("nobody", 1),
        ("no_provider", 1),
    }


@pytest.mark.parametrize(
    ("target", "place"),
    [
        ({"type": "slack_channel", "id": "#ops"}, "notification_target_params[0].id"),
        ({"type": "slack_channel", "id": "U06Q2JK7RQW"}, "notification_target_params[0].id"),
        ({"type": "microsoft_teams_channel", "id": NOBODY}, "notification_target_params[0].type"),
        ({"type": "carrier_pigeon", "id": "1"}, "notification_target_params[0].type"),
    ],
)
async def test_a_channel_that_cannot_be_written_to_is_refused_by_field(call, policy, target, place):
    levels = f"/v1/escalation_policies/{policy}/escalation_levels"
    said = {"notification_target_params": [target]}
    assert places(await call("POST", levels, said, status=422)) == [place]
