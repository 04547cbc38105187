"""Which addresses may be called, and that no spelling, name or second DNS answer gets past."""

import socket
from ipaddress import ip_address

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver

from nightbell.net.guard import BlockedAddress, Guard, GuardedResolver
from nightbell.net.http import Blocked, Http, NotSent
from nightbell.testing.doubles import Double, Reply

PRIVATE = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.8.8.8", "169.254.169.254", "172.16.0.1",
    "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808",
    "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::1", "fc00::1", "fd00:ec2::254", "fe80::1",
    "fe80::1%eth0", "fec0::1", "ff02::1", "3fff::1", "5f00::1",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "172.32.0.1",
    "100.63.255.255",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00::1",
]


@pytest.mark.parametrize("text", PRIVATE)
def test_a_private_or_reserved_address_is_not_permitted(text):
    assert not Guard().permits(ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_a_public_address_is_permitted(text):
    assert Guard().permits(ip_address(text))


def test_an_allowed_network_is_permitted_and_only_that():
    guard = Guard(["10.1.0.0/16", "fd00::/8"])
    assert guard.permits(ip_address("10.1.2.3"))
    assert guard.permits(ip_address("fd12::1"))
    assert not guard.permits(ip_address("10.2.0.1"))
    assert not guard.permits(ip_address("::ffff:10.1.2.3"))


@pytest.mark.parametrize("text", PRIVATE)
def test_no_socket_is_made_for_a_private_address(text):
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    with pytest.raises(BlockedAddress):
        Guard().socket((family, socket.SOCK_STREAM, 0, "", (text, 80)))


SPELLINGS = [
    "http://127.0.0.1/", "http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://0x7f.1/",
    "http://0177.0.0.1/", "http://017700000001/", "http://127.0.0.1./", "http://localhost/", "http://LOCALHOST./",
    "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://[0:0:0:0:0:ffff:7f00:1]/", "http://[::]/", "http://0/",
    "http://0.0.0.0/", "http://user@127.0.0.1/", "http://8.8.8.8@127.0.0.1/", "http://127.0.0.1%2f@127.0.0.1/",
    "http://\uff11\uff12\uff17.0.0.1/", "http://127\u30020\u30020\u30021/", "http://\u2460\u2461\u2466.0.0.1/",
]  # fmt: skip


@pytest.mark.parametrize("address", SPELLINGS)
async def test_no_spelling_of_loopback_is_reached(address):
    async with Double() as double:
        port = double.url.rpartition(":")[2]
        http = Http(Guard())
        with pytest.raises(NotSent):
            await http.post(address[:-1] + f":{port}/", body=b"{}", headers={})
        await http.aclose()
        assert double.requests == []


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "ftp://example.org/",
        "gopher://x/",
        "//example.org/",
        "x",
        "",
        "http://",
        "http://[::1",
    ],
)
async def test_only_web_addresses_are_called(address):
    http = Http(Guard(["0.0.0.0/0", "::/0"]))
    assert http.guard.objection(address)
    with pytest.raises(Blocked):
        await http.post(address, body=b"", headers={})


class Names(AbstractResolver):
    """A resolver that gives each name its scripted answers in turn."""

    def __init__(self, **answers):
        self.answers = {name.replace("_", "."): list(turns) for name, turns in answers.items()}

    async def resolve(self, host, port=0, family=socket.AF_INET):
        turns = self.answers.get(host)
        if not turns:
            raise OSError("no such name")
        addresses = turns.pop(0) if len(turns) > 1 else turns[0]
        return [
            {"hostname": host, "host": a, "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}
            for a in addresses
        ]

    async def close(self):
        pass


async def test_a_name_for_a_private_address_is_blocked():
    http = Http(Guard(), resolver=Names(inside_test=[["10.0.0.1"]]))
    with pytest.raises(Blocked, match="private or reserved"):
        await http.post("http://inside.test/", body=b"", headers={})
    await http.aclose()


async def test_a_name_that_moves_inside_after_the_check_is_blocked_at_connect():
    """DNS rebinding: the first answer is public, the one used to connect is not."""
    guard = Guard()
    names = GuardedResolver(guard, Names(rebind_test=[["8.8.8.8"], ["127.0.0.1"]]))
    assert [found["host"] for found in await names.resolve("rebind.test", 80)] == ["8.8.8.8"]
    with pytest.raises(BlockedAddress):
        await names.resolve("rebind.test", 80)


async def test_a_resolver_that_lies_is_stopped_by_the_socket():
    """Even past the resolver, the address handed to the kernel is judged again."""
    async with Double() as double:
        port = double.url.rpartition(":")[2]
        guard = Guard()
        connector = aiohttp.TCPConnector(resolver=Names(x_test=[["127.0.0.1"]]), socket_factory=guard.socket)
        async with aiohttp.ClientSession(connector=connector) as session:
            with pytest.raises(aiohttp.ClientConnectorError) as stopped:
                await session.get(f"http://x.test:{port}/")
        assert isinstance(stopped.value.os_error, BlockedAddress)
        assert double.requests == []


async def test_of_several_addresses_only_permitted_ones_are_tried():
    async with Double(Reply()) as double:
        port = double.url.rpartition(":")[2]
        http = Http(Guard(["127.0.0.1/32"]), resolver=Names(both_test=[["10.0.0.1", "127.0.0.1"]]))
        answer = await http.post(f"http://both.test:{port}/", body=b"", headers={})
        assert answer.status == 200
        await http.aclose()
