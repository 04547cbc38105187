"""Pages over a slow line, in a browser: what is sent is under way for as long as the test holds it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from support.browser import Home, anas_page
from support.household import Json

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]


class Line:
    """What pages send, held until it is let through."""

    def __init__(self, page: Page, *paths: str) -> None:
        self.held: list[Route] = []
        for path in paths:
            page.route(path, self._hold)
        self._page = page

    def _hold(self, route: Route) -> None:
        self.held.append(route)

    def holds(self, count: int) -> None:
        """Wait until so many are held, and a little longer for one too many."""
        for _ in range(300):
            if len(self.held) >= count:
                break
            self._page.wait_for_timeout(50)
        self._page.wait_for_timeout(200)
        assert len(self.held) == count, [route.request.url for route in self.held]

    def lets_through(self) -> None:
        """Let the oldest through."""
        self.held.pop(0).continue_()


@pytest.fixture
def page(browser: Browser, home: Home) -> Iterator[Page]:
    """Ana's browser, as wide as a telephone."""
    # Chromium complains of a line that breaks, which one of these tests does.
    with anas_page(browser, home, 390, 844, may_say="net::ERR_FAILED") as lent:
        yield lent


@pytest.fixture
def policy(home: Home) -> Json:
    """A policy whose only level is Ana."""
    api = home.house.api
    made = api.add("/escalation_policies", name="Far away")
    target = {"notification_target_params": [{"type": "user", "id": home.ana}], "delay": 5, "position": 1}
    api.add(f"/escalation_policies/{made['id']}/escalation_levels", **target)
    return made


def test_what_is_sent_is_shown_to_be_under_way_and_sent_once(home: Home, page: Page) -> None:
    page.goto(home.url(f"/alerts/{home.pages_ana('Slow line')}"))
    line = Line(page, "**/acknowledge")
    button = page.locator(".dock").get_by_role("button", name="Acknowledge")
    button.click()
    line.holds(1)
    form = page.locator(".dock form[action$='/acknowledge']")
    expect(form).to_have_attribute("aria-busy", "true")
    expect(page.locator("html.sending")).to_have_count(1)
    button.click(force=True)
    line.holds(1)
    line.lets_through()
    expect(page.get_by_role("status")).to_contain_text("Acknowledged Slow line")
    expect(form).to_have_count(0)
    expect(page.locator("html.sending")).to_have_count(0)
    line.holds(0)


def test_what_is_sent_meanwhile_waits_its_turn_and_is_not_lost(home: Home, page: Page) -> None:
    short = home.pages_ana("Two taps")
    page.goto(home.url(f"/alerts/{short}"))
    line = Line(page, "**/acknowledge", "**/note")
    page.locator(".dock").get_by_role("button", name="Acknowledge").click()
    page.fill("[name=text]", "On my way")
    page.get_by_role("button", name="Add", exact=True).click()
    line.holds(1)
    line.lets_through()
    expect(page.locator(".dock form[action$='/acknowledge']")).to_have_count(0)
    line.holds(1)
    line.lets_through()
    expect(page.locator("#timeline")).to_contain_text("On my way")
    expect(page.locator("[name=text]")).to_have_value("")
    expect(page.locator("form[aria-busy]")).to_have_count(0)
    assert home.house.api.one(f"/alerts/{short}")["status"] == "acknowledged"


def test_what_was_said_before_is_no_answer_to_what_is_asked_now(home: Home, page: Page, policy: Json) -> None:
    page.goto(home.url(f"/policies/{policy['id']}"))
    page.click("#policy .btn.p")
    expect(page.get_by_role("status")).to_contain_text("Saved")
    line = Line(page, "**/hours")
    hours = page.locator("form[action$='/hours']")
    hours.get_by_label("Monday", exact=True).check()
    hours.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_count(0)
    line.holds(1)
    line.lets_through()
    expect(page.get_by_role("status")).to_contain_text("Saved")
    expect(hours.get_by_label("Monday", exact=True)).to_be_checked()


def test_nobody_types_into_what_the_answer_replaces(home: Home, page: Page, policy: Json) -> None:
    page.goto(home.url(f"/policies/{policy['id']}/paths/new"))
    line = Line(page, f"**/policies/{policy['id']}")
    page.select_option("[name=new_rule]", "working_hour")
    page.click("text=Add a condition")
    line.holds(1)
    page.locator("[name=path_name]").click(force=True)
    page.keyboard.type("lost")
    assert page.input_value("[name=path_name]") == ""
    line.lets_through()
    expect(page.locator("#asked")).to_contain_text("working hours")
    expect(page.get_by_role("button", name="Add a condition")).to_be_focused()


def test_an_older_preview_does_not_overwrite_a_newer_one(home: Home, page: Page, policy: Json) -> None:
    page.goto(home.url(f"/policies/{policy['id']}"))
    line = Line(page, "**/preview")
    page.fill("[name=initial_delay]", "3")
    line.holds(1)
    page.fill("[name=initial_delay]", "7")
    line.holds(2)
    older = line.held.pop(0)
    line.lets_through()
    expect(page.locator("#ladder")).to_contain_text("T+7 min")
    with page.expect_response("**/preview"):
        older.continue_()
    page.wait_for_timeout(200)
    expect(page.locator("#ladder")).to_contain_text("T+7 min")


def test_a_line_that_hangs_is_given_up_after_a_minute_and_tried_the_plain_way(home: Home, page: Page) -> None:
    page.clock.install()
    page.goto(home.url(f"/alerts/{home.pages_ana('Hanging line')}"))
    line = Line(page, "**/acknowledge")
    page.locator(".dock").get_by_role("button", name="Acknowledge").click()
    line.holds(1)
    page.clock.fast_forward(59_000)
    line.holds(1)
    page.clock.fast_forward(2_000)
    line.holds(2)
    line.held.pop().continue_()
    expect(page.get_by_role("status")).to_contain_text("Acknowledged Hanging line")


def test_a_line_that_breaks_is_tried_once_more_the_plain_way(home: Home, page: Page) -> None:
    page.goto(home.url(f"/alerts/{home.pages_ana('Broken line')}"))
    line = Line(page, "**/acknowledge")
    page.locator(".dock").get_by_role("button", name="Acknowledge").click()
    line.holds(1)
    line.held.pop().abort()
    line.holds(1)
    line.lets_through()
    expect(page.locator(".dock form[action$='/acknowledge']")).to_have_count(0)
    expect(page.get_by_role("status")).to_contain_text("Acknowledged Broken line")
