"""Fixtures of the tests from outside: the real program, started once."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from support.browser import Home, anas_page, chromium
from support.household import House, Sender, opened

# Two browsers and a dozen programs share a small machine: what takes long there is not wrong.
expect.set_options(timeout=15_000)


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """An installation with people in it; tests keep apart by a source each."""
    with opened(tmp_path_factory.mktemp("house")) as opened_house:
        yield opened_house


@pytest.fixture
def source(house: House) -> Sender:
    """A source of this test alone."""
    return house.source()


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """An installation for the tests of the pages, with Ana, who owns it and knows her password."""
    with opened(tmp_path_factory.mktemp("home")) as opened_house:
        yield Home(opened_house)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium for the tests of a module, which make contexts of their own.

    Playwright keeps an event loop running in this thread, so it must be gone before the next asynchronous test.
    """
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser: Browser, home: Home) -> Iterator[Page]:
    """Ana's browser, logged in; what it complains about fails the test."""
    with anas_page(browser, home) as lent:
        yield lent
