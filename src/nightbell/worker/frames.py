"""What a node and its intake say to each other over a pair of sockets: messages, each behind its length.

Rule 1: both ends are the same program, started by each other; a message that cannot be read is a defect and ends it.
"""

import asyncio
import socket
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
from msgspec import Struct

from nightbell.core.leasing import Lease
from nightbell.engine.intake import Arrived
from nightbell.engine.tidings import Tidings

_LENGTH = 4
#: A webhook is 10 KB and a batch of them 400: the kernel's own 200 KB would be filled and emptied in turns.
_BUFFER = 2**20


class Begin(Struct, frozen=True, kw_only=True, tag=True):
    """The first message to an intake: what it works with."""

    dsn: str
    lanes: int
    hold_down: timedelta
    queue_limit: int
    #: What the machine says of services (engine/directory.py).
    providers: dict[str, dict[str, str]]
    log_level: str
    log_format: str


class Take(Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """A request to be written; the answer has its number."""

    number: int
    arrived: Arrived
    #: How pages may be leased to the node now (ADR 0040); None where everything is left to its claims.
    lease: Lease | None


class Ready(Struct, frozen=True, kw_only=True, tag=True):
    """The intake takes requests."""


class Taken(Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """A request is on disk."""

    number: int
    outcome: str
    body: bytes


class Declined(Struct, frozen=True, kw_only=True, tag=True):
    """A request is not on disk: it is no JSON, or nobody can write it now."""

    number: int
    #: Whether the same bytes may work later.
    later: bool
    message: str
    place: str
    hint: str


class Told(Struct, frozen=True, kw_only=True, tag=True):
    """What a commit came to."""

    news: Tidings


ToIntake = Begin | Take
FromIntake = Ready | Taken | Declined | Told


class Frames(asyncio.Protocol):
    """One end: cuts what comes into messages, and joins messages to what goes."""

    def __init__(self, kind: Any, heard: Callable[[Any], None], lost: Callable[[], None]) -> None:
        """`kind` is what the other end says; `heard` gets each message, `lost` is called once at the end."""
        self._decoder = msgspec.msgpack.Decoder(kind)
        self._encoder = msgspec.msgpack.Encoder()
        self._heard = heard
        self._lost = lost
        self._got = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        self._transport = transport  # type: ignore[assignment]  # a stream's transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Say that the other end is gone."""
        self._transport = None
        self._lost()

    def data_received(self, data: bytes) -> None:
        """Hand on every message that is complete."""
        self._got += data
        begin, end = 0, len(self._got)
        with memoryview(self._got) as view:
            while end - begin >= _LENGTH:
                size = int.from_bytes(view[begin : begin + _LENGTH], "big")
                if end - begin - _LENGTH < size:
                    break
                begin += _LENGTH + size
                self._heard(self._decoder.decode(view[begin - size : begin]))
        del self._got[:begin]

    def send(self, message: Struct) -> None:
        """Send a message, or nothing where the other end is gone."""
        if self._transport is not None:
            said = bytearray(_LENGTH)
            self._encoder.encode_into(message, said, _LENGTH)
            said[:_LENGTH] = (len(said) - _LENGTH).to_bytes(_LENGTH, "big")
            self._transport.write(bytes(said))

    def close(self) -> None:
        """Send what was said, then end the connection."""
        if self._transport is not None:
            self._transport.close()


def pair() -> tuple[socket.socket, socket.socket]:
    """Return the two ends of a connection."""
    ends = socket.socketpair()
    for end in ends:
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            end.setsockopt(socket.SOL_SOCKET, option, _BUFFER)
    return ends
