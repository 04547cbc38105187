"""Whatever an authenticated caller says of incidents, the answer is theirs to fix: never a fault of ours."""

import json

import httpx
import pytest

NOBODY = "00000000-0000-4000-8000-000000000000"
VALUES: tuple[object, ...] = (
    None, "", "x" * 300, "a\x00b", "\ud800", -1, 1.5, 10**30, True, [], [None], [[]], {}, {"a": {"b": []}}, [10**12],
    ["\ud800"], NOBODY, [NOBODY], ["x"], "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00", "2026-11-23",
)  # fmt: skip
RIGHT = {"title": "T", "event": "E", "summary": "S", "name": "N", "parent_status": "started"}
PATHS = {
    "/v1/incidents": (
        "title", "kind", "status", "private", "severity_id", "parent_incident_id", "duplicate_incident_id", "labels",
        "service_ids", "alert_ids", "muted_service_ids", "scheduled_for", "started_at", "detected_at", "resolve_alerts",
        "sub_status_id", "retrospective_progress_status",
    ),
    "/v1/incidents/1/events": ("event", "visibility", "occurred_at", "attachments"),
    "/v1/incidents/1/action_items": (
        "summary", "kind", "status", "due_date", "assigned_to_user_id", "assigned_to_group_ids",
    ),
    "/v1/incidents/1/alerts": ("alert_ids",),
    "/v1/incidents/1/assign_role_to_user": ("user_id", "incident_role_id", "schedule_id"),
    "/v1/incidents/1/add_subscribers": ("user_ids",),
    "/v1/incidents/1/merge": ("incident_ids",),
    "/v1/incidents/1/duplicate": ("duplicate_incident_id",),
    "/v1/incidents/1/mitigate": ("mitigation_message",),
    "/v1/severities": ("name", "slug", "position", "severity", "color"),
    "/v1/functionalities": ("service_ids", "environment_ids", "escalation_policy_id"),
    "/v1/incident_roles": ("optional", "allow_multi_user_assignment"),
    "/v1/sub_statuses": ("parent_status",),
}  # fmt: skip
QUERIES = (
    "filter[status]=x", "filter[sequential_id]=x", "filter[sequential_id]=99999999999", "filter[severity_id]=x",
    "filter[labels]=x", "filter[labels]=%00:a", "filter[services]=%F0", "filter[started_at][gte]=x", "sort=-x,title",
    "filter[private]=x", "filter[search]=INC-99999999999999", "filter[search]=%25_", "page[after]=x", "include=x,roles",
    "filter[user_id]=x", "filter[due_date][gt]=x", "filter[incident_status]=x", "filter[created_at][lt]=9999-12-31",
)  # fmt: skip


@pytest.fixture
async def raw(program, people):
    """Send bytes as they are; the answer."""
    headers = {"Authorization": f"Bearer {people['ana'][1]}"}
    async with httpx.AsyncClient(base_url=program.url, headers=headers) as http:
        yield http.request


async def test_no_attribute_of_an_incident_makes_a_fault(raw, call):
    await call("POST", "/v1/incidents", {"title": "T"}, status=201)
    for path, names in PATHS.items():
        for name in names:
            for value in VALUES:
                body = json.dumps({"data": {"attributes": {**RIGHT, name: value}}}).encode()
                answer = await raw("POST", path, content=body)
                assert answer.status_code < 500, (path, name, value, answer.text)


async def test_no_query_about_incidents_makes_a_fault(raw, call):
    await call("POST", "/v1/incidents", {"title": "T"}, status=201)
    for path in (
        "/v1/incidents",
        "/v1/incidents/1/events",
        "/v1/action_items",
        "/v1/severities",
        "/v1/statuses",
    ):
        for query in QUERIES:
            answer = await raw("GET", f"{path}?{query}")
            assert answer.status_code < 500, (path, query, answer.text)


async def test_no_path_to_an_incident_makes_a_fault(raw):
    for key in ("x" * 500, "%00", "-1", "99999999999999999999", "INC-", NOBODY, "1-", "%F0%9F%98%80"):
        for rest in ("", "/events", "/alerts", "/action_items", "/export"):
            answer = await raw("GET", f"/v1/incidents/{key}{rest}")
            assert answer.status_code in (404, 400), (key, rest, answer.text)
        for path in ("events", "action_items", "severities", "incident_roles"):
            assert (await raw("GET", f"/v1/{path}/{key}")).status_code == 404
