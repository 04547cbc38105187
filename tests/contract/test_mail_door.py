"""Mail that is a beat, by the standard library's own client; what is not is refused, and nothing is relayed."""

import asyncio
import smtplib
import socket
from email.message import EmailMessage

import pytest

from nightbell.core.journal import SYSTEM
from nightbell.engine import edits
from nightbell.engine.configure import Configure, seed
from nightbell.engine.directory import Directories
from nightbell.engine.heartbeats import Heartbeats
from nightbell.engine.node import Node
from nightbell.engine.vault import Vault
from nightbell.testing.clock import FrozenClock
from nightbell.web.mail_door import MailDoor


@pytest.fixture
async def beat(db):
    clock = FrozenClock()
    await seed(db, clock())
    configure = Configure(db, Vault(b"test"), {})
    user = await configure.create_user(
        edits.UserEdit(name="Ana", email="ana@example.org", role="user"), by=SYSTEM, now=clock()
    )
    edit = edits.HeartbeatEdit(
        name="backup", alert_summary="silent", interval_count=5, interval_unit="minutes",
        target={"type": "User", "id": str(user)},
    )  # fmt: skip
    key = await configure.create_heartbeat(edit, by=SYSTEM, now=clock())
    return (await db.fetch("SELECT * FROM heartbeats WHERE id = $1", key))[0]


@pytest.fixture
async def port(db, beat):
    node = Node(name="n", clock=FrozenClock(), woken=lambda _: None)
    async with MailDoor(db, Heartbeats(db, Directories(), node)).listening("127.0.0.1", 0) as port:
        yield port


def send(port, *recipients, size=10):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "job@example.org", recipients[0], "done"
    message.set_content("line\n.\n..dots\n" * size)
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        return client.send_message(message, to_addrs=list(recipients))


async def status(db):
    return tuple((await db.fetch("SELECT status, last_pinged_by FROM heartbeats"))[0].values())


async def test_a_mail_to_its_address_is_a_beat(db, beat, port):
    await asyncio.to_thread(send, port, f"{beat['mail_name'].upper()}@nightbell.example.org")
    assert await status(db) == ("active", "email")


async def test_a_long_mail_is_a_beat_too(db, beat, port):
    await asyncio.to_thread(send, port, f"{beat['mail_name']}@x.org", size=50_000)
    assert await status(db) == ("active", "email")


async def test_a_mail_to_anybody_else_is_refused(db, beat, port):
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        await asyncio.to_thread(send, port, "ana@example.org")
    assert refused.value.recipients["ana@example.org"][0] == 550
    assert await status(db) == ("waiting", "")


def raw(port, text):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as one:
        one.sendall(text)
        one.shutdown(socket.SHUT_WR)
        said = b""
        while more := one.recv(4096):
            said += more
    return [line[:3].decode() for line in said.splitlines()]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (b"QUIT\r\n", ["220", "221"]),
        (b"DATA\r\n", ["220", "503"]),
        (b"STARTTLS\r\nVRFY ana\r\nNOOP\r\nQUIT\r\n", ["220", "502", "502", "250", "221"]),
        (b"RCPT TO:<>\r\nRCPT\r\nRCPT TO:<\xff@x>\r\nQUIT\r\n", ["220", "550", "550", "550", "221"]),
        (b"RCPT TO:<' OR 1=1 --@x>\r\nQUIT\r\n", ["220", "550", "221"]),
        (b"A" * 20_000 + b"\r\n", ["220"]),
    ],
)
async def test_hostile_words_get_an_answer_and_are_no_beat(db, beat, port, text, codes):
    said = await asyncio.to_thread(raw, port, text)
    assert said[: len(codes)] == codes
    assert await status(db) == ("waiting", "")


async def test_a_message_without_an_end_is_no_beat(db, beat, port):
    text = f"MAIL FROM:<>\r\nRCPT TO:<{beat['mail_name']}@x>\r\nDATA\r\nnever ends"
    assert (await asyncio.to_thread(raw, port, text.encode()))[:4] == ["220", "250", "250", "354"]
    assert await status(db) == ("waiting", "")
