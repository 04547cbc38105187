"""What the HTTP client promises: bounded, stateless, and exact about whether a request can have arrived."""

import asyncio
import ssl
from datetime import timedelta

import pytest

from nightbell.net.guard import Guard
from nightbell.net.http import MOST_READ, Blocked, Http, MaybeSent, NotSent
from nightbell.testing.doubles import Double, Garbage, Hang, Reply, Reset, Stall

SHORT = timedelta(seconds=1)


@pytest.fixture
async def http():
    client = Http(Guard(["127.0.0.0/8"]), total=SHORT, connect=SHORT)
    yield client
    await client.aclose()


async def test_an_answer_is_returned_whatever_its_status(http):
    async with Double(Reply(status=418, body=b"tea", headers={"X-Pot": "brown"})) as double:
        answer = await http.post(f"{double.url}/x?y=1", body=b"\x00raw", headers={"X-A": "b"})
        assert (answer.status, answer.body, answer.headers["x-pot"]) == (418, b"tea", "brown")
        [request] = double.requests
        assert (request.method, request.path, request.body) == ("POST", "/x?y=1", b"\x00raw")
        assert request.headers["x-a"] == "b"


async def test_a_refused_connection_was_not_sent(http):
    with pytest.raises(NotSent, match="cannot connect"):
        await http.post("http://127.0.0.1:9/", body=b"", headers={})


@pytest.mark.parametrize("host", ["nobody.invalid", "a" * 64 + ".example.org", "a..b"])
async def test_a_name_that_does_not_resolve_was_not_sent(http, host):
    with pytest.raises(NotSent):
        await http.post(f"http://{host}/", body=b"", headers={})


@pytest.mark.parametrize("host", ["2130706433", "127.1.2"])
async def test_a_number_that_is_no_host_is_never_tried_again(http, host):
    with pytest.raises(Blocked, match="no address"):
        await http.post(f"http://{host}/", body=b"", headers={})


async def test_a_server_that_speaks_no_tls_was_not_sent(http):
    async with Double() as double:
        with pytest.raises(NotSent, match="TLS"):
            await http.post(double.url.replace("http:", "https:"), body=b"", headers={})


async def test_a_tls_handshake_that_never_ends_was_not_sent(http):
    async def silent(reader, writer):
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(NotSent, match="no connection within 1 s"):
        await http.post(f"https://127.0.0.1:{port}/", body=b"", headers={})
    server.close()


@pytest.mark.parametrize("trouble", [Reset(), Hang(), Garbage()])
async def test_after_a_connection_no_answer_means_doubt(http, trouble):
    async with Double(trouble) as double:
        with pytest.raises(MaybeSent):
            await http.post(double.url, body=b"{}", headers={})


async def test_doubt_on_a_connection_that_was_used_before_is_doubt_too(http):
    async with Double(Reply(), Reset()) as double:
        await http.post(double.url, body=b"{}", headers={})
        with pytest.raises(MaybeSent):
            await http.post(double.url, body=b"{}", headers={})
        assert len(double.requests) == 2


async def test_a_redirect_is_an_answer(http):
    async with Double(Reply(status=307, headers={"Location": "/there"})) as double:
        answer = await http.post(double.url, body=b"", headers={})
        assert (answer.status, answer.headers["location"]) == (307, "/there")


async def test_an_answer_is_read_so_far_and_no_further(http):
    async with Double(Reply(body=b"x" * 30_000_000)) as double:
        answer = await http.post(double.url, body=b"", headers={})
        assert len(answer.body) == MOST_READ


async def test_a_body_that_never_ends_does_not_undo_the_status(http):
    async with Double(Stall(status=202)) as double:
        answer = await http.post(double.url, body=b"", headers={})
        assert (answer.status, answer.body) == (202, b"{")


async def test_a_compressed_answer_is_not_unpacked(http):
    async with Double(Reply(body=b"\x1f\x8b not really", headers={"Content-Encoding": "gzip"})) as double:
        answer = await http.post(double.url, body=b"", headers={})
        assert answer.body == b"\x1f\x8b not really"


async def test_cookies_are_not_kept(http):
    async with Double(Reply(headers={"Set-Cookie": "a=b"}), Reply()) as double:
        await http.post(double.url, body=b"", headers={})
        await http.post(double.url, body=b"", headers={})
        assert "cookie" not in double.requests[1].headers


async def test_proxies_from_the_environment_are_not_used(http, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with Double(Reply()) as double:
        assert (await http.post(double.url, body=b"", headers={})).status == 200


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\0b"])
async def test_a_header_that_would_become_two_is_not_sent(http, value):
    async with Double() as double:
        with pytest.raises(Blocked, match="'X-A'"):
            await http.post(double.url, body=b"", headers={"X-A": value})


async def test_many_at_once_share_the_client(http):
    async with Double(always=Reply()) as double:
        answers = await asyncio.gather(*(http.post(double.url, body=b"", headers={}) for _ in range(60)))
        assert {answer.status for answer in answers} == {200}
        assert len(double.requests) == 60


async def test_a_closed_client_opens_again(http):
    async with Double(Reply(), Reply()) as double:
        await http.post(double.url, body=b"", headers={})
        await http.aclose()
        assert (await http.post(double.url, body=b"", headers={})).status == 200


async def test_a_double_fails_on_what_nobody_expected(http):
    with pytest.raises(AssertionError, match="unexpected requests"):
        async with Double() as double:
            await http.post(double.url, body=b"", headers={})
    with pytest.raises(AssertionError, match="never came"):
        async with Double(Reply()):
            pass


def test_certificates_are_verified_by_default():
    assert ssl.create_default_context().verify_mode is ssl.CERT_REQUIRED
