"""What every resource of the API shares: shapes, roles, verbs, places of errors, and the description of it all."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from nightbell.api.openapi import describe
from nightbell.api.resources import RESOURCES
from nightbell.core.journal import SYSTEM
from nightbell.engine import edits

GOLDEN = json.loads((Path(__file__).parent / "golden.json").read_text())
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
async def house(call, people):
    """One of each thing, made over HTTP; its documents by type."""
    ana = people["ana"][0]

    async def make(path, **attributes):
        document = await call("POST", path, attributes, status=201)
        made[document["data"]["type"]] = document
        return document["data"]["id"]

    made = {}
    urgency = (await call("GET", "/v1/alert_urgencies?filter[name]=High"))["data"][0]["id"]
    made["alert_urgencies"] = await call("GET", f"/v1/alert_urgencies/{urgency}")
    team = await make("/v1/teams", name="Platform", user_ids=[str(ana)], admin_ids=[ana])
    policy = await make("/v1/escalation_policies", name="Platform EP", repeat_count=1, group_ids=[team])
    path = await make(
        f"/v1/escalation_policies/{policy}/escalation_paths", name="Main", default=True, rules=[]
    )
    target = {"type": "user", "id": str(ana), "team_members": None}
    await make(f"/v1/escalation_paths/{path}/escalation_levels", delay=5, notification_target_params=[target])
    service = await make(
        "/v1/services", name="API", owner_group_ids=[team], escalation_policy_id=policy, alert_urgency_id=""
    )
    rules = [
        {
            "json_path": "$.commonLabels.severity",
            "operator": "is",
            "value": "warning",
            "alert_urgency_id": urgency,
        }
    ]
    source = await make(
        "/v1/alert_sources", name="Alertmanager prod", source_type="alertmanager", owner_group_ids=[team],
        alert_urgency_id=urgency, alert_source_urgency_rules_attributes=rules,
        alert_template_attributes={"title": "{{ alert.data.commonLabels.alertname }}"},
    )  # fmt: skip
    rule = GOLDEN["alert_route_response"]["data"]["attributes"]["rules"][0]
    rule = {**rule, "destinations": [{"target_type": "EscalationPolicy", "target_id": policy}]}
    await make(
        "/v1/alert_routes", name="Prod", alerts_source_ids=[source], owning_team_ids=[team], rules=[rule]
    )
    await make(f"/v1/users/{ana}/notification_rules", delay=0, enabled_contact_types=["email"])
    made["users"] = await call("GET", f"/v1/users/{ana}")
    assert service
    return made


def keys_of(value):
    if isinstance(value, dict):
        return {key: keys_of(inner) for key, inner in value.items()}
    return [keys_of(value[0])] if isinstance(value, list) and value else None


@pytest.mark.parametrize(
    "golden",
    [
        "alerts_source_response", "alert_urgency_response", "alert_route_response", "escalation_policy_response",
        "escalation_policy_path_response", "escalation_policy_level_response", "user_response", "team_response",
        "service_response", "user_notification_rule_response", "incident_response", "incident_event_response",
        "incident_action_item_response",
    ],
)  # fmt: skip
def test_every_golden_key_is_declared(golden):
    wanted = GOLDEN[golden]["data"]
    declared = {a.name for r in RESOURCES if r.type == wanted["type"] for a in r.attributes}
    assert wanted["attributes"].keys() <= declared


async def test_documents_have_rootlys_shapes_and_scalars(house):
    for golden in GOLDEN.values():
        wanted = golden.get("data")
        if not isinstance(wanted, dict) or wanted["type"] not in house:
            continue
        got = house[wanted["type"]]["data"]
        # What we have no word for is null; its shape is Rootly's own business.
        wanted["attributes"] = {
            k: v for k, v in wanted["attributes"].items() if got["attributes"][k] is not None
        }
        for name, value in wanted["attributes"].items():
            assert type(got["attributes"][name]) is type(value), (wanted["type"], name)
        if "relationships" in wanted:
            assert got["relationships"].keys() == wanted["relationships"].keys()
    route = house["alert_routes"]["data"]["attributes"]["rules"]
    assert keys_of(route) == keys_of(GOLDEN["alert_route_response"]["data"]["attributes"]["rules"])
    source = house["alert_sources"]["data"]["attributes"]
    golden = GOLDEN["alerts_source_response"]["data"]["attributes"]
    for name in ("alert_source_urgency_rules_attributes", "sourceable_attributes"):
        assert keys_of(source[name]) == keys_of(golden[name])
    assert source["webhook_endpoint"] == "https://HOST/webhooks/incoming/alertmanager_webhooks"
    assert house["users"]["data"]["id"].isdecimal()


async def test_put_and_patch_change_only_what_was_sent(call, house):
    team = (await call("GET", "/v1/teams/platform"))["data"]
    for method, name in (("PUT", "Core"), ("PATCH", "Kernel")):
        changed = (await call(method, f"/v1/teams/{team['id']}", {"name": name}))["data"]["attributes"]
        assert changed == {**team["attributes"], "name": name, "updated_at": changed["updated_at"]}


async def test_what_is_deleted_is_shown_once_more_and_then_unknown(call, house):
    for kind, path in (
        ("user_notification_rules", "notification_rules"), ("alert_routes", "alert_routes"),
        ("alert_sources", "alert_sources"), ("services", "services"), ("escalation_levels", "escalation_levels"),
        ("escalation_policies", "escalation_policies"), ("groups", "teams"),
    ):  # fmt: skip
        key = house[kind]["data"]["id"]
        assert (await call("DELETE", f"/v1/{path}/{key}"))["data"]["id"] == key
        await call("GET", f"/v1/{path}/{key}", status=404)
        await call("DELETE", f"/v1/{path}/{key}", status=404)


async def test_teams_and_services_answer_to_their_slug(call, house):
    assert (await call("GET", "/v1/teams/platform"))["data"]["id"] == house["groups"]["data"]["id"]
    assert (await call("GET", "/v1/services/api"))["data"]["id"] == house["services"]["data"]["id"]


async def test_a_name_filter_is_exact_and_search_is_not(call, house):
    for query, count in (
        ("filter[name]=Platform", 1), ("filter[name]=Plat", 0), ("filter[search]=plat", 1), ("filter[slug]=platform", 1),
        ("filter[name][not_eq]=Platform", 0), ("filter[name][in]=Platform,Other", 1), ("filter[search]=%25", 0),
        ("filter[created_at][gt]=2030-01-01", 0), ("filter[backstage_id]=x", 1),
    ):  # fmt: skip
        found = await call("GET", f"/v1/teams?{query}")
        assert (len(found["data"]), found["meta"]["total_count"]) == (count, count), query
    team = house["groups"]["data"]["id"]
    for key, count in ((team, 1), (NOBODY, 0), ("nonsense", 0)):
        assert len((await call("GET", f"/v1/escalation_policies?filter[team_ids]={key}"))["data"]) == count


async def test_people_of_a_team_are_included_when_asked_for(call, house, people):
    team = await call("GET", f"/v1/teams/{house['groups']['data']['id']}?include=users,schedules")
    assert [(one["type"], one["id"]) for one in team["included"]] == [("users", str(people["ana"][0]))]
    assert "included" not in await call("GET", "/v1/teams/platform?include=")


async def test_a_default_path_posted_after_its_policy_is_the_one_that_was_there(call, house):
    policy = house["escalation_policies"]["data"]["id"]
    paths = await call("GET", f"/v1/escalation_policies/{policy}/escalation_paths")
    assert [p["id"] for p in paths["data"]] == [house["escalation_paths"]["data"]["id"]]
    again = {"name": "Other", "default": True}
    refused = await call("POST", f"/v1/escalation_policies/{policy}/escalation_paths", again, status=422)
    assert refused["errors"][0]["source"]["pointer"] == "/data/attributes/default"


async def test_a_delay_of_zero_and_empty_lists_come_back(call, house):
    level = house["escalation_levels"]["data"]["id"]
    changed = (await call("PUT", f"/v1/escalation_levels/{level}", {"delay": 0}))["data"]["attributes"]
    assert changed["delay"] == 0
    source = house["alert_sources"]["data"]
    sent: dict[str, list[str]] = {"alert_source_urgency_rules_attributes": [], "owner_group_ids": []}
    changed = (await call("PUT", f"/v1/alert_sources/{source['id']}", sent))["data"]["attributes"]
    assert (changed["alert_source_urgency_rules_attributes"], changed["owner_group_ids"]) == ([], [])


async def test_errors_are_placed_by_the_wires_names(call, house, people):
    path = house["escalation_paths"]["data"]["id"]
    target = {"type": "user", "id": "4711"}
    cases: tuple[tuple[str, str, dict[str, Any], str], ...] = (
        ("POST", "/v1/teams", {"name": ""}, "name"),
        ("POST", "/v1/teams", {"name": "platform"}, "name"),
        ("POST", "/v1/teams", {"name": "X", "user_ids": ["x"]}, "user_ids/0"),
        ("POST", "/v1/teams", {"name": "X", "user_ids": [4711]}, "user_ids"),
        ("POST", "/v1/teams", {"name": ["X"]}, "name"),
        ("POST", f"/v1/escalation_paths/{path}/escalation_levels", {"notification_target_params": [target]},
         "notification_target_params/0/id"),
        ("POST", f"/v1/escalation_paths/{path}/escalation_levels",
         {"notification_target_params": [{**target, "id": str(people["ana"][0])}], "delay": -1}, "delay"),
        ("PUT", f"/v1/alert_sources/{house['alert_sources']['data']['id']}", {"deduplicate_alerts_by_key": True},
         "deduplication_key_path"),
        ("POST", "/v1/alert_sources", {"name": "X", "deduplication_key_kind": "header"}, "deduplication_key_kind"),
        ("POST", "/v1/alert_sources", {"name": "X", "alert_source_urgency_rules_attributes": [{"json_path": "$["}]},
         "alert_source_urgency_rules_attributes/0/json_path"),
        ("POST", "/v1/heartbeats", {"name": "X", "alert_summary": "Y", "interval": 5, "interval_unit": "minutes"},
         "notification_target_id"),
        ("POST", "/v1/services", {"name": "X", "escalation_policy_id": NOBODY}, "escalation_policy_id"),
        ("POST", f"/v1/users/{people['ana'][0]}/notification_rules", {"enabled_contact_types": ["sms"]},
         "enabled_contact_types"),
        ("POST", f"/v1/users/{people['ana'][0]}/phone_numbers", {"phone": "+351"}, "phone"),
        ("PUT", f"/v1/alert_routes/{house['alert_routes']['data']['id']}", {"rules": [{"name": 5}]}, "rules/0/name"),
        ("PUT", f"/v1/alert_routes/{house['alert_routes']['data']['id']}", {"rules": "all"}, "rules"),
    )  # fmt: skip
    for method, where, sent, pointer in cases:
        refused = await call(method, where, sent, status=422)
        assert refused["errors"][0]["source"]["pointer"] == f"/data/attributes/{pointer}", (
            where,
            sent,
            refused,
        )


async def test_all_that_is_wrong_is_said_at_once(call):
    refused = await call("POST", "/v1/users", {"name": "", "email": "x", "role": "king"}, status=422)
    assert [e["source"]["pointer"].rsplit("/", 1)[1] for e in refused["errors"]] == ["name", "role", "email"]


async def test_nobody_unknown_gets_in(call, program):
    for path in ("/v1/alerts", "/api/v1/users/me", "/v1/alert_sources", "/v1/alerts/receipts/x"):
        for header in ({}, {"Authorization": "Bearer rootly_" + "0" * 64}, {"Authorization": "Basic eA=="}):
            async with httpx.AsyncClient(base_url=program.url) as client:
                answer = await client.get(path, headers=header)
            assert answer.status_code == 401 and answer.headers["content-type"] == "application/vnd.api+json"
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["x-content-type-options"] == "nosniff"


async def test_roles_bound_what_may_be_done(call, house, people):
    source, team = house["alert_sources"]["data"]["id"], house["groups"]["data"]["id"]
    for by, method, path, sent, status in (
        ("olga", "GET", "/v1/alerts", None, 200),
        ("olga", "GET", f"/v1/alert_sources/{source}", None, 200),
        ("olga", "POST", "/v1/alerts", {"summary": "x"}, 403),
        ("bo", "POST", "/v1/alerts", {"summary": "x"}, 201),
        ("bo", "POST", "/v1/teams", {"name": "x"}, 403),
        ("bo", "PUT", f"/v1/teams/{team}", {"name": "x"}, 403),
        ("bo", "POST", "/v1/alert_sources", {"name": "x"}, 403),
        ("bo", "POST", f"/v1/alert_sources/{source}/rotate_secret", {}, 403),
        ("bo", "POST", "/v1/users", {"name": "x", "email": "x@example.org"}, 403),
        ("bo", "PUT", f"/v1/users/{people['bo'][0]}", {"time_zone": "Europe/Lisbon"}, 200),
        ("bo", "PUT", f"/v1/users/{people['bo'][0]}", {"role": "owner"}, 403),
        ("bo", "PUT", f"/v1/users/{people['ana'][0]}", {"name": "x"}, 403),
        ("bo", "GET", f"/v1/users/{people['ana'][0]}/contact_methods", None, 403),
        ("bo", "GET", f"/v1/users/{people['bo'][0]}/contact_methods", None, 200),
        ("ana", "GET", f"/v1/users/{people['bo'][0]}/contact_methods", None, 200),
        ("ana", "GET", "/v1/users/4711/contact_methods", None, 404),
    ):
        await call(method, path, sent, by=by, status=status)


async def test_a_secret_is_shown_to_those_who_connect_senders_and_masked_to_others(call, house):
    source = house["alert_sources"]["data"]
    secret = source["attributes"]["secret"]
    assert len(secret) == 64
    for path in (f"/v1/alert_sources/{source['id']}", "/v1/alert_sources"):
        seen = json.dumps(await call("GET", path, by="olga"))
        assert secret not in seen and secret[-4:] in seen
    rotated = await call("POST", f"/v1/alert_sources/{source['id']}/rotate_secret", {"grace_minutes": 60})
    assert rotated["data"]["attributes"]["secret"] != secret
    assert [s["expires_at"] for s in rotated["data"]["attributes"]["valid_secrets"]] == [
        None,
        "2026-11-23T03:00:05.000Z",
    ]
    for wrong, status in ((-1, 422), (10**12, 422), ("soon", 400)):
        await call(
            "POST", f"/v1/alert_sources/{source['id']}/rotate_secret", {"grace_minutes": wrong}, status=status
        )


async def test_secrets_of_contact_methods_never_come_back(call, people, program):
    edit = edits.ContactMethodEdit(kind="inbox", settings={"token": "tk_secret", "priority": "5"})
    await program.configure.create_contact_method(
        people["ana"][0], edit, verified=True, by=SYSTEM, now=program.clock()
    )
    listed = await call("GET", f"/v1/users/{people['ana'][0]}/contact_methods")
    settings = [m["attributes"]["settings"] for m in listed["data"] if m["attributes"]["settings"]]
    assert settings == [{"token": "••••••••", "priority": "5"}]


async def test_a_connected_source_says_so(call, send):
    assert (await call("GET", f"/v1/alert_sources/{send.source_id}"))["data"]["attributes"][
        "status"
    ] == "setup_incomplete"
    await send('{"alerts":[{"status":"firing","labels":{"alertname":"X"}}]}')
    assert (await call("GET", f"/v1/alert_sources/{send.source_id}"))["data"]["attributes"][
        "status"
    ] == "connected"
    for status, count in (("connected", 1), ("setup_incomplete", 0), ("connected,setup_incomplete", 1)):
        assert len((await call("GET", f"/v1/alert_sources?filter[statuses]={status}"))["data"]) == count


async def test_a_source_says_in_its_own_words_what_came(call, send):
    source = f"/v1/alert_sources/{send.source_id}"
    words = {
        "title": "{{ alert.data.commonLabels.alertname }} on {{ alert.labels.host | default: 'no host' }}",
        "description": "{% for one in alert.data.alerts %}{{ one.labels.host }};{% endfor %}{{ alert.source_name }}",
        "external_url": "https://wiki.example.org/{{ alert.data.commonLabels.alertname }}",
    }
    assert (await call("PUT", source, {"alert_template_attributes": words}))["data"]["attributes"][
        "alert_template_attributes"
    ] == words
    hostile = "{{ alert.source }}{% raw %}"
    await send(f'{{"alerts":[{{"status":"firing","labels":{{"alertname":"Full","host":"{hostile}"}}}}]}}')
    shown = (await call("GET", "/v1/alerts"))["data"][0]["attributes"]
    assert (shown["summary"], shown["description"], shown["external_url"]) == (
        f"Full on {hostile}",
        f"{hostile};prod",
        "https://wiki.example.org/Full",
    )
    endless = {"title": "{% for i in (1..900) %}x{% endfor %}", "external_url": "javascript:alert(1)"}
    await call("PUT", source, {"alert_template_attributes": endless})
    await send('{"alerts":[{"status":"firing","labels":{"alertname":"Other"},"generatorURL":"http://prom"}]}')
    shown = (await call("GET", "/v1/alerts?filter[search]=Other"))["data"][0]["attributes"]
    assert (shown["summary"], shown["external_url"]) == ("Other", "http://prom")
    bad = {"alert_template_attributes": {"title": "{% if %}"}}
    refused = await call("PUT", source, bad, status=422)
    assert refused["errors"][0]["source"]["pointer"] == "/data/attributes/alert_template_attributes/title"


async def test_rules_may_be_changed_by_their_nested_ids(call, house):
    route = f"/v1/alert_routes/{house['alert_routes']['data']['id']}"
    rule = (await call("GET", f"{route}?show_nested_ids=true"))["data"]["attributes"]["rules"][0]
    plain = {"name": "rest", "destinations": [], "condition_groups": [], "fallback_rule": True}
    changed = await call("PATCH", route, {"rules": [{"id": rule["id"], "name": "urgent"}, plain]})
    rules = changed["data"]["attributes"]["rules"]
    assert [(r["name"], len(r["condition_groups"])) for r in rules] == [("urgent", 1), ("rest", 0)]
    changed = await call("PATCH", route, {"rules": [{"id": rule["id"], "_destroy": True}]})
    assert [r["name"] for r in changed["data"]["attributes"]["rules"]] == ["rest"]
    status = await call("GET", f"{route}/async_rule_creation_status/{NOBODY}")
    assert status == {"status": "success", "error": ""}


async def test_the_built_in_fields_are_found_by_kind(call):
    for kind in ("title", "description", "external_url"):
        found = await call("GET", f"/v1/alert_fields?filter[kind]={kind}&page[size]=1")
        assert [f["attributes"]["kind"] for f in found["data"]] == [kind]
        assert (await call("GET", f"/v1/alert_fields/{found['data'][0]['id']}"))["data"] == found["data"][0]


async def test_what_we_do_not_have_is_an_empty_list(call):
    for path in ("causes", "form_fields", "playbooks", "meeting_recordings"):
        found = await call("GET", f"/v1/{path}?page[size]=100")
        assert (found["data"], found["meta"]["total_count"]) == ([], 0)


async def test_an_unknown_path_is_a_jsonapi_404_under_both_prefixes(call):
    for prefix in ("/v1", "/api/v1"):
        for rest in ("unheard_of", "alerts/x/y", "escalation_paths", "users/1/unheard_of", "teams/a%2Fb", ""):
            found = await call("GET", f"{prefix}/{rest}".rstrip("/"), status=404)
            assert found["errors"][0]["status"] == "404"
        await call("GET", f"{prefix}/users/me")
        await call("DELETE", f"{prefix}/alert_fields/title", status=405)


async def test_the_description_names_every_route_and_says_no_reference_twice(program):
    async with httpx.AsyncClient(base_url=program.url) as client:
        answer = await client.get("/swagger/v1/swagger.json")
    assert answer.headers["content-type"] == "application/json"
    described = answer.json()
    assert described == json.loads(json.dumps(describe(RESOURCES, "https://HOST")))
    operations = [o for path in described["paths"].values() for o in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    for path in (
        "/v1/alerts/{id}/acknowledge",
        "/v1/users/me",
        "/v1/escalation_paths/{id}/escalation_levels",
    ):
        assert path in described["paths"]
    references = set(_references(described))
    assert references <= {f"#/components/schemas/{name}" for name in described["components"]["schemas"]}


def _references(value):
    if isinstance(value, dict):
        yield from ([value["$ref"]] if "$ref" in value else [])
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("=BO@Example.org", ["Bo"]),
        ("[in]=Bo@example.org,OLGA@example.org", ["Bo", "Olga"]),
        ("[not_eq]=ana@EXAMPLE.org", ["Bo", "Olga"]),
        ("=bo@example", []),
    ],
)
async def test_an_address_is_found_in_either_case_and_whole(call, asked, names):
    found = await call("GET", f"/v1/users?filter[email]{asked}&sort=name")
    assert [one["attributes"]["name"] for one in found["data"]] == names
