"""Links in messages open for whom they were made, until they expire, and for nobody who changed a bit."""

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightbell.core import links
from nightbell.core.errors import Forbidden
from nightbell.core.links import Link
from support.pure import NOW

KEY = b"k" * 32
EXPIRES = int((NOW + links.LIFE).timestamp())
LINK = Link(UUID(int=1), 27854, UUID(int=2), 3, EXPIRES)


@given(st.uuids(), st.integers(0, 2**31), st.uuids(), st.integers(0, 10**6))
def test_a_link_opens_as_it_was_made(alert, user, notification, as_of):
    link = Link(alert, user, notification, as_of, EXPIRES)
    assert links.opened(KEY, links.sign(KEY, link), NOW) == link


def test_a_token_is_safe_in_a_path_and_short_enough_for_an_sms():
    token = links.sign(KEY, LINK)
    assert token.replace("-", "").replace("_", "").isalnum()
    assert len(token) < 90


def test_a_link_dies_at_its_time():
    token = links.sign(KEY, LINK)
    assert links.opened(KEY, token, NOW + links.LIFE - timedelta(seconds=1))
    with pytest.raises(Forbidden, match="expired"):
        links.opened(KEY, token, NOW + links.LIFE)


def test_another_key_opens_nothing():
    with pytest.raises(Forbidden, match="not valid"):
        links.opened(b"x" * 32, links.sign(KEY, LINK), NOW)


@given(st.data())
def test_a_changed_link_opens_nothing(data):
    token = links.sign(KEY, LINK)
    place = data.draw(st.integers(0, len(token) - 2))
    letter = data.draw(st.sampled_from("AZaz09-_").filter(lambda c: c != token[place]))
    with pytest.raises(Forbidden):
        links.opened(KEY, token[:place] + letter + token[place + 1 :], NOW)


@given(st.text(max_size=200) | st.binary(max_size=100).map(lambda b: b.hex()))
def test_no_text_at_all_breaks_it(text):
    with pytest.raises(Forbidden):
        links.opened(KEY, text, NOW)
