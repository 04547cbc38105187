"""Status pages over HTTP: made through the API, read by anybody, from memory alone."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from rootly_sdk import models
from rootly_sdk.api.incident_status_page_events import (
    create_incident_status_page,
    delete_incident_status_page,
    get_incident_status_pages,
    list_incident_status_pages,
    update_incident_status_page,
)
from rootly_sdk.api.status_pages import (
    create_status_page,
    delete_status_page,
    get_status_page,
    list_status_pages,
    update_status_page,
)


@pytest.fixture
async def ana(program, people):
    headers = {"Authorization": f"Bearer {people['ana'][1]}", "Content-Type": "application/vnd.api+json"}
    async with httpx.AsyncClient(base_url=program.url, headers=headers) as client:
        yield client


@pytest.fixture
async def anybody(program):
    async with httpx.AsyncClient(base_url=program.url) as client:
        yield client


def body(kind, /, **attributes):
    return {"data": {"type": kind, "attributes": attributes}}


async def made(client, path, kind, /, **attributes):
    answer = await client.post(path, json=body(kind, **attributes))
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


async def looked(program):
    await program.running.engine.showing.look()


async def test_a_page_is_made_changed_listed_and_taken_away(ana):
    service = await made(ana, "/v1/services", "services", name="Orders")
    page = await made(
        ana,
        "/v1/status-pages",
        "status_pages",
        title="Shop",
        service_ids=[service["id"]],
        header_color="#0061F2",
    )
    shown = page["attributes"]
    assert (shown["slug"], shown["public"], shown["time_zone"]) == ("shop", True, "Etc/UTC")
    assert (shown["header_color"], shown["service_ids"]) == ("#0061F2", [service["id"]])
    assert shown["public_url"] == "https://HOST/status/shop"
    path = f"/v1/status-pages/{page['id']}"
    changed = await ana.put(path, json=body("status_pages", description="For us", time_zone="Europe/Lisbon"))
    assert changed.json()["data"]["attributes"]["description"] == "For us"
    listed = await ana.get("/v1/status-pages?filter[slug]=shop")
    assert [one["id"] for one in listed.json()["data"]] == [page["id"]]
    assert (await ana.delete(path)).status_code == 200
    assert (await ana.get(path)).status_code == 404


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "title"),
    ({"title": "A", "slug": "no such slug"}, "slug"),
    ({"title": "A", "time_zone": "Mars/Olympus"}, "time_zone"),
    ({"title": "A", "website_url": "javascript:alert(1)"}, "website_url"),
    ({"title": "A", "section_order": ["incidents", "weather"]}, "section_order"),
    ({"title": "A", "service_ids": ["018f0000-0000-7000-8000-000000000000"]}, "service_ids"),
    ({"title": "A", "authentication_method": "saml"}, "authentication_method"),
    ({"title": "A", "show_uptime": "yes"}, "show_uptime"),
]


async def test_what_cannot_be_is_refused_by_its_field(ana):
    for sent, place in WRONG:
        answer = await ana.post("/v1/status-pages", json=body("status_pages", **sent))
        assert answer.status_code == 422, sent
        assert any(place in str(error) for error in answer.json()["errors"]), answer.text


async def test_anybody_reads_a_public_page_and_is_told_when_nothing_changed(program, ana, anybody):
    service = await made(ana, "/v1/services", "services", name="Orders <b>")
    await made(
        ana,
        "/v1/status-pages",
        "status_pages",
        title="Shop",
        service_ids=[service["id"]],
        footer="<script>1</script>",
    )
    await looked(program)
    page = await anybody.get("/status/shop")
    assert page.status_code == 200
    assert "All systems operational" in page.text
    assert "Orders &lt;b&gt;" in page.text
    assert "<script" not in page.text
    assert "max-age=15" in page.headers["cache-control"]
    assert "set-cookie" not in page.headers
    again = await anybody.get("/status/shop", headers={"If-None-Match": page.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    plain = await anybody.get("/status/shop", headers={"Accept-Encoding": "identity"})
    assert plain.text == page.text
    head = await anybody.head("/status/shop")
    assert (head.status_code, head.content) == (200, b"")
    assert (await anybody.post("/status/shop")).status_code == 405
    for path in ("/status/", "/status/nobody", "/status/shop/nothing", "/status/shop/incidents/1"):
        assert (await anybody.get(path)).status_code == 404


async def test_a_page_for_some_opens_by_its_token_until_there_is_another(program, ana, anybody):
    page = await made(ana, "/v1/status-pages", "status_pages", title="Inside", public=False)
    await looked(program)
    url = page["attributes"]["private_url"].removeprefix("https://HOST")
    assert (await anybody.get("/status/inside")).status_code == 404
    assert (await anybody.get("/status/inside?token=guess")).status_code == 404
    opened = await anybody.get(url)
    assert opened.status_code == 200
    assert "private" in opened.headers["cache-control"]
    assert f"/status/inside/history?token={url.partition('token=')[2]}" in opened.text
    await ana.post(f"/v1/status-pages/{page['id']}/renew_token", json={})
    await looked(program)
    assert (await anybody.get(url)).status_code == 404


async def test_who_may_not_configure_sees_no_token(program, ana, people):
    page = await made(ana, "/v1/status-pages", "status_pages", title="Inside", public=False)
    headers = {"Authorization": f"Bearer {people['olga'][1]}"}
    async with httpx.AsyncClient(base_url=program.url, headers=headers) as olga:
        shown = (await olga.get(f"/v1/status-pages/{page['id']}")).json()["data"]["attributes"]
        assert shown["private_url"] is None
        refused = await olga.post("/v1/status-pages", json=body("status_pages", title="Mine"))
        assert refused.status_code == 403


async def test_pages_are_served_while_every_connection_is_taken(program, db, ana, anybody):
    await made(ana, "/v1/status-pages", "status_pages", title="Shop")
    await looked(program)
    release = asyncio.Event()

    async def hold():
        async with db.tx() as tx:
            await tx.fetch("SELECT 1")
            await release.wait()

    holders = [asyncio.create_task(hold()) for _ in range(12)]
    await asyncio.sleep(0.1)
    page = await anybody.get("/status/shop", timeout=1)
    await asyncio.wait_for(looked(program), 2)
    release.set()
    await asyncio.gather(*holders)
    assert page.status_code == 200


# ---------------------------------------------------------------- what is published


async def published(client, incident, **sent):
    path = f"/v1/incidents/{incident['id']}/status-page-events"
    return await client.post(path, json=body("incident_status_page_events", **sent))


@pytest.fixture
async def incident(ana):
    return await made(ana, "/v1/incidents", "incidents", title="Orders fail", public_title="Some orders fail")


async def test_an_incident_is_published_changed_and_taken_back(program, ana, anybody, incident):
    page = await made(ana, "/v1/status-pages", "status_pages", title="Shop")
    answer = await published(
        ana, incident, event="We look.", status="investigating", status_page_id=page["id"]
    )
    assert answer.status_code == 201, answer.text
    event = answer.json()["data"]
    assert event["type"] == "incident_status_page_events"
    assert {name: event["attributes"][name] for name in ("event", "status", "notify_subscribers")} == {
        "event": "We look.",
        "status": "investigating",
        "notify_subscribers": False,
    }
    await looked(program)
    assert "Some orders fail" in (await anybody.get("/status/shop")).text
    path = f"/v1/status-page-events/{event['id']}"
    changed = await ana.put(path, json=body("incident_status_page_events", event="Done.", status="resolved"))
    assert changed.json()["data"]["attributes"]["status"] == "resolved"
    listed = await ana.get(f"/v1/incidents/{incident['id']}/status-page-events")
    assert [one["attributes"]["event"] for one in listed.json()["data"]] == ["Done."]
    await looked(program)
    shown = await anybody.get(f"/status/shop/incidents/{incident['id']}")
    assert "Done." in shown.text
    assert (await ana.delete(path)).status_code == 200
    await looked(program)
    assert (await anybody.get(f"/status/shop/incidents/{incident['id']}")).status_code == 404


async def test_what_may_not_be_published_is_refused_by_its_field(ana, incident):
    none = await published(ana, incident, event="We look.")
    assert (none.status_code, "status_page_id" in none.text) == (422, True)
    await made(ana, "/v1/status-pages", "status_pages", title="Shop")
    for sent, place in (
        ({}, "event"),
        ({"event": "We look.", "status": "completed"}, "status"),
        ({"event": "We look.", "impact": "awful"}, "impact"),
        ({"event": "We look.", "started_at": "2099-01-01T00:00:00Z"}, "started_at"),
    ):
        answer = await published(ana, incident, **sent)
        assert (answer.status_code, place in answer.text) == (422, True), answer.text


async def test_what_is_kept_from_somebody_is_not_published_by_them_either(program, ana, people, incident):
    await made(ana, "/v1/status-pages", "status_pages", title="Shop")
    event = (await published(ana, incident, event="We look.")).json()["data"]
    await ana.put(f"/v1/incidents/{incident['id']}", json=body("incidents", private=True))
    headers = {"Authorization": f"Bearer {people['bo'][1]}", "Content-Type": "application/vnd.api+json"}
    async with httpx.AsyncClient(base_url=program.url, headers=headers) as bo:
        assert (await bo.get(f"/v1/status-page-events/{event['id']}")).status_code == 404
        assert (await bo.get(f"/v1/incidents/{incident['id']}/status-page-events")).status_code == 404
        assert (await published(bo, incident, event="All is lost.")).status_code == 404
    assert (await published(ana, incident, event="We look.")).status_code == 422


async def test_an_update_is_written_once_to_those_who_follow(ana, people, incident):
    path = f"/v1/incidents/{incident['id']}/updates"
    alone = await ana.post(path, json=body("incident_updates", body="It is better."))
    assert (alone.status_code, "Nobody follows" in alone.text) == (422, True)
    await ana.post(
        f"/v1/incidents/{incident['id']}/add_subscribers",
        json=body("incidents", user_ids=[str(people["bo"][0])]),
    )
    first = await made(ana, path, "incident_updates", body="It is better.", key="once")
    again = await made(ana, path, "incident_updates", body="It is better.", key="once")
    assert (first["id"], first["attributes"]["recipients"]) == (again["id"], 1)
    listed = await ana.get(path)
    assert [one["attributes"]["body"] for one in listed.json()["data"]] == ["It is better."]


# ---------------------------------------------------------------- planned work


async def until(look):
    """Wait until something is so: the program's loops run in real time."""
    async with asyncio.timeout(20):
        while not (found := await look()):
            await asyncio.sleep(0.05)
    return found


async def test_planned_work_mutes_its_services_and_pages_what_still_fires_when_it_is_completed(
    program, ana, people, clock, db
):
    policy = await made(ana, "/v1/escalation_policies", "escalation_policies", name="Shop")
    policy_path = f"/v1/escalation_policies/{policy['id']}/escalation_paths"
    paths = (await ana.get(policy_path)).json()["data"]
    await made(
        ana,
        f"/v1/escalation_policies/{policy['id']}/escalation_levels",
        "escalation_levels",
        position=1,
        delay=5,
        escalation_policy_path_id=paths[0]["id"] if paths else None,
        notification_target_params=[{"id": str(people["bo"][0]), "type": "user"}],
    )
    service = await made(ana, "/v1/services", "services", name="Orders", escalation_policy_id=policy["id"])
    now = clock()
    work = await made(
        ana,
        "/v1/incidents",
        "incidents",
        title="Upgrade",
        kind="scheduled",
        muted_service_ids=[service["id"]],
        scheduled_for=now.isoformat(),
        scheduled_until=(now + timedelta(hours=1)).isoformat(),
    )
    path = f"/v1/incidents/{work['id']}"

    async def status(wanted):
        return (await ana.get(path)).json()["data"]["attributes"]["status"] == wanted

    await until(lambda: status("in_progress"))
    alert = await made(
        ana,
        "/v1/alerts",
        "alerts",
        summary="DiskFull",
        source="api",
        status="triggered",
        notification_target_type="Service",
        notification_target_id=service["id"],
    )

    async def attached():
        return (await ana.get(f"{path}/alerts")).json()["data"]

    assert len(await until(attached)) == 1
    assert await db.fetch("SELECT 1 FROM pages") == []
    events = (await ana.get(f"/v1/alerts/{alert['id']}/events")).json()["data"]
    assert ("maintenance", "muted") in [(e["attributes"]["kind"], e["attributes"]["action"]) for e in events]
    clock.move_to(clock() + timedelta(minutes=10))
    done = await ana.put(path, json=body("incidents", status="completed"))
    assert done.status_code == 200, done.text
    await until(lambda: db.fetch("SELECT 1 FROM pages"))


# ---------------------------------------------------------------- Rootly's own client


async def test_rootlys_client_makes_pages_and_publishes(sdk, incident):
    async def ask(call, *path, model=None, kind="", **attributes):
        arguments = {"client": sdk}
        if model is not None:
            arguments["body"] = model.from_dict(body(kind, **attributes))
        answer = await call.asyncio_detailed(*path, **arguments)
        assert answer.parsed is not None, (answer.status_code, answer.content)
        assert "ErrorsList" not in answer.parsed.__class__.__name__, answer.content
        return answer.parsed.data

    page = await ask(
        create_status_page, model=models.NewStatusPage, kind="status_pages", title="Shop", show_uptime=True
    )
    page_id = page.id
    assert (page.attributes.title, page.attributes.show_uptime) == ("Shop", True)
    changed = await ask(
        update_status_page, page_id, model=models.UpdateStatusPage, kind="status_pages", public=True
    )
    assert changed.attributes.public
    assert [one.id for one in await ask(list_status_pages)] == [page_id]
    assert (await ask(get_status_page, page_id)).attributes.slug == "shop"
    event = await ask(
        create_incident_status_page,
        incident["id"],
        model=models.NewIncidentStatusPageEvent,
        kind="incident_status_page_events",
        event="We look.",
        status="investigating",
        status_page_id=page_id,
    )
    assert (event.attributes.event, event.attributes.status_page_id) == ("We look.", page_id)
    done = await ask(
        update_incident_status_page,
        event.id,
        model=models.UpdateIncidentStatusPageEvent,
        kind="incident_status_page_events",
        status="resolved",
    )
    assert done.attributes.status == "resolved"
    assert [one.id for one in await ask(list_incident_status_pages, incident["id"])] == [event.id]
    assert (await ask(get_incident_status_pages, event.id)).id == event.id
    assert (await ask(delete_incident_status_page, event.id)).id == event.id
    assert (await ask(delete_status_page, page_id)).id == page_id
