"""What every channel that posts over HTTP makes of the answers a server can give."""

from datetime import timedelta

import pytest

from nightbell.channels.ntfy import Ntfy
from nightbell.channels.webhook import Webhook
from nightbell.core.delivery import Refused, Retry, Sent, Unsure
from nightbell.core.errors import Invalid
from nightbell.net.guard import Guard
from nightbell.net.http import Http
from nightbell.testing.doubles import Double, Garbage, Reply, Request, Stall


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_every_2xx_is_sent(http_rig, make_message, status):
    http_rig.double.will(Reply(status=status, body=http_rig.answer))
    # 204 has no body by definition.
    expected = http_rig.of_an_empty_success if status == 204 else Sent
    assert isinstance(await http_rig.channel.send(make_message(**http_rig.reaches)), expected)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 501, 502, 503, 504, 507, 599])
async def test_a_server_in_trouble_is_tried_again(http_rig, make_message, status):
    http_rig.double.will(Reply(status=status))
    outcome = await http_rig.channel.send(make_message(**http_rig.reaches))
    assert outcome == Retry(why=f"HTTP {status}", after=None)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 413, 422, 451])
async def test_other_4xx_are_final(http_rig, make_message, status):
    http_rig.double.will(Reply(status=status))
    assert isinstance(await http_rig.channel.send(make_message(**http_rig.reaches)), Refused)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(http_rig, make_message, status):
    http_rig.double.will(Reply(status=status, headers={"Location": f"{http_rig.double.url}/elsewhere"}))
    outcome = await http_rig.channel.send(make_message(**http_rig.reaches))
    assert isinstance(outcome, Refused)
    assert "/elsewhere" in outcome.why
    assert len(http_rig.double.requests) == 1


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("120", timedelta(seconds=120)),
        ("0", timedelta(0)),
        ("9" * 40, timedelta(days=1)),
        ("Mon, 23 Nov 2026 02:00:35 GMT", timedelta(seconds=30)),
        ("Monday, 23-Nov-26 02:00:35 GMT", timedelta(seconds=30)),
        ("Mon, 23 Nov 2026 01:00:00 GMT", timedelta(0)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", timedelta(days=1)),
        ("-5", None),
        ("soon", None),
        ("\u0665", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_is_obeyed_in_both_forms(http_rig, make_message, status, header, expected):
    """The double's own clock is said in `Date`; a date in Retry-After is measured against it."""
    headers = {"Retry-After": header, "Date": "Mon, 23 Nov 2026 02:00:05 GMT"}
    http_rig.double.will(Reply(status=status, headers=headers))
    outcome = await http_rig.channel.send(make_message(**http_rig.reaches))
    assert isinstance(outcome, Retry)
    assert outcome.after == expected


async def test_a_huge_answer_is_not_read_to_its_end(http_rig, make_message):
    http_rig.double.will(Reply(body=b"x" * 50_000_000), Reply(status=400, body=b"y" * 50_000_000))
    assert isinstance(
        await http_rig.channel.send(make_message(**http_rig.reaches)), http_rig.of_an_odd_success
    )
    outcome = await http_rig.channel.send(make_message(**http_rig.reaches))
    assert isinstance(outcome, Refused)
    assert len(outcome.why) < 400


async def test_a_status_counts_even_when_its_body_never_ends(http_rig, make_message):
    http_rig.double.will(Stall(status=200), Stall(status=503))
    assert isinstance(
        await http_rig.channel.send(make_message(**http_rig.reaches)), http_rig.of_an_odd_success
    )
    assert isinstance(await http_rig.channel.send(make_message(**http_rig.reaches)), Retry)


async def test_an_answer_that_is_not_http_leaves_doubt(http_rig, make_message):
    http_rig.double.will(Garbage())
    assert isinstance(await http_rig.channel.send(make_message(**http_rig.reaches)), Unsure)


async def test_a_slow_answer_within_the_limit_is_sent(http_rig, make_message):
    http_rig.double.will(Reply(delay=timedelta(milliseconds=150), body=http_rig.answer))
    assert isinstance(await http_rig.channel.send(make_message(**http_rig.reaches)), Sent)


@pytest.mark.parametrize("kind", [Webhook, Ntfy])
async def test_a_private_address_is_refused_when_sending_and_when_saving(make_message, kind):
    http = Http(Guard())
    channel = kind(http)
    for address in ("http://127.0.0.1:8080/topic", "http://169.254.169.254/topic", "http://[::1]/topic"):
        outcome = await channel.send(make_message(address=address))
        assert isinstance(outcome, Refused)
        assert "private or reserved" in outcome.why
        with pytest.raises(Invalid) as refusal:
            channel.check(address, {})
        assert refusal.value.place == "address"
    assert isinstance(await channel.send(make_message(address="http://localhost:8080/topic")), Refused)
    await http.aclose()


@pytest.mark.parametrize(
    "address",
    ["", "topic", "ftp://example.org/x", "javascript:alert(1)", "http://", "http:///x", "file:///etc"],
)
@pytest.mark.parametrize("kind", [Webhook, Ntfy])
def test_what_is_no_web_address_is_refused_when_saving(kind, address):
    with pytest.raises(Invalid) as refusal:
        kind(Http(Guard())).check(address, {})
    assert refusal.value.place == "address"


@pytest.mark.parametrize("status", [200, 302, 404, 500])
async def test_an_answer_that_repeats_what_was_asked_tells_no_secret(http_rig, make_message, status):
    """A web server says "Cannot POST /hooks/<secret>"; the reason stands on pages, in logs and in the ledger."""
    key = "k3y-0123456789abcdef"
    fields = http_rig.reaches | {"provider": {**http_rig.reaches.get("provider", {})}}
    if fields["address"].startswith("http"):
        fields["address"] += f"/{key}?sig=5ig-{key}"
    for name in {"bot_token", "auth_token"} & set(fields["provider"]):
        fields["provider"][name] = f"123456:{key}-{key}"

    def echo(request: Request) -> Reply:
        said = f"Cannot {request.method} {request.path} with {request.headers.get('authorization')}"
        to = f"https://elsewhere.example.org{request.path}"
        return Reply(status=status, body=b" " * 200 + said.encode() * 3, headers={"Location": to})

    async with Double(always=echo) as double:
        moved = {name: value for name, value in http_rig.at(double.url).items() if name == "provider"}
        fields["provider"] |= {"base_url": moved.get("provider", {}).get("base_url", "")}
        fields["address"] = fields["address"].replace(http_rig.double.url, double.url)
        outcome = await http_rig.channel.send(make_message(**fields))
        [request] = double.requests
    credential = request.headers.get("authorization", "").split(" ")[-1]
    assert isinstance(outcome, Sent) or (key not in outcome.why and (credential or "-") not in outcome.why)
    assert isinstance(outcome, Sent) or credential[:20] not in outcome.why or not credential


async def test_secrets_in_the_address_do_not_leak_into_the_reason(http_rig, make_message):
    fields = {**http_rig.reaches, "address": "http://user:s3cret@127.0.0.1:9/topic"}
    outcome = await http_rig.channel.send(make_message(**fields))
    assert isinstance(outcome, Retry | Refused)
    assert "s3cret" not in outcome.why
