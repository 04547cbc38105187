"""Takes what senders post: decoded, in line, committed, answered. Everything of ingest that is not HTTP.

A node does it in its own process (`Inside`) and, where there are processors, in processes beside it as well
(worker/intake_apart.py); `Shared` deals out among them.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import msgspec
from msgspec import Struct

from nightbell.core.signal import Envelope
from nightbell.engine.affinity import Affinity
from nightbell.engine.ingest import Incoming, Outcome, packed
from nightbell.engine.leasing import Lends, nothing
from nightbell.engine.writer import Writers
from nightbell.sources.prometheus import decode_push
from nightbell.sources.registry import SOURCES, decode_list, listed

#: What a Prometheus posts itself; the other kinds are those of SOURCES.
PUSH = "push"
#: Requests under way at the node's own process before others help.
FEW = 16
#: Bodies above this are decoded off the loop: 36 MB would hold everything else for half a second.
OFF_LOOP = 1_000_000


class Arrived(Struct, frozen=True, kw_only=True, gc=False):
    """A request of a sender we know, as it came."""

    id: UUID
    received_at: datetime
    source_id: UUID
    kind: str
    path: str
    remote_ip: str
    user_agent: str
    url_target: tuple[str, str] | None
    body: bytes


class Answer(Struct, frozen=True, kw_only=True, gc=False):
    """What a sender is told once its request is on disk: the outcome's name and the body, JSON."""

    outcome: str
    body: bytes


class Intake(Protocol):
    """What the door hands requests to."""

    @property
    def waiting_bytes(self) -> int:
        """Bytes of requests that are not on disk yet."""

    def full(self) -> bool:
        """Whether a request should be refused before it is read: a shed request must be cheap."""

    def problem(self) -> str:
        """Return why nothing can be taken now, "" when it can."""

    async def take(self, arrived: Arrived) -> Answer:
        """Write a request and return what to tell its sender, after its fsync.

        Raises: BadPayload when it is not JSON; Overloaded when the sender should try again.
        """

    async def start(self, lends: Lends = nothing) -> None:
        """Begin to take requests; `lends` says how pages may be leased to the node that sends them."""

    async def stop(self) -> None:
        """Stop; whoever still waits is told to come back."""


class Inside:
    """The intake of a node, or of a test, that does it all in its own process."""

    def __init__(self, writers: Writers) -> None:
        self._writers = writers

    @property
    def waiting_bytes(self) -> int:
        """Bytes of requests that are not on disk yet."""
        return self._writers.waiting_bytes

    def full(self) -> bool:
        """Whether a request should be refused before it is read."""
        return self._writers.full()

    def problem(self) -> str:
        """Return "": lanes that a defect stops start again by themselves."""
        return ""

    async def take(self, arrived: Arrived) -> Answer:
        """Write a request and return what to tell its sender, after its fsync."""
        big = len(arrived.body) > OFF_LOOP
        incoming = await asyncio.to_thread(_incoming, arrived) if big else _incoming(arrived)
        outcome = await self._writers.submit(incoming)
        return Answer(outcome=outcome.outcome, body=msgspec.json.encode(_said(outcome)) + b"\n")

    async def start(self, lends: Lends = nothing) -> None:
        """Begin to take requests; `lends` says how pages may be leased to the node that sends them."""
        self._writers.start(lends)

    async def stop(self) -> None:
        """Stop; whoever still waits is told to come back."""
        await self._writers.stop()


class Shared:
    """Several intakes as one.

    The first takes all while it keeps up: two small transactions cost more than one. In a storm the others help. What is
    under way of a group is all at one of them, so its deliveries are decided in the order they came.
    """

    def __init__(self, intakes: Sequence[Intake]) -> None:
        """`intakes`: the first stands in for any other that is starting."""
        self._intakes = intakes
        #: How many requests are under way at each.
        self._busy = [0] * len(intakes)
        self._groups: Affinity[bytes] = Affinity()

    @property
    def waiting_bytes(self) -> int:
        """Bytes of requests that are not on disk yet."""
        return sum(one.waiting_bytes for one in self._intakes)

    def full(self) -> bool:
        """Whether a request should be refused before it is read."""
        return any(one.full() for one in self._intakes)

    def problem(self) -> str:
        """Return why nothing can be taken now, "" when it can."""
        return self._intakes[0].problem()

    async def take(self, arrived: Arrived) -> Answer:
        """Write a request and return what to tell its sender, after its fsync."""
        # A large body is decoded in a thread here; to hand it over would hold everything else up.
        choose = _first if len(arrived.body) > OFF_LOOP else self._next
        with self._groups.at(_group(arrived.body), choose) as at:
            self._busy[at] += 1
            try:
                return await self._intakes[at].take(arrived)
            finally:
                self._busy[at] -= 1

    def _next(self) -> int:
        """Return which takes the next: the first while it keeps up, else the one at which the fewest are under way."""
        if self._busy[0] < FEW:
            return 0
        able = [at for at, one in enumerate(self._intakes) if not one.problem()]
        return min(able, key=self._busy.__getitem__, default=0)

    async def start(self, lends: Lends = nothing) -> None:
        """Begin to take requests; `lends` says how pages may be leased to the node that sends them."""
        await asyncio.gather(*(one.start(lends) for one in self._intakes))

    async def stop(self) -> None:
        """Stop; whoever still waits is told to come back."""
        await asyncio.gather(*(one.stop() for one in self._intakes))


def _first() -> int:
    return 0


#: How Go writes it: behind the alerts, so looked for from the end, and no further than a usual key is long.
_GROUP_KEY = b'"groupKey":"'
_TAIL = 65_536
#: Where there is none: receiver, status and the first labels stand here.
_HEAD = 256


def _group(body: bytes) -> bytes:
    """Return what tells groups apart, as far as one sees without decoding."""
    at = body.rfind(_GROUP_KEY, max(0, len(body) - _TAIL))
    return body[at : body.find(b'","', at)] if at >= 0 else body[:_HEAD]


def _incoming(arrived: Arrived) -> Incoming:
    """Raises: BadPayload."""
    return Incoming(
        id=arrived.id,
        received_at=arrived.received_at,
        source_id=arrived.source_id,
        path=arrived.path,
        remote_ip=arrived.remote_ip,
        user_agent=arrived.user_agent,
        size=len(arrived.body),
        envelope=_decoded(arrived),
        packed=packed(arrived.body),
        url_target=arrived.url_target,
    )


def _decoded(arrived: Arrived) -> Envelope:
    if arrived.kind == PUSH:
        return decode_push(arrived.body, arrived.received_at)
    if listed(arrived.body):
        return decode_list(arrived.body, arrived.received_at)
    return SOURCES[arrived.kind](arrived.body)


def _said(outcome: Outcome) -> dict[str, Any]:
    status = {"accepted": "ok", "quarantined": "partial"}.get(outcome.outcome, outcome.outcome)
    answer: dict[str, Any] = {"status": status, "alerts": outcome.results}
    return answer | {"reason": outcome.reason} if outcome.reason else answer
