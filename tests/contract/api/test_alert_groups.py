"""Grouping rules on the wire, what is refused where, and what alerts of a group say of themselves."""

from datetime import UTC, datetime
from typing import Any

import pytest

from nightbell.core.journal import SYSTEM
from nightbell.engine import edits
from nightbell.testing import payloads

PATH = "/v1/alert_groups"
AT = datetime(2026, 11, 23, 2, tzinfo=UTC)
NOWHERE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
async def service(program, people, call):
    """A service that pages Ana."""
    policy = (await call("POST", "/v1/escalation_policies", {"name": "Shop"}, status=201))["data"]["id"]
    level = {
        "position": 1,
        "delay": 5,
        "notification_target_params": [{"type": "user", "id": str(people["ana"][0])}],
    }
    await call("POST", f"/v1/escalation_policies/{policy}/escalation_levels", level, status=201)
    made = await call("POST", "/v1/services", {"name": "Shop", "escalation_policy_id": policy}, status=201)
    return made["data"]["id"]


@pytest.fixture
def made(call):
    async def make(status=201, **fields):
        return await call("POST", PATH, {"name": "One outage", **fields}, status=status)

    return make


def places(answer):
    return {e["source"]["pointer"].removeprefix("/data/attributes/") for e in answer["errors"]}


async def test_a_rule_is_made_read_changed_and_deleted(call, made, service):
    target = {"target_type": "Service", "target_id": service}
    condition = {
        "property_field_type": "payload",
        "property_field_name": "$.commonLabels.severity",
        "property_field_condition_type": "is_one_of",
        "property_field_values": ["critical"],
    }
    rule = (
        await made(
            description="by cluster", time_window=15, group_by_alert_title=1, targets=[target],
            attributes=[{"json_path": "$.commonLabels.cluster"}], conditions=[condition], condition_type="all",
        )
    )["data"]  # fmt: skip
    shown = rule["attributes"]
    assert (shown["name"], shown["slug"], shown["time_window"]) == ("One outage", "one-outage", 15)
    assert (shown["group_by_alert_title"], shown["group_by_alert_urgency"]) == (True, False)
    assert shown["targets"] == [target]
    assert shown["attributes"] == [{"json_path": "$.commonLabels.cluster"}]
    assert shown["conditions"][0]["property_field_values"] == ["critical"]
    assert shown["deleted_at"] is None
    one = f"{PATH}/{rule['id']}"
    assert (await call("GET", one))["data"] == rule
    assert (await call("GET", f"{PATH}/one-outage"))["data"]["id"] == rule["id"]
    for verb, window in (("PATCH", 20), ("PUT", 25)):
        changed = (await call(verb, one, {"time_window": window}))["data"]["attributes"]
        assert (changed["time_window"], changed["targets"]) == (window, [target])
    assert (await call("PUT", one, {"targets": [], "conditions": []}))["data"]["attributes"]["targets"] == []
    assert [r["id"] for r in (await call("GET", PATH, params={"filter[name]": "One outage"}))["data"]] == [
        rule["id"]
    ]
    assert (await call("DELETE", one))["data"]["id"] == rule["id"]
    await call("GET", one, status=404)


async def test_two_rules_of_one_name_have_slugs_of_their_own(made):
    slugs = [(await made())["data"]["attributes"]["slug"] for _ in range(2)]
    assert slugs == ["one-outage", "one-outage-2"]
    assert places(await made(status=422, slug="one-outage")) == {"slug"}


def condition(operator, *values, path="$.commonLabels.severity", **more):
    return {
        "property_field_type": "payload",
        "property_field_name": path,
        "property_field_condition_type": operator,
        "property_field_values": list(values),
        **more,
    }


REFUSED: list[tuple[dict[str, Any], set[str]]] = [
    ({"name": ""}, {"name"}),
    ({"time_window": 0}, {"time_window"}),
    ({"time_window": -5}, {"time_window"}),
    ({"time_window": 10_081}, {"time_window"}),
    ({"time_window": "soon"}, {"time_window"}),
    ({"condition_type": "some"}, {"condition_type"}),
    ({"targets": [{"target_type": "User", "target_id": "1"}]}, {"targets/0/target_type"}),
    ({"targets": [{"target_type": "Service", "target_id": "shop"}]}, {"targets/0/target_id"}),
    ({"targets": [{"target_type": "Service", "target_id": NOWHERE}]}, {"targets/0/target_id"}),
    ({"targets": [{"target_type": "Group", "target_id": NOWHERE}]}, {"targets/0/target_id"}),
    ({"targets": "all"}, {"targets"}),
    ({"targets": ["all"]}, {"targets/0"}),
    ({"attributes": [{"json_path": "commonLabels"}]}, {"attributes/0/json_path"}),
    ({"attributes": [{"json_path": "$.a[?"}]}, {"attributes/0/json_path"}),
    ({"attributes": [{"json_path": ""}]}, {"attributes/0/json_path"}),
    ({"attributes": [{}]}, {"attributes/0/json_path"}),
    ({"attributes": [{"json_path": 7}]}, {"attributes/0/json_path"}),
    ({"owner_group_ids": [NOWHERE]}, {"owner_group_ids"}),
    ({"conditions": [condition("equals", "x")]}, {"conditions/0/property_field_condition_type"}),
    ({"conditions": [condition("is_one_of")]}, {"conditions/0/property_field_values"}),
    ({"conditions": [condition("is_one_of", "x", path="severity")]}, {"conditions/0/property_field_name"}),
    ({"conditions": [condition("matches_regex", "(")]}, {"conditions/0/property_field_values"}),
    (
        {"conditions": [condition("is_one_of", "x", property_field_type="label")]},
        {"conditions/0/property_field_type"},
    ),
    (
        {"conditions": [condition("is_one_of", "x", alert_urgency_ids=[NOWHERE])]},
        {"conditions/0/alert_urgency_ids"},
    ),
    (
        {"conditions": [condition("is_one_of", "x", values=[{"record_id": "1", "record_type": "Catalog"}])]},
        {"conditions/0/values/0/record_type"},
    ),
    # Rules that can never match.
    ({"conditions": [condition("is_one_of", "a"), condition("is_one_of", "b")]}, {"conditions/1"}),
    ({"conditions": [condition("is_one_of", "a"), condition("is_not_one_of", "a", "b")]}, {"conditions/1"}),
    ({"conditions": [condition("is_one_of", "abc"), condition("starts_with", "x")]}, {"conditions/1"}),
    ({"conditions": [condition("is_empty"), condition("matches_existing_alert")]}, {"conditions/1"}),
    (
        {"conditions": [condition("is_empty")], "attributes": [{"json_path": "$.commonLabels.severity"}]},
        {"conditions/0"},
    ),
]


async def test_what_cannot_be_meant_is_refused_at_its_field(call, made):
    before = (await made())["data"]
    for fields, wrong in REFUSED:
        assert places(await made(status=422, **fields)) == wrong, fields
        assert places(await call("PATCH", f"{PATH}/{before['id']}", fields, status=422)) == wrong, fields
    assert (await call("GET", PATH))["data"] == [before]


async def test_several_things_wrong_are_told_at_once(made):
    answer = await made(status=422, name="", time_window=0, attributes=[{"json_path": "x"}])
    assert places(answer) == {"name", "time_window", "attributes/0/json_path"}


async def test_where_any_condition_is_enough_they_may_contradict_each_other(made):
    await made(condition_type="any", conditions=[condition("is_one_of", "a"), condition("is_one_of", "b")])


async def test_a_change_is_judged_with_what_stays(call, made):
    rule = (await made(conditions=[condition("is_empty")]))["data"]["id"]
    fields = {"attributes": [{"json_path": "$.commonLabels.severity"}]}
    assert places(await call("PUT", f"{PATH}/{rule}", fields, status=422)) == {"conditions/0"}


async def test_who_looks_on_may_read_rules_and_change_none(call, made):
    rule = (await made())["data"]["id"]
    await call("GET", PATH, by="olga")
    for verb, path in (("POST", PATH), ("PATCH", f"{PATH}/{rule}"), ("DELETE", f"{PATH}/{rule}")):
        await call(verb, path, {"name": "x"}, by="olga", status=403)


# ---------------------------------------------------------------- alerts of a group


def fires(name, **labels):
    group = payloads.Group(name, labels=labels)
    group.fires("host-1", at=AT)
    return payloads.body(group.document())


@pytest.fixture
async def grouped(call, made, service, send):
    """Two alerts of one cluster, the second following the first, and one of another cluster."""
    await made(attributes=[{"json_path": "$.commonLabels.cluster"}])
    found = []
    for name, cluster in (("DiskFull", "west"), ("Latency", "west"), ("Other", "east")):
        answer = await send(fires(name, cluster=cluster), path=f"/notify/service/{service}")
        found.append(answer["alerts"][0]["id"])
    return found


async def test_alerts_say_who_leads_and_are_found_by_it(call, grouped):
    leader, follower, other = grouped
    shown = {i: (await call("GET", f"/v1/alerts/{i}"))["data"]["attributes"] for i in grouped}
    assert [shown[i]["group_leader_alert_id"] for i in grouped] == [None, leader, None]
    assert [shown[i]["is_group_leader_alert"] for i in grouped] == [True, False, True]
    assert [shown[i]["status"] for i in grouped] == ["triggered"] * 3

    async def ids(**asked):
        query = {f"filter[{name}]": value for name, value in asked.items()}
        return {row["id"] for row in (await call("GET", "/v1/alerts", params=query))["data"]}

    assert await ids(group_leader_alert_id=leader) == {follower}
    assert await ids(is_group_leader_alert="true") == {leader, other}
    assert await ids(is_group_leader_alert="false") == {follower}


async def test_taking_and_resolving_the_leader_does_it_for_the_group(call, grouped):
    leader, follower, other = grouped
    await call("POST", f"/v1/alerts/{leader}/acknowledge", {})
    shown = (await call("GET", f"/v1/alerts/{follower}"))["data"]["attributes"]
    assert (shown["status"], bool(shown["acknowledged_at"])) == ("acknowledged", True)
    await call("POST", f"/v1/alerts/{leader}/resolve", {})
    states = [(await call("GET", f"/v1/alerts/{i}"))["data"]["attributes"]["status"] for i in grouped]
    assert states == ["resolved", "resolved", "triggered"]


async def test_the_timeline_names_rule_leader_and_reason(call, grouped):
    leader, follower, _ = grouped
    events = (await call("GET", f"/v1/alerts/{follower}/events"))["data"]
    said = [e["attributes"] for e in events if e["attributes"]["kind"] == "alert_grouping"]
    assert [s["action"] for s in said] == ["added"]
    assert "One outage" in said[0]["details"]
    assert "$.commonLabels.cluster west" in said[0]["details"]
    assert said[0]["because"]["leader"] == leader
    paged = [e["attributes"]["kind"] for e in events if e["attributes"]["action"] == "paged"]
    assert paged == []


async def test_a_rule_that_goes_with_its_service_leaves_alerts_as_they_are(program, call, grouped, service):
    await program.configure.delete_service(service, by=SYSTEM, now=AT)
    await program.configure.update_grouping(
        (await call("GET", PATH))["data"][0]["id"], edits.GroupingEdit(time_window=5), by=SYSTEM, now=AT
    )
    assert (await call("GET", f"/v1/alerts/{grouped[1]}"))["data"]["attributes"][
        "group_leader_alert_id"
    ] == grouped[0]
