"""Heartbeats on the wire: Rootly's shape and its SDK, pings by any method, who may, and hostile input."""

import json
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from rootly_sdk.api.heartbeats import list_heartbeats, ping_heartbeat

from nightbell.api.resources.heartbeats import HEARTBEATS
from nightbell.core.directory import Target
from nightbell.core.journal import SYSTEM
from nightbell.engine.act import NewAlert
from nightbell.engine.sealing import WIDE, seal

GOLDEN = json.loads((Path(__file__).parent / "golden.json").read_text())
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def made(call, people):
    async def make(status=201, **more):
        said = {
            "name": "prom watchdog",
            "alert_summary": "Prometheus is silent",
            "interval": 5,
            "interval_unit": "minutes",
            "notification_target_id": str(people["ana"][0]),
            "notification_target_type": "User",
            "enabled": True,
            **more,
        }
        answer = await call("POST", "/v1/heartbeats", said, status=status)
        return {**answer["data"]["attributes"], "id": answer["data"]["id"]} if status == 201 else answer

    return make


@pytest.fixture
def ping(program):
    async def send(ident, method="POST", *, secret=None, query="", prefix="/v1"):
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        async with httpx.AsyncClient(base_url=program.url) as client:
            answer = await client.request(method, f"{prefix}/heartbeats/{ident}/ping{query}", headers=headers)
        return answer.status_code

    return send


def test_every_golden_key_is_declared():
    wanted = GOLDEN["heartbeat_response"]["data"]["attributes"].keys()
    assert wanted <= {a.name for a in HEARTBEATS.attributes}


async def test_a_ping_makes_it_active(call, made, ping):
    one = await made()
    assert one["status"] == "waiting"
    assert one["ping_url"] == f"https://HOST/v1/heartbeats/{one['id']}/ping"
    assert len(one["secret"]) == 64
    assert await ping(one["id"], secret=one["secret"]) == 204
    found = (await call("GET", f"/v1/heartbeats/{one['id']}"))["data"]["attributes"]
    assert (found["status"], found["last_pinged_by"]) == ("active", "http")
    assert found["last_pinged_at"] == "2026-11-23T02:00:05.000Z"
    assert found["expires_at"] == "2026-11-23T02:05:05.000Z"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT"])
async def test_every_simple_method_pings_with_the_secret_in_header_or_url(made, ping, method):
    one = await made()
    assert await ping(one["id"], method, secret=one["secret"]) == 204
    assert await ping(one["id"], method, query=f"?secret={one['secret']}", prefix="/api/v1") == 204


async def test_a_ping_without_the_right_secret_is_no_beat(call, made, ping, people):
    one = await made()
    assert await ping(one["id"]) == 401
    assert await ping(one["id"], secret="wrong") == 403
    assert await ping(one["id"], query="?secret=wrong") == 403
    assert await ping(one["id"], "DELETE", secret=one["secret"]) == 405
    assert await ping(NOBODY, secret=one["secret"]) == 404
    assert await ping("not-an-id", secret=one["secret"]) == 404
    # A link preview or a browser must not be a beat by accident; an observer may not either.
    assert await ping(one["id"], "GET", secret=people["ana"][1]) == 403
    assert await ping(one["id"], "POST", secret=people["olga"][1]) == 403
    found = (await call("GET", f"/v1/heartbeats/{one['id']}"))["data"]["attributes"]
    assert (found["status"], found["last_pinged_at"]) == ("waiting", None)


async def test_rootlys_client_lists_and_pings(sdk, made, call):
    one = await made()
    answer = await ping_heartbeat.asyncio_detailed(one["id"], client=sdk)
    assert answer.status_code == 204
    found = await list_heartbeats.asyncio(client=sdk)
    assert found
    assert [(str(h.id), h.attributes.status) for h in found.data] == [(one["id"], "active")]


async def test_the_secret_is_shown_to_whoever_may_connect(call, made):
    one = await made()
    seen = (await call("GET", f"/v1/heartbeats/{one['id']}", by="olga"))["data"]["attributes"]
    assert seen["secret"] is None
    await call("POST", f"/v1/heartbeats/{one['id']}/rotate_secret", by="bo", status=403)
    new = (await call("POST", f"/v1/heartbeats/{one['id']}/rotate_secret"))["data"]["attributes"]
    assert new["secret"] != one["secret"]


async def test_a_change_of_one_half_of_the_target_keeps_the_other(call, made, people):
    one = await made()
    changed = {"notification_target_id": str(people["bo"][0]), "name": "other"}
    found = (await call("PUT", f"/v1/heartbeats/{one['id']}", changed))["data"]["attributes"]
    assert (found["notification_target_type"], found["notification_target_id"]) == (
        "User",
        str(people["bo"][0]),
    )


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"name": ""}, "name"),
        ({"interval": 0}, "interval"),
        ({"interval": 1001}, "interval"),
        ({"interval": "five"}, "interval"),
        ({"interval_unit": "fortnights"}, "interval_unit"),
        ({"notification_target_id": NOBODY, "notification_target_type": "Service"}, "target"),
        ({"notification_target_type": "Functionality"}, "target"),
        ({"alert_urgency_id": NOBODY}, "alert_urgency_id"),
        ({"matchers": "{{"}, "matchers"),
        ({"matchers": "{}"}, "matchers"),
        ({"grace_seconds": -1}, "grace_seconds"),
    ],
)
async def test_what_does_not_fit_is_refused_by_name(made, more, place):
    answer = await made(status=422, **more)
    assert place in json.dumps(answer["errors"][0])


async def test_deleting_shows_what_it_was(call, made, ping):
    one = await made()
    gone = await call("DELETE", f"/v1/heartbeats/{one['id']}")
    assert gone["data"]["id"] == one["id"]
    assert await ping(one["id"], secret=one["secret"]) == 404
    assert UUID(one["id"])


async def test_senders_are_listed_without_the_source_of_heartbeats(call, made):
    await made()
    assert (await call("GET", "/v1/alert_sources"))["data"] == []


async def test_the_ledger_is_listed_for_operators_newest_first(call, program, people, db, clock):
    now = clock()
    target = Target(type="User", id=str(people["ana"][0]))
    made = await program.running.engine.act.create(
        NewAlert(summary="DiskFull", targets=(target,)), by=SYSTEM, now=now
    )
    await seal(db, now, reach=WIDE)
    page = await call("GET", f"/v1/ledger_entries?page[size]=2&filter[alert_id]={made.id}")
    assert [one["attributes"]["alert_id"] for one in page["data"]] == [str(made.id)] * len(page["data"])
    assert page["data"][0]["attributes"]["position"] > page["data"][-1]["attributes"]["position"] - 1
    older = await call("GET", f"/v1/ledger_entries?page[after]={page['meta']['next_cursor'] or 1}")
    assert all(one["attributes"]["step"] for one in older["data"])
    await call("GET", "/v1/ledger_entries", by="bo", status=403)
    await call("GET", "/v1/ledger_entries?page[after]=x", status=400)
    await call("GET", "/v1/ledger_entries?filter[alert_id]=x", status=400)
