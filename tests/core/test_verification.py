"""Codes that prove an address: short-lived, guessed at a few times, sent a few times a day."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from nightbell.core import verification
from nightbell.core.verification import LIFE, MOST_A_DAY, MOST_TRIES, PAUSE, Sent, code, sent_again, tried

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
KEY = b"k" * 32
MESSAGE = UUID(int=7)


def fresh(before: Sent | None = None, now: datetime = NOW, message: UUID = MESSAGE) -> Sent:
    made = sent_again(before, message, now)
    assert isinstance(made, Sent), made
    return made


def test_the_code_that_was_sent_is_right_once():
    known, wrong = tried(KEY, fresh(), code(KEY, MESSAGE), NOW)
    assert wrong == ""
    assert tried(KEY, known, code(KEY, MESSAGE), NOW)[1].startswith("No code waits")


@pytest.mark.parametrize("typed", [" 12 34 56 ", "123-456", "123456\n"])
def test_spaces_and_dashes_do_not_matter(typed, monkeypatch):
    monkeypatch.setattr(verification, "code", lambda key, ident: "123456")
    assert tried(KEY, fresh(), typed, NOW)[1] == ""


@pytest.mark.parametrize("typed", ["", "1", "abcdef", "１２３４５６", "1234567", "' OR 1=1"])
def test_what_is_no_code_is_a_wrong_one(typed):
    assert tried(KEY, fresh(), typed, NOW)[1] == "That is not the code. 4 tries left."


def test_after_five_wrong_ones_even_the_right_one_is_refused():
    known: Sent | None = fresh()
    for left in range(MOST_TRIES - 1, 0, -1):
        known, wrong = tried(KEY, known, "x", NOW)
        assert f"{left} tr" in wrong
    known, wrong = tried(KEY, known, "x", NOW)
    assert wrong.startswith("Too many")
    assert tried(KEY, known, code(KEY, MESSAGE), NOW)[1].startswith("No code waits")


def test_a_code_expires():
    known = fresh()
    assert tried(KEY, known, code(KEY, MESSAGE), NOW + LIFE - timedelta(seconds=1))[1] == ""
    assert tried(KEY, known, code(KEY, MESSAGE), NOW + LIFE)[1].startswith("This code has expired")


def test_a_new_code_replaces_the_old_one():
    first = fresh()
    second = fresh(first, NOW + PAUSE, UUID(int=8))
    assert "not the code" in tried(KEY, second, code(KEY, MESSAGE), NOW + PAUSE)[1]
    assert tried(KEY, second, code(KEY, UUID(int=8)), NOW + PAUSE)[1] == ""


def test_codes_are_not_sent_faster_than_people_can_type():
    assert "Ask again in 30 s" in str(sent_again(fresh(), MESSAGE, NOW + timedelta(milliseconds=500)))


def test_so_many_codes_a_day_and_no_more():
    known, now = fresh(), NOW
    for _ in range(MOST_A_DAY - 1):
        now += PAUSE
        known = fresh(known, now)
    assert "within a day" in str(sent_again(known, MESSAGE, now + PAUSE))
    assert fresh(known, NOW + timedelta(days=1)).sent_today == 1


def test_codes_of_other_keys_and_messages_differ():
    codes = {code(KEY, UUID(int=n)) for n in range(200)} | {code(b"x" * 32, MESSAGE)}
    assert len(codes) > 195
    assert all(len(c) == 6 and c.isdigit() for c in codes)
