"""Short ids name one alert each, and look like nothing in particular."""

from hypothesis import given
from hypothesis import strategies as st

from nightbell.core import shortid


@given(st.integers(0, 62**6 - 1))
def test_a_short_id_leads_back_to_its_number(number):
    assert shortid.decode(shortid.encode(number)) == number


def test_a_short_id_is_six_letters_and_digits():
    assert all(len(shortid.encode(n)) == 6 and shortid.encode(n).isalnum() for n in range(1000, 3000))


def test_neighbours_look_nothing_alike():
    ids = [shortid.encode(n) for n in range(1000, 1100)]
    assert len(set(ids)) == 100
    assert len({i[:2] for i in ids}) > 50


@given(st.text(max_size=8))
def test_what_cannot_be_one_is_none(text):
    plain = len(text) == 6 and text.isascii() and text.isalnum()
    assert (shortid.decode(text) is not None) == plain
