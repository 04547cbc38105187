"""`nightbell throttle` against the running program."""

import pytest

from contract.cli.conftest import Program

pytestmark = pytest.mark.timeout(180)


def test_a_throttle_is_added_listed_and_removed(served: Program) -> None:
    made = served.says("throttle", "add", "email", "1", "60").strip()
    listed = served.says("throttle", "list")
    assert made in listed
    assert "email" in listed
    served.says("throttle", "remove", made)
    assert made not in served.says("throttle", "list")


def test_a_throttle_that_means_nothing_is_refused_in_a_sentence(served: Program) -> None:
    assert "must be from 1 to" in served.refuses("throttle", "add", "email", "0", "60")
    assert "scope" in served.refuses("throttle", "add", "email", "1", "60", "--scope", "galaxy").lower()
