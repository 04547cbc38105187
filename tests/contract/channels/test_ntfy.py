"""What is published to ntfy, and within which limits."""

import msgspec
import pytest

from nightbell.channels.ntfy import Ntfy, render
from nightbell.core.delivery import Purpose, Sent, Unsure
from nightbell.core.errors import Invalid
from nightbell.testing.doubles import Double, Reply


@pytest.fixture
async def double():
    async with Double() as double:
        yield double


async def test_a_page_is_published_with_buttons_at_the_servers_root(http, double, make_message):
    double.will(Reply(body=b'{"id":"hwQ2YpKdmg","event":"message"}'))
    outcome = await Ntfy(http).send(
        make_message(address=f"{double.url}/push/ana-phone", settings={"token": "tk_1"})
    )
    assert outcome == Sent(provider_id="hwQ2YpKdmg", detail="HTTP 200")
    [request] = double.requests
    assert request.path == "/push/"
    assert request.headers["authorization"] == "Bearer tk_1"
    published = request.json()
    assert published.pop("sequence_id")
    assert published == {
        "topic": "ana-phone",
        "title": "HighErrorRate (3 firing)",
        "message": "5xx above 5 % on api-1.\nSecond line.",
        "priority": 5,
        "tags": ["rotating_light"],
        "click": "https://bell.example.org/alerts/E89PYM",
        "actions": [
            {
                "action": "http",
                "label": "Acknowledge",
                "url": "https://bell.example.org/act/ack-token",
                "method": "POST",
                "clear": True,
            },
            {"action": "view", "label": "Escalate", "url": "https://bell.example.org/act/escalate-token"},
            {"action": "view", "label": "Snooze", "url": "https://bell.example.org/act/snooze-token"},
        ],
    }


def test_an_update_is_quieter_than_a_page(make_message):
    resolved = msgspec.json.decode(render(make_message(purpose=Purpose.UPDATE, status="resolved")))
    assert (resolved["priority"], resolved["tags"]) == (3, ["white_check_mark"])


@pytest.mark.parametrize(
    "text", ["x" * 9000, "\u00e9" * 9000, '"\\\n' * 9000, "\U0001f525" * 9000, "\x01" * 90_000]
)
def test_a_long_message_is_cut_to_ntfys_limits(make_message, text):
    long_url = "https://bell.example.org/act/" + "t" * 700
    body = render(
        make_message(
            body=text,
            title=text,
            alert_url=long_url,
            acknowledge_url=long_url,
            escalate_url=long_url,
            snooze_url=long_url,
        )
    )
    published = msgspec.json.decode(body)
    assert len(body) <= 8192
    assert len(published["message"].encode()) <= 4096
    assert not published["message"] or published["message"].endswith("…")
    assert len(published["title"].encode()) <= 250


def test_a_message_that_fits_is_not_cut(make_message):
    assert msgspec.json.decode(render(make_message(body="x" * 4096)))["message"] == "x" * 4096


@pytest.mark.parametrize(
    "address",
    [
        "https://ntfy.sh",
        "https://ntfy.sh/",
        "https://ntfy.sh/a b",
        "https://ntfy.sh/" + "a" * 65,
        "https://ntfy.sh/t?x",
    ],
)
def test_an_address_without_a_topic_is_refused_when_saving(http, address):
    with pytest.raises(Invalid, match="ntfy topic"):
        Ntfy(http).check(address, {})


def test_a_token_that_would_break_a_header_is_refused_when_saving(http):
    Ntfy(http).check("https://ntfy.sh/ok", {"token": "tk_abc"})
    with pytest.raises(Invalid) as refusal:
        Ntfy(http).check("https://ntfy.sh/ok", {"token": "tk\r\nX-Evil: 1"})
    assert refusal.value.place == "settings.token"


@pytest.mark.parametrize(("answer", "ident"), [(b"", ""), (b"{}", ""), (b'{"id": 7}', "7")])
async def test_a_success_that_names_no_message_is_still_sent(http, double, make_message, answer, ident):
    double.will(Reply(body=answer))
    outcome = await Ntfy(http).send(make_message(address=f"{double.url}/t"))
    assert outcome == Sent(provider_id=ident, detail="HTTP 200")


@pytest.mark.parametrize("answer", [b"<html>log in</html>", b"[]", b'{"code": 40301, "error": "forbidden"}'])
async def test_a_success_that_ntfy_would_not_say_is_in_doubt(http, double, make_message, answer):
    double.will(Reply(body=answer))
    outcome = await Ntfy(http).send(make_message(address=f"{double.url}/t"))
    assert isinstance(outcome, Unsure) and "not that of the service" in outcome.why
