"""Routes and urgencies at their pages: made, tried with an alert that came, refused beside what is wrong."""

import pytest
from playwright.sync_api import Page, expect

from support.browser import Home, firing

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]


def test_a_route_is_made_and_tried_with_an_alert_that_came(home: Home, page: Page) -> None:
    source = home.house.source()
    page.goto(home.url("/routing/new"))
    page.fill("[name=name]", "By team")
    page.get_by_label(source.name, exact=True).check()
    page.fill("[name=rule-name-0]", "Databases")
    page.fill("[name=text-0-0-0]", 'team=~"db.*",severity!="info"')
    page.get_by_role("button", name="or when…").click()
    page.fill("[name=text-0-1-0]", 'job="postgres"')
    page.get_by_role("button", name="and a value of the payload…").last.click()
    page.fill("[name=path-0-1-1]", "$.commonLabels.env")
    page.fill("[name=values-0-1-1]", "prod, stage")
    page.select_option("[name=add-0]", f"User/{home.ana}")
    page.click("#route .btn.p")
    expect(page.get_by_role("status")).to_contain_text("Saved")
    [made] = [one for one in home.house.api.list("/alert_routes") if one["name"] == "By team"]
    groups = made["rules"][0]["condition_groups"]
    assert [len(group["conditions"]) for group in groups] == [1, 2]
    answer = source.give(firing("Routed", team="db-1", severity="page")).results[0]
    assert home.house.api.one(f"/alerts/{answer['short_id']}")["notification_target_id"] == home.ana
    page.reload()
    page.locator("select[name=alert] option", has_text="Routed").first.wait_for(state="attached")
    value = page.locator("select[name=alert] option", has_text="Routed").first.get_attribute("value")
    page.select_option("[name=alert]", value)
    page.get_by_role("button", name="Show").click()
    expect(page.locator("aside")).to_contain_text("Takes rule “Databases”.")
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("text=Delete this route")
    expect(page.get_by_role("status")).to_contain_text("gone")


def test_a_rule_that_can_never_match_is_refused_beside_it(home: Home, page: Page) -> None:
    page.goto(home.url("/routing/new"))
    page.fill("[name=name]", "Never")
    page.fill("[name=text-0-0-0]", 'team="a",team=~"b|c"')
    page.click("#route .btn.p")
    expect(page.locator("#rules .error")).to_contain_text("can never match")
    assert page.input_value("[name=text-0-0-0]") == 'team="a",team=~"b|c"'


def test_what_the_form_of_a_route_cannot_show_survives_a_save(home: Home, page: Page) -> None:
    api = home.house.api
    kept = {"property_field_type": "attribute", "property_field_name": "summary", "property_field_condition_type": "contains",
            "property_field_values": ["disk, full"]}  # fmt: skip
    rules = [{"name": "Odd", "condition_groups": [{"conditions": [kept]}]}]
    made = api.add("/alert_routes", name="Kept", rules=rules)
    page.goto(home.url(f"/routing/{made['id']}"))
    page.fill("[name=name]", "Kept still")
    page.click("#route .btn.p")
    expect(page.get_by_role("status")).to_contain_text("Saved")
    stored = api.one(f"/alert_routes/{made['id']}")
    assert (stored["name"], stored["rules"]) == ("Kept still", made["rules"])
    api.ask("DELETE", f"/alert_routes/{made['id']}")


def test_urgencies_and_what_gives_one_are_set(home: Home, page: Page) -> None:
    source = home.house.source()
    api = home.house.api
    page.goto(home.url("/urgencies"))
    low = page.locator("#urgencies li").filter(has=page.locator("input[value=Low]"))
    low.locator("select[name=holds]").select_option("30")
    low.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved")
    form = page.locator(f"form[action='/urgencies/sources/{source.id}']")
    form.get_by_role("button", name="Add a rule").click()
    form.locator("[name=value]").fill("info")
    form.locator("[name=urgency]").select_option(label="Low")
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved")
    urgency = {one["name"]: one for one in api.list("/alert_urgencies")}
    assert urgency["Low"]["retrigger_timeout_minutes"] == 30
    answer = source.give(firing("Quiet", severity="info")).results[0]
    assert api.one(f"/alerts/{answer['short_id']}")["alert_urgency_id"] == urgency["Low"]["id"]
    low.locator("select[name=holds]").select_option("")
    low.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved")


def test_how_long_an_acknowledgement_holds_is_set_for_the_installation(home: Home, page: Page) -> None:
    page.goto(home.url("/settings"))
    form = page.locator("form[action='/settings/acknowledgement']")
    for minutes, enabled in (("120", True), ("", False)):
        form.locator("select").select_option(minutes)
        form.get_by_role("button", name="Save").click()
        expect(page.get_by_role("status")).to_contain_text("Saved")
        said = home.house.api.one("/alert_configuration")["alert_acknowledgment"]
        assert said["timeout_enabled"] is enabled
        assert said["timeout_minutes"] == (120 if enabled else 60)
