"""The one way out over HTTP: bounded in time and size, no redirects, no proxies, no cookies, no private addresses.

A failure says whether the request can have arrived: `NotSent` is certain, `MaybeSent` is doubt. Never turn the
second into a plain retry.
"""

import ssl
from collections.abc import Mapping
from datetime import timedelta
from types import SimpleNamespace

import aiohttp
from aiohttp.abc import AbstractResolver
from msgspec import Struct

from nightbell.net.guard import BlockedAddress, Guard, GuardedResolver

TOTAL = timedelta(seconds=10)
CONNECT = timedelta(seconds=5)
#: Answers are read this far and no further, in bytes.
MOST_READ = 64 * 1024

# A connection is kept for the length of a burst only: a server that closes an idle one just as we write makes
# doubt out of nothing, and Node (5 s) and gunicorn (2 s) close early.
_KEEP_ALIVE_SECONDS = 1.0
_CONNECTIONS = 200
_CONNECTIONS_PER_HOST = 20


class NetError(Exception):
    """An HTTP exchange without an answer; its text is fit for people."""


class NotSent(NetError):
    """The request certainly did not arrive: no address, no connection, no TLS."""


class Blocked(NotSent):
    """The guard forbids this address; trying again would not help."""


class MaybeSent(NetError):
    """There was a connection and no answer: the request may have been accepted."""


class Answer(Struct, frozen=True, kw_only=True):
    """What a server answered. Header names are in lower case; the body may be cut at MOST_READ."""

    status: int
    headers: dict[str, str]
    body: bytes


class Http:
    """A lazily opened, shared client session."""

    def __init__(
        self,
        guard: Guard,
        *,
        total: timedelta = TOTAL,
        connect: timedelta = CONNECT,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self.guard = guard
        self._timeout = aiohttp.ClientTimeout(total=total.total_seconds(), connect=connect.total_seconds())
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None

    async def post(self, url: str, *, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Post a body and return the answer, whatever its status; redirects are answers too.

        Raises: Blocked, NotSent, MaybeSent.
        """
        return await self._ask("POST", url, headers, MOST_READ, body)

    async def ask(self, method: str, url: str, *, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a body by another method, and return the answer, whatever its status.

        Raises: Blocked, NotSent, MaybeSent.
        """
        return await self._ask(method, url, headers, MOST_READ, body)

    async def get(self, url: str, *, headers: Mapping[str, str], most: int = MOST_READ) -> Answer:
        """Return what is found at an address, as far as `most` bytes; redirects are answers too.

        Raises: Blocked, NotSent, MaybeSent.
        """
        return await self._ask("GET", url, headers, most)

    async def _ask(
        self, method: str, url: str, headers: Mapping[str, str], most: int, body: bytes | None = None
    ) -> Answer:
        if objection := self.guard.objection(url) or _header_fault(headers):
            raise Blocked(objection)
        progress = SimpleNamespace(connected=False)
        try:
            async with self._open().request(
                method, url, data=body, headers=headers, allow_redirects=False, trace_request_ctx=progress
            ) as response:
                read = await _read(response, most)
                named = {name.lower(): value for name, value in response.headers.items()}
                return Answer(status=response.status, headers=named, body=read)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._meaning(error, connected=progress.connected) from error

    async def aclose(self) -> None:
        """Close all connections; the next post opens a new session."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=self._connector(),
                timeout=self._timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
                # Compressed answers could unpack to anything; none is asked for and none is unpacked.
                headers={"User-Agent": "Nightbell", "Accept-Encoding": "identity"},
                auto_decompress=False,
                trust_env=False,
                trace_configs=[_watch_connections()],
            )
        return self._session

    def _connector(self) -> aiohttp.TCPConnector:
        return aiohttp.TCPConnector(
            resolver=GuardedResolver(self.guard, self._resolver or aiohttp.ThreadedResolver()),
            socket_factory=self.guard.socket,
            keepalive_timeout=_KEEP_ALIVE_SECONDS,
            limit=_CONNECTIONS,
            limit_per_host=_CONNECTIONS_PER_HOST,
        )

    def _meaning(self, error: Exception, *, connected: bool) -> NetError:
        if connected:
            return MaybeSent(self._doubt(error))
        blocked = getattr(error, "os_error", None)
        if isinstance(blocked, BlockedAddress):
            return Blocked(str(blocked))
        if isinstance(error, aiohttp.InvalidURL):
            return Blocked("this is no address that can be called")
        return NotSent(self._obstacle(error))

    def _doubt(self, error: Exception) -> str:
        if isinstance(error, TimeoutError):
            return f"no answer within {self._timeout.total:g} s; it may have been accepted"
        if isinstance(error, aiohttp.ClientResponseError):
            return "the answer was not HTTP; it may have been accepted"
        return "the connection ended before an answer; it may have been accepted"

    def _obstacle(self, error: Exception) -> str:
        match error:
            case TimeoutError():
                return f"no connection within {self._timeout.connect:g} s"
            case aiohttp.ClientConnectorDNSError():
                return f"the name {error.host} does not resolve"
            case aiohttp.ClientConnectorCertificateError():
                return f"TLS: {_certificate_fault(error.certificate_error)}"
            case aiohttp.ClientSSLError():
                return "TLS: no agreement with the server"
            case aiohttp.ClientConnectorError():
                return f"cannot connect: {error.os_error.strerror or 'no connection'}"
            case _:
                return f"not sent: {type(error).__name__}"


def _header_fault(headers: Mapping[str, str]) -> str:
    """Return what is wrong with a header: aiohttp would notice too, but only once connected."""
    faulty = (name for name, value in headers.items() if any(mark in name + value for mark in "\r\n\0"))
    return next((f"the header {name!r} would hold a line break" for name in faulty), "")


def _certificate_fault(error: Exception) -> str:
    return error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else "bad certificate"


def _watch_connections() -> aiohttp.TraceConfig:
    """Mark in the request's own context that bytes may leave from here on."""

    async def connected(
        session: aiohttp.ClientSession,
        context: SimpleNamespace,
        params: aiohttp.TraceConnectionCreateEndParams | aiohttp.TraceConnectionReuseconnParams,
    ) -> None:
        context.trace_request_ctx.connected = True

    watch = aiohttp.TraceConfig()
    watch.on_connection_create_end.append(connected)
    watch.on_connection_reuseconn.append(connected)
    return watch


async def _read(response: aiohttp.ClientResponse, most: int) -> bytes:
    """Return the start of the body; one that breaks off counts as far as it came, for the status has been said."""
    read = bytearray()
    try:
        while len(read) < most and (chunk := await response.content.read(most - len(read))):
            read += chunk
    except (TimeoutError, aiohttp.ClientError):
        response.close()
    if not response.content.at_eof():
        response.close()
    return bytes(read)
