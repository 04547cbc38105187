"""Starts the program as `nightbell serve` does, in a process of its own, and watches what it uses.

Rule 1: nothing is switched off for a measurement; the database is the embedded one with its ordinary settings.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import UUID

import uvloop

from nightbell import app, clock
from nightbell.channels import registry
from nightbell.channels.email import SmtpSettings, Tls
from nightbell.core.journal import SYSTEM
from nightbell.engine import vault
from nightbell.engine.configure import Configure
from nightbell.engine.edits import ContactMethodEdit, RouteEdit, SourceEdit, UserEdit
from nightbell.net.guard import Guard
from nightbell.net.http import Http
from nightbell.settings import load
from nightbell.store import embedded
from nightbell.store.db import Db, connect

_TICK = os.sysconf("SC_CLK_TCK")
_READY = b"ready\n"
_AT_ONCE = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Used:
    """Processor time since the start. Units: seconds."""

    program: float
    database: float

    def since(self, before: "Used") -> "Used":
        """Return what was used after `before`."""
        return Used(self.program - before.program, self.database - before.database)


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


class Program:
    """A running Nightbell and a connection to its database."""

    def __init__(self, process: asyncio.subprocess.Process, db: Db, port: int, started: float) -> None:
        self.process = process
        self.db = db
        self.port = port
        #: How long it took from the start of the process to the first answer.
        self.started = started

    def used(self) -> Used:
        """Return the processor time of the program and of its PostgreSQL."""
        family = _family(self.process.pid)
        return Used(_seconds(self.process.pid), sum(_seconds(pid) for pid in family))

    def memory(self) -> tuple[float, float]:
        """Return the proportional set sizes of the program and of its PostgreSQL. Units: MiB."""
        return _pss(self.process.pid), sum(map(_pss, _family(self.process.pid)))

    async def count(self, sql: str, *args: Any) -> int:
        """Return a number from the database."""
        return int((await self.db.fetch(sql, *args))[0][0] or 0)


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _seconds(pid: int) -> float:
    """Return processor time of a process and of its children that have ended."""
    try:
        return sum(map(int, _stat(pid)[11:15])) / _TICK
    except (FileNotFoundError, ProcessLookupError):
        return 0.0


def _family(pid: int) -> list[int]:
    """Return all descendants of a process."""
    found: list[int] = []
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        try:
            found += [int(child), *_family(int(child))]
        except FileNotFoundError:
            continue
    return found


def _pss(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, PermissionError, ProcessLookupError):
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


async def _until_ready(process: asyncio.subprocess.Process) -> None:
    """Wait for the word on stdout, and go on reading what the program says, so that it never blocks."""
    said: list[bytes] = []
    out = process.stdout
    while out is not None and (line := await out.readline()):
        if line == _READY:
            process_log = asyncio.create_task(out.read())
            _LOGS.add(process_log)
            process_log.add_done_callback(_LOGS.discard)
            return
        said.append(line)
    raise SystemExit("the program did not start:\n" + b"".join(said).decode())


_LOGS: set["asyncio.Task[bytes]"] = set()


@asynccontextmanager
async def running(data: Path, port: int) -> AsyncIterator[Program]:
    """Run the program on a data directory for as long as the block lasts."""
    began = monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.program", str(data), str(port), stdout=asyncio.subprocess.PIPE
    )
    try:
        await _until_ready(process)
        started = monotonic() - began
        server = await embedded.attach_or_start(data, purpose="bench")
        db = await connect(server.dsn, size=2)
        try:
            yield Program(process, db, port, started)
        finally:
            await db.close()
            await server.stop()
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


class Setup:
    """Configures an installation the way an administrator would, with the same checks."""

    def __init__(self, db: Db, configure: Configure) -> None:
        self._db = db
        self._configure = configure

    @classmethod
    async def of(cls, db: Db) -> "Setup":
        """Return the configuration of a database."""
        keys = await vault.unlock(db, None, clock.now())
        smtp = SmtpSettings(host="", port=25, user="", password="", tls=Tls.NONE, sender="bench@example.com", timeout=_AT_ONCE)
        return cls(db, Configure(db, keys, registry.build(smtp, Http(Guard(("127.0.0.0/8",))))))

    async def source(self, identity: str, *, page: int | None = None) -> str:
        """Make a source with a route of which no rule matches; return its secret. `page` is whom it pages."""
        now = clock.now()
        target = {"type": "User", "id": str(page)} if page else None
        edit = SourceEdit(name=f"bench {identity} {page}", identity=identity, default_target=target)
        source_id, secret = await self._configure.create_source(edit, by=SYSTEM, now=now)
        await self._route(source_id)
        return secret

    async def _route(self, source_id: UUID) -> None:
        condition = {
            "field_type": "payload",
            "field_name": "$.commonLabels.team",
            "operator": "is_one_of",
            "values": ["nobody-has-this-team"],
        }
        user = await self.person("route@example.com", keep="inbox")
        rule = {
            "name": "never",
            "destinations": [{"target_type": "User", "target_id": str(user)}],
            "condition_groups": [{"conditions": [condition]}],
        }
        edit = RouteEdit(name=f"route of {source_id}", source_ids=[source_id], rules=[rule])
        await self._configure.create_route(edit, by=SYSTEM, now=clock.now())

    async def person(self, email: str, *, keep: str = "", webhook: str = "") -> int:
        """Make somebody (or find them) with the contact methods of one kind only, or with one webhook."""
        now = clock.now()
        known = await self._db.fetch("SELECT id FROM users WHERE lower(email) = $1", email)
        if known:
            return int(known[0][0])
        edit = UserEdit(name=email.partition("@")[0].capitalize(), email=email, role="user")
        user = await self._configure.create_user(edit, by=SYSTEM, now=now)
        if webhook:
            method = ContactMethodEdit(kind="webhook", address=webhook)
            await self._configure.create_contact_method(user, method, verified=True, by=SYSTEM, now=now)
        chosen = "webhook" if webhook else keep
        others = "SELECT id FROM contact_methods WHERE user_id = $1 AND kind <> $2"
        for row in await self._db.fetch(others, user, chosen):
            await self._configure.delete_contact_method(row[0], by=SYSTEM, now=now)
        return user


async def _serve(data: Path, port: int, ready: Callable[[], None]) -> None:
    settings = load({"data": data, "port": port, "allow_networks": ["127.0.0.0/8"], "log_level": "warning"})
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await app.serve(settings, stop, ready=lambda _running: ready())


def _say_ready() -> None:
    sys.stdout.buffer.write(_READY)
    sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(_serve(Path(sys.argv[1]), int(sys.argv[2]), _say_ready))
