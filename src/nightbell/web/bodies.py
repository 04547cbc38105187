"""Reads the body of a request, within its limits of size and time.

Rule 1: what is refused is read to its end first. A sender that is cut off sees a broken pipe and tries again for ever
(alertmanager.md 1.4, the early refusal trap).
"""

import asyncio
import zlib
from collections.abc import Iterator

from litestar.types import HTTPScope, Receive

#: A body must come in this long, plus a second for each 64 KiB of it: slow links yes, slow-loris no.
_PATIENCE = 30.0
_SLOWEST = 65_536
#: Reading what will be refused has an end too.
_MOST_DRAINED = 512 * 2**20
#: What a gzip member begins with.
_GZIP = b"\x1f\x8b"


class Refused(Exception):  # noqa: N818  it is an answer, not a fault
    """A request that is turned away, with the answer that its sender will find in its log."""

    def __init__(
        self,
        status: int,
        why: str,
        headers: list[tuple[bytes, bytes]] | None = None,
        *,
        reason: str = "",
        read: bool = False,
        counted: bool = False,
    ) -> None:
        super().__init__(why)
        self.status = status
        self.why = why
        self.headers = headers or []
        #: For the operator's eyes only.
        self.reason = reason
        #: The body is read; asking for more of it would wait for ever.
        self.read = read or counted
        #: It is recorded already.
        self.counted = counted


async def body_of(scope: HTTPScope, receive: Receive, limit: int, *, keep: bool = True) -> bytes:
    """Return the body, inflated; with `keep` False read it and throw it away.

    Raises: Refused 413 past the limit, 408 when it does not come, 415 for an encoding nobody here knows.
    """
    headers = {
        name: value for name, value in scope["headers"] if name in (b"content-length", b"content-encoding")
    }
    encoding = headers.get(b"content-encoding", b"identity").strip().lower()
    declared = headers.get(b"content-length", b"0")
    too_long = declared.isdigit() and int(declared) > limit
    body, size = await _read(receive, 0 if too_long or not keep else limit)
    if too_long or (keep and size > limit):
        raise Refused(
            413,
            f"The body is larger than {limit} bytes. Raise NIGHTBELL_MAX_BODY or send fewer alerts.",
            read=True,
        )
    if encoding in (b"identity", b"") or not keep:
        return body
    if encoding in (b"gzip", b"x-gzip", b"deflate"):
        return _inflated(body, limit)
    raise Refused(
        415,
        f"Unknown Content-Encoding {encoding.decode('latin-1')[:40]}; send JSON as it is, or gzip.",
        read=True,
    )


async def _read(receive: Receive, keep: int) -> tuple[bytes, int]:
    """Return at most `keep` bytes of what comes, and how much came."""
    message = await _next(receive, 0)
    chunk: bytes = message.get("body", b"")  # type: ignore[assignment]  # ASGI: bytes
    if not message.get("more_body"):
        return (chunk if len(chunk) <= keep else b""), len(chunk)
    parts, size = [chunk], len(chunk)
    loop = asyncio.get_running_loop()
    start = loop.time()
    while message.get("more_body") and size <= _MOST_DRAINED:
        message = await _next(receive, loop.time() - start - size / _SLOWEST)
        chunk = message.get("body", b"")  # type: ignore[assignment]  # ASGI: bytes
        size += len(chunk)
        if size <= keep:
            parts.append(chunk)
        else:
            parts.clear()
    return b"".join(parts), size


async def _next(receive: Receive, used: float) -> dict[str, object]:
    try:
        async with asyncio.timeout(max(_PATIENCE - used, 0.01)):
            message = await receive()
    except TimeoutError:
        raise Refused(408, "The body did not come in time.", [(b"connection", b"close")], read=True) from None
    if message["type"] == "http.disconnect":
        raise Refused(408, "The sender went away before its body was complete.", read=True)
    return dict(message)


def _inflated(body: bytes, limit: int) -> bytes:
    try:
        parts = list(_members(body, limit))
    except zlib.error as fault:
        raise Refused(400, f"The body is not what its Content-Encoding says: {fault}.", read=True) from fault
    plain = b"".join(parts)
    if len(plain) > limit:
        raise Refused(413, f"The body inflates to more than {limit} bytes.", read=True)
    return plain


def _members(body: bytes, limit: int) -> Iterator[bytes]:
    """Yield what a body inflates to, member after member (RFC 1952, 2.2), and not much more than `limit` of it."""
    room, rest = limit + 1, body
    while rest and room > 0:
        machine = zlib.decompressobj(wbits=47)  # gzip or zlib, by its header
        plain = machine.decompress(rest, room)
        yield plain
        room -= len(plain)
        # Whatever else stands behind a member is padding.
        rest = machine.unused_data if machine.unused_data.startswith(_GZIP) else b""
