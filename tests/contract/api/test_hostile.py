"""Whatever an authenticated caller sends, the answer is theirs to fix: never a fault of ours."""

import json
import re

import httpx
import pytest

NOBODY = "00000000-0000-4000-8000-000000000000"
VALUES: tuple[object, ...] = (
    None, "", " ", "x" * 300, "a\x00b", "\ud800", "😀", 0, -1, 1.5, 10**12, 10**30, True, [], [None], [[]], {}, {"a": 1},
    {"a": {"b": {"c": []}}}, [10**12], ["\ud800"], NOBODY, [NOBODY], ["x"], "=cmd()", "{{7*7}}", "'; DROP TABLE alerts --",
)  # fmt: skip
PATHS = {
    "/v1/alerts": ("summary", "labels", "status", "started_at", "notification_targets", "alert_urgency_id", "external_url"),
    "/v1/teams": ("name", "slug", "color", "user_ids", "admin_ids", "escalation_policy_id"),
    "/v1/services": ("name", "description", "owner_group_ids", "alert_urgency_id"),
    "/v1/escalation_policies": ("name", "repeat_count", "group_ids", "service_ids", "business_hours"),
    "/v1/alert_urgencies": ("name", "description", "position", "retrigger_timeout_minutes"),
    "/v1/maintenances": ("name", "service_ids", "alert_source_ids", "starts_at", "ends_at", "hours"),
    "/v1/alert_sources": (
        "name", "source_type", "identity", "deduplication_key_path", "deduplication_key_regexp", "default_target",
        "alert_source_urgency_rules_attributes", "sourceable_attributes", "owner_group_ids", "deduplicate_alerts_by_key",
    ),
    "/v1/alert_routes": ("name", "alerts_source_ids", "rules", "enabled"),
    "/v1/users": ("name", "email", "role", "time_zone", "first_name"),
    "/v1/users/{me}/contact_methods": ("kind", "name", "address", "settings", "primary"),
    "/v1/users/{me}/email_addresses": ("email",),
    "/v1/users/{me}/notification_rules": ("delay", "position", "contact_method_id", "enabled_contact_types", "notification_type"),
    "/v1/escalation_policies/{policy}/escalation_paths": (
        "name", "default", "repeat", "repeat_count", "initial_delay", "rules", "time_restrictions", "position",
        "path_type", "match_mode", "time_restriction_time_zone", "after_deferral_path_id", "retrigger_timeout_minutes",
    ),
    "/v1/escalation_policies/{policy}/escalation_levels": (
        "delay", "position", "notification_target_params", "escalation_policy_path_id",
        "paging_strategy_configuration_strategy", "level_type", "threshold_count", "window", "require_all_acknowledgements",
    ),
}  # fmt: skip
#: Less deep than the parser allows, and deeper than what walks through it later could.
DEEP = b'{"data":{"attributes":{"name":"N","more":' + b"[" * 900 + b"]" * 900 + b"}}}"
#: What makes the rest of a document right, so that only one attribute is wrong.
RIGHT = {
    "name": "N", "summary": "S", "email": "n@example.org", "kind": "email", "address": "n@example.org",
    "enabled_contact_types": ["email"],
}  # fmt: skip
#: And what some more documents need.
PERHAPS = {"title": "T", "trigger_params": {"trigger_type": "alert", "triggers": ["alert_created"]}}


@pytest.fixture
async def raw(program, people):
    """Send bytes as they are; the status."""
    async with httpx.AsyncClient(
        base_url=program.url, headers={"Authorization": f"Bearer {people['ana'][1]}"}
    ) as http:

        async def send(method, path, body=None, **more):
            answer = await http.request(method, path, content=body, **more)
            assert answer.headers["content-type"].startswith("application/"), answer.text
            return answer

        yield send


async def test_no_attribute_of_any_type_makes_a_fault(raw, call, people):
    policy = (await call("POST", "/v1/escalation_policies", {"name": "EP"}, status=201))["data"]["id"]
    target = [{"type": "user", "id": str(people["ana"][0])}]
    for path, names in PATHS.items():
        url = path.replace("{me}", str(people["ana"][0])).replace("{policy}", policy)
        for name in names:
            for value in VALUES:
                right = {**RIGHT, "notification_target_params": target} if "levels" in path else RIGHT
                document = {"data": {"attributes": {**right, name: value}}}
                answer = await raw("POST", url, json.dumps(document).encode())
                assert answer.status_code < 500, (path, name, value, answer.text)


async def test_nothing_that_is_missing_makes_a_fault(raw, people):
    described = (await raw("GET", "/swagger/v1/swagger.json")).json()
    made = {}
    for path in (path for path in described["paths"] if "{" not in path):
        answer = await raw("POST", path, json.dumps({**RIGHT, **PERHAPS}).encode())
        made[path] = answer.json()["data"]["id"] if answer.status_code == 201 else NOBODY
    made["/v1/users"] = str(people["ana"][0])
    assert len(set(made.values())) > 10
    asked = 0
    for path, operations in described["paths"].items():
        url = re.sub(r"{\w+}", made.get(path.split("/{")[0], NOBODY), path)
        for method in {"post", "put", "patch"} & operations.keys():
            answer = await raw(method, url, b"{}")
            assert answer.status_code < 500, (method, path, answer.text)
            asked += 1
    assert asked > 100


async def test_no_query_makes_a_fault(raw):
    for path in (
        "/v1/alerts",
        "/v1/alert_events",
        "/v1/users",
        "/v1/deliveries",
        "/v1/notifications",
        "/v1/teams",
    ):
        for query in (
            "filter[created_at][gt]=0001-01-01", "filter[created_at][lte]=9999-12-31T23:59:59Z", "filter[id]=x",
            "filter[user_id]=99999999999999", "filter[alert_id]=x", "filter[search]=%00%ff%25_", "page[after]=%00",
            "filter[labels]=%F0%9F%98%80:%ff", "sort=,,-,created_at", "page[size]=99999999999999999999", "include=,",
            "filter[status][not_in]=,", "filter[created_at]=2026", "filter[active]=perhaps", "fields[alerts]=,",
            "page[number]=4001&page[size]=25", "filter[created_at][gt]=2026-11-23T02:00:00%2B99:99",
        ):  # fmt: skip
            answer = await raw("GET", f"{path}?{query}")
            assert answer.status_code < 500, (path, query, answer.text)


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"data":' * 50_000, DEEP, b'{"data":{"attributes":{"name":"\\ud800"}}}', b"\xff\xfe", b"x" * (5 * 2**20)],
    ids=["deep list", "deep object", "deep enough for some", "lone surrogate", "no UTF-8", "large"],
)  # fmt: skip
async def test_no_body_makes_a_fault(raw, body):
    answer = await raw("POST", "/v1/teams", body)
    assert 400 <= answer.status_code < 500, answer.text


async def test_no_path_makes_a_fault(raw):
    for path in (
        "/v1/alerts/%00", "/v1/alerts/%F0%9F%98%80", "/v1/alerts/" + "x" * 5000, "/v1/users/99999999999999999999",
        "/v1/users/-1", "/v1/users/%D9%A3", "/v1/teams/%00", "/v1/alert_events/x", "/v1/%252e%252e/x", "/v1/",
        "/v1/alerts/receipts/x", "/v1/escalation_policies/x/escalation_paths",
    ):  # fmt: skip
        answer = await raw("GET", path)
        assert answer.status_code == 404, (path, answer.status_code, answer.text)
