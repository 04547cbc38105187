"""What a text message says, and how it fits into what networks carry."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightbell.channels.gsm import fitting, is_gsm, length, plain, segments
from nightbell.channels.sms import Sms, meaning, render
from nightbell.core.delivery import Purpose, Refused
from nightbell.core.errors import Invalid
from nightbell.core.receipt import Stage
from nightbell.net.guard import Guard
from nightbell.net.http import Http

LINK = "https://bell.example.org/a/" + "t" * 98


def test_a_page_says_what_where_to_look_and_what_to_answer(make_message):
    text = render(make_message(acknowledge_url=f"{LINK}/acknowledge", reply_code="4F"))
    assert text == f"High: HighErrorRate (3 firing)\n{LINK}\nReply ACK 4F, RES 4F or ESC 4F"


def test_an_update_names_no_code(make_message):
    text = render(make_message(purpose=Purpose.UPDATE, title="Resolved: x", reply_code=""))
    assert text == "Nightbell: Resolved: x\nhttps://bell.example.org/alerts/E89PYM"


@pytest.mark.parametrize(
    "title", ["x" * 5000, "\u6f22" * 5000, "\U0001f525" * 5000, "€[]" * 2000, "e\u0301" * 2000]
)
def test_a_long_title_is_cut_with_a_mark_and_the_link_and_code_are_kept(make_message, title):
    text = render(make_message(title=title, acknowledge_url=f"{LINK}/acknowledge", reply_code="4F"))
    assert segments(text) <= 4
    assert text.endswith(f"\n{LINK}\nReply ACK 4F, RES 4F or ESC 4F")
    assert ("..." if is_gsm(text) else "…") in text


def test_typographic_characters_do_not_halve_what_fits(make_message):
    text = render(make_message(title="“Disk” – 90 % full… it’s bad"))
    assert is_gsm(text)
    assert '"Disk" - 90 % full... it\'s bad' in text


@pytest.mark.parametrize(
    ("text", "units", "parts"),
    [
        ("a" * 160, 160, 1), ("a" * 161, 161, 2), ("a" * 306, 306, 2), ("a" * 307, 307, 3),
        ("€" * 80, 160, 1), ("€" * 81, 162, 2),
        ("\u6f22" * 70, 70, 1), ("\u6f22" * 71, 71, 2), ("\U0001f525" * 35, 70, 1), ("\U0001f525" * 36, 72, 2), ("", 0, 1),
    ],
)  # fmt: skip
def test_segments_are_counted_as_networks_do(text, units, parts):
    assert (length(text), segments(text)) == (units, parts)


@given(st.text(max_size=1500), st.text(alphabet="abc/:.", max_size=150))
def test_whatever_is_said_fits_and_keeps_its_end(head, tail):
    text = fitting(plain(head), tail, most=4)
    assert segments(text) <= 4
    assert text.endswith(tail)


@pytest.mark.parametrize(
    "number",
    ["", "123", "07700900123", "+0123456789", "+44 7700 900123", "+4477009001234567", "0044770090012", "+44abc",
     "+447700900123\n", "+４４７７００９００１２３", "tel:+447700900123", "whatsapp:+447700900123"],
)  # fmt: skip
async def test_what_is_no_international_number_is_refused_when_saving_and_when_sending(make_message, number):
    channel = Sms(Http(Guard()))
    with pytest.raises(Invalid) as refusal:
        channel.check(number, {})
    assert refusal.value.place == "address"
    assert isinstance(await channel.send(make_message(address=number, provider={"auth_token": "x"})), Refused)


@pytest.mark.parametrize(
    ("provider", "missing"),
    [({}, "account_sid and auth_token"), ({"account_sid": "AC1", "auth_token": "t"}, "no number to send")],
)
async def test_what_is_not_set_up_says_where_to_set_it_up(http, make_message, provider, missing):
    outcome = await Sms(http).send(make_message(address="+447700900123", provider=provider))
    assert isinstance(outcome, Refused)
    assert missing in outcome.why and "Settings" in outcome.why


@pytest.mark.parametrize(
    ("status", "stage"),
    [("queued", Stage.ACCEPTED), ("sending", Stage.ACCEPTED), ("sent", Stage.ACCEPTED), ("delivered", Stage.DELIVERED),
     ("undelivered", Stage.FAILED), ("failed", Stage.FAILED), ("read", Stage.SEEN), ("", Stage.ACCEPTED),
     ("something new", Stage.ACCEPTED)],
)  # fmt: skip
def test_what_a_status_means(status, stage):
    assert meaning(status, "")[0] is stage
