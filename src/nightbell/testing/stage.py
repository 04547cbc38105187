"""A whole Nightbell on a database, a clock that stands still and telephones that keep what they hear.

Rule 1: nothing waits. Time goes from one due instant to the next, and at each everything due is done.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

from nightbell.core.errors import Unknown
from nightbell.engine import notices, tick
from nightbell.engine.act import Act
from nightbell.engine.configure import Configure, seed
from nightbell.engine.deliver import Deliver
from nightbell.engine.directory import Directories
from nightbell.engine.heartbeats import Heartbeats
from nightbell.engine.ids import new_id
from nightbell.engine.ingest import Committed, Incoming, Outcome, packed
from nightbell.engine.leasing import Leased
from nightbell.engine.messages import Desk
from nightbell.engine.node import Node
from nightbell.engine.receive import Answer, Pressed, Receive, Written
from nightbell.engine.vault import Vault
from nightbell.engine.writer import Writers
from nightbell.sources.registry import SOURCES
from nightbell.store.db import Db, Row
from nightbell.testing.cast import Cast, Source
from nightbell.testing.clock import FrozenClock
from nightbell.testing.payloads import Group
from nightbell.testing.phones import Phones

KINDS = ("sms", "sms2", "voice", "email", "inbox")
HOLD_DOWN = timedelta(seconds=60)
#: Rounds of work at one instant; more means that something due is never done.
_MOST_ROUNDS = 50


class Engine:
    """One node: everything that runs in one process, driven by hand."""

    def __init__(self, db: Db, phones: Phones, clock: FrozenClock, name: str) -> None:
        self.db = db
        self.name = name
        self.directories = Directories()
        self.committed: list[Committed] = []
        self.act = Act(db, self.directories, self.committed.append)
        self.receive = Receive(db, self.directories, self.act, self.committed.append)
        desk = Desk(Vault(b"test"), "http://nightbell.example")
        node = Node(name=name, clock=clock, woken=self.committed.append)
        self.heartbeats = Heartbeats(db, self.directories, node)
        self.deliver = Deliver(db, self.directories, phones.by_kind, desk, node)
        #: Leased to this node as they were decided, to be sent at the next look.
        self.leased: list[Leased] = []
        self.writers = Writers(
            db, self.directories, self._written, lanes=2, hold_down=HOLD_DOWN, limit=1 << 26
        )

    def _written(self, committed: Committed) -> None:
        self.committed.append(committed)
        self.leased += committed.leased

    def start(self, awake: Callable[[], bool]) -> None:
        """Start writing; while it is awake, pages are leased to this node as they are decided."""
        self.writers.start(lambda: self.deliver.lease() if awake() else None)

    async def notice(self, now: datetime) -> bool:
        """Say what is to be said of shifts; whether anything was."""
        looked = await notices.look(self.db, self.directories, now)
        return looked is not None and looked.said > 0

    async def tick(self, now: datetime) -> bool:
        """Do what is due; whether anything was."""
        expired = await self.heartbeats.expire()
        return bool(expired) or bool((await tick.tick(self.db, self.directories, now)).decided)

    async def send(self) -> bool:
        """Take back what a dead worker left, then send what is due; whether there was anything."""
        recovered = await self.deliver.recover()
        leased, self.leased = self.leased, []
        _, claimed = await asyncio.gather(self.deliver.take(leased), self.deliver.deliver())
        return bool(claimed + recovered + len(leased))


class Stage:
    """Where stories happen: one or more nodes, the cast, and time."""

    def __init__(self, db: Db, *, nodes: int = 1, start: datetime | None = None) -> None:
        self.db = db
        self.clock = FrozenClock(start) if start else FrozenClock()
        self.phones = Phones(*KINDS, clock=self.clock)
        self.configure = Configure(db, Vault(b"test"), self.phones.by_kind)
        self.cast = Cast(db, self.configure, self.clock)
        self.awake = True
        self._said = 0
        #: Whether notices of shifts are sent; most stories are about alerts.
        self.notices = False
        self.groups: dict[tuple[UUID, str], Group] = {}
        #: What became of the last delivery.
        self.outcome: Outcome | None = None
        self._names = (f"node {n}" for n in count(1))
        self.engines = [self._engine() for _ in range(nodes)]
        self._hung: set[asyncio.Task[bool]] = set()
        self._default: Source | None = None

    def _engine(self) -> Engine:
        return Engine(self.db, self.phones, self.clock, next(self._names))

    @property
    def engine(self) -> Engine:
        """The first node."""
        return self.engines[0]

    async def start(self) -> None:
        """Fill what every installation has and start writing."""
        await seed(self.db, self.clock())
        for engine in self.engines:
            engine.start(lambda: self.awake)

    async def stop(self) -> None:
        """End what runs."""
        await self._let_go()
        for engine in self.engines:
            await engine.writers.stop()

    async def restart(self) -> None:
        """Kill every node at once, whatever it was doing, and start a new one in its place."""
        gone = tuple(engine.name for engine in self.engines)
        await self.stop()
        self.engines = [self._engine() for _ in self.engines]
        for engine in self.engines:
            engine.start(lambda: self.awake)
        await self.engine.deliver.recover(gone=gone)

    async def lose(self) -> None:
        """Kill the first of several nodes, whatever it was doing; nobody starts another."""
        await self._let_go()
        await self.engines.pop(0).writers.stop()

    async def _let_go(self) -> None:
        for task in self._hung:
            task.cancel()
        await asyncio.gather(*self._hung, return_exceptions=True)
        self._hung.clear()

    # ------------------------------------------------------------ what happens

    async def post(
        self,
        body: bytes,
        *,
        source: Source | None = None,
        url: tuple[str, str] | None = None,
        node: int = 0,
    ) -> Outcome:
        """Deliver a body as its sender would, and return what became of it."""
        sender = source or await self.sender()
        incoming = Incoming(
            id=new_id(self.clock()),
            received_at=self.clock(),
            source_id=sender.id,
            path="/webhooks/incoming/alertmanager_webhooks",
            remote_ip="192.0.2.1",
            user_agent="Alertmanager/0.33.1",
            size=len(body),
            packed=packed(body),
            envelope=SOURCES["alertmanager"](body),
            url_target=url,
        )
        self.outcome = await self.engines[node].writers.submit(incoming)
        await self.settle()
        return self.outcome

    async def answer(self, kind: str, address: str, text: str) -> Answer:
        """Let somebody answer by text, and return what they are told."""
        self._said += 1
        written = Written(kind=kind, reference=f"text {self._said}", addresses=(address,), text=text)
        return await self.engine.receive.written(written, self.clock())

    async def press(self, kind: str, notification_id: UUID, action: str) -> Answer:
        """Let the addressee of a message press a key of it."""
        self._said += 1
        pressed = Pressed(
            kind=kind,
            reference=f"key {self._said}",
            addresses=(),
            action=action,
            notification_id=notification_id,
        )
        return await self.engine.receive.pressed(pressed, self.clock())

    async def sender(self) -> Source:
        """Return the only source of the cast, made without a target if there is none."""
        if self._default is None:
            rows = await self.db.fetch("SELECT id, name FROM sources ORDER BY created_at, id LIMIT 1")
            self._default = (
                Source(rows[0]["id"], rows[0]["name"]) if rows else await self.cast.source(name="prod")
            )
        return self._default

    def group(self, source: Source, alertname: str, labels: Mapping[str, str]) -> Group:
        """Return the Alertmanager group of an alert name; its labels are those of its first mention."""
        return self.groups.setdefault((source.id, alertname), Group(alertname, labels=labels))

    async def settle(self) -> None:
        """Do everything that is due at this instant, on every node at the same time.

        Raises: AssertionError when there is no end to it.
        """
        for _ in range(_MOST_ROUNDS if self.awake else 0):
            ticked = await asyncio.gather(*(e.tick(self.clock()) for e in self.engines))
            if self.notices:
                ticked += await asyncio.gather(*(e.notice(self.clock()) for e in self.engines))
            sent = await asyncio.gather(*(self._sent(e) for e in self.engines))
            if not any(ticked) and not any(sent):
                return
        if self.awake:
            raise AssertionError(f"{self.clock():%H:%M:%S} something due is never done")

    async def _sent(self, engine: Engine) -> bool:
        """Send, but do not wait for an answer that never comes."""
        sending = asyncio.create_task(engine.send())
        hanging = [asyncio.create_task(p.hanging.wait()) for p in self.phones.by_kind.values()]
        await asyncio.wait([sending, *hanging], return_when=asyncio.FIRST_COMPLETED)
        for waiting in hanging:
            waiting.cancel()
        if sending.done():
            return sending.result()
        for phone in self.phones.by_kind.values():
            phone.hanging.clear()
        self._hung.add(sending)
        await self._all_but_hung()
        return True

    async def _all_but_hung(self) -> None:
        """Wait until everything sent beside a hanging message is recorded."""
        sql = "SELECT count(*) FROM notifications WHERE state = 'sending'"
        async with asyncio.timeout(10):
            while (await self.db.fetch(sql))[0][0] > sum(p.hung for p in self.phones.by_kind.values()):
                await asyncio.sleep(0.005)

    async def go(self, target: datetime, *, strict: bool) -> None:
        """Let time pass, one due instant after the other.

        Raises: AssertionError for messages before the target that nobody expected, when `strict`.
        """
        await self.settle()
        while self.awake:
            due = await self.db.value("next_due")
            if due is None or due > target:
                break
            if due <= self.clock():
                raise AssertionError(f"{self.clock():%H:%M:%S} was due at {due:%H:%M:%S} and not done")
            self.clock.move_to(due)
            await self.settle()
            if strict and due < target:
                self.phones.verify()
        self.clock.move_to(target)
        await self.settle()

    # ------------------------------------------------------------ what can be seen

    async def alert(self, alertname: str | None = None) -> Row:
        """Return the row of the alert heard of last, or of this name.

        Raises: Unknown when there is none.
        """
        sql = "SELECT * FROM alerts WHERE alertname = coalesce($1, alertname) ORDER BY last_received_at DESC, id DESC LIMIT 1"
        rows = await self.db.fetch(sql, alertname)
        if not rows:
            raise Unknown(f"There is no alert {alertname or 'at all'}.")
        return rows[0]

    async def alerts(self) -> list[Row]:
        """Return the rows of all alerts, oldest first."""
        return await self.db.fetch("SELECT * FROM alerts ORDER BY id")

    async def journal(self, alertname: str | None = None) -> list[Row]:
        """Return the timeline of the alert heard of last, or of this name."""
        alert = await self.alert(alertname)
        return await self.db.fetch("SELECT * FROM alert_events WHERE alert_id = $1 ORDER BY id", alert["id"])
