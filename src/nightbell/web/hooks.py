"""The door for senders: one raw ASGI route, because a storm comes through here (stack.md 1: 36 us a request).

Rule 1: an authenticated sender never meets a redirect, a 429, or a 5xx that is not "try again" (alertmanager.md 0).
"""

from collections.abc import Callable, Container
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

import msgspec
from litestar.types import HTTPScope as Scope
from litestar.types import Receive, Send

from nightbell.core.errors import BadPayload, Overloaded
from nightbell.engine.directory import Configuration, Directories
from nightbell.engine.ids import new_id
from nightbell.engine.ingest import Rejected
from nightbell.engine.intake import Arrived, Intake
from nightbell.store.db import DATABASE_TROUBLE, Db
from nightbell.telemetry import metrics
from nightbell.web import senders as request
from nightbell.web.bodies import Refused, body_of
from nightbell.web.rejects import Rejects


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who posts, and whom the URL names."""

    source_id: UUID
    url_target: tuple[str, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """The routes that senders call, as one ASGI application."""

    db: Db
    directories: Directories
    intake: Intake
    rejects: Rejects
    clock: Callable[[], datetime]
    #: The kinds of senders that have an address of their own.
    kinds: Container[str]
    max_body: int

    def serves(self, path: str) -> bool:
        """Return whether a path is one of ours."""
        return request.serves(path)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers: list[tuple[bytes, bytes]] = []
        try:
            status, answer = 200, await self._answer(scope, receive)
        except Refused as refused:
            status, headers = refused.status, refused.headers
            answer = msgspec.json.encode({"error": refused.why}) + b"\n"
            if not refused.read:
                await self._drain(scope, receive)
            await self._refused(scope, refused)
        await _respond(send, status, answer, headers)

    async def _answer(self, scope: Scope, receive: Receive) -> bytes:
        kind, url_target = request.route(scope, self.kinds)
        if scope["method"] not in ("POST", "PUT"):
            raise Refused(
                405, f"Send alerts here with POST, not {scope['method']}.", [(b"allow", b"POST, PUT")]
            )
        configuration, sender = await self._sender(scope, url_target)
        if self.intake.full():
            raise Refused(503, "Busy: too much is waiting to be written. Try again.")
        body = await body_of(scope, receive, self.max_body)
        return await self._accepted(scope, body, kind, sender, configuration)

    async def _accepted(
        self, scope: Scope, body: bytes, kind: str, sender: Sender, configuration: Configuration
    ) -> bytes:
        now = self.clock()
        arrived = Arrived(
            id=new_id(now),
            received_at=now,
            source_id=sender.source_id,
            kind=kind,
            path=request.path(scope),
            remote_ip=request.remote(scope),
            user_agent=request.header(scope, b"user-agent"),
            url_target=sender.url_target,
            body=body,
        )
        try:
            answer = await self.intake.take(arrived)
        except BadPayload as bad:
            await self._keep(arrived, bad)
            raise Refused(400, f"{bad.message}; {bad.hint}".strip("; "), counted=True) from bad
        except Overloaded as busy:
            raise Refused(503, f"{busy.message} Try again.", read=True) from busy
        source = configuration.directory.sources.get(sender.source_id)
        metrics.DELIVERIES.labels(source=source.name if source else "", outcome=answer.outcome).inc()
        metrics.INGEST_SECONDS.observe((self.clock() - now).total_seconds())
        return answer.body

    # ------------------------------------------------------------ who

    async def _sender(self, scope: Scope, url_target: tuple[str, str] | None) -> tuple[Configuration, Sender]:
        token = request.token(scope)
        if not token:
            raise Refused(401, "Send the source's secret as `Authorization: Bearer …`.", reason="no secret")
        digest = sha256(token.encode("utf-8", "surrogateescape")).digest()
        configuration = await self._configuration(digest)
        found = configuration.secrets.get(digest)
        if found is None or (found.expires_at is not None and found.expires_at <= self.clock()):
            raise Refused(
                401,
                "No source has this secret.",
                reason=f"unknown secret ending in …{request.storable(token[-4:])}",
            )
        return configuration, Sender(source_id=found.source_id, url_target=url_target)

    async def _configuration(self, digest: bytes) -> Configuration:
        """Return the configuration of a moment ago, or of now where a secret may have been made since."""
        try:
            configuration = await self.directories.glanced(self.db)
            return (
                configuration
                if digest in configuration.secrets
                else await self.directories.configuration(self.db)
            )
        except DATABASE_TROUBLE as lost:
            raise Refused(503, "The database is not available. Try again.") from lost

    # ------------------------------------------------------------ what is refused

    async def _drain(self, scope: Scope, receive: Receive) -> None:
        """Read what will not be used: a sender cut off in the middle sees a broken pipe and tries again for ever."""
        try:
            await body_of(scope, receive, self.max_body, keep=False)
        except Refused:
            return  # slow or gone; the answer stands

    async def _keep(self, arrived: Arrived, bad: BadPayload) -> None:
        """Keep the bytes of a sender we know though nobody can read them: the operator will want to."""
        await self.rejects.keep(
            Rejected(
                id=new_id(arrived.received_at),
                at=arrived.received_at,
                source_id=arrived.source_id,
                path=arrived.path,
                remote_ip=arrived.remote_ip,
                user_agent=arrived.user_agent,
                status=400,
                reason=f"{bad.place}: {bad.message}".lstrip(": "),
                body=arrived.body,
            )
        )
        metrics.REJECTED.labels(reason="not_json").inc()

    async def _refused(self, scope: Scope, refused: Refused) -> None:
        if refused.counted:
            return
        metrics.REJECTED.labels(reason=str(refused.status)).inc()
        if refused.status == 503:
            return
        now = self.clock()
        self.rejects.note(
            Rejected(
                id=new_id(now),
                at=now,
                source_id=None,
                path=request.path(scope),
                remote_ip=request.remote(scope),
                user_agent=request.header(scope, b"user-agent"),
                status=refused.status,
                reason=refused.reason or refused.why,
                body=b"",
            )
        )


# ---------------------------------------------------------------- answering


async def _respond(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    length = str(len(body)).encode()
    every = [(b"content-type", b"application/json"), (b"content-length", length), *headers]
    await send({"type": "http.response.start", "status": status, "headers": every})
    await send({"type": "http.response.body", "body": body, "more_body": False})
