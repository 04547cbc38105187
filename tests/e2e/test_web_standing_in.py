"""Swaps, shadows, time off, calendars elsewhere and addresses without a log-in, at the pages."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from support.browser import ANA, Home, Watch, logged_in
from support.rota import Lead

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]
ZARA = "zara.web@example.org"


@pytest.fixture
def page(browser: Browser, home: Home) -> Iterator[Page]:
    """Ana's browser; what it complains about fails the test."""
    yield from _browsing(browser, home, ANA)


@pytest.fixture
def her(browser: Browser, home: Home, zara: str) -> Iterator[Page]:
    """Zara's browser."""
    yield from _browsing(browser, home, ZARA)


def _browsing(browser: Browser, home: Home, email: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(20_000)
    watch = Watch(home.house.program.url)
    page = watch.follow(logged_in(context, home.house.program.url, email))
    page.on("dialog", lambda dialog: dialog.accept())
    yield page
    context.close()
    assert watch.wrong == []


@pytest.fixture(scope="module")
def zara(home: Home) -> str:
    """Somebody else who knows her password."""
    return home.person(ZARA, "Zara Web", "user")


@pytest.fixture(scope="module")
def lead(home: Home) -> Iterator[Lead]:
    sender = Lead(home)
    yield sender
    sender.http.close()


def day(ahead: int) -> str:
    return f"{datetime.now(UTC) + timedelta(days=ahead):%Y-%m-%d}"


# ---------------------------------------------------------------- swaps


def ask(page: Page, home: Home, path: str, *, of: str = "Zara Web", in_return: bool = False) -> None:
    page.goto(home.url(path))
    page.get_by_role("link", name="Swap…").click()
    page.select_option("[name=asked]", label=of)
    page.fill("[name=starts_at]", f"{day(2)}T09:00")
    page.fill("[name=ends_at]", f"{day(2)}T17:00")
    if in_return:
        page.fill("[name=return_starts_at]", f"{day(9)}T09:00")
        page.fill("[name=return_ends_at]", f"{day(9)}T17:00")
    page.fill("[name=reason]", "The dentist")


def test_a_swap_needs_the_others_yes(home: Home, lead: Lead, zara: str, page: Page, her: Page) -> None:
    path = lead.schedule("Swapped", home.ana)
    ask(page, home, path)
    expect(page.locator("#preview")).to_contain_text("Ana Web → Zara Web")
    page.get_by_role("button", name="Ask").click()
    expect(page.locator("#swaps")).to_contain_text("Ana Web asks Zara Web to take")
    assert page.locator("#swaps").get_by_role("button", name="Take it").count() == 0, "not one's own"
    assert "Zara" not in lead.http.get(f"{path}?week={day(2)}").text.partition('id="swaps"')[0]
    her.goto(home.url("/schedules"))
    banner = her.locator(".banner", has_text="asks you to take")
    expect(banner).to_contain_text("The dentist")
    banner.get_by_role("button", name="Take it").click()
    expect(her.get_by_text("It is yours now.")).to_be_visible()
    her.goto(home.url(f"{path}?week={day(2)}"))
    expect(her.locator(".lane.final")).to_contain_text("Zara")
    expect(her.locator("#shifts")).to_contain_text("They agreed to take this from Ana Web.")
    page.goto(home.url(path))
    page.locator("#swaps").get_by_role("button", name="Take back").click()
    expect(page.locator("#swaps")).to_have_count(0)


def test_a_declined_swap_changes_nothing(home: Home, lead: Lead, zara: str, page: Page, her: Page) -> None:
    in_six_days = "MTWRFUS"[(datetime.now(UTC) + timedelta(days=6)).weekday()]
    path = lead.schedule("Declined", home.ana, zara, handoff_day=in_six_days)
    ask(page, home, path, in_return=True)
    page.get_by_role("button", name="Ask").click()
    expect(page.locator("#swaps")).to_contain_text("in return")
    her.goto(home.url(path))
    her.locator("#swaps").get_by_role("button", name="Decline").click()
    expect(her.get_by_text("Declined. The shift stays whose it was.")).to_be_visible()
    expect(her.locator("#swaps")).to_have_count(0)
    assert "They agreed" not in lead.http.get(f"{path}?week={day(2)}").text


def test_nobody_gives_away_what_is_anothers(home: Home, lead: Lead, zara: str) -> None:
    path = lead.schedule("Not hers", home.ana)
    theirs = Lead(home, ZARA)
    times = {"starts_at": f"{day(2)}T09:00", "ends_at": f"{day(2)}T17:00"}
    answer = theirs.send(f"{path}/swaps", {"user": home.ana, "asked": zara, **times})
    assert answer.status_code == 422 and "Only they can give it away." in answer.text
    answer = theirs.send(f"{path}/swaps", {"user": zara, "asked": home.ana, **times})
    assert answer.status_code == 422 and "not on call" in answer.text
    theirs.http.close()


# ---------------------------------------------------------------- shadows


def test_somebody_shadows_and_stands_in_a_lane_of_their_own(
    home: Home, lead: Lead, zara: str, page: Page
) -> None:
    path = lead.schedule("Shadowed", home.ana)
    page.goto(home.url(path))
    page.get_by_role("link", name="Shadow…").click()
    page.select_option("[name=user]", zara)
    page.fill("[name=ends_at]", f"{day(1)}T09:00")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#shadows")).to_contain_text("Zara Web shadows whoever is on call")
    expect(page.locator(".lane.shadow")).to_contain_text("Zara")
    page.locator("#shadows").get_by_role("button").click()
    expect(page.locator("#shadows")).to_have_count(0)


def test_nobody_shadows_themselves_or_the_past(home: Home, lead: Lead, zara: str) -> None:
    path = lead.schedule("No shadow", home.ana)
    times = {"starts_at": f"{day(1)}T09:00", "ends_at": f"{day(2)}T09:00"}
    for fields, why in (
        ({"user": zara, "of": zara, **times}, "Nobody can shadow themselves"),
        ({"user": "", **times}, "Choose who listens"),
        ({"user": zara, "starts_at": "2020-01-01T00:00", "ends_at": "2020-01-02T00:00"}, "in the past"),
        ({"user": zara, "starts_at": "", "ends_at": ""}, "A date and a time, please."),
    ):
        answer = lead.send(f"{path}/shadows", fields)
        assert answer.status_code == 422 and why in answer.text, fields


# ---------------------------------------------------------------- time off


def test_time_off_is_shown_where_somebody_is_on_call(home: Home, lead: Lead, zara: str, her: Page) -> None:
    path = lead.schedule("Vacation", zara)
    her.goto(home.url("/schedules"))
    her.get_by_role("link", name="Time off").click()
    her.fill("[name=starts_at]", f"{day(3)}T00:00")
    her.fill("[name=ends_at]", f"{day(4)}T00:00")
    her.fill("[name=reason]", "Sailing")
    her.locator("form[action='/away']").get_by_role("button", name="Save").click()
    expect(her.get_by_text("Sailing")).to_be_visible()
    expect(her.locator(".banner", has_text="while away")).to_contain_text("Vacation")
    assert "Sailing" in lead.http.get(path).text, "the schedule shows the conflict"
    her.get_by_role("link", name="Ask for a swap").first.click()
    expect(her.get_by_role("heading", name="Ask for a swap")).to_be_visible()
    her.goto(home.url("/away"))
    her.get_by_role("button", name="Take back").click()
    expect(her.get_by_text("Nothing is planned.")).to_be_visible()


def test_working_hours_and_holidays_are_ones_own_to_say(home: Home, lead: Lead, zara: str) -> None:
    theirs = Lead(home, ZARA)
    assert theirs.send("/away/hours", {"day": ["M", "T"], "from": "10:00", "to": "18:00"}).status_code == 303
    assert 'name="from" value="10:00"' in theirs.http.get("/away").text
    assert theirs.send("/away/hours", {"day": ["M"], "from": "", "to": "18:00"}).status_code == 422
    assert theirs.send("/away/holidays", {"country": "DE", "subdivision": "BY"}).status_code == 303
    assert theirs.send("/away/holidays", {"country": "XX"}).status_code == 422
    assert theirs.send("/away/holidays", {"country": ""}).status_code == 303
    assert theirs.send("/away", {"user": home.ana, "reason": "no"}).status_code == 403
    assert lead.http.get(f"/away?user={zara}").status_code == 200
    theirs.http.close()


def test_ones_own_shifts_are_a_calendar_until_it_is_cancelled(
    home: Home, lead: Lead, zara: str, her: Page
) -> None:
    lead.schedule("Her calendar", zara)
    her.goto(home.url("/away"))
    her.get_by_role("button", name="Make an address (iCal)").click()
    address = her.locator("#own-1").inner_text()
    assert "SUMMARY:On call: Her calendar" in httpx.get(address).text
    assert address not in lead.http.get(f"/away?user={zara}").text, "hers alone"
    link = her.locator("#calendar form").first.get_attribute("action") or ""
    assert lead.send(link, {}).status_code == 404
    her.get_by_role("button", name="Cancel this address").click()
    expect(her.locator("#own-1")).to_have_count(0)
    assert httpx.get(address).status_code == 404


# ---------------------------------------------------------------- calendars elsewhere


class Elsewhere:
    """A calendar server: what it answers is set by the test."""

    def __init__(self) -> None:
        self.status, self.body = 503, b""
        answering = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # noqa: N802  the library's name
                self.send_response(answering.status)
                self.end_headers()
                self.wfile.write(answering.body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/team.ics"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def books(self, who: str, start: datetime, end: datetime) -> None:
        lines = (
            "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:test", "BEGIN:VEVENT", "UID:1",
            f"DTSTAMP:{start:%Y%m%dT%H%M%SZ}", f"DTSTART:{start:%Y%m%dT%H%M%SZ}", f"DTEND:{end:%Y%m%dT%H%M%SZ}",
            f"SUMMARY:{who}", "END:VEVENT", "END:VCALENDAR", "",
        )  # fmt: skip
        self.status, self.body = 200, "\r\n".join(lines).encode()

    def close(self) -> None:
        self._server.shutdown()


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    server = Elsewhere()
    yield server
    server.close()


def test_a_calendar_elsewhere_is_a_layer_and_says_when_it_cannot_be_read(
    home: Home, lead: Lead, zara: str, page: Page, elsewhere: Elsewhere
) -> None:
    path = lead.schedule("Imported", home.ana)
    page.goto(home.url(path))
    page.locator("#calendars").get_by_role("link", name="Add").click()
    page.fill("[name=name]", "Team calendar")
    page.fill("[name=url]", elsewhere.url)
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#calendars")).to_contain_text("Team calendar")
    shown_after(page, home.url(path), "cannot be read")
    metrics = httpx.get(home.url("/metrics")).text
    assert 'nightbell_calendar_reads_total{outcome="failed"}' in metrics
    assert "nightbell_calendars_failing 1.0" in metrics
    now = datetime.now(UTC)
    elsewhere.books("Zara Web", now, now + timedelta(days=2))
    page.locator("#calendars").get_by_role("link", name="Team calendar").click()
    page.get_by_role("button", name="Read it again").click()
    shown_after(page, home.url(path), "Booked in the calendar Team calendar.")
    expect(page.locator(".lane.final")).to_contain_text("Zara")
    elsewhere.status = 500
    page.locator("#calendars").get_by_role("link", name="Team calendar").click()
    page.get_by_role("button", name="Read it again").click()
    shown_after(page, home.url(path), "its server answered 500")
    expect(page.locator(".lane.final")).to_contain_text("Zara")
    page.locator("#calendars").get_by_role("link", name="Team calendar").click()
    page.get_by_role("button", name="Take it off").click()
    expect(page.locator("#calendars")).not_to_contain_text("Team calendar")


def shown_after(page: Page, url: str, text: str) -> None:
    """Look at a page until it says something: calendars are read every few seconds."""
    for _ in range(40):
        page.goto(url)
        if text in (page.text_content("main") or ""):
            return
        page.wait_for_timeout(500)
    raise AssertionError(f"{url} never said {text!r}")


def test_a_calendars_address_is_refused_where_it_is_none(home: Home, lead: Lead) -> None:
    path = lead.schedule("No address", home.ana)
    for fields, why in (
        ({"name": "x", "url": "ftp://x.example.org"}, "no address of a calendar"),
        (
            {"name": "x", "url": "https://x.example.org/a.ics", "refresh_minutes": "1"},
            "A whole number from 5",
        ),
        ({"name": "", "url": "https://x.example.org/a.ics"}, "be blank"),
        ({"name": "x", "url": "https://x.example.org/a.ics", "position": "9999"}, "A whole number from 1"),
    ):
        answer = lead.send(f"{path}/calendars", fields)
        assert answer.status_code == 422 and why in answer.text, fields


# ---------------------------------------------------------------- without a log-in


def test_a_page_of_who_is_on_call_needs_no_log_in_and_shows_no_address(
    home: Home, lead: Lead, browser: Browser, page: Page
) -> None:
    path = lead.schedule("Open to all", home.ana)
    lead.schedule("Not for all", home.house.bo["id"])
    page.goto(home.url("/schedules/shared"))
    page.fill("[name=name]", "Who to call")
    page.get_by_label("Open to all").check()
    page.get_by_role("button", name="Make an address").click()
    item = page.locator("li", has_text="Who to call")
    address = item.locator("code").inner_text()
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="light")
    outside = context.new_page()
    outside.goto(address)
    expect(outside.get_by_role("heading", name="Open to all")).to_be_visible()
    expect(outside.locator(".who")).to_have_text("Ana Web")
    said = outside.inner_text("main")
    assert "@" not in said and "Not for all" not in said
    assert outside.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()
    answer = httpx.get(address)
    assert answer.headers["cache-control"] == "private, max-age=20"
    assert httpx.get(f"{address}x").text == "Not found.\n"
    item.get_by_role("button", name="Cancel it").click()
    expect(page.get_by_text("The address leads nowhere now.")).to_be_visible()
    gone = httpx.get(address)
    assert (gone.status_code, gone.text) == (404, "Not found.\n")
    assert lead.http.get(path).status_code == 200


def test_only_who_plans_may_share(home: Home, lead: Lead, zara: str) -> None:
    path = lead.schedule("Kept to themselves", home.ana)
    theirs = Lead(home, ZARA)
    assert theirs.http.get("/schedules/shared").status_code == 403
    assert theirs.send(f"{path}/links", {"kind": "board"}).status_code == 403
    assert theirs.send(f"{path}/calendars", {"name": "x", "url": "https://x.example.org"}).status_code == 403
    theirs.http.close()


def test_a_schedule_that_is_deleted_leaves_a_shared_page(home: Home, lead: Lead, page: Page) -> None:
    path = lead.schedule("Soon gone", home.ana)
    page.goto(home.url(path))
    page.get_by_role("button", name="Make a public page").click()
    address = page.locator("#address-1").inner_text()
    assert "Soon gone" in httpx.get(address).text
    lead.made(f"{path}/delete", {})
    shown = httpx.get(address)
    assert shown.status_code == 200 and "nothing to show here" in shown.text and "Soon gone" not in shown.text
