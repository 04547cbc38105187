"""Starts `nightbell serve` as anybody would, configures it as an administrator would, and watches what it uses.

Rule 1: nothing is switched off for a measurement; the database is the embedded one with its ordinary settings.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import monotonic
from uuid import UUID

from nightbell import clock
from nightbell.channels import registry
from nightbell.channels.email import SmtpSettings, Tls
from nightbell.core.journal import SYSTEM
from nightbell.engine import vault
from nightbell.engine.configure import Configure
from nightbell.engine.edits import ContactMethodEdit, LevelEdit, PolicyEdit, RouteEdit, SourceEdit, UserEdit
from nightbell.net.guard import Guard
from nightbell.net.http import Http
from nightbell.store import embedded
from nightbell.store.db import Db, connect

_TICK = os.sysconf("SC_CLK_TCK")
_LOOPBACK = "127.0.0.0/8"
_PATIENCE = 60.0


class Machine:
    """The processors from now on: how much of them something else uses."""

    def __init__(self) -> None:
        self._before = _busy()

    def others(self, ours: float) -> float:
        """Return the share of the machine that was used by others, given the seconds that were ours."""
        busy, every = (now - then for now, then in zip(_busy(), self._before, strict=True))
        return max(0.0, (busy - ours) / every) if every else 0.0


def _busy() -> tuple[float, float]:
    """Return seconds in use and seconds in all, over all processors."""
    fields = [int(text) / _TICK for text in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return sum(fields) - fields[3] - fields[4], sum(fields)


@dataclass(frozen=True, slots=True)
class Used:
    """Processor time. Units: seconds."""

    program: float
    database: float

    def since(self, before: "Used") -> "Used":
        """Return what was used after `before`."""
        return Used(self.program - before.program, self.database - before.database)


class Program:
    """A running Nightbell and a connection to its database."""

    def __init__(self, pid: int, db: Db, started: float) -> None:
        self.pid = pid
        self.db = db
        #: From the start of the process until it was ready to page. Units: seconds.
        self.started = started

    def used(self) -> Used:
        """Return the processor time so far."""
        program, database = self._processes()
        return Used(sum(map(_seconds, program)), sum(map(_seconds, database)))

    def _processes(self) -> tuple[list[int], list[int]]:
        """Return the program's own processes and those of its PostgreSQL."""
        family = _family(self.pid)
        database = [pid for pid in family if _name(pid) == "postgres"]
        return [self.pid, *(pid for pid in family if pid not in database)], database

    def memory(self) -> tuple[float, float]:
        """Return the proportional set sizes of the program and of its PostgreSQL. Units: MiB."""
        program, database = self._processes()
        return sum(map(_pss, program)), sum(map(_pss, database))

    async def count(self, sql: str) -> int:
        """Return a number from the database."""
        return int((await self.db.fetch(sql))[0][0] or 0)


def ours() -> float:
    """Return the processor time of this process and of those it started. Units: seconds."""
    me = os.getpid()
    return _seconds(me) + sum(map(_seconds, _family(me)))


def server_seconds(server: embedded.Server) -> float:
    """Return the processor time of a PostgreSQL and of everything it started."""
    return _seconds(server.pid or 0) + sum(map(_seconds, _family(server.pid or 0)))


def _seconds(pid: int) -> float:
    """Return processor time of a process and of its children that have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(map(int, fields[11:15])) / _TICK


def _family(pid: int) -> list[int]:
    """Return all descendants of a process."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [every for child in children for every in (int(child), *_family(int(child)))]


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _pss(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, PermissionError, ProcessLookupError):
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


@asynccontextmanager
async def running(data: Path, port: int) -> AsyncIterator[Program]:
    """Run the program on a data directory for as long as the block lasts."""
    began = monotonic()
    process = await _start(data, port)
    try:
        await _until_ready(process, port)
        started = monotonic() - began
        async with opened(data) as db:
            yield Program(process.pid, db, started)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


async def _start(data: Path, port: int) -> asyncio.subprocess.Process:
    data.parent.mkdir(parents=True, exist_ok=True)
    with (data.parent / f"{data.name}.log").open("wb") as log:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "nightbell", "serve", "--data", str(data), "--port", str(port)),
            env={**os.environ, "NIGHTBELL_ALLOW_NETWORKS": _LOOPBACK, "NIGHTBELL_LOG_LEVEL": "warning"},
            stdout=log,
            stderr=log,
        )


async def _until_ready(process: asyncio.subprocess.Process, port: int) -> None:
    until = monotonic() + _PATIENCE
    while process.returncode is None and monotonic() < until:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /readyz HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
            answer = await reader.read()
            writer.close()
        except OSError:
            answer = b""
        if answer.startswith(b"HTTP/1.1 200"):
            return
        await asyncio.sleep(0.01)
    raise SystemExit("the program did not start: its messages are beside the data directory")


@asynccontextmanager
async def opened(data: Path) -> AsyncIterator[Db]:
    """Open the database of a data directory, whether the program runs or not."""
    server = await embedded.attach_or_start(data, purpose="bench")
    db = await connect(server.dsn, size=4)
    try:
        yield db
    finally:
        await db.close()
        await server.stop()


class Setup:
    """Configures an installation the way an administrator would, with the same checks."""

    def __init__(self, db: Db, configure: Configure, http: Http) -> None:
        self._db = db
        self._configure = configure
        self._http = http

    @classmethod
    @asynccontextmanager
    async def of(cls, db: Db) -> "AsyncIterator[Setup]":
        """Open the configuration of a database."""
        keys = await vault.unlock(db, None, clock.now())
        smtp = SmtpSettings(
            host="",
            port=25,
            user="",
            password="",
            tls=Tls.NONE,
            sender="bench@example.com",
            timeout=timedelta(seconds=1),
        )
        http = Http(Guard((_LOOPBACK,)))
        try:
            yield cls(db, Configure(db, keys, registry.build(smtp, http)), http)
        finally:
            await http.aclose()

    @property
    def configure(self) -> Configure:
        """What changes the configuration."""
        return self._configure

    async def source(self, identity: str, *, page: tuple[str, str] | None = None) -> str:
        """Make a source with a route of which no rule matches; return its secret. `page` is its default target."""
        target = {"type": page[0], "id": page[1]} if page else None
        edit = SourceEdit(name=f"bench {identity}", identity=identity, default_target=target)
        source_id, secret = await self._configure.create_source(edit, by=SYSTEM, now=clock.now())
        await self._route(source_id)
        return secret

    async def _route(self, source_id: UUID) -> None:
        condition = {
            "field_type": "payload",
            "field_name": "$.commonLabels.team",
            "operator": "is_one_of",
            "values": ["nobody-has-this-team"],
        }
        rule = {
            "name": "never",
            "destinations": [{"target_type": "User", "target_id": str(await self.person("Route"))}],
            "condition_groups": [{"conditions": [condition]}],
        }
        edit = RouteEdit(name=f"route of {source_id}", source_ids=[source_id], rules=[rule])
        await self._configure.create_route(edit, by=SYSTEM, now=clock.now())

    async def person(self, name: str, *, webhook: str = "") -> int:
        """Add somebody whose inbox rings, or whose webhook is called: one contact method, used at once."""
        now = clock.now()
        edit = UserEdit(name=name, email=f"{name.lower()}@example.com", role="user")
        user = await self._configure.create_user(edit, by=SYSTEM, now=now)
        if webhook:
            method = ContactMethodEdit(kind="webhook", address=webhook)
            await self._configure.create_contact_method(user, method, verified=True, by=SYSTEM, now=now)
        others = "SELECT id FROM contact_methods WHERE user_id = $1 AND kind <> $2"
        for row in await self._db.fetch(others, user, "webhook" if webhook else "inbox"):
            await self._configure.delete_contact_method(row[0], by=SYSTEM, now=now)
        return user

    async def policy(self, *people: int) -> UUID:
        """Add a policy that pages one person a minute."""
        now = clock.now()
        policy = await self._configure.create_policy(PolicyEdit(name="Bench"), by=SYSTEM, now=now)
        for person in people:
            level = LevelEdit(targets=[{"type": "user", "id": str(person)}], delay_minutes=1)
            await self._configure.create_level(policy, None, level, by=SYSTEM, now=now)
        return policy
