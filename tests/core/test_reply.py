"""What people answer at three in the morning, and the codes they answer with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightbell.core.reply import Command, code, free_code, parse


@pytest.mark.parametrize(
    ("text", "verb", "with_code"),
    [
        ("1", "acknowledge", ""),
        ("ack", "acknowledge", ""),
        ("ACK 4F", "acknowledge", "4F"),
        ("4f ack", "acknowledge", "4F"),
        ("  Ack,4F. ", "acknowledge", "4F"),
        ("4F", "acknowledge", "4F"),
        ("4F2", "acknowledge", "4F2"),
        ("2 4F", "resolve", "4F"),
        ("res 4F", "resolve", "4F"),
        ("Resolved 4f", "resolve", "4F"),
        ("esc 4F", "escalate", "4F"),
        ("3", "escalate", ""),
        ("snooze 4F", "snooze", "4F"),
        ("yes!", "acknowledge", ""),
        ("help", "help", ""),
    ],
)
def test_an_answer_is_understood(text, verb, with_code):
    assert parse(text) == Command(verb=verb, code=with_code)


def test_ack_all_means_everything():
    assert parse("ack all") == Command(verb="acknowledge", everything=True)


@pytest.mark.parametrize(
    "text",
    ["", " ", "!!", "hello", "who is this", "ack 4F 5G", "1 2", "all", "ack res", "ack 4F all", "ack 11", "ack O0",
     "no", "ack the disk one please", "4F ack now", "１"],
)  # fmt: skip
def test_what_is_not_clear_is_not_guessed_at(text):
    assert parse(text) is None


@given(st.text())
def test_no_answer_breaks_anything(text):
    found = parse(text)
    assert found is None or found.verb in {"acknowledge", "resolve", "escalate", "snooze", "help"}


def test_codes_are_distinct_and_come_back_understood():
    codes = [code(n) for n in range(144 + 1152)]
    assert len(set(codes)) == len(codes)
    assert all(parse(f"ack {c}") == Command(verb="acknowledge", code=c) for c in codes)
    assert {len(c) for c in codes[:144]} == {2}


def test_neighbouring_codes_differ_in_both_characters():
    assert all(
        a[0] != b[0] and a[1] != b[1]
        for a, b in zip(map(code, range(7)), map(code, range(1, 8)), strict=True)
    )


def test_a_code_in_use_is_not_given_again():
    taken: set[str] = set()
    for _ in range(1296):
        taken.add(free_code(taken))
    assert len(taken) == 1296
    assert free_code(taken) == code(0)
