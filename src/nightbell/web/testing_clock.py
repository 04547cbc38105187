"""Moves the time of a program that was started with `--test-clock`: GET and POST /testing/clock.

Rule 1: only from this very machine, by a program and not by a page in somebody's browser; it asks for nothing more.
"""

import ipaddress
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
from litestar.types import HTTPScope, Receive, Send
from msgspec import Meta, Struct

from nightbell.clock import Standing
from nightbell.core.errors import BadPayload, Forbidden, Invalid, NightbellError, Overloaded

PATH = "/testing/clock"
#: Said with every answer of such a program, so that nobody takes it for a real one.
HEADER = b"x-nightbell-test-clock"
_LARGEST = 4096
#: A browser says where a page comes from, a proxy for whom it asks: neither is whoever started this program.
_STRANGERS = frozenset({b"origin", b"forwarded", b"x-forwarded-for", b"x-forwarded-host"})
_STATUS: dict[type[NightbellError], int] = {BadPayload: 400, Invalid: 422, Forbidden: 403, Overloaded: 503}


class Leap(Struct, forbid_unknown_fields=True):
    """Where to go on to: so many seconds, or an instant."""

    advance_seconds: Annotated[float, Meta(ge=0, le=86400 * 366 * 10)] | None = None
    to: Annotated[datetime, Meta(tz=True)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TestingClock:
    """The routes of the clock, as one ASGI application."""

    clock: Standing
    #: Goes on to an instant, the engine doing all that falls due on the way; returns how often something did.
    advance: Callable[[datetime], Awaitable[int]]

    def serves(self, path: str) -> bool:
        """Return whether a path is ours."""
        return path == PATH

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            answer = await self._answer(scope, receive)
        except NightbellError as error:
            said = {"error": error.message, "hint": error.hint, "now": self.clock()}
            await _respond(send, _STATUS.get(type(error), 400), said)
        else:
            await _respond(send, 200 if answer else 405, answer or {"error": "use GET or POST"})

    async def _answer(self, scope: HTTPScope, receive: Receive) -> dict[str, object]:
        _of_this_machine(scope)
        if scope["method"] == "GET":
            return {"now": self.clock()}
        if scope["method"] != "POST":
            return {}
        leap = _leap(await _body(receive))
        stops = await self.advance(_target(leap, self.clock()))
        return {"now": self.clock(), "stops": stops}


def _of_this_machine(scope: HTTPScope) -> None:
    """Raise Forbidden for whoever is not a program on this machine."""
    peer = scope["client"]
    here = peer is not None and ipaddress.ip_address(peer[0].partition("%")[0]).is_loopback
    strange = sorted(name.decode() for name, _ in scope["headers"] if name.lower() in _STRANGERS)
    if not here or strange:
        raise Forbidden("The clock is moved from this machine only, without a browser or proxy between.")


def _leap(body: bytes) -> Leap:
    try:
        leap = msgspec.json.decode(body, type=Leap)
    except msgspec.DecodeError as error:
        raise BadPayload(f"This moves no clock: {error}", hint='Send {"advance_seconds": 60}.') from error
    if (leap.advance_seconds is None) == (leap.to is None):
        raise BadPayload('Say either "advance_seconds" or "to".', hint='Send {"advance_seconds": 60}.')
    return leap


def _target(leap: Leap, now: datetime) -> datetime:
    if leap.to is not None:
        return leap.to.astimezone(UTC)
    return now + timedelta(seconds=leap.advance_seconds or 0)


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return body
        body += message.get("body", b"")
        more = message.get("more_body", False) and len(body) <= _LARGEST
    return body


async def _respond(send: Send, status: int, said: dict[str, object]) -> None:
    body = msgspec.json.encode(said)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [*headers, (b"cache-control", b"no-store")],
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})
