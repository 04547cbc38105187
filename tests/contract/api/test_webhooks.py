"""Outgoing webhooks on the wire: Rootly's shapes and SDK, who may, what is refused field by field, and row K10."""

import asyncio
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from rootly_sdk.api.webhooks_deliveries import (
    deliver_webhooks_delivery,
    get_webhooks_delivery,
    list_webhooks_deliveries,
)
from rootly_sdk.api.webhooks_endpoints import get_webhooks_endpoint, list_webhooks_endpoints

from nightbell.api.resources.webhooks import WEBHOOK_ENDPOINTS
from nightbell.core.webhook import EVENT_TYPES
from nightbell.engine.ids import new_id
from nightbell.testing.doubles import Double, Reply

GOLDEN = json.loads((Path(__file__).parent / "golden.json").read_text())
PATH = "/v1/webhooks/endpoints"
NOBODY = "00000000-0000-4000-8000-000000000000"
SINK = "https://hooks.example.org/nightbell"


@pytest.fixture
def made(call):
    async def make(status=201, **more):
        said = {"name": "Bus", "url": SINK, "event_types": ["alert.created"], **more}
        answer = await call("POST", PATH, said, status=status)
        return {**answer["data"]["attributes"], "id": answer["data"]["id"]} if status == 201 else answer

    return make


def places(answer):
    return {error["source"]["pointer"].removeprefix("/data/attributes/") for error in answer["errors"]}


def test_every_golden_key_is_declared():
    wanted = GOLDEN["webhooks_endpoint_response"]["data"]["attributes"].keys()
    assert wanted <= {a.name for a in WEBHOOK_ENDPOINTS.attributes}


async def test_an_endpoint_is_made_read_changed_and_deleted(call, made):
    one = await made()
    assert (one["slug"], one["enabled"], one["private_incidents"]) == ("bus", True, False)
    assert len(one["secret"]) == 64
    again = (await call("GET", f"{PATH}/{one['id']}"))["data"]["attributes"]
    assert again["secret"] == one["secret"], "Terraform reads it back"
    changed = await call(
        "PUT", f"{PATH}/{one['id']}", {"event_types": ["incident.created"], "enabled": False}
    )
    assert changed["data"]["attributes"]["event_types"] == ["incident.created"]
    assert changed["data"]["attributes"]["name"] == "Bus"
    assert (await made())["slug"] == "bus-2"
    gone = await call("DELETE", f"{PATH}/{one['id']}")
    assert gone["data"]["id"] == one["id"]
    await call("GET", f"{PATH}/{one['id']}", status=404)


async def test_a_secret_can_be_given_and_replaced(call, made):
    one = await made(secret="mine-and-long-enough")
    assert one["secret"] == "mine-and-long-enough"
    turned = await call("POST", f"{PATH}/{one['id']}/rotate_secret")
    assert turned["data"]["attributes"]["secret"] not in (one["secret"], "")


async def test_lists_find_by_name_and_slug(call, made):
    await made(name="One")
    two = await made(name="Two")
    for query in ("filter[name]=Two", "filter[slug]=two"):
        found = await call("GET", f"{PATH}?{query}&page[size]=1")
        assert [row["id"] for row in found["data"]] == [two["id"]]
    assert (await call("GET", PATH))["meta"]["total_count"] == 2


@pytest.mark.parametrize("by", ["bo", "olga"])
async def test_only_those_who_connect_things_see_them(call, made, by):
    one = await made()
    for method, path in (
        ("GET", PATH),
        ("GET", f"{PATH}/{one['id']}"),
        ("GET", f"{PATH}/{one['id']}/deliveries"),
        ("POST", f"/v1/webhooks/deliveries/{NOBODY}/deliver"),
    ):
        await call(method, path, by=by, status=403)
    await call("POST", PATH, {"name": "x", "url": SINK}, by=by, status=403)


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"url": ""}, "url"),
        ({"url": "http://127.0.0.1:9/"}, "url"),
        ({"url": "http://169.254.169.254/"}, "url"),
        ({"url": "ftp://example.org"}, "url"),
        ({"event_types": ["alert.exploded"]}, "event_types"),
        ({"event_types": "alert.created"}, "event_types"),
        ({"secret": "short"}, "secret"),
        ({"slug": "No Slug"}, "slug"),
        ({"custom_headers": [{"name": "Host", "value": "x"}]}, "custom_headers/0"),
        ({"custom_headers": [{"name": "X-Rootly-Signature", "value": "x"}]}, "custom_headers/0"),
        ({"custom_headers": [{"name": "a b", "value": "x"}]}, "custom_headers/0"),
        ({"custom_headers": [{"name": "X-A", "value": "a\r\nX-B: c"}]}, "custom_headers/0"),
        (
            {"custom_headers": [{"name": "X-A", "value": "1"}, {"name": "x-a", "value": "2"}]},
            "custom_headers",
        ),
        ({"custom_headers": [{"name": f"X-{n}", "value": "1"} for n in range(11)]}, "custom_headers"),
        ({"custom_headers": {"X-A": "1"}}, "custom_headers"),
        ({"enabled": "perhaps"}, "enabled"),
    ],
)
async def test_what_will_not_do_is_refused_by_its_name(made, said, place):
    assert place in places(await made(status=422, **said))


async def test_values_of_headers_are_sealed_and_masked(call, made, db):
    one = await made(custom_headers=[{"name": "Authorization", "value": "Bearer t0ken"}])
    assert one["custom_headers"] == [{"name": "Authorization", "value": "••••••••"}]
    stored = await db.fetch("SELECT custom_headers::text AS h FROM webhooks_endpoints")
    assert "t0ken" not in stored[0]["h"]
    audited = await db.fetch("SELECT string_agg(changes::text, '') AS c FROM audit_log")
    assert "t0ken" not in audited[0]["c"]
    assert "/nightbell" not in audited[0]["c"], "the path of a URL may be a key"
    assert one["secret"] not in audited[0]["c"]
    # What is masked and sent back stays what it was.
    await call("PUT", f"{PATH}/{one['id']}", {"custom_headers": one["custom_headers"]})
    again = await db.fetch("SELECT custom_headers::text AS h FROM webhooks_endpoints")
    assert again == stored


async def test_whatever_clients_send_is_no_fault_of_ours(call, made):
    one = await made()
    for ident in ("x", NOBODY, "%00", "1" * 300):
        await call("GET", f"{PATH}/{ident}", status=404)
        await call("GET", f"/v1/webhooks/deliveries/{ident}", status=404)
        await call("POST", f"/v1/webhooks/deliveries/{ident}/deliver", status=404)
    await call("GET", f"{PATH}/{one['id']}/deliveries?filter[event_id]=x&sort=nothing")


async def delivered(db, endpoint, now, state="delivered"):
    ident = new_id(now)
    await db.run(
        "INSERT INTO webhooks_deliveries (id, endpoint_id, event_id, event_type, payload, state, send_at, give_up_at, "
        "delivered_at, response_status, created_at, updated_at) VALUES ($1, $2, $1, 'alert.created', '{\"a\":1}', $3, "
        "$4, $4, CASE WHEN $3 = 'delivered' THEN $4::timestamptz END, 200, $4, $4)",
        ident,
        endpoint,
        state,
        now,
    )
    return ident


async def test_rootlys_own_client_reads_endpoints_and_deliveries(sdk, made, db, clock):
    one = await made(custom_headers=[{"name": "X-A", "value": "1"}])
    found: Any = await get_webhooks_endpoint.asyncio(one["id"], client=sdk)
    assert found.data.attributes.name == "Bus"
    assert [str(e) for e in found.data.attributes.event_types] == ["alert.created"]
    listed: Any = await list_webhooks_endpoints.asyncio(client=sdk)
    assert len(listed.data) == 1
    ident = await delivered(db, one["id"], clock())
    sent: Any = await list_webhooks_deliveries.asyncio(one["id"], client=sdk)
    assert sent.data[0].attributes.payload == '{"a":1}'
    shown: Any = await get_webhooks_delivery.asyncio(str(ident), client=sdk)
    assert shown.data.attributes.additional_properties.get("status", "success") == "success"
    again = await deliver_webhooks_delivery.asyncio_detailed(str(ident), client=sdk)
    assert again.status_code == 200


async def test_what_was_sent_is_sent_once_more_only_while_the_endpoint_is_on(call, made, db, clock):
    one = await made(enabled=False)
    ident = await delivered(db, one["id"], clock())
    answer = await call("POST", f"/v1/webhooks/deliveries/{ident}/deliver", status=422)
    assert "switched off" in answer["errors"][0]["title"]


# ---------------------------------------------------------------- row K10


@pytest.mark.parametrize("networks", [("127.0.0.0/8",)], ids=["loopback"])
async def test_k10_events_arrive_signed_within_five_seconds_and_are_tried_again_on_500(program, call, clock):
    async with Double() as sink:
        sink.will(Reply(status=500), Reply())
        said = {"name": "Bus", "url": f"{sink.url}/hook", "event_types": ["alert.created"]}
        one = (await call("POST", PATH, said, status=201))["data"]
        path = "/v1/alerts"
        alert = await call("POST", path, {"summary": "DiskFull", "source": "api"}, status=201)
        [first] = await sink.wait_for(1)
        await _until(call, one["id"], response_status=500)
        clock.instant = clock.at("02:00:30")
        second = (await sink.wait_for(2))[1]
        body = first.json()
        assert body["event"]["type"] == "alert.created"
        assert body["data"]["id"] == alert["data"]["id"]
        assert body["data"]["summary"] == "DiskFull"
        assert first.body == second.body
        for request in (first, second):
            stamp, mark = (p.partition("=")[2] for p in request.headers["x-rootly-signature"].split(","))
            secret = one["attributes"]["secret"].encode()
            assert mark == hmac.new(secret, stamp.encode() + request.body, hashlib.sha256).hexdigest()
        listed = await _until(call, one["id"], status="success")
        assert listed["attempts"] == 2
        assert listed["payload"].encode() == first.body
        assert [t["status"] for t in listed["tries"]] == [500, 200]


async def _until(call, ident, **wanted):
    for _ in range(200):
        [row] = (await call("GET", f"{PATH}/{ident}/deliveries"))["data"]
        if wanted.items() <= row["attributes"].items():
            return row["attributes"]
        await asyncio.sleep(0.05)
    raise AssertionError(row)


async def test_the_description_names_what_rootlys_does(program):
    async with httpx.AsyncClient(base_url=program.url) as client:
        paths = (await client.get("/swagger/v1/swagger.json")).json()["paths"]
    for path in (
        "/v1/webhooks/endpoints",
        "/v1/webhooks/endpoints/{id}",
        "/v1/webhooks/deliveries/{id}",
        "/v1/webhooks/deliveries/{id}/deliver",
    ):
        assert path in paths


@pytest.mark.parametrize("networks", [("127.0.0.0/8",)], ids=["loopback"])
async def test_what_becomes_of_an_incident_is_told_as_the_api_shows_it(program, call, clock):
    wanted = [name for name in EVENT_TYPES if name.startswith("incident")]
    async with Double(always=Reply()) as sink:
        said = {"name": "Bus", "url": sink.url, "event_types": wanted}
        await call("POST", PATH, said, status=201)
        made = (await call("POST", "/v1/incidents", {"title": "Disk full"}, status=201))["data"]
        path = f"/v1/incidents/{made['id']}"
        entry = await call("POST", f"{path}/events", {"event": "It grows."}, status=201)
        clock.instant = clock.at("02:01:00")
        await call("PUT", f"{path}/mitigate", {"mitigation_message": "cleaned"})
        await call("PUT", path, {"retrospective_progress_status": "active"})
        expected = {
            "incident.created", "incident.mitigated", "incident.updated", "incident_event.created", "incident_post_mortem.created",
        }  # fmt: skip
        for _ in range(100):
            told = [request.json() for request in sink.requests]
            if expected <= {one["event"]["type"] for one in told}:
                break
            await asyncio.sleep(0.1)
        assert {one["event"]["type"] for one in told} == expected
        assert len({one["event"]["id"] for one in told}) == len(told)
        by_type = {one["event"]["type"]: one["data"] for one in told}
        shown = (await call("GET", path))["data"]
        assert by_type["incident.created"].keys() == {"id", *shown["attributes"]}
        assert by_type["incident.mitigated"]["mitigation_message"] == "cleaned"
        lines = {o["data"]["id"]: o["data"] for o in told if o["event"]["type"] == "incident_event.created"}
        assert lines[entry["data"]["id"]]["event"] == "It grows."
        assert by_type["incident_post_mortem.created"]["incident_id"] == made["id"]
