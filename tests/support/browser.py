"""A real Chromium that watches what pages must never do: errors on the console, requests to another host."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from conftest import require_real
from support import bodies
from support.household import House, Sender
from support.programs import installed

PASSWORD = "correct horse battery"
ANA = "ana.web@example.org"


def firing(name: str, *, annotations: dict[str, str] | None = None, **labels: str) -> bodies.Json:
    """Return a notification of one firing alert, in a group of its own."""
    own = {"alertname": name, **labels}
    return bodies.firing(labels=own, annotations=annotations, common=own, groupKey=f"{{}}:{{{name}}}")


class Home:
    """An installation and people who log in to it."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.ana = self.person(ANA, "Ana Web", "owner")

    def person(self, email: str, name: str, role: str) -> str:
        """Make somebody who knows the password and return the id."""
        words = ("user", "add", email, "--name", name, "--role", role, "--password-stdin")
        return self.house.program.run(*words, stdin=PASSWORD)

    def url(self, path: str) -> str:
        """Return where a page is."""
        return f"{self.house.program.url}{path}"

    def pages_ana(self, name: str, source: Sender | None = None) -> str:
        """Send an alert that pages Ana and return its short id."""
        body = firing(name, severity="critical", instance="web-1")
        answer = (source or self.house.source()).give(body, f"/notify/User/{self.ana}")
        return str(answer.results[0]["short_id"])


class Watch:
    """Collects what a page did wrong."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.wrong: list[str] = []

    def follow(self, page: Page) -> Page:
        """Watch a page from now on."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.wrong.append(f"{page.url}: {error}"))
        page.on("request", self._request)
        return page

    def _console(self, message: ConsoleMessage) -> None:
        # Chromium reports an answer of 4xx as an error, whoever wanted it.
        if (
            message.type in ("error", "warning")
            and "the server responded with a status of 4" not in message.text
        ):
            self.wrong.append(f"{message.type}: {message.text}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:")):
            self.wrong.append(f"a request to {request.url}")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the distribution's Chromium, without a window."""
    program = installed("chromium", "chromium-browser")
    if program is None:
        require_real("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


def logged_in(context: BrowserContext, url: str, email: str, password: str = PASSWORD) -> Page:
    """Log in with the form and return the page."""
    page = context.new_page()
    page.goto(f"{url}/login")
    page.fill("[name=email]", email)
    page.fill("[name=password]", password)
    page.click("text=Log in >> nth=-1")
    page.wait_for_url(f"{url}/")
    return page


@contextmanager
def anas_page(
    browser: Browser, home: Home, width: int = 1280, height: int = 900, *, may_say: str | None = None
) -> Iterator[Page]:
    """Lend Ana's browser, logged in; what it complains about fails the test, but for what it may say."""
    context = browser.new_context(viewport={"width": width, "height": height})
    context.set_default_timeout(20_000)
    watch = Watch(home.house.program.url)
    yield watch.follow(logged_in(context, home.house.program.url, ANA))
    context.close()
    assert [fault for fault in watch.wrong if may_say is None or may_say not in fault] == []
