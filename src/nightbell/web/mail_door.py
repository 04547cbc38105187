"""Takes mail that is a beat: any message to a heartbeat's own address. Off unless a port is set; it relays nothing.

Rule 1: the address is the proof, and all that is looked at. A message is read to its end and thrown away.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import structlog

from nightbell.core.errors import NightbellError
from nightbell.engine.heartbeats import Heartbeats
from nightbell.store.db import DATABASE_TROUBLE, Db
from nightbell.store.read.heartbeats import by_mail_name

_TO = re.compile(rb"(?i)TO:\s*<?([A-Za-z0-9-]{1,64})@[^\s>]{1,255}>?")
#: Units: seconds.
_PATIENCE = 30.0
_MOST_CONNECTIONS = 50
_MOST_LINES = 100
_MOST_RECIPIENTS = 20
#: Units: bytes.
_LARGEST = 10 * 2**20
_LINE = 8 * 1024
_log = structlog.get_logger(__name__)


class _Over(Exception):  # noqa: N818  it is an end, not a fault
    """The conversation is over."""


@dataclass(slots=True)
class MailDoor:
    """A small SMTP server (RFC 5321, without extensions)."""

    db: Db
    heartbeats: Heartbeats
    _open: int = 0

    @asynccontextmanager
    async def listening(self, host: str, port: int) -> AsyncIterator[int]:
        """Listen for as long as the block lasts; yields the port."""
        server = await asyncio.start_server(self._met, host, port, limit=_LINE)
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            server.close()

    async def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._talk(reader, writer)
        except (_Over, TimeoutError, OSError, ValueError, asyncio.IncompleteReadError):
            pass
        finally:
            self._open -= 1
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._open > _MOST_CONNECTIONS:
            await _say(writer, "421 too many connections, come back later")
            return
        await _say(writer, "220 nightbell")
        wanted: set[UUID] = set()
        for _ in range(_MOST_LINES):
            line = await reader.readline()
            verb, _, rest = line.strip().partition(b" ")
            if verb.upper() == b"DATA" and wanted:
                await _say(writer, "354 go on")
                await _thrown_away(reader)
                await _say(writer, await self._beat(wanted))
                wanted = set()
                continue
            await _say(writer, await self._answer(verb.upper(), rest, wanted))
            if not line or verb.upper() == b"QUIT":
                return

    async def _answer(self, verb: bytes, rest: bytes, wanted: set[UUID]) -> str:
        match verb:
            case b"HELO" | b"EHLO":
                return "250 nightbell"
            case b"MAIL" | b"RSET":
                wanted.clear()
                return "250 ok"
            case b"RCPT":
                return await self._recipient(rest, wanted)
            case b"NOOP":
                return "250 ok"
            case b"QUIT":
                return "221 bye"
            case b"DATA":
                return "503 whom is it for?"
            case _:
                return "502 not here"

    async def _recipient(self, rest: bytes, wanted: set[UUID]) -> str:
        found = _TO.match(rest.strip())
        try:
            ident = await by_mail_name(self.db, found[1].decode().lower()) if found else None
        except DATABASE_TROUBLE:
            return "451 the database does not answer, try again"
        if ident is None:
            return "550 no such heartbeat"
        if len(wanted) >= _MOST_RECIPIENTS:
            return "452 too many recipients"
        wanted.add(ident)
        return "250 ok"

    async def _beat(self, wanted: set[UUID]) -> str:
        try:
            for ident in sorted(wanted):
                await self.heartbeats.ping(ident, secret=None, by="email")
        except NightbellError as error:
            return f"550 {error.message}"
        except DATABASE_TROUBLE as lost:
            _log.warning("heartbeat.mail_lost", why=str(lost))
            return "451 the database does not answer, try again"
        return "250 heard"


async def _say(writer: asyncio.StreamWriter, text: str) -> None:
    writer.write(text.encode("ascii", "replace") + b"\r\n")
    await writer.drain()


async def _thrown_away(reader: asyncio.StreamReader) -> None:
    """Read a message to its end. Raises: _Over for one without an end."""
    size = 0
    while size <= _LARGEST:
        line = await reader.readline()
        if line in (b".\r\n", b".\n"):
            return
        if not line:
            raise _Over
        size += len(line)
    raise _Over
