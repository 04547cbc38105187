"""Status pages at the pages: made, looked at, switched on; an incident is published by choice and read by anybody."""

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from support.browser import Home

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]


def made(page: Page, home: Home) -> None:
    """Make a status page that shows the house's service, look at it and switch it on."""
    page.goto(home.url("/status-pages"))
    page.fill("[name=title]", "Shop")
    page.click("text=Make it")
    expect(page.locator("h1")).to_have_text("Shop")
    page.get_by_label(f"Show {home.house.service['name']}").check()
    page.fill("[name=footer]", "<b>Written as it is</b>")
    page.get_by_label("Switched on").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved")
    page.get_by_role("link", name="See it").click()
    expect(page.locator(".big")).to_have_text("All systems operational")
    expect(page.locator("footer")).to_contain_text("<b>Written as it is</b>")


def test_an_incident_is_published_and_anybody_reads_it_without_scripts(
    home: Home, page: Page, browser: Browser
) -> None:
    made(page, home)
    page.goto(home.url("/incidents/new"))
    page.fill("[name=title]", "Orders fail")
    page.get_by_role("button", name="Open the incident").click()
    page.wait_for_url("**/incidents/*")
    incident = page.url
    page.click("summary:has-text('Publish something')")
    page.locator("form[action$='/publish'] [name=event]").fill("Orders fail for <some> of you.")
    page.locator("form[action$='/publish'] [name=page]").select_option(label="Shop")
    page.locator("form[action$='/publish'] [name=impact]").select_option("partial_outage")
    page.locator("form[action$='/publish']").get_by_role("button", name="Publish").click()
    expect(page.get_by_role("status")).to_contain_text("Published")
    outside = browser.new_context(java_script_enabled=False)
    public = outside.new_page()
    public.goto(home.url("/status/shop"))
    for _ in range(50):
        if "Orders fail for" in public.content():
            break
        public.wait_for_timeout(100)
        public.reload()
    expect(public.locator("article")).to_contain_text("Orders fail for <some> of you.")
    expect(public.locator(".big")).to_have_text("Some systems are down")
    public.get_by_role("link", name="Orders fail").click()
    expect(public.locator("h2")).to_have_text("Orders fail")
    feed = httpx.get(home.url("/status/shop/feed.atom"))
    assert "Orders fail for &lt;some&gt; of you." in feed.text
    outside.close()
    page.goto(incident)
    expect(page.locator("#published")).to_contain_text("Investigating")
    expect(page.locator("#timeline")).to_contain_text("Published on the status page Shop")
