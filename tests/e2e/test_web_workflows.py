"""Workflows at their pages: one to begin with is looked at, tried, changed and switched on; a template that is wrong says where."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from support.browser import ANA, Home, Watch, firing, logged_in
from support.programs import eventually

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]


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


def runs(home: Home, workflow: str) -> list[dict[str, Any]]:
    return home.house.api.list(f"/workflows/{workflow}/workflow_runs")


def test_a_workflow_to_begin_with_is_tried_and_switched_on(home: Home, page: Page) -> None:
    source = home.house.source()
    for name, severity in (("Tried", "critical"), ("Mild", "warning")):
        source.give(firing(name, severity=severity))
    page.goto(home.url("/workflows"))
    page.get_by_role("button", name="Make it: Open an incident for critical alerts").click()
    expect(page.get_by_role("status")).to_contain_text("switched off")
    page.get_by_role("link", name="Ask them").click()
    late = page.locator("#late")
    expect(late.locator("li", has_text="Mild")).to_contain_text("it is warning")
    late.get_by_role("link", name="Tried").click()
    expect(page.locator("#trial")).to_contain_text("it matches")
    expect(page.locator("#trial")).to_contain_text("Tried")
    page.fill("[name=query-0]", "$.commonLabels.[")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.locator("#conditions .error")).to_contain_text("no JSONPath")
    page.fill("[name=query-0]", "$.commonLabels.alertname")
    page.fill("[name=values-0]", "Tried\nAgain")
    page.get_by_role("button", name="What would have matched?").click()
    expect(late).to_contain_text("not saved")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_role("status")).to_contain_text("Saved")
    [made] = [w for w in home.house.api.list("/workflows") if w["name"].startswith("Open an incident")]
    assert made["trigger_params"]["alert_payload_conditions"]["conditions"] == [
        {
            "query": "$.commonLabels.alertname",
            "operator": "IS",
            "values": ["Tried", "Again"],
            "use_regexp": False,
        }
    ]
    page.goto(home.url("/workflows"))
    page.get_by_role("button", name="Open an incident for critical alerts is off: switch it on").click()
    on = page.get_by_role("button", name="Open an incident for critical alerts is on: switch it off")
    expect(on).to_be_visible()
    source.give(firing("Again", severity="critical"))
    eventually(lambda: [one for one in runs(home, made["id"]) if one["status"] == "completed"])
    page.goto(home.url("/incidents"))
    expect(page.locator("main")).to_contain_text("Again")
    home.house.api.ask("DELETE", f"/workflows/{made['id']}")


def test_a_template_that_is_wrong_is_marked_where_it_is(home: Home, page: Page) -> None:
    given = home.house.source().give(firing("Filled in", job="api"))
    made = home.house.api.add(
        "/workflows", name="Says", trigger_params={"trigger_type": "alert", "triggers": []}
    )
    page.goto(home.url(f"/workflows/{made['id']}"))
    page.select_option("select[name=kind]", "http_client")
    page.get_by_role("button", name="Add a task").click()
    page.select_option("select[name=with]", given.results[0]["short_id"])
    page.fill("[name=p-url]", "https://example.org/{{ alert.labels.job }}")
    expect(page.locator("#preview")).to_contain_text("https://example.org/")
    page.fill("[name=p-body]", "{{ alert.summary | shout }}")
    expect(page.locator("#preview mark")).to_have_text("shout")
    page.get_by_role("button", name="Add it").click()
    expect(page.locator("#task .error")).to_contain_text("there is no filter 'shout'")
    page.fill("[name=p-body]", "{{ alert.summary | upcase }}")
    expect(page.locator("#preview")).to_contain_text("FILLED IN")
    page.get_by_role("button", name="Add it").click()
    expect(page.locator("#tasks")).to_contain_text("Call an address")
    [task] = home.house.api.list(f"/workflows/{made['id']}/workflow_tasks")
    assert task["task_params"]["body"] == "{{ alert.summary | upcase }}"
    home.house.api.ask("DELETE", f"/workflows/{made['id']}")
