"""Outgoing webhooks in a browser: made, tried, seen to fail, seen to arrive, sent once more; a room where Slack is away."""

import hashlib
import hmac
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from support.browser import PASSWORD, Watch, logged_in
from support.household import Api
from support.programs import Nightbell

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]
EMAIL = "olive@example.org"
#: Where to keep pictures of the pages, for whoever wants to look.
PICTURES = os.environ.get("PICTURES", "")


class Sink:
    """A receiver that answers what it is told to, and keeps what it was sent."""

    def __init__(self) -> None:
        self.status = 200
        self.got: list[tuple[str, bytes]] = []
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                sink.got.append((self.headers["X-Rootly-Signature"], body))
                self.send_response(sink.status)
                self.end_headers()
                self.wfile.write(b"thank you" if sink.status == 200 else b"not today")

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    made = Sink()
    yield made
    made.server.shutdown()


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nightbell]:
    settings = {
        "log_level": "warning",
        "allow_networks": "127.0.0.0/8",
        # Nobody is there: what is in the way is said.
        "slack_base_url": "http://127.0.0.1:9/api",
        "slack_bot_token": "xoxb-nobody",
    }
    made = Nightbell(tmp_path_factory.mktemp("webhooks"), settings=settings)
    made.start()
    made.run(
        "user", "add", EMAIL, "--name", "Olive Owner", "--role", "owner", "--password-stdin", stdin=PASSWORD
    )
    yield made
    made.stop()


@pytest.fixture(params=[("dark", 1280), ("light", 390)], ids=["dark desk", "light phone"])
def page(request: pytest.FixtureRequest, browser: Browser, program: Nightbell) -> Iterator[Page]:
    theme, width = request.param
    context = browser.new_context(viewport={"width": width, "height": 900})
    context.add_cookies([{"name": "nightbell_theme", "value": theme, "url": program.url}])
    watch = Watch(program.url)
    page = watch.follow(logged_in(context, program.url, EMAIL))
    yield page
    context.close()
    assert watch.wrong == []


def picture(page: Page, name: str) -> None:
    """Keep a picture, and hold the page to its width."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{name} is too wide"
    if PICTURES:
        width = page.viewport_size["width"] if page.viewport_size else 0
        page.screenshot(path=Path(PICTURES) / f"webhooks-{name}-{width}.png", full_page=True)


def test_an_endpoint_is_made_tried_and_seen_to_fail_and_to_arrive(
    page: Page, program: Nightbell, sink: Sink
) -> None:
    page.goto(f"{program.url}/integrations")
    page.get_by_role("link", name="Outgoing webhooks").click()
    expect(page.get_by_role("button", name="Make it")).to_be_visible()
    picture(page, "empty")
    page.locator("[name=name]").fill("Ticket system")
    page.locator("[name=url]").fill("http://10.0.0.1/hook")
    page.get_by_role("button", name="Make it").click()
    expect(page.locator(".error").first).to_contain_text("private or reserved address")
    page.locator("[name=url]").fill(sink.url)
    page.get_by_role("button", name="Make it").click()
    secret = page.locator("#secret").inner_text()
    assert len(secret) == 64
    picture(page, "secret")
    sink.status = 500
    page.get_by_role("button", name="Send a test").click()
    expect(page.locator("#tries")).to_contain_text("HTTP 500", timeout=15_000)
    picture(page, "failing")
    sink.status = 200
    page.get_by_role("button", name="Send it once more").click()
    expect(page.locator("#tries")).to_contain_text("✓ delivered", timeout=15_000)
    picture(page, "delivered")
    stamp, mark = (part.partition("=")[2] for part in sink.got[-1][0].split(","))
    wanted = hmac.new(secret.encode(), stamp.encode() + sink.got[-1][1], hashlib.sha256).hexdigest()
    assert mark == wanted
    page.get_by_role("link", name="Ticket system").click()
    expect(page.get_by_label("Name of header 1")).to_be_visible()
    assert secret not in page.content(), "it was shown once"
    page.get_by_label("Name of header 1").fill("Authorization")
    page.get_by_label("Value of header 1").fill("Bearer t0ken")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".toast")).to_contain_text("Saved")
    assert "t0ken" not in page.content()
    picture(page, "endpoint")
    page.goto(f"{program.url}/integrations/webhooks")
    picture(page, "list")


def test_a_room_that_cannot_be_opened_says_why(page: Page, program: Nightbell) -> None:
    api = Api(program.url, program.run("token", "create", "--user", EMAIL))
    made = api.add("/incidents", title="Disk full")
    api.close()
    page.goto(f"{program.url}/incidents/{made['sequential_id']}")
    picture(page, "incident")
    page.get_by_role("button", name="Open a room").click()
    expect(page.locator("#room")).to_contain_text("cannot connect", timeout=15_000)
    picture(page, "room")
