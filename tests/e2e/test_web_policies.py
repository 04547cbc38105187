"""The policy editor, and what people do about an alert beside acknowledging it, in a browser."""

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from support.browser import ANA, Home, logged_in
from support.household import Json

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]


@pytest.fixture
def policy(home: Home) -> Json:
    """A policy whose only level is Ana."""
    api = home.house.api
    made = api.add("/escalation_policies", name="Edited")
    target = {"type": "user", "id": home.ana}
    said = {"notification_target_params": [target], "delay": 5, "position": 1}
    api.add(f"/escalation_policies/{made['id']}/escalation_levels", **said)
    return made


def test_a_path_for_some_alerts_is_made_tried_and_deleted(home: Home, page: Page, policy: Json) -> None:
    page.goto(home.url(f"/policies/{policy['id']}"))
    page.click("text=+ Add a path")
    page.fill("[name=path_name]", "Payments at night")
    page.select_option("[name=new_rule]", "json_path")
    page.click("text=Add a condition")
    page.fill("[name=rule-path-0]", "$.commonLabels.team")
    page.fill("[name=rule-values-0]", "pay, shop")
    page.select_option("[name=new_rule]", "alert_urgency")
    page.click("text=Add a condition")
    page.get_by_label("Low", exact=True).check()
    page.select_option("[name=loudness]", "quiet")
    page.select_option("[name=add-0]", f"user/{home.house.bo['id']}")
    page.click("#policy .btn.p")
    expect(page.get_by_role("status")).to_contain_text("Saved")
    paths = home.house.api.list(f"/escalation_policies/{policy['id']}/escalation_paths")
    made = next(one for one in paths if one["name"] == "Payments at night")
    assert made["rules"][0] == {
        "rule_type": "json_path", "operator": "is", "values": ["pay", "shop"], "json_path": "$.commonLabels.team",
    }  # fmt: skip
    assert [rule["rule_type"] for rule in made["rules"]] == ["json_path", "alert_urgency"]
    assert made["notification_type"] == "quiet"
    expect(page.locator("nav.paths [aria-current]")).to_contain_text("Payments at night")
    page.select_option("[name=alert]", label="of urgency High")
    expect(page.locator("#ladder")).to_contain_text("Payments at night does not hold")
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("text=Delete this path")
    expect(page.get_by_role("status")).to_contain_text("gone")


def test_alerts_are_put_off_till_the_morning(home: Home, page: Page, policy: Json) -> None:
    page.goto(home.url(f"/policies/{policy['id']}"))
    page.click("text=+ Put off")
    for day in ("Saturday", "Sunday"):
        page.get_by_label(day, exact=True).first.check()
    page.fill("[name=rule-from-0]", "00:00")
    page.fill("[name=rule-to-0]", "23:59")
    expect(page.locator("#levels")).to_be_hidden()
    page.click("#policy .btn.p")
    expect(page.get_by_role("status")).to_contain_text("Saved")
    expect(page.locator("#ladder")).to_contain_text("puts it off until")
    expect(page.locator("#ladder")).to_contain_text("takes Default")


def test_a_condition_that_can_never_hold_is_refused_beside_it(home: Home, page: Page, policy: Json) -> None:
    page.goto(home.url(f"/policies/{policy['id']}/paths/new"))
    page.fill("[name=path_name]", "Never")
    page.select_option("[name=new_rule]", "working_hour")
    page.click("text=Add a condition")
    page.select_option("[name=add-0]", f"user/{home.house.bo['id']}")
    page.click("#policy .btn.p")
    expect(page.locator("#asked .error")).to_contain_text("no business hours")
    assert page.input_value("[name=path_name]") == "Never"


def test_a_level_tells_a_channel_beside_its_people(home: Home, page: Page, policy: Json) -> None:
    page.goto(home.url(f"/policies/{policy['id']}"))
    page.fill("[name=channel-0]", "#ops")
    page.click("#policy .btn.p")
    expect(page.locator(".banner[role=alert]")).to_contain_text("not the id of a channel")
    page.click("[aria-label='Remove Slack channel #ops']")
    expect(page.locator(".target", has_text="#ops")).to_have_count(0)
    page.fill("[name=channel-0]", "C06Q2JK7RQW")
    page.click("#policy .btn.p")
    expect(page.get_by_role("status")).to_contain_text("Saved")
    expect(page.locator(".target", has_text="Slack channel C06Q2JK7RQW")).to_be_visible()
    expect(page.locator("#ladder")).to_contain_text("Slack is not set up")
    [level] = home.house.api.list(f"/escalation_policies/{policy['id']}/escalation_levels")
    assert {"id": "C06Q2JK7RQW", "type": "slack_channel", "team_members": None} in level[
        "notification_target_params"
    ]


def test_working_hours_rounds_and_acknowledgements_are_set(home: Home, page: Page, policy: Json) -> None:
    page.goto(home.url(f"/policies/{policy['id']}"))
    page.select_option("[name=repeat_count]", "-1")
    page.select_option("[name=holds]", "30")
    page.fill("[name=initial_delay]", "3")
    expect(page.locator("#ladder")).to_contain_text("T+3 min")
    page.click("#policy .btn.p")
    expect(page.get_by_role("status")).to_contain_text("Saved")
    hours = page.locator("form[action$='/hours']")
    hours.get_by_label("Monday", exact=True).check()
    hours.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved")
    api = home.house.api
    stored = next(one for one in api.list("/escalation_policies") if one["id"] == policy["id"])
    assert (stored["repeat_count"], stored["business_hours"]["days"]) == (-1, ["M"])
    [path] = api.list(f"/escalation_policies/{policy['id']}/escalation_paths")
    assert (path["retrigger_timeout_minutes"], path["initial_delay"]) == (30, 3)


def test_what_the_form_cannot_show_survives_a_save(home: Home, page: Page, policy: Json) -> None:
    api = home.house.api
    rules = [
        {"rule_type": "json_path", "json_path": "$.commonLabels.team", "operator": "is", "values": ["a, b"]},
        {"rule_type": "deferral_window", "time_zone": "Etc/UTC", "time_blocks": [{"monday": True, "all_day": True}]},
    ]  # fmt: skip
    made = api.add(f"/escalation_policies/{policy['id']}/escalation_paths", name="Odd", rules=rules)
    target = {"notification_target_params": [{"type": "user", "id": home.ana}], "delay": 5, "position": 1}
    api.add(f"/escalation_paths/{made['id']}/escalation_levels", **target)
    page.goto(home.url(f"/policies/{policy['id']}/paths/{made['id']}"))
    page.fill("[name=path_name]", "Odder")
    page.click("#policy .btn.p")
    expect(page.get_by_role("status")).to_contain_text("Saved")
    paths = api.list(f"/escalation_policies/{policy['id']}/escalation_paths")
    stored = next(one for one in paths if one["id"] == made["id"])
    assert (stored["name"], stored["rules"]) == ("Odder", rules)


def test_somebody_who_may_not_change_a_policy_sees_it_and_tries_alerts(
    browser: Browser, home: Home, policy: Json
) -> None:
    home.person("looker@example.org", "Looker", "observer")
    context = browser.new_context()
    page = logged_in(context, home.house.program.url, "looker@example.org")
    page.goto(home.url(f"/policies/{policy['id']}"))
    assert page.get_by_role("button", name="Save").count() == 0
    page.select_option("[name=alert]", label="of urgency Low")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#ladder")).to_contain_text("Ana Web")
    context.close()


# ---------------------------------------------------------------- an alert


def test_others_are_asked_for_help_on_a_phone(browser: Browser, home: Home) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = logged_in(context, home.house.program.url, ANA)
    page.goto(home.url(f"/alerts/{home.pages_ana('Needs help')}"))
    page.click("#dock button:text('Acknowledge')")
    expect(page.locator("#facts")).to_contain_text("Acknowledged")
    help_ = page.locator("#dock summary:has-text('More')")
    box = help_.bounding_box()
    assert box
    assert box["height"] >= 40
    help_.click()
    page.locator("#dock form[action$='/respond'] select").select_option(label=home.house.bo["name"])
    page.click("#dock button:text('Page them')")
    expect(page.locator("#timeline")).to_contain_text("asked")
    expect(page.locator("#facts")).to_contain_text("Acknowledged")
    context.close()


def test_an_escalation_is_started_over(home: Home, page: Page) -> None:
    page.goto(home.url(f"/alerts/{home.pages_ana('Again')}"))
    page.click("#acts summary:text('Reassign')")
    page.click("#acts button:text('Start over')")
    expect(page.locator("#timeline")).to_contain_text("Started over by Ana Web")


def test_an_alert_is_escalated_to_a_level_and_to_another_policy(home: Home, page: Page, policy: Json) -> None:
    api = home.house.api
    target = {
        "notification_target_params": [{"type": "user", "id": home.house.bo["id"]}],
        "delay": 5,
        "position": 2,
    }
    api.add(f"/escalation_policies/{policy['id']}/escalation_levels", **target)
    to = {"notification_target_type": "EscalationPolicy", "notification_target_id": policy["id"]}
    alert = api.add("/alerts", summary="Climbs", **to)
    page.goto(home.url(f"/alerts/{alert['short_id']}"))
    for where, said in (("level/2", "to level 2"), ("level/1", "to level 1")):
        page.click("#acts summary:text('Reassign')")
        page.select_option("#acts [name=where]", where)
        page.click("#acts button:text('Escalate there')")
        expect(page.locator("#timeline")).to_contain_text(said)
        expect(page.locator("#acts details[open]")).to_have_count(0)
    other = home.house.policy["id"]
    page.click("#acts summary:text('Reassign')")
    page.select_option("#acts [name=where]", f"policy/{other}")
    page.click("#acts button:text('Escalate there')")
    expect(page.locator("#timeline")).to_contain_text(f"to policy {home.house.policy['name']}")
    shown = api.one(f"/alerts/{alert['id']}")
    assert (shown["notification_target_type"], shown["notification_target_id"]) == ("EscalationPolicy", other)


def test_what_is_not_saved_yet_survives_the_other_forms_of_its_page(
    home: Home, page: Page, policy: Json
) -> None:
    page.goto(home.url(f"/policies/{policy['id']}"))
    page.fill("#policy [name=name]", "Half written")
    page.click("text=Add a level")
    expect(page.locator("#policy")).to_contain_text("Not saved yet.")
    page.select_option("[name=add-1]", f"user/{home.house.bo['id']}")
    page.get_by_label("Monday", exact=True).last.check()
    page.fill("form[action$='/hours'] [name=zone]", "Mars/Phobos")
    page.click("text=Save the hours")
    expect(page.locator(".toast")).to_contain_text("is not a time zone")
    page.fill("form[action$='/hours'] [name=zone]", "Europe/Lisbon")
    page.click("text=Save the hours")
    expect(page.get_by_role("status")).to_contain_text("Saved")
    home.pages_ana("RingsWhileSomebodyWrites")
    page.locator("#ring li", has_text="RingsWhileSomebodyWrites").get_by_role("button").click()
    expect(page.locator("#ring")).not_to_contain_text("RingsWhileSomebodyWrites")
    assert page.input_value("#policy [name=name]") == "Half written"
    assert page.input_value("[name=add-1]") == f"user/{home.house.bo['id']}"
    page.click("#policy .btn.p")
    expect(page.locator("h1")).to_have_text("Half written")
    stored = home.house.api.ask("GET", f"/escalation_policies/{policy['id']}")["data"]["attributes"]
    assert stored["business_hours"]["days"] == ["M"]
    levels = home.house.api.list(f"/escalation_policies/{policy['id']}/escalation_levels")
    assert [len(one["notification_target_params"]) for one in levels] == [1, 1]


def test_nobody_leaves_with_half_a_form_unasked(home: Home, page: Page, policy: Json) -> None:
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.goto(home.url(f"/policies/{policy['id']}"))
    page.fill("#policy [name=name]", "Half written")
    page.locator("nav").get_by_role("link", name="Teams").first.click(no_wait_after=True)
    expect(page).to_have_url(home.url(f"/policies/{policy['id']}"))
    assert asked == ["beforeunload"]
    page.click("#policy .btn.p")
    expect(page.get_by_role("status")).to_contain_text("Saved")
    page.locator("nav").get_by_role("link", name="Teams").first.click()
    expect(page).to_have_url(home.url("/teams"))
    assert asked == ["beforeunload"]
