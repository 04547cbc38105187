"""Alerts over HTTP: Rootly's documents, every filter, and what people do about an alert."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from nightbell.core.journal import SYSTEM
from nightbell.engine import edits

GOLDEN = json.loads((Path(__file__).parent / "golden.json").read_text())
BODY: dict[str, Any] = {
    "receiver": "rootly",
    "status": "firing",
    "alerts": [
        {
            "status": "firing",
            "labels": {
                "alertname": "HighErrorRate",
                "instance": "api-1:8080",
                "job": "api",
                "severity": "critical",
            },
            "annotations": {"summary": "5xx"},
            "startsAt": "2026-11-23T02:00:00.123456789Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prom:9090/graph?g0.expr=x",
            "fingerprint": "8cf5dea108a27f8a",
        }
    ],
    "groupLabels": {"alertname": "HighErrorRate"},
    "commonLabels": {
        "alertname": "HighErrorRate",
        "instance": "api-1:8080",
        "job": "api",
        "severity": "critical",
    },
    "commonAnnotations": {"summary": "5xx"},
    "externalURL": "http://am:9093",
    "version": "4",
    "groupKey": '{}:{alertname="HighErrorRate"}',
    "truncatedAlerts": 0,
}


def firing(name="HighErrorRate", **labels):
    """A delivery of one firing alert in a group of its own."""
    body = json.loads(json.dumps(BODY))
    own = {**BODY["commonLabels"], "alertname": name, **labels}
    body["alerts"][0] |= {"labels": own, "fingerprint": f"{abs(hash((name, *labels.values()))):016x}"[:16]}
    body |= {"commonLabels": own, "groupLabels": {"alertname": name}, "groupKey": f"{{}}:{own}"}
    return json.dumps(body)


@pytest.fixture
async def policy(program, people):
    """A policy with two levels, both Ana's, five minutes apart."""
    configure, now = program.configure, program.clock()
    key = await configure.create_policy(edits.PolicyEdit(name="Platform EP"), by=SYSTEM, now=now)
    for minutes in (5, 5):
        target = {"type": "user", "id": str(people["ana"][0])}
        level = edits.LevelEdit(delay_minutes=minutes, targets=[target])
        await configure.create_level(key, None, level, by=SYSTEM, now=now)
    return key


def keys_of(value):
    """The shape of a document: its keys, recursively, values left out."""
    if isinstance(value, dict):
        return {key: keys_of(inner) for key, inner in value.items()}
    return [keys_of(value[0])] if isinstance(value, list) and value else None


async def told(call, ident):
    """Wait until the browser of whoever is paged has rung."""
    for _ in range(100):
        found = await call(
            "GET", f"/v1/notifications?filter[alert_id]={ident}&filter[kind]=inbox&filter[state]=sent"
        )
        if found["data"]:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("nobody was told")


async def test_an_alert_reads_as_rootlys_own(call, send, policy, program, people):
    team = await program.configure.create_team(
        edits.TeamEdit(name="Platform", escalation_policy_id=policy), by=SYSTEM, now=program.clock()
    )
    service = edits.ServiceEdit(name="API", escalation_policy_id=policy)
    service_id = await program.configure.create_service(service, by=SYSTEM, now=program.clock())
    targets = [{"type": "Service", "id": str(service_id)}, {"type": "Group", "id": str(team)}]
    body = json.loads(json.dumps(BODY))
    body["alerts"][0]["annotations"]["rootly"] = json.dumps({"alerting_targets": targets})
    sent = await send(json.dumps(body))
    await told(call, sent["alerts"][0]["id"])
    document = await call("GET", f"/v1/alerts/{sent['alerts'][0]['short_id']}")
    golden = json.loads(json.dumps(GOLDEN["alert_response"]["data"]))
    attributes, wanted = document["data"]["attributes"], golden["attributes"]
    for only_where_a_route_matched in ("routing_rules",):
        wanted["data"][only_where_a_route_matched] = []
    wanted["data"]["alerts"][0]["annotations"]["rootly"] = ""
    assert keys_of({k: attributes[k] for k in wanted}) == keys_of(wanted)
    assert {k: v for k, v in document["data"].items() if k not in ("attributes", "id")} == {
        "type": "alerts",
        "source": "alertmanager",
        "relationships": {},
    }
    for same in (
        "status", "summary", "description", "external_id", "external_url", "labels", "started_at", "ended_at",
        "noise", "source", "alert_field_values", "incidents", "environments", "functionalities", "created_at",
    ):  # fmt: skip
        expected = "5xx" if same == "description" else wanted[same]
        assert attributes[same] == expected, same
    assert attributes["alerting_targets"] == [{"id": t["id"], "type": t["type"]} for t in targets]
    assert attributes["notification_target_type"] == "Service"
    assert attributes["url"] == f"https://HOST/account/alerts/{attributes['short_id']}"
    assert [u["id"] for u in attributes["responders"]] == [people["ana"][0]]


async def test_the_senders_keys_are_never_touched(call, send):
    sent = await send(json.dumps({**BODY, "extra": {"a": [1.50, None]}, "rootly_alert_status": "open"}))
    document = await call("GET", f"/v1/alerts/{sent['alerts'][0]['id']}")
    data = document["data"]["attributes"]["data"]
    ours = {"ID", "rootly", "routing_rules", "alert_urgency_id", "rootly_alert_status"}
    assert {k: v for k, v in data.items() if k not in ours} == {**BODY, "extra": {"a": [1.5, None]}}
    assert ours <= data.keys()


async def test_a_list_shows_what_one_shows_but_for_members(call, send):
    sent = await send(firing())
    one = await call("GET", f"/v1/alerts/{sent['alerts'][0]['id']}")
    listed = await call("GET", "/v1/alerts")
    attributes = one["data"]["attributes"]
    assert attributes.pop("members")[0]["fingerprint"] and attributes.pop("occurrences") == []
    assert listed["data"][0] == one["data"]
    assert keys_of(listed["links"]) == keys_of(GOLDEN["alert_list"]["links"])
    assert listed["meta"] == GOLDEN["alert_list"]["meta"]


@pytest.fixture
async def three(send, policy, program):
    """DiskFull of team db triggered; then, a minute apart, HighErrorRate and LowDisk of team web, open."""
    ids = {}
    for name, team, path in (
        ("DiskFull", "db", f"/notify/EscalationPolicy/{policy}"),
        ("HighErrorRate", "web", ""),
        ("LowDisk", "web", ""),
    ):
        answer = await send(firing(name, team=team, path=f"/var/{name}:x"), path)
        ids[name] = answer["alerts"][0]
        program.clock.move_to(program.clock() + timedelta(minutes=1))
    return ids


FILTERS = [
    ("", ["LowDisk", "HighErrorRate", "DiskFull"]),
    ("sort=created_at", ["DiskFull", "HighErrorRate", "LowDisk"]),
    ("sort=summary", ["DiskFull", "HighErrorRate", "LowDisk"]),
    ("filter[status]=triggered", ["DiskFull"]),
    ("filter[status]=triggered,open", ["LowDisk", "HighErrorRate", "DiskFull"]),
    ("filter[status][not_eq]=open", ["DiskFull"]),
    ("filter[status][in]=resolved", []),
    ("filter[source]=alertmanager", ["LowDisk", "HighErrorRate", "DiskFull"]),
    ("filter[source]=prod", ["LowDisk", "HighErrorRate", "DiskFull"]),
    ("filter[source]=grafana", []),
    ("filter[source]=api", []),
    ("filter[source][not_eq]=grafana", ["LowDisk", "HighErrorRate", "DiskFull"]),
    ("filter[labels]=team:web", ["LowDisk", "HighErrorRate"]),
    ("filter[labels]=team=db", ["DiskFull"]),
    ("filter[labels]=team:web,alertname:LowDisk", ["LowDisk"]),
    ("filter[labels][in]=team:db,alertname:LowDisk", ["LowDisk", "DiskFull"]),
    ("filter[labels][not_eq]=team:web", ["DiskFull"]),
    ("filter[labels]=path:/var/LowDisk:x", ["LowDisk"]),
    ("filter[labels]=nonsense", []),
    ("filter[created_at][gte]=2026-11-23T02:01:05Z", ["LowDisk", "HighErrorRate"]),
    ("filter[created_at][lt]=2026-11-23T02:01:05Z", ["DiskFull"]),
    ("filter[created_at][gt]=2026-11-24", []),
    ("filter[created_at][gt]=2026-11-23T02:01:00&filter[created_at][lte]=2026-11-23T02:01:10", ["HighErrorRate"]),
    ("filter[started_at][lt]=2026-11-23T02:00:00Z", []),
    ("filter[search]=disk", ["LowDisk", "DiskFull"]),
    ("filter[search]=100%25", []),
    ("filter[services]=nothing", []),
    ("filter[environments]=production", []),
    ("filter[environments][not_eq]=production", ["LowDisk", "HighErrorRate", "DiskFull"]),
    ("filter[unpaged]=true", []),
    ("filter[unheard_of]=x&include=users,nothing&sort=colour", ["LowDisk", "HighErrorRate", "DiskFull"]),
]  # fmt: skip


async def test_a_filter_really_filters(call, three):
    for query, names in FILTERS:
        found = await call("GET", f"/v1/alerts?{query}")
        assert [a["attributes"]["summary"] for a in found["data"]] == names, query
        assert found["meta"]["total_count"] == len(names), query


async def test_alerts_are_found_by_short_id_and_by_what_they_are_for(call, three, program, policy):
    short = three["LowDisk"]["short_id"]
    found = await call("GET", f"/v1/alerts?filter[search]={short}")
    assert [a["attributes"]["summary"] for a in found["data"]] == ["LowDisk"]
    edit = edits.ServiceEdit(name="API", escalation_policy_id=policy)
    service = await program.configure.create_service(edit, by=SYSTEM, now=program.clock())
    target = {"notification_target_type": "Service", "notification_target_id": str(service)}
    await call("POST", "/v1/alerts", {"summary": "By hand", **target}, status=201)
    for name in (str(service), "api", "API"):
        found = await call("GET", f"/v1/alerts?filter[services]={name}&filter[groups][not_eq]=x")
        assert [a["attributes"]["summary"] for a in found["data"]] == ["By hand"]
    found = await call("GET", "/v1/alerts?filter[source]=api")
    assert [a["attributes"]["source"] for a in found["data"]] == ["api"]


async def test_pages_and_cursors_lead_through_all_and_never_overlap(call, three):
    seen, page = [], await call("GET", "/v1/alerts?page[size]=2")
    assert page["meta"]["total_pages"] == 2 and page["meta"]["next_page"] == 2
    while True:
        seen += [a["attributes"]["summary"] for a in page["data"]]
        cursor = page["meta"]["next_cursor"]
        if not cursor:
            break
        page = await call("GET", f"/v1/alerts?page[size]=2&page[after]={cursor}")
    assert seen == ["LowDisk", "HighErrorRate", "DiskFull"]
    second = await call("GET", "/v1/alerts?page[size]=2&page[number]=2")
    assert [a["attributes"]["summary"] for a in second["data"]] == ["DiskFull"]


async def test_sparse_fields_are_all_that_is_sent(call, three):
    found = await call("GET", "/v1/alerts?fields[alerts]=status,short_id&page[size]=1")
    assert set(found["data"][0]["attributes"]) == {"status", "short_id"}


async def test_a_time_that_cannot_be_read_names_its_filter(call):
    found = await call("GET", "/v1/alerts?filter[created_at][gt]=yesterday", status=400)
    assert found["errors"][0]["source"] == {"parameter": "filter[created_at][gt]"}
    found = await call("GET", "/v1/alerts?page[number]=99999", status=400)
    assert found["errors"][0]["title"] == "offset pagination exceeds limit"


async def test_a_triggered_alert_is_acknowledged_snoozed_escalated_and_resolved(call, three, program):
    short = three["DiskFull"]["short_id"]
    taken = await call("POST", f"/v1/alerts/{short}/acknowledge", by="bo")
    assert taken["data"]["attributes"]["status"] == "acknowledged"
    assert "Bo" in [user["name"] for user in taken["data"]["attributes"]["responders"]]
    await call("POST", f"/v1/alerts/{short}/acknowledge", by="bo")
    snoozed = await call("POST", f"/v1/alerts/{short}/snooze", {"delay_minutes": 60})
    assert snoozed["data"]["attributes"]["snoozed_until"] == "2026-11-23T03:03:05.000Z"
    for wrong in (0, -5, "soon", None, True, 10**9):
        refused = await call("POST", f"/v1/alerts/{short}/snooze", {"delay_minutes": wrong}, status=400)
        assert refused["errors"][0]["source"]["pointer"] == "/data/attributes/delay_minutes"
    await call("POST", f"/v1/alerts/{short}/escalate", {})
    await call("POST", f"/v1/alerts/{short}/escalate", {"escalation_policy_level": 99}, status=422)
    nowhere = {"escalation_policy_id": "00000000-0000-4000-8000-000000000000"}
    refused = await call("POST", f"/v1/alerts/{short}/escalate", nowhere, status=422)
    assert refused["errors"][0]["source"]["pointer"] == "/data/attributes/escalation_policy_id"
    refused = await call("POST", f"/v1/alerts/{short}/add_responders", {"targets": []}, status=422)
    assert refused["errors"][0]["source"]["pointer"] == "/data/attributes/targets"
    done = await call("POST", f"/v1/alerts/{short}/resolve", {"resolution_message": "fixed"})
    assert done["data"]["attributes"]["status"] == "resolved" and done["data"]["attributes"]["resolved_at"]
    await call("POST", f"/v1/alerts/{short}/resolve")
    await call("POST", f"/v1/alerts/{short}/acknowledge", status=400)


async def test_an_open_alert_pages_nobody_so_it_cannot_be_acknowledged(call, three):
    refused = await call("POST", f"/v1/alerts/{three['LowDisk']['id']}/acknowledge", status=400)
    assert refused["errors"][0]["code"] == "stale"


async def test_an_alert_made_through_the_api_pages_its_target(call, policy, people):
    sent = {
        "summary": "Checkout is down",
        "description": "Since noon",
        "labels": [{"key": "severity", "value": "critical"}, {"key": "canary", "value": True}],
        "notification_target_type": "EscalationPolicy",
        "notification_target_id": str(policy),
        "deduplication_key": "checkout",
    }
    made = (await call("POST", "/v1/alerts", sent, status=201))["data"]["attributes"]
    assert (made["status"], made["summary"], made["source"]) == ("triggered", "Checkout is down", "api")
    assert {"key": "canary", "value": "true"} in made["labels"] and made["description"] == "Since noon"
    assert [u["id"] for u in made["responders"]] == [people["ana"][0]]
    again = await call("POST", "/v1/alerts", sent, status=201)
    assert again["data"]["attributes"]["request_count"] == 2


async def test_an_alert_goes_to_somebody_else(call, three, people):
    target = {"notification_target_type": "User", "notification_target_id": str(people["bo"][0])}
    for method in ("PUT", "PATCH"):
        moved = await call(method, f"/v1/alerts/{three['DiskFull']['id']}", target)
    assert people["bo"][0] in [user["id"] for user in moved["data"]["attributes"]["responders"]]


async def test_what_an_alert_says_can_be_rewritten(call, three):
    path = f"/v1/alerts/{three['LowDisk']['id']}"
    low = (await call("GET", "/v1/alert_urgencies?filter[name]=Low"))["data"][0]["id"]
    labels = [{"key": "team", "value": "storage"}]
    sent = {
        "summary": "Disk of db-3",
        "description": "See runbook",
        "labels": labels,
        "alert_urgency_id": low,
    }
    changed = (await call("PATCH", path, sent, by="bo"))["data"]["attributes"]
    assert {name: changed[name] for name in sent} == sent and changed["status"] == "open"
    found = await call("GET", "/v1/alerts?filter[labels]=team:storage")
    assert [a["attributes"]["summary"] for a in found["data"]] == ["Disk of db-3"]
    newest = (await call("GET", f"{path}/events?page[size]=1"))["data"][0]["attributes"]
    assert (newest["action"], newest["code"], newest["user"]["name"]) == ("updated", "alert.amended", "Bo")
    cleared = (await call("PUT", path, {"description": None}))["data"]["attributes"]
    assert cleared["description"] is None and cleared["labels"] == labels
    refused = await call("PATCH", path, {"summary": " ", "alert_urgency_id": str(UUID(int=1))}, status=422)
    assert refused["errors"][0]["source"]["pointer"] == "/data/attributes/summary"
    refused = await call("PATCH", path, {"alert_urgency_id": str(UUID(int=1))}, status=422)
    assert refused["errors"][0]["source"]["pointer"] == "/data/attributes/alert_urgency_id"


async def test_a_target_that_does_not_exist_is_refused(call):
    sent = {"summary": "x", "notification_target_type": "User", "notification_target_id": "4711"}
    refused = await call("POST", "/v1/alerts", sent, status=422)
    assert "4711" in refused["errors"][0]["title"]


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        ({}, "summary"),
        ({"summary": 5}, "summary"),
        ({"summary": "x", "labels": 5}, "labels"),
        ({"summary": "x", "status": "resolved"}, "status"),
        ({"summary": "x", "status": "nonsense"}, "status"),
    ],
)
async def test_an_alert_that_says_too_little_is_refused_by_field(call, sent, pointer):
    refused = await call("POST", "/v1/alerts", sent, status=422)
    assert refused["errors"][0]["source"]["pointer"] == f"/data/attributes/{pointer}"


async def test_a_label_without_a_value_is_none(call):
    sent = {"summary": "x", "labels": [{"key": "a", "value": None}, {"key": "b", "value": True}]}
    made = await call("POST", "/v1/alerts", sent, status=201)
    labels = {one["key"]: one["value"] for one in made["data"]["attributes"]["labels"]}
    assert (labels.get("a"), labels.get("b")) == (None, "true")


async def test_the_journal_tells_everything_and_takes_notes(call, three, people):
    ident = three["DiskFull"]["id"]
    noted = await call(
        "POST", f"/v1/alerts/{ident}/events", {"kind": "note", "details": "Looking"}, status=201
    )
    assert noted["data"]["attributes"]["details"] == "Looking"
    assert noted["data"]["attributes"]["user"]["id"] == people["ana"][0]
    golden = GOLDEN["alert_event_response"]["data"]["attributes"]
    assert golden.keys() <= noted["data"]["attributes"].keys()
    events = await call("GET", f"/v1/alerts/{ident}/events?filter[kind]=notification")
    paged = [e["attributes"] for e in events["data"]]
    assert [(e["action"], e["user_id"], e["escalation_level"]) for e in paged][:1] == [
        ("paged", people["ana"][0], 1)
    ]
    one = await call("GET", f"/v1/alert_events/{noted['data']['id']}")
    assert one["data"] == noted["data"]
    await call("POST", f"/v1/alerts/{ident}/events", {"kind": "note", "details": " "}, status=422)
    await call("POST", f"/v1/alerts/{ident}/events", {"kind": "paged", "details": "x"}, status=422)


async def test_the_feed_goes_through_all_alerts_with_a_cursor(call, three):
    seen, after = [], ""
    while True:
        page = await call("GET", f"/v1/alert_events?page[size]=3&page[after]={after}")
        seen += [event["id"] for event in page["data"]]
        after = page["meta"]["next_cursor"]
        if not after:
            break
    assert len(seen) == len(set(seen)) == page["meta"]["total_count"] and seen == sorted(seen, reverse=True)
    mine = await call("GET", f"/v1/alert_events?filter[alert_id]={three['LowDisk']['id']}")
    assert {e["attributes"]["alert_id"] for e in mine["data"]} == {three["LowDisk"]["id"]}


async def test_what_was_sent_and_what_came_can_be_read(call, three, program, send):
    await told(call, three["DiskFull"]["id"])
    messages = await call("GET", f"/v1/notifications?filter[alert_id]={three['DiskFull']['id']}")
    kinds = {m["attributes"]["kind"]: m["attributes"] for m in messages["data"]}
    assert kinds["inbox"]["state"] == "sent" and kinds["inbox"]["attempts"][0]["outcome"] == "sent"
    one = await call("GET", f"/v1/notifications/{messages['data'][0]['id']}")
    assert one["data"] == messages["data"][0]
    requests = await call("GET", f"/v1/deliveries?filter[source_id]={send.source_id}&page[size]=1")
    assert requests["meta"]["total_count"] == 3 and "body" not in requests["data"][0]["attributes"]
    whole = await call("GET", f"/v1/deliveries/{requests['data'][0]['id']}")
    assert json.loads(whole["data"]["attributes"]["body"])["alerts"]


async def test_a_receipt_is_done_before_it_can_be_asked_for(call, three):
    ident = three["DiskFull"]["id"]
    assert await call("GET", f"/v1/alerts/receipts/{ident}") == {
        "state": "done", "resource_type": "alerts", "resource_id": ident
    }  # fmt: skip


@pytest.mark.parametrize("key", ["zzzzzz", "nothing-here", "00000000-0000-4000-8000-000000000000"])
async def test_an_alert_there_is_not_is_404_however_it_is_asked_for(call, key):
    for method, path in (("GET", ""), ("POST", "/acknowledge"), ("POST", "/resolve"), ("GET", "/events")):
        await call(method, f"/v1/alerts/{key}{path}", status=404)
