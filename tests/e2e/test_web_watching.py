"""Heartbeats, the ledger, the auditor and "why", looked at in a browser of a program whose clock stands still."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from support.browser import PASSWORD, Watch, logged_in
from support.household import Api
from support.programs import Nightbell, eventually

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]
START = datetime(2027, 3, 1, 2, 0, tzinfo=UTC)
EMAIL = "olive@example.org"
#: Where to keep pictures of the pages, for whoever wants to look.
PICTURES = os.environ.get("PICTURES", "")


class Watched:
    """A program with people, a heartbeat that beats and one that fell silent."""

    def __init__(self, folder: Path) -> None:
        self.program = Nightbell(folder, settings={"test_clock": START.isoformat(), "log_level": "warning"})
        self.program.start()
        add = ("user", "add", EMAIL, "--name", "Olive Owner", "--role", "owner", "--password-stdin")
        self.olive = self.program.run(*add, stdin=PASSWORD)
        self.api = Api(self.program.url, self.program.run("token", "create", "--user", EMAIL))
        self.now = START

    def heartbeat(self, name: str, **more: object) -> dict:
        fields = {"interval": 5, "interval_unit": "minutes", "enabled": True, **more}
        target = {"notification_target_type": "User", "notification_target_id": self.olive}
        return self.api.add("/heartbeats", name=name, alert_summary=f"{name} is silent", **fields, **target)

    def ping(self, heartbeat: dict) -> None:
        url = f"{self.program.url}/v1/heartbeats/{heartbeat['id']}/ping"
        headers = {"Authorization": f"Bearer {heartbeat['secret']}"}
        assert httpx.get(url, headers=headers).status_code == 204

    def wait(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)
        body = {"to": self.now.isoformat()}
        httpx.post(f"{self.program.url}/testing/clock", json=body, timeout=60).raise_for_status()

    def sql(self, text: str) -> None:
        """Put a fault into the tables."""
        self.program.run("db", "shell", "-c", text)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    made = Watched(tmp_path_factory.mktemp("watched"))
    beats, silent = made.heartbeat("Nightly backup", interval=10), made.heartbeat("Prometheus")
    made.heartbeat("New one")
    made.heartbeat("Switched off", enabled=False)
    made.ping(silent)
    for _ in range(12):
        made.ping(beats)
        made.wait(1.7)
    yield made
    made.api.close()
    made.program.stop()


@pytest.fixture(params=[("dark", 1280), ("light", 390)], ids=["dark desk", "light phone"])
def page(request: pytest.FixtureRequest, browser: Browser, watched: Watched) -> Iterator[Page]:
    theme, width = request.param
    context = browser.new_context(viewport={"width": width, "height": 900})
    context.add_cookies([{"name": "nightbell_theme", "value": theme, "url": watched.program.url}])
    context.set_default_timeout(20_000)
    watch = Watch(watched.program.url)
    found = watch.follow(logged_in(context, watched.program.url, EMAIL))
    found.look = f"{theme}-{width}"  # type: ignore[attr-defined]
    yield found
    context.close()
    assert watch.wrong == []


def look(page: Page, name: str) -> None:
    """Check that a page fits, and keep a picture."""
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{name} is {wide} px too wide"
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name}-{page.look}.png", full_page=True)  # type: ignore[attr-defined]


def test_heartbeats_show_who_beats_and_who_is_silent(watched: Watched, page: Page) -> None:
    page.goto(f"{watched.program.url}/heartbeats")
    rows = page.locator("#beats li")
    expect(rows.first).to_contain_text("Silent")
    expect(rows.first).to_contain_text("Prometheus")
    expect(page.locator("#beats li", has_text="Nightly backup")).to_contain_text("Beats")
    expect(page.locator("#beats li", has_text="New one")).to_contain_text("never heard")
    expect(page.locator("#beats li", has_text="Switched off")).to_contain_text("Off")
    look(page, "heartbeats")
    page.click("#beats a:has-text('Prometheus')")
    expect(page.locator("h1")).to_have_text("Prometheus")
    expect(page.locator("#heard")).to_contain_text("Silent")
    look(page, "heartbeat")


def test_a_heartbeat_is_made_on_the_page_and_beats_by_what_it_says_to_copy(
    watched: Watched, page: Page
) -> None:
    page.goto(f"{watched.program.url}/heartbeats")
    name = f"Made on {page.look}"  # type: ignore[attr-defined]
    page.fill("[name=name]", name)
    page.fill("[name=count]", "2")
    page.select_option("[name=unit]", "hours")
    page.select_option("[name=target]", label="Olive Owner")
    page.get_by_role("button", name="Make it").click()
    expect(page.locator("h1")).to_have_text(name)
    expect(page.locator("#heard")).to_contain_text("every 2 hours")
    url = page.locator("#link").get_attribute("data-secret") or ""
    assert httpx.get(url.replace(url.split("/v1")[0], watched.program.url)).status_code == 204
    page.reload()
    expect(page.locator("#heard")).to_contain_text("by HTTP")


def test_the_alert_says_why(watched: Watched, page: Page) -> None:
    [alert] = watched.api.list("/alerts")
    page.goto(f"{watched.program.url}/alerts/{alert['short_id']}")
    expect(page.locator("#why")).to_contain_text("Olive Owner was paged")
    page.click("#why summary")
    expect(page.locator("#why")).to_contain_text("accepted at")
    look(page, "why")
    said = watched.program.run("why", alert["short_id"])
    assert "Olive Owner was paged" in said and "accepted at" in said
    assert "once" in watched.program.run("why", alert["id"], "--person", "Olive Owner")


def test_the_ledger_shows_its_end_and_exports(watched: Watched, page: Page) -> None:
    eventually(lambda: watched.program.run("ledger", "verify").split()[0] != "0", within=20)
    page.goto(f"{watched.program.url}/ledger")
    expect(page.locator("table")).to_contain_text("Handed over")
    end = watched.program.run("ledger", "verify")
    expect(page.locator("#head")).to_have_text(end)
    look(page, "ledger")
    with page.expect_download() as download:
        page.click("text=Export JSON lines")
    file = download.value.path()
    assert watched.program.run("ledger", "verify", str(file)) == end


def test_the_auditor_says_that_all_promises_hold(watched: Watched, page: Page) -> None:
    page.goto(f"{watched.program.url}/auditor")
    expect(page.locator(".list li")).to_have_count(4)
    expect(page.locator(".list")).not_to_contain_text("Broken")
    look(page, "auditor")


def test_a_promise_that_does_not_hold_is_a_banner_on_every_page_and_a_page_to_the_operators(
    watched: Watched, page: Page
) -> None:
    watched.sql("UPDATE ledger SET entry = replace(entry, 'decided', 'denied') WHERE position = 1")

    def seen() -> bool:
        page.goto(f"{watched.program.url}/heartbeats")
        return page.locator("#promises .banner").count() == 1

    eventually(seen, within=60, what="the banner")
    page.click("#promises a")
    expect(page.locator("main")).to_contain_text("The ledger breaks at entry 1")
    expect(page.locator(".list")).to_contain_text("Broken")
    look(page, "auditor-broken")
    [alarm] = [a for a in watched.api.list("/alerts") if "auditor: the ledger" in a["summary"]]
    assert alarm["status"] == "triggered"
    assert "nightbell_audit_findings" in httpx.get(f"{watched.program.url}/metrics").text
    assert watched.program.metric('nightbell_audit_findings{invariant="ledger"}') >= 1
