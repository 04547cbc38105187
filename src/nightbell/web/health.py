"""Says how the node is: /healthz (the process lives), /readyz (database and engine answer), /metrics.

All three are public on purpose: load balancers and Prometheus have no session, and nothing here names an alert.
"""

import asyncio
from dataclasses import dataclass
from time import monotonic

import msgspec
from litestar.types import HTTPScope, Receive, Send

from nightbell.store.db import DATABASE_TROUBLE, Db
from nightbell.telemetry import metrics

#: A loop that is overdue by this much is stuck. Some look once a second, some once an hour. Units: seconds.
STUCK = 90.0
_PATIENCE = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The routes for machines that watch us, as one ASGI application."""

    db: Db
    #: By when each loop of the engine is to go round again.
    seen: dict[str, float]

    def serves(self, path: str) -> bool:
        """Return whether a path is one of ours."""
        return path in ("/healthz", "/readyz", "/metrics")

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] not in ("GET", "HEAD"):
            await _respond(send, 405, b'{"error":"use GET"}', b"application/json")
        elif scope["path"] == "/metrics":
            await _respond(send, 200, metrics.exposition(), metrics.CONTENT_TYPE.encode())
        elif scope["path"] == "/healthz":
            await _respond(send, 200, b'{"status":"alive"}', b"application/json")
        else:
            await self._ready(send)

    async def _ready(self, send: Send) -> None:
        checks = {"database": await self._database(), "engine": self._engine()}
        good = all(why == "ok" for why in checks.values())
        body = msgspec.json.encode({"status": "ready" if good else "not ready", "checks": checks})
        await _respond(send, 200 if good else 503, body, b"application/json")

    async def _database(self) -> str:
        try:
            async with asyncio.timeout(_PATIENCE):
                await self.db.value("answers")
        except DATABASE_TROUBLE as lost:
            return f"no answer: {type(lost).__name__}"
        return "ok"

    def _engine(self) -> str:
        late = [name for name, due in self.seen.items() if monotonic() - due > STUCK]
        if late:
            return f"stuck: {', '.join(sorted(late))}"
        return "ok" if {"tick", "deliver"} <= self.seen.keys() else "starting"


async def _respond(send: Send, status: int, body: bytes, kind: bytes) -> None:
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
