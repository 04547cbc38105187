"""The pages behind what others are told: links in mails, plans, figures, and texts that stay text."""

import csv
import io
import re
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from nightbell.core import subscribing
from nightbell.core.journal import SYSTEM, person
from nightbell.engine import edits, identity
from nightbell.engine.configure import seed
from nightbell.engine.identity import Browser
from nightbell.engine.incident_edits import IncidentEdit
from nightbell.testing.clock import FrozenClock
from support.bells import START, ringing

HERE = Browser(user_agent="test", remote_ip="127.0.0.1")


@pytest.fixture
async def bell(db, tmp_path):
    clock = FrozenClock(START)
    await seed(db, clock())
    async with ringing(db, tmp_path / "data", {}, clock) as bell:
        yield bell


@pytest.fixture
async def owner(bell):
    edit = edits.UserEdit(name="Olga", email="olga@example.org", role="owner", time_zone="Europe/Lisbon")
    return await bell.configure.create_user(edit, by=SYSTEM, now=bell.clock())


@pytest.fixture
async def browser(bell, owner):
    token = await identity.open_session(bell.db, owner, HERE, bell.clock())
    async with httpx.AsyncClient(
        base_url=bell.url, cookies={"nightbell": token}, follow_redirects=True, timeout=20
    ) as client:
        yield client


@pytest.fixture
def desk(bell):
    return bell.running.engine.edge.incidents


async def post(browser, path, on, **fields):
    """Send a form of a page, and return the page one ends at."""
    found = re.search('name="csrf" value="([^"]*)"', (await browser.get(on)).text)
    assert found, on
    return await browser.post(
        path, data={"csrf": found[1], **fields}, headers={"Referer": f"{browser.base_url}{on}"}
    )


async def test_a_link_in_a_mail_changes_nothing_by_being_opened(bell, desk, owner):
    incident = await desk.create(
        IncidentEdit(title="Orders fail"), by=person(owner, "Olga"), now=bell.clock()
    )
    await desk.subscribe(incident.id, emails=["boss@example.org"], by=SYSTEM, now=bell.clock())
    [row] = await bell.db.fetch("SELECT id FROM incident_subscribers")
    path = f"/follow/{subscribing.sign(bell.running.engine.vault.link_key, row['id'])}"

    async def said():
        [now] = await bell.db.fetch("SELECT confirmed_at, ended_at FROM incident_subscribers")
        return now["confirmed_at"] is not None, now["ended_at"] is not None

    async with httpx.AsyncClient(base_url=bell.url) as outside:
        shown = await outside.get(path)
        assert (shown.status_code, "boss@example.org" in shown.text) == (200, True)
        assert await said() == (False, False)
        await outside.post(path, data={"want": "yes"})
        assert await said() == (True, False)
        await outside.post(path, data={"List-Unsubscribe": "One-Click"})
        assert await said() == (True, True)
        assert (await outside.get(f"{path[:-2]}AA")).status_code == 403
        gone = f"/follow/{subscribing.sign(bell.running.engine.vault.link_key, UUID(int=5))}"
        assert (await outside.get(gone)).status_code == 404


async def test_work_is_planned_and_its_plan_changed_at_the_pages(bell, browser):
    service = await bell.configure.create_service(
        edits.ServiceEdit(name="Orders"), by=SYSTEM, now=bell.clock()
    )
    fields = {"title": "Upgrade", "service": str(service), "zone": "Europe/Lisbon"}
    wrong = await post(browser, "/incidents/plan", "/incidents/plan", **fields, scheduled_for="soon")
    assert (wrong.status_code, "A date and a time" in wrong.text) == (422, True)
    times = {"scheduled_for": "2099-01-01T02:00", "scheduled_until": "2099-01-01T01:00"}
    wrong = await post(browser, "/incidents/plan", "/incidents/plan", **fields, **times)
    assert (wrong.status_code, "must be after" in wrong.text) == (422, True)
    times["scheduled_until"] = "2099-01-01T04:00"
    made = await post(browser, "/incidents/plan", "/incidents/plan", **fields, **times)
    assert (made.status_code, "It begins and ends by itself" in made.text) == (200, True)
    times["scheduled_until"] = "2099-01-01T05:00"
    await post(browser, "/incidents/1/plan", "/incidents/1/plan", **fields, **times)
    [row] = await bell.db.fetch("SELECT ends_at, service_ids, name FROM maintenances")
    assert (row["ends_at"].hour, row["service_ids"], row["name"]) == (5, [service], "INC-1: Upgrade")


async def test_figures_are_shown_and_exported_and_no_cell_is_a_formula(bell, browser, desk, owner):
    now = bell.clock()
    for number, title in enumerate(("=HYPERLINK(1)", "Slow <b>search</b>")):
        edit = IncidentEdit(
            title=title,
            kind="backfilled",
            status="resolved",
            started_at=now - timedelta(hours=3 + number),
            acknowledged_at=now - timedelta(hours=3, minutes=-5),
            resolved_at=now - timedelta(hours=2),
        )
        await desk.create(edit, by=person(owner, "Olga"), now=now)
    for by in ("severity", "service", "team", "nonsense"):
        shown = await browser.get(f"/incidents/statistics?by={by}&weeks=26")
        assert (shown.status_code, "1 h 30 m" in shown.text) == (200, True)
    answer = await browser.get("/incidents/statistics.csv")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["title"], row["seconds_to_resolve"]) for row in rows] == [
        ("Slow <b>search</b>", "7200"),
        ("'=HYPERLINK(1)", "3600"),
    ]


async def test_a_status_page_is_made_previewed_and_filled_at_the_pages(bell, browser, desk, owner):
    made = await post(browser, "/status-pages", "/status-pages", title="Shop")
    path = made.url.path
    assert "Nobody sees it before you switch it on" in made.text
    wrong = await post(
        browser, path, path, title="Shop", website_url="javascript:alert(1)", time_zone="Etc/UTC"
    )
    assert wrong.status_code == 422
    preview = await browser.get(f"{path}/preview")
    assert ("script" in preview.headers["content-security-policy"], "<script" in preview.text) == (
        False,
        False,
    )
    incident = await desk.create(
        IncidentEdit(title="Orders fail"), by=person(owner, "Olga"), now=bell.clock()
    )
    page = path.rpartition("/")[2]
    fields = {"page": page, "status": "identified", "event": "<i>A disk</i>", "title": "Some orders fail"}
    seen = await post(browser, "/incidents/1/publish/preview", "/incidents/1", **fields)
    assert "&lt;i&gt;A disk&lt;/i&gt;" in seen.text
    assert "Some orders fail" in seen.text
    assert await bell.db.fetch("SELECT 1 FROM status_page_events") == []
    await post(browser, "/incidents/1/publish", "/incidents/1", **fields)
    [event] = await bell.db.fetch("SELECT id, event, incident_id FROM status_page_events")
    assert (event["event"], event["incident_id"]) == ("<i>A disk</i>", incident.id)
    other = await desk.create(IncidentEdit(title="Another"), by=person(owner, "Olga"), now=bell.clock())
    refused = await post(
        browser, f"/incidents/{other.sequential_id}/published/{event['id']}/delete", "/incidents/2"
    )
    assert refused.status_code == 404
    await post(browser, f"/incidents/1/published/{event['id']}/delete", "/incidents/1")
    assert await bell.db.fetch("SELECT 1 FROM status_page_events") == []
