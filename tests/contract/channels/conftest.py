"""Messages, certificates and one rig per channel, so that one suite can ask the same of all of them."""

import ipaddress
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from nightbell.channels.discord import Discord
from nightbell.channels.email import Email, SmtpSettings, Tls
from nightbell.channels.mattermost import Mattermost
from nightbell.channels.ntfy import Ntfy
from nightbell.channels.push import Push
from nightbell.channels.slack import Slack
from nightbell.channels.sms import Sms
from nightbell.channels.teams import Teams
from nightbell.channels.telegram import Telegram
from nightbell.channels.voice import Voice
from nightbell.channels.webhook import Webhook
from nightbell.core.delivery import Channel, Message, Purpose, Sent, Unsure
from nightbell.net import webpush
from nightbell.net.guard import Guard
from nightbell.net.http import Http
from nightbell.testing.browsers import Browser
from nightbell.testing.doubles import Double, Hang, Reply, Reset, SmtpSink

SHORT = timedelta(seconds=1)
NOW = datetime(2026, 11, 23, 2, 0, 5, tzinfo=UTC)

MakeMessage = Callable[..., Message]


@pytest.fixture
def make_message() -> MakeMessage:
    """Return a maker of ordinary page messages; keywords change fields."""

    def make(**changes: Any) -> Message:
        page = Message(
            notification_id=UUID("01890000-0000-7000-8000-000000000001"),
            idempotency_key="page-7/email/1",
            purpose=Purpose.PAGE,
            address="ana@example.org",
            settings={},
            recipient="Ana Silva",
            sent_at=NOW,
            title="HighErrorRate (3 firing)",
            body="5xx above 5 % on api-1.\nSecond line.",
            status="triggered",
            urgency="High",
            short_id="E89PYM",
            labels={"alertname": "HighErrorRate", "severity": "critical"},
            annotations={"summary": "5xx"},
            started_at=NOW - timedelta(minutes=1),
            level=1,
            alert_url="https://bell.example.org/alerts/E89PYM",
            acknowledge_url="https://bell.example.org/act/ack-token",
            escalate_url="https://bell.example.org/act/escalate-token",
            snooze_url="https://bell.example.org/act/snooze-token",
        )
        return msgspec.structs.replace(page, **changes)

    return make


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    """Return a client that may call loopback and loses patience fast."""
    client = Http(Guard(["127.0.0.0/8"]), total=SHORT, connect=SHORT)
    yield client
    await client.aclose()


class HttpRig:
    """A channel whose address is the URL it posts to, against a strict HTTP double."""

    #: What a refusal of its provider looks like, and a word of it that must reach the operator.
    refusal = "no such receiver"
    #: What a success looks like.
    answer = b'{"id":"n1"}'
    #: What a 2xx with a body nobody understands means, and what one without a body.
    of_an_odd_success: type = Sent
    of_an_empty_success: type = Sent

    def __init__(self, make: Callable[[Http], Channel], http: Http, double: Double) -> None:
        self.channel = make(http)
        self.double = double

    def at(self, base: str) -> dict[str, Any]:
        """Return the fields of a message that is sent to this base URL."""
        return {"address": f"{base}/topic"}

    @property
    def reaches(self) -> dict[str, Any]:
        """The fields of a message that reaches the double."""
        return self.at(self.double.url)

    @property
    def nobody_listens(self) -> dict[str, Any]:
        """The fields of a message to a closed port."""
        return self.at("http://127.0.0.1:9")

    @property
    def nobody_has_the_name(self) -> dict[str, Any]:
        """The fields of a message to a name without an address."""
        return self.at("http://nobody.invalid")

    def accepts(self) -> None:
        """Take the next message."""
        self.double.will(Reply(status=200, body=self.answer))

    def refuses(self) -> None:
        """Refuse the next message for good."""
        self.double.will(Reply(status=404, body=b"no such receiver"))

    def defers(self) -> None:
        """Be in trouble."""
        self.double.will(Reply(status=503, body=b"come back"))

    def resets(self) -> None:
        """Break the connection once the message is there."""
        self.double.will(Reset())

    def hangs(self) -> None:
        """Take the message and say nothing."""
        self.double.will(Hang())

    def arrived(self) -> list[bytes]:
        """Return the bodies that came."""
        return [request.body for request in self.double.requests]


class ServiceRig(HttpRig):
    """A channel of a service that the operator configured: the base URL is in the provider's settings."""

    address = ""
    provider: Mapping[str, str] = {}

    def at(self, base: str) -> dict[str, Any]:
        """Return the fields of a message that is sent to this base URL."""
        return {"address": self.address, "provider": {**self.provider, "base_url": base}}


class TwilioRig(ServiceRig):
    """Twilio: a number, and two to send from."""

    of_an_odd_success = of_an_empty_success = Unsure
    address = "+447700900123"
    provider = {
        "account_sid": "AC0", "auth_token": "t0ken", "sms_from": "+15550100", "voice_from": "+15550101",
    }  # fmt: skip
    answer = b'{"sid":"SM1","status":"queued"}'

    def refuses(self) -> None:
        """Refuse the next message for good."""
        fault = b'{"code":21211,"message":"no such receiver","status":400}'
        self.double.will(Reply(status=400, body=fault))


class SlackRig(ServiceRig):
    """Slack: a member, written to by a bot."""

    address = "U0123ABCD"
    provider = {"bot_token": "xoxb-1"}
    refusal = "channel_not_found"
    answer = b'{"ok":true,"channel":"D024BE91L","ts":"1503435956.000247"}'
    of_an_odd_success = of_an_empty_success = Unsure

    def refuses(self) -> None:
        """Refuse the next message for good."""
        self.double.will(Reply(status=200, body=b'{"ok":false,"error":"channel_not_found"}'))


class TelegramRig(ServiceRig):
    """Telegram: a chat, written to by a bot."""

    address = "123456789"
    provider = {"bot_token": "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11"}
    answer = b'{"ok":true,"result":{"message_id":7,"chat":{"id":123456789}}}'
    of_an_odd_success = of_an_empty_success = Unsure

    def refuses(self) -> None:
        """Refuse the next message for good."""
        self.double.will(Reply(status=400, body=b'{"ok":false,"description":"no such receiver"}'))


class DiscordRig(ServiceRig):
    """Discord: a channel, written to by a bot."""

    address = "1234567890123"
    provider = {"bot_token": "b0t"}
    answer = b'{"id":"42","channel_id":"1234567890123"}'
    of_an_odd_success = Unsure


class MattermostRig(ServiceRig):
    """Mattermost: a channel, written to by a bot."""

    address = "c" * 26
    provider = {"bot_token": "b0t"}
    answer = b'{"id":"pppppppppppppppppppppppppp"}'
    of_an_odd_success = of_an_empty_success = Unsure


class NtfyRig(HttpRig):
    """ntfy: a topic of a server."""

    of_an_odd_success = Unsure


class PushRig(HttpRig):
    """A browser that subscribed; what arrived is what it can read."""

    def __init__(self, make: Callable[[Http], Channel], http: Http, double: Double) -> None:
        super().__init__(make, http, double)
        self.browser = Browser()

    def at(self, base: str) -> dict[str, Any]:
        """Return the fields of a message that is sent to this base URL."""
        return {
            "address": f"{base}/push/abc",
            "settings": self.browser.settings,
            "provider": {"private_key": webpush.new_key(), "contact": "mailto:ops@example.org"},
        }

    def arrived(self) -> list[bytes]:
        """Return the bodies that came, opened."""
        return [self.browser.opened(request.body) for request in self.double.requests]


#: Every channel that posts over HTTP. A new one is added here and is held to both suites.
POSTING: dict[str, tuple[type[HttpRig], Callable[[Http], Channel]]] = {
    "webhook": (HttpRig, Webhook),
    "ntfy": (NtfyRig, Ntfy),
    "sms": (TwilioRig, Sms),
    "voice": (TwilioRig, Voice),
    "slack": (SlackRig, Slack),
    "telegram": (TelegramRig, Telegram),
    "teams": (HttpRig, Teams),
    "discord": (DiscordRig, Discord),
    "mattermost": (MattermostRig, Mattermost),
    "push": (PushRig, Push),
}


class MailRig:
    """The e-mail channel against a real SMTP server."""

    address = "ana@example.org"
    refusal = "no such receiver"

    def __init__(self, sink: SmtpSink) -> None:
        self.sink = sink
        self._host = sink.host
        self._port = sink.port

    @property
    def channel(self) -> Channel:
        return Email(SmtpSettings(host=self._host, port=self._port, tls=Tls.NONE, timeout=SHORT))

    @property
    def reaches(self) -> dict[str, Any]:
        return {"address": self.address}

    @property
    def nobody_listens(self) -> dict[str, Any]:
        self._port = 9
        return self.reaches

    @property
    def nobody_has_the_name(self) -> dict[str, Any]:
        self._host = "nobody.invalid"
        return self.reaches

    def accepts(self) -> None:
        """Say nothing: the sink accepts what is not scripted."""

    def refuses(self) -> None:
        self.sink.will("RCPT", "550 no such receiver")

    def defers(self) -> None:
        self.sink.will("RCPT", "451 come back")

    def resets(self) -> None:
        self.sink.will("DATA", Reset())

    def hangs(self) -> None:
        self.sink.will("DATA", Hang())

    def arrived(self) -> list[bytes]:
        return [mail.raw for mail in self.sink.mails]


@pytest.fixture(params=[*POSTING, "email"])
async def rig(request: pytest.FixtureRequest, http: Http) -> AsyncIterator[HttpRig | MailRig]:
    """Return one channel with the world it talks to."""
    async with AsyncExitStack() as stack:
        if request.param == "email":
            yield MailRig(await stack.enter_async_context(SmtpSink()))
        else:
            kind, make = POSTING[request.param]
            yield kind(make, http, await stack.enter_async_context(Double()))


@pytest.fixture(params=list(POSTING))
async def http_rig(request: pytest.FixtureRequest, http: Http) -> AsyncIterator[HttpRig]:
    """Return one channel that posts, with the server it posts to."""
    kind, make = POSTING[request.param]
    async with Double() as double:
        yield kind(make, http, double)


class Certificate:
    """A certificate for 127.0.0.1 that nobody but we trusts."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "certificate.pem"
        key_file = folder / "key.pem"
        key = ec.generate_private_key(ec.SECP256R1())
        self.file.write_bytes(_signed(key).public_bytes(serialization.Encoding.PEM))
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.file, key_file)


def _signed(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nightbell test")])
    today = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Return a self-made certificate for 127.0.0.1 with its server context."""
    return Certificate(tmp_path_factory.mktemp("certificate"))
