"""Events as they leave: the signature, what an answer means, and where nothing may be sent."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest

from nightbell.channels.outgoing import Outgoing
from nightbell.core.errors import Invalid
from nightbell.core.webhook import LONGEST_ANSWER, Asked
from nightbell.net.guard import Guard
from nightbell.net.http import Http
from nightbell.testing.doubles import Double, Garbage, Hang, Reply, Reset

AT = datetime(2026, 11, 23, 2, 0, 5, tzinfo=UTC)


def asked(url, **more):
    values = {"url": url, "body": b'{"event":{}}', "headers": {}, "secret": "hush", "at": AT, **more}
    return Asked(**values)


@pytest.fixture
async def double():
    async with Double() as double:
        yield double


async def test_a_receiver_can_verify_it_by_the_documented_formula(http, double):
    double.will(Reply())
    answered = await Outgoing(http).post(asked(f"{double.url}/hook", headers={"Authorization": "Bearer x"}))
    [request] = double.requests
    stamp, mark = (part.partition("=")[2] for part in request.headers["x-rootly-signature"].split(","))
    assert stamp == "1795399205"
    assert mark == hmac.new(b"hush", stamp.encode() + request.body, hashlib.sha256).hexdigest()
    assert request.headers["content-type"] == "application/json"
    assert request.headers["authorization"] == "Bearer x"
    assert request.body == b'{"event":{}}'
    assert answered.taken


@pytest.mark.parametrize("status", [301, 400, 401, 404, 410, 500, 503])
async def test_only_2xx_is_yes(http, double, status):
    double.will(Reply(status=status, body=b"no\n thanks\0", headers={"Location": "http://elsewhere"}))
    answered = await Outgoing(http).post(asked(double.url))
    assert not answered.taken
    assert answered.status == status
    assert "no\n thanks" in answered.body
    assert answered.why.startswith(f"HTTP {status}")


async def test_a_receiver_may_ask_for_patience(http, double):
    double.will(Reply(status=429, headers={"Retry-After": "90"}))
    assert (await Outgoing(http).post(asked(double.url))).after == timedelta(seconds=90)


@pytest.mark.parametrize("trouble", [Reset(), Hang(), Garbage()])
async def test_no_answer_is_no_yes(http, double, trouble):
    double.will(trouble)
    answered = await Outgoing(http).post(asked(double.url))
    assert answered.status is None
    assert answered.why


async def test_of_a_long_answer_the_beginning_is_kept(http, double):
    double.will(Reply(status=500, body="ä".encode() * 100_000))
    assert len((await Outgoing(http).post(asked(double.url))).body) == LONGEST_ANSWER


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:1/", "http://[::1]/", "http://169.254.169.254/latest", "ftp://example.org", "no"],
)
async def test_private_addresses_are_never_called(url):
    http = Http(Guard(()))
    outgoing = Outgoing(http)
    with pytest.raises(Invalid):
        outgoing.check(url)
    answered = await outgoing.post(asked(url))
    await http.aclose()
    assert answered.status is None
    assert not answered.taken


async def test_a_header_with_a_line_break_is_not_sent(http, double):
    answered = await Outgoing(http).post(asked(double.url, headers={"X-A": "b\r\nX-C: d"}))
    assert "line break" in answered.why
