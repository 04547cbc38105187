"""Planned work at the pages: said before it begins, ended when it is done."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from support.browser import ANA, Home, Watch, logged_in
from support.rota import Lead

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]


@pytest.fixture
def page(browser: Browser, home: Home) -> Iterator[Page]:
    """Ana's browser, logged in; what it complains about fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(10_000)
    watch = Watch(home.house.program.url)
    yield watch.follow(logged_in(context, home.house.program.url, ANA))
    context.close()
    assert watch.wrong == []


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
    observer.http.close()
