"""Runs at their pages: begun by hand, looked at step by step, canceled, done again; what opens something is not shown."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from support.browser import ANA, Home, Watch, firing, logged_in

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]
#: Where pictures go, for whoever wants to look.
_PICTURES = os.environ.get("PICTURES", "")


@pytest.fixture
def page(browser: Browser, home: Home) -> Iterator[Page]:
    """Ana's browser, logged in; what it complains about fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(20_000)
    watch = Watch(home.house.program.url)
    page = watch.follow(logged_in(context, home.house.program.url, ANA))
    page.on("dialog", lambda dialog: dialog.accept())
    yield page
    context.close()
    assert watch.wrong == []


def pictured(page: Page, name: str) -> None:
    """Take pictures of a page, dark and light, wide and narrow."""
    if not _PICTURES:
        return
    for scheme in ("dark", "light"):
        for width in (1280, 390):
            page.evaluate("theme => document.documentElement.dataset.theme = theme", scheme)
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_timeout(200)
            page.screenshot(path=f"{_PICTURES}/{name}-{scheme}-{width}.png", full_page=True)
    page.set_viewport_size({"width": 1280, "height": 900})


def narrow(page: Page) -> None:
    """Check that nothing is wider than a telephone."""
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.set_viewport_size({"width": 1280, "height": 900})


def test_a_run_by_hand_is_followed_canceled_and_done_again(home: Home, page: Page) -> None:
    api = home.house.api
    answer = home.house.source().give(firing("Leaky", severity="critical", job="boiler"))
    short = answer.results[0]["short_id"]
    trigger = {"trigger_type": "alert", "triggers": ["alert_status_updated"]}
    workflow = api.add("/workflows", name="Mop up", trigger_params=trigger)
    for params in (
        {"task_type": "print", "message": "{{ alert.summary }}: token=hunter2"},
        {"task_type": "create_jira_issue", "title": "Boiler"},
        {"task_type": "wait", "duration": "1 hour"},
        {"task_type": "print", "message": "dry again"},
    ):
        api.add(f"/workflows/{workflow['id']}/workflow_tasks", task_params=params)
    page.goto(home.url(f"/workflows/{workflow['id']}"))
    page.get_by_role("link", name="Run it by hand").click()
    expect(page.locator("#runs")).to_contain_text("It never ran")
    page.fill("[name=about]", "NOBODY")
    page.get_by_role("button", name="Run it now").click()
    expect(page.locator(".banner[role=alert]")).to_contain_text("There is no alert NOBODY")
    page.fill("[name=about]", short)
    page.get_by_role("button", name="Run it now").click()
    steps = page.locator("#steps")
    expect(steps.locator("li", has_text="Wait").first).to_contain_text("Waiting")
    expect(steps.locator("li").first).to_contain_text("Leaky: token=•••")
    expect(steps.locator("li").nth(1)).to_contain_text("Not configured")
    expect(steps.locator("li").last).to_contain_text("Not begun")
    expect(page.locator("aside").first).to_contain_text(f"alert {short}")
    assert "hunter2" not in page.content()
    pictured(page, "run-waiting")
    narrow(page)
    page.get_by_role("button", name="Cancel it").click()
    expect(page.get_by_role("status")).to_contain_text("Canceled")
    expect(steps).to_contain_text("Canceled by Ana Web.")
    page.get_by_role("button", name="Run it again").click()
    expect(page.get_by_role("status")).to_contain_text("It runs again")
    page.get_by_role("link", name="Runs", exact=True).click()
    expect(page.locator("#runs tbody tr")).to_have_count(2)
    page.select_option("[name=status]", "canceled")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("#runs tbody tr")).to_have_count(1)
    page.select_option("[name=status]", "")
    page.get_by_role("button", name="Show", exact=True).click()
    pictured(page, "runs")
    narrow(page)
    page.goto(home.url(f"/alerts/{short}"))
    expect(page.locator("main")).to_contain_text("Workflow Mop up: it was canceled")
    pictured(page, "alert")
