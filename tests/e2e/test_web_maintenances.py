"""Planned work at the pages: said before it begins, ended when it is done."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from support.browser import Home
from support.rota import Lead

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def lead(home: Home) -> Iterator[Lead]:
    sender = Lead(home)
    yield sender
    sender.http.close()


def test_work_on_a_service_is_planned_and_ended(home: Home, page: Page) -> None:
    page.goto(home.url("/maintenances"))
    page.fill("[name=name]", "Upgrade of the api")
    page.get_by_label(home.house.service["name"], exact=True).check()
    page.fill("[name=ends_at]", f"{datetime.now(UTC) + timedelta(hours=2):%Y-%m-%dT%H:%M}")
    page.click("text=Plan it")
    work = page.locator(".list li", has_text="Upgrade of the api")
    expect(work).to_contain_text("Going on")
    page.on("dialog", lambda dialog: dialog.accept())
    work.get_by_role("button", name="End now").click()
    expect(page.get_by_role("status")).to_contain_text("What still fires is paged now")
    page.click("summary:has-text('Over')")
    expect(page.locator("details li", has_text="Upgrade of the api")).to_be_visible()


def test_planned_work_is_changed_in_the_form_it_was_planned_in(home: Home, page: Page) -> None:
    page.goto(home.url("/maintenances"))
    page.fill("[name=name]", "Move of the racks")
    page.get_by_label(home.house.service["name"], exact=True).check()
    page.get_by_label("Wednesday").check()
    page.fill("[name=from]", "02:00")
    page.fill("[name=to]", "03:00")
    page.fill("[name=zone]", "Europe/Lisbon")
    page.click("text=Plan it")
    work = page.locator(".list li", has_text="Move of the racks")
    work.get_by_role("link", name="Change").click()
    expect(page.get_by_role("heading", name="Move of the racks")).to_be_visible()
    expect(page.locator("[name=zone]")).to_have_value("Europe/Lisbon")
    expect(page.get_by_label("Wednesday")).to_be_checked()
    expect(page.get_by_label(home.house.service["name"], exact=True)).to_be_checked()
    page.get_by_label("Friday").check()
    page.fill("[name=to]", "04:30")
    page.click("text=Save")
    expect(page.get_by_role("status")).to_contain_text("Saved")
    expect(work).to_contain_text("W F 02:00–04:30")
    work.get_by_role("link", name="Change").click()
    page.get_by_label(home.house.service["name"], exact=True).uncheck()
    page.fill("[name=name]", "Nowhere at all")
    page.click("text=Save")
    expect(page.locator("main")).to_contain_text("at least one service or source")
    expect(page.locator("[name=name]")).to_have_value("Nowhere at all")


def test_hours_that_the_form_has_no_room_for_stay_as_they_are(home: Home, lead: Lead) -> None:
    blocks = [
        {"days": ["M"], "start_time": "01:00", "end_time": "02:00"},
        {"days": ["T"], "start_time": "03:00", "end_time": "04:00"},
    ]
    hours = {"time_zone": "Etc/UTC", "blocks": blocks}
    service = home.house.service["id"]
    made = home.house.api.add("/maintenances", name="Two nights", service_ids=[service], hours=hours)
    text = lead.http.get(f"/maintenances/{made['id']}/edit").text
    assert "M 01:00–02:00, T 03:00–04:00 Etc/UTC" in text and 'name="day"' not in text
    lead.made(f"/maintenances/{made['id']}", {"name": "Three nights", "service": service, "zone": "Etc/UTC"})
    after = home.house.api.one(f"/maintenances/{made['id']}")
    assert after["name"] == "Three nights"
    assert [block["days"] for block in after["hours"]["blocks"]] == [["M"], ["T"]]


def test_work_that_comes_back_is_shown_with_its_next_time(home: Home, lead: Lead) -> None:
    service = home.house.service["id"]
    day = "MTWRFUS"[(datetime.now(UTC).weekday() + 3) % 7]
    fields = {
        "name": "Backups",
        "service": service,
        "day": day,
        "from": "02:00",
        "to": "03:00",
        "zone": "Etc/UTC",
    }
    lead.made("/maintenances", fields)
    text = lead.http.get("/maintenances").text
    assert "Backups" in text and "Planned" in text and f"{day} 02:00–03:00" in text


def test_work_without_an_end_or_a_place_is_refused_and_kept_in_the_form(lead: Lead) -> None:
    answer = lead.send("/maintenances", {"name": "Endless", "zone": "Europe/Lisbon"})
    assert answer.status_code == 422
    assert "would mute for ever" in answer.text and "at least one service or source" in answer.text
    assert 'value="Endless"' in answer.text
    answer = lead.send("/maintenances", {"name": "Nowhere", "zone": "Mars/Olympus"})
    assert answer.status_code == 422 and "is not a time zone" in answer.text


def test_an_observer_plans_nothing(home: Home) -> None:
    home.person("olaf.work@example.org", "Olaf Observer", "observer")
    observer = Lead(home, "olaf.work@example.org")
    assert "Plan it" not in observer.http.get("/maintenances").text
    assert observer.send("/maintenances", {"name": "x"}).status_code == 403
    assert observer.http.get(f"/maintenances/{'0' * 8}-0000-7000-8000-{'0' * 12}/edit").status_code == 403
    observer.http.close()
