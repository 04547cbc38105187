"""Grouping rules at the pages: said as a sentence, refused where they cannot be meant, and what they do to the list."""

import pytest
from playwright.sync_api import Page, expect

from support import bodies
from support.browser import Home

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]


def test_a_rule_is_made_and_folds_what_follows_behind_its_leader(home: Home, page: Page) -> None:
    page.goto(home.url("/groupings/new"))
    page.fill("[name=name]", "One outage of a web cluster")
    page.uncheck("[name=by_title]")
    page.fill("[name=paths]", "commonLabels.web_cluster")
    page.click("text=Make the rule")
    expect(page.locator(".banner[role=alert]")).to_contain_text("This was not saved.")
    page.fill("[name=paths]", "$.commonLabels.web_cluster")
    page.click("text=Add a condition")
    page.fill("[name='rule-values-0']", "critical, page")
    page.click("text=Make the rule")
    page.wait_for_url("**/groupings/*-*")
    expect(page.locator("[name='rule-values-0']")).to_have_value("critical, page")

    source = home.house.source()
    for name in ("WebDown", "WebSlow", "WebErrors"):
        labels = {"alertname": name, "severity": "critical", "web_cluster": "west"}
        body = bodies.firing(labels=labels, common=labels, groupKey=f"{{}}:{{{name}}}")
        source.give(body, f"/notify/User/{home.ana}")
    page.goto(home.url("/alerts"))
    row = page.locator(".row", has_text="WebDown")
    expect(row).to_contain_text("+2 in its group")
    expect(page.locator(".row", has_text="WebSlow")).to_have_count(0)
    page.goto(home.url("/alerts?q=WebSlow"))
    expect(page.locator(".row", has_text="WebSlow")).to_contain_text("follows WebDown")

    page.goto(home.url("/alerts"))
    row.locator(".chip.group").click()
    page.locator("#group-members").get_by_role("link", name="WebSlow").click()
    expect(page.locator("#warnings")).to_contain_text("Follows WebDown")
    page.locator("#group").get_by_role("link", name="WebDown").click()
    page.locator("#acts").get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_role("status")).to_contain_text("Acknowledged WebDown")
    page.goto(home.url("/alerts?status=acknowledged&q=WebErrors"))
    expect(page.locator(".row", has_text="WebErrors")).to_contain_text("Acknowledged")

    page.goto(home.url("/groupings"))
    page.get_by_role("link", name="One outage of a web cluster").click()
    expect(page.locator("aside")).to_contain_text("and 2 more")
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("text=Delete this rule")
    expect(page.get_by_role("status")).to_contain_text("Groups that are open go on")
    expect(page.get_by_role("link", name="One outage of a web cluster")).to_have_count(0)


def test_what_the_form_cannot_show_is_not_lost_by_a_save(home: Home, page: Page) -> None:
    condition = {
        "property_field_type": "payload",
        "property_field_name": "$.commonLabels.team",
        "property_field_condition_type": "is_one_of",
        "property_field_values": ["a, b"],
    }
    api = home.house.api
    made = api.add("/alert_groups", name="From the API", conditions=[condition])
    page.goto(home.url(f"/groupings/{made['id']}"))
    expect(page.locator(".asked")).to_contain_text("as it was set through the API")
    page.fill("[name=minutes]", "20")
    page.get_by_role("button", name="Save").last.click()
    expect(page.get_by_role("status")).to_be_visible()
    stored = api.one(f"/alert_groups/{made['id']}")
    assert stored["time_window"] == 20
    assert stored["conditions"][0]["property_field_values"] == ["a, b"]
    api.ask("DELETE", f"/alert_groups/{made['id']}")
