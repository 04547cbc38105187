"""Takes pings of heartbeats: /v1/heartbeats/<id>/ping, by GET, HEAD or POST, with the heartbeat's secret.

The secret comes as a bearer token or as `?secret=`, for what can only call a URL. A POST may bring an API token instead,
as Rootly's clients do; a GET may not, because a browser or a link preview must not be a beat by accident.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from litestar.types import HTTPScope, Receive, Send

from nightbell.core.access import Permission, may
from nightbell.core.errors import Forbidden, NightbellError, Unauthenticated, Unknown
from nightbell.engine.heartbeats import Heartbeats
from nightbell.engine.identity import visitor_by_token
from nightbell.store.db import DATABASE_TROUBLE, Db
from nightbell.web import senders as request
from nightbell.web.bodies import Refused, body_of

_PATH = re.compile(r"(?:/api)?/v1/heartbeats/([^/]+)/ping/?")
_METHODS = ("GET", "HEAD", "POST", "PUT")
#: Whatever a job says of itself is read and not kept. Units: bytes.
_LARGEST = 1024 * 1024
_STATUS: dict[type[NightbellError], int] = {Unknown: 404, Forbidden: 403, Unauthenticated: 401}


@dataclass(frozen=True, slots=True, kw_only=True)
class Beats:
    """The route of pings, as one ASGI application."""

    db: Db
    heartbeats: Heartbeats
    clock: Callable[[], datetime]

    def serves(self, path: str) -> bool:
        """Return whether a path is one of ours."""
        return path.rstrip("/").endswith("/ping") and _PATH.fullmatch(path) is not None

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            if scope["method"] not in _METHODS:
                raise Refused(405, "Ping with GET, HEAD or POST.", [(b"allow", b"GET, HEAD, POST, PUT")])
            await body_of(scope, receive, _LARGEST, keep=False)
            await self._ping(scope)
        except Refused as refused:
            await _respond(send, refused.status, refused.why, refused.headers)
        except NightbellError as error:
            await _respond(send, _STATUS.get(type(error), 400), f"{error.message} {error.hint}".strip())
        except DATABASE_TROUBLE:
            await _respond(send, 503, "The database does not answer. Try again.")
        else:
            await _respond(send, 204, "")

    async def _ping(self, scope: HTTPScope) -> None:
        found = _PATH.fullmatch(scope["path"])
        try:
            ident = UUID(found[1] if found else "")
        except ValueError:
            raise Unknown("There is no such heartbeat.") from None
        secret = request.token(scope)
        if not secret:
            raise Unauthenticated(
                "A ping needs the secret of its heartbeat.", hint="Send it as a bearer token."
            )
        allowed = scope["method"] == "POST" and await self._may(secret)
        await self.heartbeats.ping(ident, secret=None if allowed else secret)

    async def _may(self, token: str) -> bool:
        visitor = await visitor_by_token(self.db, token, self.clock())
        return visitor is not None and may(visitor.role, Permission.RESPOND)


async def _respond(
    send: Send, status: int, why: str, headers: list[tuple[bytes, bytes]] | None = None
) -> None:
    said = {"errors": [{"title": why, "status": str(status), "code": None, "detail": why}]}
    body = msgspec.json.encode(said) if why else b""
    every = [(b"cache-control", b"no-store"), *(headers or [])]
    if body:
        every += [
            (b"content-type", b"application/vnd.api+json"),
            (b"content-length", str(len(body)).encode()),
        ]
    await send({"type": "http.response.start", "status": status, "headers": every})
    await send({"type": "http.response.body", "body": body, "more_body": False})
