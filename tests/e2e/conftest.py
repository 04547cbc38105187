"""Fixtures of the tests from outside: the real program, started once."""

from collections.abc import Iterator

import pytest

from support.household import House, Sender, opened


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """An installation with people in it; tests keep apart by a source each."""
    with opened(tmp_path_factory.mktemp("house")) as opened_house:
        yield opened_house


@pytest.fixture
def source(house: House) -> Sender:
    """A source of this test alone."""
    return house.source()
