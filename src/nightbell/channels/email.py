"""Sends notifications by SMTP, one conversation a message.

A reply code judges the message; a conversation that breaks judges nothing. Once the content may have left, silence
is doubt (Unsure), before that it is only a failed attempt (Retry).
"""

import asyncio
import re
import ssl
from contextlib import suppress
from datetime import timedelta
from email.utils import parseaddr
from enum import Enum, StrEnum

import aiosmtplib
from msgspec import Struct

from nightbell.channels.mail import compose
from nightbell.channels.text import one_line
from nightbell.core.delivery import Message, Outcome, Refused, Retry, Sent, Unsure
from nightbell.core.errors import Invalid

# ASCII only: SMTPUTF8 is not spoken everywhere, and a domain can be written in punycode.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
_LONGEST_ADDRESS = 254
#: Conversations held at once; servers count connections per client.
_CONVERSATIONS = 8
_GOODBYE_SECONDS = 1.0


class Tls(StrEnum):
    """How the connection to the SMTP server is protected."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


class SmtpSettings(Struct, frozen=True, kw_only=True):
    """Which server sends the mail. No host means that mail is off."""

    host: str = ""
    port: int = 587
    user: str = ""
    password: str = ""
    tls: Tls = Tls.STARTTLS
    #: An address, with or without a display name.
    sender: str = "Nightbell <nightbell@localhost>"
    #: For one message, from connecting to the server's last word.
    timeout: timedelta = timedelta(seconds=20)
    #: A PEM file of certificates to trust besides the system's; "" for none.
    ca_file: str = ""

    def __repr__(self) -> str:
        return f"SmtpSettings({self.host}:{self.port}, tls={self.tls}, sender={self.sender!r})"


class _Step(Enum):
    CONNECT = "connect"
    ENVELOPE = "envelope"
    CONTENT = "content"


class _Progress:
    """How far a conversation came; read when it breaks."""

    step = _Step.CONNECT


class Email:
    """Delivers to an e-mail address."""

    kind = "email"

    def __init__(self, smtp: SmtpSettings) -> None:
        if not _ADDRESS.fullmatch(parseaddr(smtp.sender)[1]):
            raise Invalid(f"{smtp.sender!r} is not an e-mail address to send from", place="smtp.sender")
        self._smtp = smtp
        self._slots = asyncio.Semaphore(_CONVERSATIONS)
        self._context: ssl.SSLContext | None = None

    def check(self, address: str, settings: dict[str, str]) -> None:
        """Raise Invalid for what is not one plain e-mail address."""
        if len(address) > _LONGEST_ADDRESS or not _ADDRESS.fullmatch(address):
            raise Invalid("not an e-mail address", place="address", hint="for example ana@example.org")

    async def send(self, message: Message) -> Outcome:
        """Hand the mail to the configured server and report what it said."""
        if not self._smtp.host:
            return Refused(why="no SMTP server configured: set NIGHTBELL_SMTP_HOST")
        progress = _Progress()
        try:
            self.check(message.address, message.settings)
            content = compose(message, self._smtp.sender).as_bytes()
            async with asyncio.timeout(self._smtp.timeout.total_seconds()), self._slots:
                smtp, reply = await self._converse(message.address, content, progress)
        except Invalid as error:
            return Refused(why=error.message)
        except aiosmtplib.SMTPResponseException as error:
            return self._judge(error, progress.step)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            return self._broken(error, progress.step)
        # Outside the time limit: the mail is accepted, and a slow goodbye must not turn that into doubt.
        await _part(smtp)
        return Sent(detail=one_line(f"{reply.code} {reply.message}", most=300))

    async def _converse(
        self, address: str, content: bytes, progress: _Progress
    ) -> tuple[aiosmtplib.SMTP, aiosmtplib.SMTPResponse]:
        smtp = await self._client()
        try:
            await smtp.connect()
            progress.step = _Step.ENVELOPE
            await smtp.mail(parseaddr(self._smtp.sender)[1])
            await smtp.rcpt(address)
            progress.step = _Step.CONTENT
            return smtp, await smtp.data(content)
        except BaseException:
            smtp.close()
            raise

    async def _client(self) -> aiosmtplib.SMTP:
        conf = self._smtp
        return aiosmtplib.SMTP(
            hostname=conf.host,
            port=conf.port,
            username=conf.user or None,
            password=conf.password or None,
            # Otherwise every conversation looks up this machine's own name.
            local_hostname=parseaddr(conf.sender)[1].rpartition("@")[2] or "localhost",
            timeout=conf.timeout.total_seconds(),
            use_tls=conf.tls is Tls.TLS,
            start_tls=conf.tls is Tls.STARTTLS,
            tls_context=await self._trust() if conf.tls is not Tls.NONE else None,
        )

    async def _trust(self) -> ssl.SSLContext:
        """Return the TLS context, made once: reading the system's certificates takes tens of milliseconds."""
        if self._context is None:
            context = await asyncio.to_thread(ssl.create_default_context)
            if self._smtp.ca_file:
                await asyncio.to_thread(context.load_verify_locations, self._smtp.ca_file)
            self._context = context
        return self._context

    def _judge(self, error: aiosmtplib.SMTPResponseException, step: _Step) -> Outcome:
        said = one_line(f"{error.code} {error.message}", most=300)
        if isinstance(error, aiosmtplib.SMTPAuthenticationError):
            return Retry(why=f"{self._smtp.host} refused the login of {self._smtp.user}: {said}")
        if step is _Step.CONNECT:
            # Said before it saw this message: about the server or our settings, and those can be mended.
            return Retry(why=f"{self._smtp.host} does not take mail from us: {said}")
        if 500 <= error.code < 600:
            return Refused(why=said)
        if 400 <= error.code < 500:
            return Retry(why=said)
        return self._broken(error, step)

    def _broken(self, error: Exception, step: _Step) -> Outcome:
        reason = one_line(str(error) or "no answer in time", most=300)
        if step is _Step.CONTENT:
            return Unsure(why=f"{self._smtp.host}: {reason}; the mail may have been accepted")
        return Retry(why=f"{self._smtp.host}: {reason}")


async def _part(smtp: aiosmtplib.SMTP) -> None:
    """Say goodbye and close, however that goes."""
    with suppress(aiosmtplib.SMTPException, OSError):
        await smtp.quit(timeout=_GOODBYE_SECONDS)
    smtp.close()
