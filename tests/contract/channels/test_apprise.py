"""What Apprise may reach, and what is made of the little it says."""

import socket
import subprocess
import sys
import sysconfig
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from nightbell.channels.apprise import Apprise
from nightbell.core.delivery import Refused, Retry, Sent, Unsure
from nightbell.core.errors import Invalid
from nightbell.net.cage import Forbidden, caged
from nightbell.net.guard import Guard
from nightbell.testing.doubles import Double, Hang, Reply, Reset

LOOPBACK = Guard(["127.0.0.0/8"])


def gotify(double: Double) -> str:
    """Return the Apprise URL of a service that the double plays."""
    return f"{double.url.replace('http://', 'gotify://')}/Abcdefghijklmno"


@pytest.fixture
def apprise() -> Apprise:
    return Apprise(LOOPBACK)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(body=b"{}"), Sent),
        (Reply(status=404), Refused),
        (Reply(status=401), Refused),
        (Reply(status=429), Retry),
        (Reply(status=503), Retry),
        (Reset(), Unsure),
        (Hang(), Unsure),
    ],
)
async def test_what_apprise_logs_tells_a_refusal_from_a_doubt(apprise, make_message, reply, expected):
    async with Double(reply) as double:
        outcome = await apprise.send(make_message(address=gotify(double)))
    assert isinstance(outcome, expected)
    assert "Abcdefghijklmno" not in repr(outcome)


async def test_the_message_arrives_with_its_links_first(apprise, make_message):
    async with Double(Reply(body=b"{}")) as double:
        await apprise.send(make_message(address=gotify(double)))
        body = double.requests[0].json()
    assert body["title"] == "[TRIGGERED] HighErrorRate (3 firing) (E89PYM)"
    assert body["message"].startswith("Acknowledge: https://bell.example.org/act/ack-token\n")


async def test_a_redirect_is_not_followed(apprise, make_message):
    async with Double() as double:
        double.will(Reply(status=302, headers={"Location": f"{double.url}/elsewhere"}))
        assert isinstance(await apprise.send(make_message(address=gotify(double))), Refused)
        assert len(double.requests) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
async def test_a_private_address_is_refused_however_it_is_written(make_message, host):
    async with Double() as double:
        port = double.url.rpartition(":")[2]
        outcome = await Apprise(Guard()).send(make_message(address=f"gotify://{host}:{port}/Abcdefghijklmno"))
        assert isinstance(outcome, Refused)
        assert "private or reserved" in outcome.why


async def test_a_service_that_hangs_is_given_up_and_leaves_doubt(make_message):
    async with Double(Hang()) as double:
        channel = Apprise(LOOPBACK, patience=timedelta(milliseconds=600))
        assert isinstance(await channel.send(make_message(address=gotify(double))), Unsure)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("", "not an Apprise URL"),
        ("hello", "not an Apprise URL"),
        ("nope://host", "cannot use"),
        ("file:///etc/passwd", "cannot use"),
        ("dbus://", "cannot be guarded"),
        ("syslog://", "cannot be guarded"),
        ("mqtt://localhost/topic", "cannot be guarded"),
        ("xmls://10.0.0.1/", "private or reserved"),
        ("xmls://[fd00::1]/", "private or reserved"),
        ("gotify://h.example/Abcdefghijklmno?template=/etc/passwd", "files"),
        ("gotify://h.example/Abcdefghijklmno?x=1&KeyFile=/etc/passwd", "files"),
        ("mailto://a:b@example.org", "use the channel email"),
        ("tgram://123:abc/1", "use the channel telegram"),
    ],
)
def test_what_cannot_be_used_or_guarded_is_refused_when_saving(address, says):
    with pytest.raises(Invalid, match=says) as refusal:
        Apprise(Guard()).check(address, {})
    assert refusal.value.place == "address"


def test_a_known_service_is_accepted():
    Apprise(Guard()).check("pover://user@token", {})


def test_a_caged_thread_starts_nothing_and_reads_nothing():
    with caged(Guard()) as refused:
        with pytest.raises(Forbidden):
            subprocess.run(["true"], check=False)
        with pytest.raises(Forbidden):
            Path("/proc/self/environ").read_bytes()
        with pytest.raises(Forbidden), socket.socket(socket.AF_UNIX) as local:
            local.connect("/run/dbus/system_bus_socket")
        with pytest.raises(Forbidden), socket.socket(type=socket.SOCK_DGRAM) as datagram:
            datagram.sendto(b"x", ("169.254.169.254", 53))
        with pytest.raises(Forbidden):
            Path(f"{sysconfig.get_paths()['stdlib']}/../../../../../../../../etc/passwd").read_bytes()
    assert len(refused) == 5
    assert Path("/proc/self/environ").read_bytes()


@pytest.mark.skipif(sys.version_info < (3, 12), reason="Python reports new threads from 3.12 on")
def test_a_caged_thread_starts_no_thread():
    with caged(Guard()), pytest.raises(Forbidden):
        threading.Thread(target=print).start()
