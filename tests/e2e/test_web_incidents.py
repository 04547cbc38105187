"""Incidents in a browser: an alert becomes one, people work on it, it ends, and what was learned is written down."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from support.browser import ANA, Home, logged_in
from support.coordinated import opened
from support.rota import Lead

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def lead(home: Home) -> Iterator[Lead]:
    sender = Lead(home)
    yield sender
    sender.http.close()


def test_an_alert_becomes_an_incident_that_is_worked_on_and_ends_with_its_alerts(
    home: Home, lead: Lead, page: Page
) -> None:
    source = home.house.source()
    short, second = home.pages_ana("CheckoutFails", source), home.pages_ana("CheckoutSlow", source)
    lead.schedule("Coordinators", home.house.bo["id"])
    page.goto(home.url(f"/alerts/{short}"))
    page.locator("#acts summary", has_text="Incident").click()
    page.locator("#acts").get_by_role("link", name="Create incident").click()
    page.fill("[name=title]", "Nobody can pay")
    page.fill("[name=summary]", "All *cards* are refused.")
    page.select_option("[name=severity]", label="SEV1")
    page.get_by_role("button", name="Open the incident").click()
    expect(page.locator("#state")).to_contain_text("Started")
    expect(page.locator("#alert-list")).to_contain_text("CheckoutFails")
    expect(page.locator("#summary em")).to_have_text("cards")
    number = page.locator("#number").inner_text().removeprefix("#")

    page.fill("#alerts [name=alert]", second)
    page.locator("#alerts").get_by_role("button", name="Attach").click()
    expect(page.locator("#alert-list")).to_contain_text("CheckoutSlow")
    page.fill("#note textarea", "Rolled back **4.2**")
    page.get_by_role("button", name="Add to the timeline").click()
    expect(page.locator("#timeline strong")).to_have_text("4.2")
    page.locator("summary", has_text="Give a role").click()
    page.select_option("[name=who]", label="Coordinators")
    page.get_by_role("button", name="Give", exact=True).click()
    expect(page.locator("#roles")).to_contain_text("Bo on call for Coordinators")
    page.locator("summary", has_text="Add an action item").click()
    page.fill("#to-do [name=summary]", "Test the payment path")
    page.locator("#to-do").get_by_role("button", name="Add").click()
    page.get_by_role("button", name="Done: Test the payment path").click()
    expect(page.locator("#items")).to_contain_text("Done")

    page.locator("#acts summary", has_text="Mitigate").click()
    page.fill("#acts details[open] textarea", "Old version runs")
    page.locator("#acts details[open] button").click()
    # Not by the status: the page it came from may say it first, by the stream.
    expect(page.get_by_role("status")).to_contain_text("Mitigated:")
    expect(page.locator("#state")).to_contain_text("Mitigated")
    page.locator("#acts summary", has_text="Resolve").click()
    page.locator("#acts details[open] button").click()
    expect(page.locator("#state")).to_contain_text("Resolved")
    expect(page.locator("#timeline")).to_contain_text("Mitigated (was started): Old version runs")
    expect(page.locator("#timeline")).to_contain_text("2 alerts resolved")

    page.goto(home.url(f"/alerts/{second}"))
    expect(page.locator("#facts")).to_contain_text("Resolved")
    expect(page.locator("#incidents")).to_contain_text("Nobody can pay")
    expect(page.locator("#timeline")).to_contain_text(f"incident #{number} Nobody can pay")


def test_an_alert_is_attached_to_an_open_incident_from_its_own_page(
    home: Home, lead: Lead, page: Page
) -> None:
    path = opened(lead, "One that is open")
    short = home.pages_ana("JoinsLater")
    page.goto(home.url(f"/alerts/{short}"))
    page.locator("#acts summary", has_text="Incident").click()
    number = path.rsplit("/", 1)[1]
    page.locator("#acts [name=incident]").select_option(number)
    page.locator("#acts").get_by_role("button", name="Attach to incident").click()
    expect(page.get_by_role("status")).to_contain_text(f"Attached to #{number} One that is open")
    page.locator("#incidents").get_by_role("link", name="One that is open").click()
    expect(page.locator("#alert-list")).to_contain_text("JoinsLater")
    page.get_by_role("button", name="Detach JoinsLater").click()
    expect(page.locator("#alert-list")).to_contain_text("None.")


def test_a_new_incident_appears_in_the_open_list_by_itself(home: Home, lead: Lead, page: Page) -> None:
    page.goto(home.url("/incidents"))
    expect(page.locator(".live")).to_have_text("live")
    opened(lead, "Came while you looked")
    expect(page.locator("#rows")).to_contain_text("Came while you looked")
    page.fill("[name=q]", "while you")
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".row")).to_have_count(1)


def test_a_retrospective_is_written_from_the_template_with_a_preview(
    home: Home, lead: Lead, page: Page
) -> None:
    path = opened(lead, "To be learned from")
    page.goto(home.url(f"{path}/retrospective"))
    page.get_by_role("link", name="Write it from the template").click()
    expect(page.locator("#preview h2")).to_have_text("Retrospective: To be learned from")
    field = page.locator("textarea[name=text]")
    field.fill(field.input_value().replace("_What did people notice", "Nobody could pay. _What did people"))
    expect(page.locator("#preview")).to_contain_text("Nobody could pay.")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#text")).to_contain_text("Nobody could pay.")
    expect(page.locator("aside .facts")).to_contain_text("Being written")
    with page.expect_download() as download:
        page.get_by_role("link", name="Retrospective as Markdown").click()
    assert re.fullmatch(r"incident-\d+\.retrospective\.md", download.value.suggested_filename)


def test_an_incident_is_run_with_a_thumb_and_without_scripts(
    home: Home, browser: Browser, lead: Lead
) -> None:
    path = opened(lead, "On the telephone", status="in_triage")
    context = browser.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=False)
    context.set_default_timeout(20_000)
    page = logged_in(context, home.url(""), ANA)
    page.goto(home.url(path))
    page.locator("#dock summary", has_text="Start").click()
    page.locator("#dock details[open] button").click()
    expect(page.locator("#state")).to_contain_text("Started")
    page.locator("#dock summary", has_text="Mitigate").click()
    page.fill("#dock details[open] textarea", "Restarted")
    page.locator("#dock details[open] button").first.click()
    expect(page.locator("#state")).to_contain_text("Mitigated")
    page.locator("#dock").get_by_role("link", name="Note").click()
    page.fill("#note textarea", "Written in the dark")
    page.get_by_role("button", name="Add to the timeline").click()
    expect(page.locator("#timeline")).to_contain_text("Written in the dark")
    context.close()
