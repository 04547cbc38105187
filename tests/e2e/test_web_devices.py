"""A person adds chats and devices on their own page: forms say what to do, and a push rings and acknowledges."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from nightbell.testing.browsers import Browser as Subscriber
from support.browser import ANA, Home, Watch, logged_in

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]

#: A browser without a push service to ask: what it would be given stands in the page.
SUBSCRIBES = """
const made = %s;
PushManager.prototype.getSubscription = async () => null;
PushManager.prototype.subscribe = async function (options) {
  window.asked = Array.from(new Uint8Array(options.applicationServerKey));
  return { endpoint: made.endpoint, toJSON: () => ({ keys: made.keys }) };
};
"""


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    fresh = browser.new_context(viewport={"width": 1280, "height": 900})
    fresh.set_default_timeout(20_000)
    yield fresh
    fresh.close()


@pytest.fixture
def page(context: BrowserContext, home: Home) -> Iterator[Page]:
    """Ana's browser, logged in; what it complains about fails the test."""
    watch = Watch(home.house.program.url)
    entered = watch.follow(logged_in(context, home.house.program.url, ANA))
    entered.goto(home.url("/me"))
    yield entered
    assert watch.wrong == []


@pytest.mark.parametrize(
    ("kind", "wrong", "says", "right", "shown"),
    [
        ("Teams", "https://10.0.0.1/hook", "private or reserved", "https://teams.example.org/w?sig=s3cr3t", "teams.example.org"),
        ("Discord", "hello", "not a Discord webhook", "https://discord.com/api/webhooks/123456789/" + "k" * 60, "discord.com"),
        ("Mattermost", "https://chat.example.org/x", "not a Mattermost webhook", "https://chat.example.org/hooks/" + "k" * 26, "chat.example.org"),
        ("Telegram", "ana", "not a Telegram chat", "123456789", "123456789"),
        ("Apprise", "file:///etc/passwd", "cannot use", "pover://user@t0ken", "pover://"),
    ],
)  # fmt: skip
def test_a_form_says_what_is_wrong_and_shows_no_key_afterwards(
    page: Page, kind: str, wrong: str, says: str, right: str, shown: str
) -> None:
    page.click(f"summary:has-text('Add {kind}')")
    form = page.locator(f"form:has(input[value={kind.lower()}])").first
    form.locator("[name=address]").fill(wrong)
    form.locator("button:text-is('Add')").click()
    expect(page.locator("details[open] .error")).to_contain_text(says)
    form = page.locator(f"form:has(input[value={kind.lower()}])").first
    assert form.locator("[name=address]").input_value() == wrong
    form.locator("[name=address]").fill(right)
    form.locator("button:text-is('Add')").click()
    line = page.locator("#methods li", has_text=kind).first
    expect(line).to_contain_text(shown)
    expect(page.locator(".toast")).to_contain_text("Added")
    content = page.content()
    assert all(secret not in content for secret in ("s3cr3t", "k" * 26, "t0ken"))
    page.once("dialog", lambda dialog: dialog.accept())
    line.locator("button:text-is('Remove')").click()
    expect(page.locator("#methods")).not_to_contain_text(shown)


def test_without_a_bot_the_page_says_who_can_help(page: Page) -> None:
    page.click("summary:has-text('Add Telegram')")
    expect(page.locator("details[open]")).to_contain_text("an administrator enters its token")


def test_a_device_is_allowed_and_can_be_tested(context: BrowserContext, page: Page, home: Home) -> None:
    browser = Subscriber()
    made = {"endpoint": "https://push.example.org/send/abc", "keys": browser.settings}
    context.grant_permissions(["notifications"], origin=home.house.program.url)
    page.add_init_script(SUBSCRIBES % json.dumps(made))
    page.reload()
    page.click("text=Allow on this device")
    line = page.locator("#methods li", has_text="Push")
    expect(line).to_contain_text("✓ may be paged")
    expect(line).to_contain_text("Chrome on Linux")
    assert len(page.evaluate("window.asked")) == 65
    told = page.request.get(home.url("/me")).text()
    assert browser.settings["auth"] not in told and "push.example.org" not in told
    page.click("text=Allow on this device")
    expect(page.locator(".toast")).to_contain_text("This device is allowed")
    assert page.locator("#methods li", has_text="Push").count() == 1
    page.once("dialog", lambda dialog: dialog.accept())
    line.locator("button:text-is('Remove')").click()
    expect(page.locator("#methods")).not_to_contain_text("Chrome on Linux")


def test_a_subscription_that_the_browser_replaced_is_handed_in_by_the_next_page(
    context: BrowserContext, page: Page, home: Home
) -> None:
    first, second = Subscriber(), Subscriber()
    made = {"endpoint": "https://push.example.org/send/first", "keys": first.settings}
    context.grant_permissions(["notifications"], origin=home.house.program.url)
    page.add_init_script(SUBSCRIBES % json.dumps(made))
    page.reload()
    page.click("text=Allow on this device")
    expect(page.locator("#methods")).to_contain_text("Chrome on Linux")
    replaced = {"endpoint": "https://push.example.org/send/second", "keys": second.settings}
    other = context.new_page()
    other.add_init_script(SUBSCRIBES % json.dumps(replaced))
    with other.expect_response("**/me/push") as answered:
        other.goto(home.url("/alerts"))
    assert answered.value.status in (200, 303)
    page.reload()
    lines = page.locator("#methods li", has_text="Push")
    expect(lines).to_have_count(2)
    for _ in range(2):
        page.once("dialog", lambda dialog: dialog.accept())
        lines.first.locator("button:text-is('Remove')").click()
        expect(page.locator(".toast")).to_contain_text("Removed")
        page.reload()
    expect(lines).to_have_count(0)
    page.evaluate("localStorage.removeItem('nightbell_push')")


def test_a_subscription_that_no_browser_makes_is_refused(
    context: BrowserContext, page: Page, home: Home
) -> None:
    made = {"endpoint": "https://10.0.0.1/send", "keys": {"p256dh": "x", "auth": "y"}}
    context.grant_permissions(["notifications"], origin=home.house.program.url)
    page.add_init_script(SUBSCRIBES % json.dumps(made))
    page.reload()
    page.click("text=Allow on this device")
    expect(page.locator("#push .error")).to_contain_text("private or reserved")


def test_a_push_is_shown_and_acknowledged_without_opening_a_page(
    context: BrowserContext, page: Page, home: Home
) -> None:
    url = home.house.program.url
    short = home.pages_ana("PushedDisk")
    mail = home.house.mailed({"short_id": short}, {"email": ANA})[0]
    link = re.findall(r"https?://\S+/acknowledge", mail.text)
    context.grant_permissions(["notifications"], origin=url)
    registered = page.evaluate(
        "async () => { const r = await navigator.serviceWorker.register('/sw.js'); await navigator.serviceWorker.ready; return r.scope }"
    )
    assert registered == f"{url}/"
    worker = (
        context.service_workers[0] if context.service_workers else context.wait_for_event("serviceworker")
    )
    told = {"title": "[TRIGGERED] PushedDisk", "body": "b", "tag": short, "url": "/me", "loud": True, "at": 0,
            "acknowledge": link[0]}  # fmt: skip
    shown = worker.evaluate(
        """async (told) => {
          const event = new PushEvent("push", { data: JSON.stringify(told) });
          self.dispatchEvent(event);
          for (let n = 0; n < 50; n++) {
            const found = await self.registration.getNotifications();
            if (found.length) return found.map((one) => [one.title, one.tag, one.actions.map((a) => a.action)]);
            await new Promise((then) => setTimeout(then, 50));
          }
          return [];
        }""",
        told,
    )
    assert shown == [["[TRIGGERED] PushedDisk", short, ["acknowledge", "open"]]]
    worker.evaluate(
        """async () => {
          const [notification] = await self.registration.getNotifications();
          self.dispatchEvent(new NotificationEvent("notificationclick", { notification, action: "acknowledge" }));
        }"""
    )
    page.goto(f"{url}/account/alerts/{short}")
    expect(page.locator("main")).to_contain_text("Acknowledged by Ana Web")


def test_the_pages_can_be_installed_as_an_app(page: Page, home: Home) -> None:
    href = page.locator("link[rel=manifest]").get_attribute("href")
    manifest = page.request.get(home.url(str(href))).json()
    assert (manifest["display"], manifest["start_url"]) == ("standalone", "/")
    for icon in manifest["icons"]:
        answer = page.request.get(home.url(icon["src"]))
        assert (answer.status, answer.headers["content-type"]) == (200, icon["type"])
    worker = page.request.get(home.url("/sw.js"))
    assert worker.headers["content-type"].startswith("text/javascript")
    assert worker.headers["cache-control"] == "no-cache"
