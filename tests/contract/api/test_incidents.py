"""Incidents over the API: shapes, statuses, people, alerts, and what is refused with what would be right."""

import asyncio
from typing import Any

import msgspec
from rootly_sdk.api.incidents import (
    create_incident,
    get_incident,
    list_incidents,
    mitigate_incident,
    resolve_incident,
)
from rootly_sdk.models import Incident, MitigateIncident, NewIncident, ResolveIncident

from nightbell.core.journal import SYSTEM
from nightbell.engine.edits import ServiceEdit
from support.captures import captured


async def made(call, **attributes):
    body = await call("POST", "/v1/incidents", {"title": "API is slow", **attributes}, status=201)
    return body["data"]


async def lines(call, key):
    """The timeline, oldest first."""
    body = await call("GET", f"/v1/incidents/{key}/events?sort=created_at&page[size]=100")
    return [one["attributes"]["event"] for one in body["data"]]


async def test_an_incident_has_the_shape_that_clients_read(call):
    one = await made(call)
    attributes = one["attributes"]
    assert (attributes["sequential_id"], attributes["slug"], attributes["status"]) == (
        1,
        "api-is-slow",
        "started",
    )
    assert attributes["user"]["data"]["attributes"]["full_name"] == "Ana Silva"
    assert attributes["services"] == {"data": []}
    assert attributes["severity"] is None
    assert attributes["labels"] == {}
    assert attributes["url"] == "https://HOST/account/incidents/1-api-is-slow"
    assert attributes["started_at"] == "2026-11-23T02:00:05.000Z"
    assert one["relationships"]["services"] == {"data": []}


async def test_an_incident_is_found_by_number_and_slug_too(call):
    one = await made(call)
    for key in ("1", "INC-1", "inc-1", "api-is-slow", "1-api-is-slow"):
        assert (await call("GET", f"/v1/incidents/{key}"))["data"]["id"] == one["id"]
    for key in ("2", "no-such", "00000000-0000-4000-8000-000000000000", "1-other"):
        await call("GET", f"/v1/incidents/{key}", status=404)


async def test_it_goes_its_way_and_every_step_is_in_the_timeline(call):
    one = await made(call)
    path = f"/v1/incidents/{one['id']}"
    await call("PUT", f"{path}/mitigate", {"mitigation_message": "rolled back"})
    await call("PUT", f"{path}/resolve", {"resolution_message": "fixed"})
    await call("PUT", f"{path}/close")
    body = await call("PUT", f"{path}/restart")
    attributes = body["data"]["attributes"]
    assert attributes["status"] == "started"
    assert [attributes[f"{name}_at"] for name in ("mitigated", "resolved", "closed")] == [None] * 3
    assert await lines(call, one["id"]) == [
        "Incident created: API is slow",
        "Mitigated (was started): rolled back",
        "Resolved (was mitigated): fixed",
        "Closed (was resolved)",
        "Restarted (was closed)",
    ]


CANNOT = [
    ([], "close", "in_triage, mitigated, resolved, cancelled"),
    (["resolve"], "mitigate", "started, closed"),
    (["resolve"], "cancel", "started, closed"),
    (["cancel"], "resolve", "started"),
    (["resolve", "close"], "in_triage", "started"),
    (["in_triage"], "restart", "started, mitigated, resolved, cancelled"),
]


async def test_a_status_that_cannot_follow_is_refused_with_what_can(call):
    for before, act, right in CANNOT:
        one = await made(call)
        for step in before:
            await call("PUT", f"/v1/incidents/{one['id']}/{step}")
        body = await call("PUT", f"/v1/incidents/{one['id']}/{act}", status=422)
        assert right in body["errors"][0]["detail"], (before, act)


async def test_doing_it_twice_is_doing_it_once(call):
    one = await made(call)
    for _ in range(2):
        await call("PUT", f"/v1/incidents/{one['id']}/resolve")
    assert len(await lines(call, one["id"])) == 2


BAD: list[tuple[dict[str, Any], str]] = [
    ({"title": ""}, "title"),
    ({"title": "x" * 300}, "title"),
    ({"status": "burning"}, "status"),
    ({"status": "closed"}, "status"),
    ({"kind": "odd"}, "kind"),
    ({"severity_id": "00000000-0000-4000-8000-000000000000"}, "severity_id"),
    ({"severity_id": "sev1"}, "severity_id"),
    ({"service_ids": ["00000000-0000-4000-8000-000000000000"]}, "service_ids"),
    ({"service_ids": "api"}, "service_ids"),
    ({"group_ids": ["00000000-0000-4000-8000-000000000000"]}, "group_ids"),
    ({"alert_ids": ["00000000-0000-4000-8000-000000000000"]}, "alert_ids"),
    ({"labels": [1]}, "labels"),
    ({"labels": {"a": {"b": 1}}}, "labels"),
    ({"private": "perhaps"}, "private"),
    ({"started_at": "yesterday"}, "started_at"),
    ({"started_at": "2030-01-01T00:00:00Z"}, "started_at"),
    ({"mitigated_at": "2026-11-23T01:00:00Z"}, "mitigated_at"),
    ({"started_at": "2026-11-23T01:00:00Z", "in_triage_at": "2026-11-23T01:30:00Z"}, "started_at"),
    ({"kind": "scheduled"}, "scheduled_for"),
    (
        {
            "kind": "scheduled",
            "scheduled_for": "2026-11-24T02:00:00Z",
            "scheduled_until": "2026-11-24T01:00:00Z",
        },
        "scheduled_until",
    ),
    ({"parent_incident_id": "00000000-0000-4000-8000-000000000000"}, "parent_incident_id"),
]


async def test_what_cannot_be_is_refused_by_its_field(call):
    for sent, place in BAD:
        body = await call("POST", "/v1/incidents", {"title": "x", **sent}, status=422)
        assert place in msgspec.json.encode(body["errors"]).decode(), sent
    assert (await call("GET", "/v1/incidents"))["meta"]["total_count"] == 0
    # Nothing was made, and no number was used up.
    assert (await made(call))["attributes"]["sequential_id"] == 1


async def test_all_that_is_wrong_is_named_at_once(call):
    sent: dict[str, Any] = {"title": "x", "severity_id": "00000000-0000-4000-8000-000000000001"}
    sent["environment_ids"] = ["00000000-0000-4000-8000-000000000002"]
    body = await call("POST", "/v1/incidents", sent, status=422)
    assert len(body["errors"]) == 2


async def test_a_change_says_what_was_and_what_is(call, program):
    one = await made(call)
    severities = (await call("GET", "/v1/severities"))["data"]
    assert [s["attributes"]["name"] for s in severities] == ["SEV0", "SEV1", "SEV2", "SEV3"]
    production = (await call("GET", "/v1/environments?filter[slug]=production"))["data"][0]
    sent = {
        "severity_id": severities[1]["id"],
        "environment_ids": [production["id"]],
        "summary": "Timeouts at the gateway",
        "labels": {"region": "eu", "tier": 1},
    }
    body = await call("PUT", f"/v1/incidents/{one['id']}?include=environments", sent)
    attributes = body["data"]["attributes"]
    assert attributes["severity"]["data"]["attributes"]["slug"] == "sev1"
    assert attributes["environments"]["data"][0]["attributes"]["name"] == "Production"
    assert attributes["labels"] == {"region": "eu", "tier": "1"}
    assert body["included"][0]["id"] == production["id"]
    assert await lines(call, one["id"]) == [
        "Incident created: API is slow",
        "Summary: Timeouts at the gateway",
        "Labels: region=eu, tier=1",
        "Severity: none → SEV1",
        "Environments: added Production",
    ]


async def test_lists_are_filtered_as_clients_ask(call, program):
    api = await program.configure.create_service(ServiceEdit(name="API"), by=SYSTEM, now=program.clock())
    await made(call, title="one", service_ids=[str(api)], labels={"region": "eu"})
    two = await made(call, title="two", private=True)
    await call("PUT", f"/v1/incidents/{two['id']}/resolve")
    severity = (await call("GET", "/v1/severities/sev2"))["data"]
    await made(call, title="three", severity_id=severity["id"], status="in_triage")

    async def titles(query):
        body = await call("GET", f"/v1/incidents?{query}")
        assert body["meta"]["total_count"] == len(body["data"])
        return [one["attributes"]["title"] for one in body["data"]]

    assert await titles("") == ["three", "two", "one"]
    assert await titles("filter[services]=api&filter[status]=started,mitigated") == ["one"]
    assert await titles(f"filter[service_ids]={api}") == ["one"]
    assert await titles("filter[services][not_in]=api") == ["three", "two"]
    assert await titles("filter[status][not_eq]=resolved") == ["three", "one"]
    assert await titles("filter[severity]=sev2") == ["three"]
    assert await titles("filter[severity]=medium") == ["three"]
    assert await titles("filter[sequential_id]=2") == ["two"]
    assert await titles("filter[private]=true") == ["two"]
    assert await titles("filter[labels]=region:eu") == ["one"]
    assert await titles("filter[search]=THRE") == ["three"]
    assert await titles("filter[search]=INC-2") == ["two"]
    assert await titles("filter[started_at][gte]=2026-11-24") == []
    assert await titles("filter[created_at][gte]=2026-11-23&filter[created_at][lte]=2026-11-24") == [
        "three",
        "two",
        "one",
    ]
    assert await titles("sort=title") == ["one", "three", "two"]
    assert await titles("filter[causes]=x") == []


async def test_only_the_fields_that_were_asked_for_are_sent(call):
    await made(call)
    body = await call("GET", "/v1/incidents?fields[incidents]=sequential_id,title&filter[sequential_id]=1")
    assert body["data"][0]["attributes"] == {"sequential_id": 1, "title": "API is slow"}


async def test_a_cursor_goes_through_all_of_them(call):
    for number in range(5):
        await made(call, title=f"n{number}")
    seen, after = [], ""
    while True:
        body = await call("GET", f"/v1/incidents?page[size]=2&page[after]={after}")
        seen += [one["attributes"]["sequential_id"] for one in body["data"]]
        after = body["meta"]["next_cursor"]
        if not after:
            break
    assert seen == [5, 4, 3, 2, 1]


async def test_a_private_incident_is_seen_by_its_people_alone(call, people):
    one = await made(call, private=True)
    path = f"/v1/incidents/{one['id']}"
    for method, where in (
        ("GET", path),
        ("GET", f"{path}/events"),
        ("PUT", f"{path}/resolve"),
        ("PUT", path),
    ):
        await call(method, where, by="bo", status=404, **({} if method == "GET" else {"attributes": {}}))
    assert (await call("GET", "/v1/incidents", by="bo"))["data"] == []
    await call("POST", f"{path}/add_subscribers", {"user_ids": [people["bo"][0]]})
    assert (await call("GET", path, by="bo"))["data"]["id"] == one["id"]
    await call("DELETE", f"{path}/remove_subscribers", {"user_ids": [str(people["bo"][0])]})
    await call("GET", path, by="bo", status=404)
    role = (await call("GET", "/v1/incident_roles/commander"))["data"]["id"]
    await call(
        "POST", f"{path}/assign_role_to_user", {"user_id": str(people["bo"][0]), "incident_role_id": role}
    )
    assert (await call("GET", "/v1/incidents", by="bo"))["meta"]["total_count"] == 1


async def test_who_looks_on_changes_nothing(call):
    one = await made(call)
    await call("PUT", f"/v1/incidents/{one['id']}/resolve", by="olga", status=403)
    await call("POST", "/v1/incidents", {"title": "x"}, by="olga", status=403)
    await call("DELETE", f"/v1/incidents/{one['id']}", by="bo", status=403)
    await call("GET", f"/v1/incidents/{one['id']}", by="olga")
    await call("DELETE", f"/v1/incidents/{one['id']}")
    await call("GET", f"/v1/incidents/{one['id']}", status=404)


async def test_a_role_is_given_and_taken(call, people):
    one = await made(call)
    roles = {r["attributes"]["slug"]: r["id"] for r in (await call("GET", "/v1/incident_roles"))["data"]}
    assert set(roles) == {"commander", "communications", "scribe"}
    path = f"/v1/incidents/{one['id']}"
    for who in ("ana", "bo"):
        sent = {"user_id": people[who][0], "incident_role_id": roles["commander"]}
        await call("POST", f"{path}/assign_role_to_user", sent)
    body = await call("GET", f"{path}?include=roles")
    assert [r["attributes"]["user"]["name"] for r in body["included"]] == ["Bo"]
    assert body["included"][0]["attributes"]["incident_role"]["name"] == "Commander"
    await call("DELETE", f"{path}/unassign_role_from_user", sent)
    assert (await lines(call, one["id"]))[1:] == [
        "Commander: nobody → Ana Silva",
        "Commander: Ana Silva → Bo",
        "Commander: Bo → nobody",
    ]
    for wrong, place in (({"user_id": 99}, "user_id"), ({"incident_role_id": "x"}, "incident_role_id")):
        sent = {"user_id": people["bo"][0], "incident_role_id": roles["scribe"], **wrong}
        body = await call("POST", f"{path}/assign_role_to_user", sent, status=422)
        assert place in str(body)


async def alert_of(call, send):
    await send(captured("single_firing"))
    return (await call("GET", "/v1/alerts"))["data"][0]


async def test_an_alert_and_an_incident_know_each_other(call, send):
    alert = await alert_of(call, send)
    one = await made(call)
    body = await call("POST", f"/v1/incidents/{one['id']}/alerts", {"alert_ids": [alert["id"]]})
    assert [a["id"] for a in body["data"]] == [alert["id"]]
    assert (await call("GET", f"/v1/incidents/{one['id']}/alerts"))["meta"]["total_count"] == 1
    shown = await call("GET", f"/v1/alerts/{alert['id']}?include=incidents")
    assert [i["sequential_id"] for i in shown["data"]["attributes"]["incidents"]] == [1]
    assert [(i["type"], i["id"]) for i in shown["included"]] == [("incidents", one["id"])]
    events = await call("GET", f"/v1/alerts/{alert['id']}/events")
    attached = [e["attributes"] for e in events["data"] if e["attributes"]["action"] == "attached"]
    assert [a["details"] for a in attached] == ["Attached to incident #1 API is slow"]
    assert attached[0]["incident_ids"] == [one["id"]]
    assert attached[0]["incident"]["sequential_id"] == 1
    assert "attached" in (await lines(call, one["id"]))[1]
    # Twice is once; and off again.
    await call("POST", f"/v1/incidents/{one['id']}/alerts", {"alert_ids": [alert["attributes"]["short_id"]]})
    assert len(await lines(call, one["id"])) == 2
    await call("DELETE", f"/v1/incidents/{one['id']}/alerts", {"alert_ids": [alert["id"]]})
    assert (await call("GET", f"/v1/incidents/{one['id']}/alerts"))["data"] == []
    await call("POST", f"/v1/alerts/{alert['id']}/attach", {"incident_ids": ["INC-1"]})
    assert (await call("GET", f"/v1/incidents/{one['id']}/alerts"))["meta"]["total_count"] == 1


async def test_alerts_that_are_none_are_not_attached(call):
    one = await made(call)
    wrong: list[Any] = [None, [], ["zzz"], "x", [7]]
    for ids in wrong:
        sent = {"alert_ids": ids}
        body = await call("POST", f"/v1/incidents/{one['id']}/alerts", sent, status=422)
        assert "alert_ids" in str(body)


async def test_an_incident_made_of_an_alert_is_resolved_together_with_it(call, send):
    alert = await alert_of(call, send)
    one = await made(call, alert_ids=[alert["id"]])
    assert one["attributes"]["detected_at"] == alert["attributes"]["started_at"]
    await call("PUT", f"/v1/incidents/{one['id']}/resolve")
    assert (await call("GET", f"/v1/alerts/{alert['id']}"))["data"]["attributes"]["status"] == "resolved"
    assert (await lines(call, one["id"]))[-1] == "1 alert resolved"


async def test_alerts_are_left_alone_where_it_is_set_so(call, send):
    alert = await alert_of(call, send)
    one = await made(call, alert_ids=[alert["id"]], resolve_alerts=False)
    await call("PUT", f"/v1/incidents/{one['id']}/resolve")
    assert (await call("GET", f"/v1/alerts/{alert['id']}"))["data"]["attributes"]["status"] != "resolved"


async def test_of_a_private_incident_an_alert_says_no_more_than_that(call, send):
    alert = await alert_of(call, send)
    one = await made(call, title="Breach", private=True, alert_ids=[alert["id"]])
    body = await call("GET", f"/v1/alerts/{alert['id']}?include=incidents", by="bo")
    assert (body["data"]["attributes"]["incidents"], body.get("included")) == ([], None)
    events = await call("GET", f"/v1/alerts/{alert['id']}/events", by="bo")
    attached = [e["attributes"] for e in events["data"] if e["attributes"]["action"] == "attached"]
    assert [(a["details"], a["incident_ids"]) for a in attached] == [("Attached to a private incident", [])]
    assert "Breach" not in str(events)
    sent = {"incident_ids": [one["id"]]}
    await call("POST", f"/v1/alerts/{alert['id']}/attach", sent, by="bo", status=422)


async def test_what_people_wrote_they_may_change(call):
    one = await made(call)
    sent: dict[str, Any] = {
        "event": "Rolled back",
        "visibility": "external",
        "occurred_at": "2026-11-23T01:30:00Z",
    }
    sent["attachments"] = [{"url": "https://grafana.example/d/1", "title": "graph"}]
    body = await call("POST", f"/v1/incidents/{one['id']}/events", sent, status=201)
    assert body["data"]["attributes"]["occurred_at"] == "2026-11-23T01:30:00.000Z"
    path = f"/v1/events/{body['data']['id']}"
    changed = await call("PUT", path, {"event": "Rolled back to 1.2"})
    attributes = changed["data"]["attributes"]
    assert (attributes["event"], attributes["visibility"]) == ("Rolled back to 1.2", "external")
    assert attributes["because"]["edits"][0]["was"] == {"event": "Rolled back"}
    await call("DELETE", path)
    await call("GET", path, status=404)
    assert await lines(call, one["id"]) == [
        "Incident created: API is slow",
        "An entry of Ana Silva was removed",
    ]


async def test_what_nightbell_wrote_stays(call):
    one = await made(call)
    entry = (await call("GET", f"/v1/incidents/{one['id']}/events"))["data"][0]
    await call("PUT", f"/v1/events/{entry['id']}", {"event": "nothing happened"}, status=422)
    await call("DELETE", f"/v1/events/{entry['id']}", status=422)
    body = await call("PUT", f"/v1/events/{entry['id']}", {"visibility": "external"})
    assert body["data"]["attributes"]["visibility"] == "external"


BAD_ENTRIES: list[tuple[dict[str, Any], str]] = [
    ({}, "event"),
    ({"event": "  "}, "event"),
    ({"event": "x", "visibility": "secret"}, "visibility"),
    ({"event": "x", "occurred_at": "2031-01-01T00:00:00Z"}, "occurred_at"),
    ({"event": "x", "occurred_at": "soon"}, "occurred_at"),
    ({"event": "x", "attachments": [{"url": "javascript:alert(1)"}]}, "attachments"),
    ({"event": "x", "attachments": [{}]}, "attachments"),
]


async def test_an_entry_that_cannot_be_is_refused(call):
    one = await made(call)
    for sent, place in BAD_ENTRIES:
        body = await call("POST", f"/v1/incidents/{one['id']}/events", sent, status=422)
        assert place in str(body), sent


async def test_an_action_item_is_added_changed_and_done(call, people):
    one = await made(call)
    sent = {"summary": "Check rollout", "priority": "high", "due_date": "2026-11-30"}
    sent["assigned_to_user_id"] = people["bo"][0]
    body = await call("POST", f"/v1/incidents/{one['id']}/action_items", sent, status=201)
    item = body["data"]
    assert item["attributes"]["assigned_to"]["name"] == "Bo"
    assert item["attributes"]["created_by"]["name"] == "Ana Silva"
    assert (item["attributes"]["kind"], item["attributes"]["status"]) == ("task", "open")
    await call("PUT", f"/v1/action_items/{item['id']}", {"status": "done", "assigned_to_user_id": None})
    listed = await call("GET", "/v1/action_items?filter[status]=done&include=incident")
    assert [i["id"] for i in listed["data"]] == [item["id"]]
    assert listed["included"][0]["id"] == one["id"]
    assert (await call("GET", "/v1/action_items?filter[due_date][gt]=2026-12-01"))["data"] == []
    assert (await call("GET", "/v1/action_items?filter[incident_status]=resolved"))["data"] == []
    assert (await lines(call, one["id"]))[1:] == [
        "Action item: Check rollout",
        "Action item Check rollout: status open → done; owner Bo → none",
    ]
    await call("DELETE", f"/v1/action_items/{item['id']}")
    assert (await call("GET", f"/v1/incidents/{one['id']}/action_items"))["data"] == []


BAD_ITEMS: list[tuple[dict[str, Any], str]] = [
    ({}, "summary"),
    ({"summary": " "}, "summary"),
    ({"summary": "x", "status": "later"}, "status"),
    ({"summary": "x", "priority": "urgent"}, "priority"),
    ({"summary": "x", "kind": "chore"}, "kind"),
    ({"summary": "x", "due_date": "next week"}, "due_date"),
    ({"summary": "x", "assigned_to_user_id": 99}, "assigned_to_user_id"),
    ({"summary": "x", "assigned_to_user_id": "Bo"}, "assigned_to_user_id"),
    (
        {"summary": "x", "assigned_to_group_ids": ["00000000-0000-4000-8000-000000000009"]},
        "assigned_to_group_ids",
    ),
]


async def test_an_action_item_that_cannot_be_is_refused(call):
    one = await made(call)
    for sent, place in BAD_ITEMS:
        body = await call("POST", f"/v1/incidents/{one['id']}/action_items", sent, status=422)
        assert place in str(body), sent


async def test_a_duplicate_is_cancelled_and_hands_over_what_it_has(call, send, people):
    alert = await alert_of(call, send)
    first, second = await made(call, title="first"), await made(call, title="second", alert_ids=[alert["id"]])
    await call("POST", f"/v1/incidents/{second['id']}/add_subscribers", {"user_ids": [people["bo"][0]]})
    body = await call("PUT", f"/v1/incidents/{second['id']}/duplicate", {"duplicate_incident_id": "INC-1"})
    attributes = body["data"]["attributes"]
    assert (attributes["status"], attributes["duplicate_incident_id"]) == ("cancelled", first["id"])
    shown = await call("GET", f"/v1/incidents/{first['id']}")
    assert shown["data"]["attributes"]["alert_ids"] == [alert["id"]]
    assert shown["data"]["relationships"]["subscribers"]["data"][0]["id"] == str(people["bo"][0])
    await call(
        "PUT", f"/v1/incidents/{first['id']}/duplicate", {"duplicate_incident_id": second["id"]}, status=422
    )
    itself = {"duplicate_incident_id": first["id"]}
    refused = await call("PUT", f"/v1/incidents/{first['id']}/duplicate", itself, status=422)
    assert refused["errors"][0]["source"] == {"pointer": "/data/attributes/duplicate_incident_id"}
    await call("PUT", f"/v1/incidents/{second['id']}/unmark_as_duplicate")
    await call("PUT", f"/v1/incidents/{second['id']}/unmark_as_duplicate", status=422)
    await call("POST", f"/v1/incidents/{first['id']}/merge", {"incident_ids": [second["id"]]})


async def test_a_duplicate_is_cancelled_for_a_reason_or_not_at_all(call):
    first, second, third = [await made(call, title=title) for title in ("first", "second", "third")]
    sent = {"duplicate_incident_id": first["id"], "reason_for_cancellation": "the same disk"}
    told = await call("PUT", f"/v1/incidents/{second['id']}/duplicate", sent)
    assert told["data"]["attributes"]["cancellation_message"] == "the same disk"
    sent = {"duplicate_incident_id": first["id"], "auto_cancel_incident": False}
    told = await call("PUT", f"/v1/incidents/{third['id']}/duplicate", sent)
    attributes = told["data"]["attributes"]
    assert (attributes["status"], attributes["duplicate_incident_id"]) == ("started", first["id"])
    sent = {"duplicate_incident_id": first["id"], "auto_cancel_incident": "no"}
    await call("PUT", f"/v1/incidents/{second['id']}/duplicate", sent, status=422)


async def test_an_incident_is_never_below_itself(call):
    first, second = await made(call, title="first"), await made(call, title="second")
    body = await call("PUT", f"/v1/incidents/{second['id']}", {"parent_incident_id": first["id"]})
    assert body["data"]["attributes"]["kind"] == "normal_sub"
    await call("PUT", f"/v1/incidents/{first['id']}", {"parent_incident_id": second["id"]}, status=422)
    body = await call("PUT", f"/v1/incidents/{second['id']}/detach_from_parent")
    assert (body["data"]["attributes"]["kind"], body["data"]["attributes"]["parent_incident_id"]) == (
        "normal",
        None,
    )


async def test_catalogs_are_made_changed_and_deleted(call):
    for path, more in (
        ("severities", {"severity": "high"}),
        ("incident_types", {}),
        ("environments", {}),
        ("functionalities", {}),
        ("incident_roles", {"allow_multi_user_assignment": True}),
        ("sub_statuses", {"parent_status": "started"}),
    ):
        body = await call("POST", f"/v1/{path}", {"name": "Odd One", **more}, status=201)
        one = body["data"]
        assert (one["type"], one["attributes"]["slug"]) == (path, "odd-one")
        changed = await call("PATCH", f"/v1/{path}/{one['id']}", {"description": "told"})
        assert changed["data"]["attributes"]["description"] == "told"
        listed = await call("GET", f"/v1/{path}?filter[name]=Odd One&page[size]=1")
        assert [i["id"] for i in listed["data"]] == [one["id"]]
        await call("GET", f"/v1/{path}/odd-one")
        if path != "sub_statuses":
            await call("POST", f"/v1/{path}", {"name": "odd one", **more}, status=422)
        await call("POST", f"/v1/{path}", {"name": ""}, status=422)
        await call("DELETE", f"/v1/{path}/{one['id']}")
        await call("GET", f"/v1/{path}/{one['id']}", status=404)
    await call("POST", "/v1/severities", {"name": "x", "severity": "odd"}, status=422)
    await call("POST", "/v1/severities", {"name": "x"}, by="bo", status=403)
    statuses = await call("GET", "/v1/statuses")
    assert "mitigated" in [s["attributes"]["slug"] for s in statuses["data"]]


async def test_rootlys_own_client_makes_mitigates_and_resolves(sdk):
    async def ask(module, *path, **arguments):
        answer = await module.asyncio(*path, client=sdk, **arguments)
        return answer.data

    new = NewIncident.from_dict({"data": {"type": "incidents", "attributes": {"title": "API is slow"}}})
    made_of = await ask(create_incident, body=new)
    assert isinstance(made_of.attributes, Incident)
    empty = {"data": {"type": "incidents", "attributes": {}}}
    mitigated = await ask(mitigate_incident, made_of.id, body=MitigateIncident.from_dict(empty))
    assert mitigated.attributes.status == "mitigated"
    resolved = await ask(resolve_incident, made_of.id, body=ResolveIncident.from_dict(empty))
    assert resolved.attributes.status == "resolved"
    assert (await ask(get_incident, made_of.id)).attributes.sequential_id == 1
    assert [one.id for one in await ask(list_incidents)] == [made_of.id]


async def test_everything_of_an_incident_is_taken_out_as_text_and_as_json(call):
    one = await made(call, summary="Timeouts")
    path = f"/v1/incidents/{one['id']}/export"
    said = await call("GET", f"{path}?format=markdown")
    assert said["text"].startswith("# #1 API is slow")
    assert "Incident created" in said["text"]
    assert (await call("GET", path))["incident"]["summary"] == "Timeouts"
    await call("GET", f"{path}?format=pdf", status=400)


async def test_a_chart_counts_incidents_by_day(call, program):
    api = await program.configure.create_service(ServiceEdit(name="API"), by=SYSTEM, now=program.clock())
    for _ in range(2):
        await made(call, service_ids=[str(api)])
    await made(call)
    for key in (api, "api"):
        assert await call("GET", f"/v1/services/{key}/incidents_chart?period=day") == {
            "data": {"2026-11-23": 2}
        }
    assert await call("GET", "/v1/teams/none/incidents_chart") == {"data": {}}


async def test_the_running_program_ends_an_incident_soon_after_its_alerts(call, send):
    alert = await alert_of(call, send)
    one = await made(call, alert_ids=[alert["id"]], resolve_with_alerts=True)
    await call("POST", f"/v1/alerts/{alert['id']}/resolve")
    for _ in range(300):
        shown = (await call("GET", f"/v1/incidents/{one['id']}"))["data"]["attributes"]
        if shown["status"] == "resolved":
            break
        await asyncio.sleep(0.1)
    assert (shown["status"], shown["resolved_by"]) == ("resolved", None)
