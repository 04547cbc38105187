"""Stands in for the outside world in tests: a strict HTTP server and a real SMTP server, both on loopback.

Nothing is answered that was not scripted, and what was not expected fails the test: a second page is an error in
every test, not only in those about it. Needs aiosmtpd, a test dependency.
"""

import asyncio
import socket
import ssl
import struct
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType
from typing import Any, Self

import msgspec
from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from msgspec import Struct

_LOOPBACK = "127.0.0.1"
#: SO_LINGER on with zero seconds: closing sends a reset.
_RESET = struct.pack("ii", 1, 0)


class Reply(Struct, frozen=True, kw_only=True):
    """Read the request and answer it."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = {}
    delay: timedelta = timedelta(0)


class Reset(Struct, frozen=True):
    """Read the request, then reset the connection."""


class Hang(Struct, frozen=True):
    """Read the request, then never answer: accepted, and nobody knows."""


class Stall(Struct, frozen=True, kw_only=True):
    """Answer with a status and headers, then never finish the body."""

    status: int = 200


class Garbage(Struct, frozen=True):
    """Answer with bytes that are not HTTP."""


class Then(Struct, frozen=True, kw_only=True):
    """Take the request as ever, then let its sender see this instead of the answer: accepted, and nobody knows."""

    trouble: "Reply | Reset | Hang"


Script = Reply | Reset | Hang | Stall | Garbage | Then


class Request(Struct, frozen=True, kw_only=True):
    """A request as it arrived. Header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body decoded."""
        return msgspec.json.decode(self.body)


#: Answers a request by what it says.
Serve = Callable[[Request], Reply]


class Double:
    """A strict HTTP server: it plays the scripted answers in order, and any further request fails the test.

    Shape: `async with Double(Reply(status=503), Reply()) as double: … double.url … double.requests`.
    `always` answers whatever comes after the script, for tests that only collect, or for a service of its own.
    """

    def __init__(
        self, *script: Script, always: Script | Serve | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self.requests: list[Request] = []
        self.unexpected: list[Request] = []
        self.url = ""
        self._script = deque(script)
        self._always = always
        self._tls = tls
        self._over = asyncio.Event()
        self._arrived = asyncio.Condition()
        self._runner: web.AppRunner | None = None

    def will(self, *script: Script) -> None:
        """Add answers to the script."""
        self._script.extend(script)

    async def wait_for(self, count: int, *, within: timedelta = timedelta(seconds=20)) -> list[Request]:
        """Return the requests once there are `count` of them; TimeoutError when they do not come."""
        async with asyncio.timeout(within.total_seconds()), self._arrived:
            await self._arrived.wait_for(lambda: len(self.requests) >= count)
        return self.requests

    async def start(self) -> None:
        """Listen on a free port."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, _LOOPBACK, 0, ssl_context=self._tls)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"{'https' if self._tls else 'http'}://{_LOOPBACK}:{port}"

    async def stop(self) -> None:
        """Let go of all who wait and close."""
        self._over.set()
        if self._runner is not None:
            await self._runner.cleanup()

    def verify(self) -> None:
        """Raise AssertionError for requests nobody expected and answers nobody fetched."""
        if self.unexpected:
            raise AssertionError(f"unexpected requests: {[f'{r.method} {r.path}' for r in self.unexpected]}")
        if self._script:
            raise AssertionError(f"requests that never came: {list(self._script)}")

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        if error is None:
            self.verify()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        script = self._script.popleft() if self._script else self._always
        seen = Request(
            method=request.method,
            path=request.path_qs,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.read(),
        )
        async with self._arrived:
            (self.requests if script else self.unexpected).append(seen)
            self._arrived.notify_all()
        return await self._play(self._served(script, seen), request)

    def _served(self, script: Script | Serve | None, seen: Request) -> Script | None:
        if isinstance(script, Then):
            if callable(self._always):
                self._always(seen)
            return script.trouble
        return script(seen) if callable(script) else script

    async def _play(self, script: Script | None, request: web.Request) -> web.StreamResponse:
        match script:
            case Reply():
                await asyncio.sleep(script.delay.total_seconds())
                return web.Response(status=script.status, body=script.body, headers=script.headers)
            case Reset():
                _reset(request.transport)
            case Hang():
                await self._over.wait()
            case Stall():
                await self._stall(script, request)
            case Garbage() if request.transport is not None:
                request.transport.write(b"\x00\x01 this is not HTTP\r\n\r\n")
                request.transport.close()
            case _:
                return web.Response(status=500, text="nobody expected this request")
        return web.Response(status=500)

    async def _stall(self, script: Stall, request: web.Request) -> None:
        response = web.StreamResponse(status=script.status, headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"{")
        await self._over.wait()


class Mail(Struct, frozen=True, kw_only=True):
    """A mail as it was accepted."""

    sender: str
    recipients: list[str]
    raw: bytes
    message: EmailMessage

    @property
    def text(self) -> str:
        """The plain part."""
        return self._part("plain")

    @property
    def html(self) -> str:
        """The HTML part."""
        return self._part("html")

    def _part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        return str(part.get_content()) if part is not None else ""


#: What an SMTP server does at one command: a reply line such as "451 later", or a broken connection.
SmtpScript = str | Reset | Hang


class SmtpSink:
    """A real SMTP server that keeps the mail it accepts, with scripted trouble at MAIL, RCPT or DATA.

    `user` and `password` demand a login; `starttls` and `tls` are contexts for the two kinds of encryption.
    """

    def __init__(
        self,
        *,
        user: str = "",
        password: str = "",
        starttls: ssl.SSLContext | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.mails: list[Mail] = []
        #: Whether each accepted mail came over an encrypted connection.
        self.encrypted: list[bool] = []
        self.host = _LOOPBACK
        self.port = 0
        self._login = (user.encode(), password.encode())
        self._starttls = starttls
        self._tls = tls
        self._script: dict[str, deque[SmtpScript]] = {"MAIL": deque(), "RCPT": deque(), "DATA": deque()}
        self._over = asyncio.Event()
        self._arrived = asyncio.Condition()
        self._server: asyncio.Server | None = None

    def will(self, command: str, *script: SmtpScript) -> None:
        """Script what happens at the next MAIL, RCPT or DATA."""
        self._script[command].extend(script)

    async def wait_for(self, count: int, *, within: timedelta = timedelta(seconds=20)) -> list[Mail]:
        """Return the mails once there are `count` of them; TimeoutError when they do not come."""
        async with asyncio.timeout(within.total_seconds()), self._arrived:
            await self._arrived.wait_for(lambda: len(self.mails) >= count)
        return self.mails

    async def start(self) -> None:
        """Listen on a free port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, _LOOPBACK, 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Let go of all who wait and close."""
        self._over.set()
        if self._server is not None:
            self._server.close()
        # One turn for those let go to finish their conversation.
        await asyncio.sleep(0)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    # The names of the handle_ methods and their arguments are aiosmtpd's.

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Accept or refuse a sender."""
        answer = await self._answer("MAIL", server)
        envelope.mail_from = address
        return answer

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Accept or refuse a recipient."""
        answer = await self._answer("RCPT", server)
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Accept or refuse a mail."""
        answer = await self._answer("DATA", server)
        if answer.startswith("2"):
            await self._keep(session, envelope)
        return answer

    def _protocol(self) -> SMTP:
        user, _ = self._login
        return SMTP(
            self,
            hostname="sink.test",
            tls_context=self._starttls,
            require_starttls=self._starttls is not None,
            auth_required=bool(user),
            auth_require_tls=self._tls is None,
            authenticator=self._authenticate,
            loop=asyncio.get_running_loop(),
        )

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        given = (data.login, data.password) if isinstance(data, LoginPassword) else ()
        return AuthResult(success=given == self._login, handled=False)

    async def _answer(self, command: str, server: SMTP) -> str:
        script = self._script[command]
        match script.popleft() if script else "250 OK":
            case Reset():
                _reset(server.transport)
                return "421 gone"
            case Hang():
                await self._over.wait()
                return "421 gone"
            case str() as line:
                return line

    async def _keep(self, session: Session, envelope: Envelope) -> None:
        raw = envelope.original_content or b""
        mail = Mail(
            sender=envelope.mail_from or "",
            recipients=list(envelope.rcpt_tos),
            raw=raw,
            message=message_from_bytes(raw, EmailMessage, policy=policy.default),
        )
        async with self._arrived:
            self.mails.append(mail)
            self.encrypted.append(session.ssl is not None or self._tls is not None)
            self._arrived.notify_all()


def _reset(transport: asyncio.BaseTransport | None) -> None:
    if transport is None:
        return
    connection: socket.socket = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    transport.abort()  # type: ignore[attr-defined]  # a stream has one
