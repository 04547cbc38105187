"""This file runs our own PostgreSQL: it makes the data, starts the server, watches it, brings it back, stops it.

One data directory has one holder of the lock and one server, always; a second server on the same data is never started.
"""

import asyncio
import ctypes
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Protocol
from urllib.parse import quote

import structlog

from nightbell.core.errors import NightbellError
from nightbell.store import postmaster, providers, unroot
from nightbell.store.datalock import Busy, DataLock

log = structlog.get_logger()

USER = "nightbell"
#: Room that the kernel leaves for the name of a socket.
LONGEST_SOCKET = 107
_SOCKET_NAME = f"/.s.PGSQL.{postmaster.PORT}"
_LOG_LIMIT = 10 * 2**20
_PR_SET_PDEATHSIG = 1
#: How long `serve` and the commands wait for a command that is about to end.
PATIENCE = 30.0

#: Durable, quiet and small; measured in docs/benchmarks.
TUNING: Mapping[str, str] = MappingProxyType(
    {
        "listen_addresses": "",
        "unix_socket_permissions": "0700",
        "max_connections": "60",
        "fsync": "on",
        "synchronous_commit": "on",
        "shared_buffers": "128MB",
        "work_mem": "8MB",
        "max_wal_size": "2GB",
        "wal_compression": "pglz",
        # Nobody streams from an embedded server; a cluster brings its own PostgreSQL.
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "max_logical_replication_workers": "0",
        "checkpoint_timeout": "15min",
        "gin_pending_list_limit": "64MB",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        # ERROR is below LOG here: refused statements come back to us as exceptions and would put payloads into the log.
        "log_min_messages": "log",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_checkpoints": "off",
    }
)


class PostgresFailed(NightbellError):
    """The embedded PostgreSQL did not start."""

    code = "postgres_failed"


class Database(Protocol):
    """An embedded database, whether this process runs it or another one does."""

    @property
    def dsn(self) -> str:
        """Where asyncpg, psql and pg_dump find it."""

    @property
    def binaries(self) -> Path:
        """The folder of the PostgreSQL programs that fit it."""

    async def stop(self) -> None:
        """Let go of it: stop the server, if it is ours."""


class Attached:
    """A server that another nightbell runs."""

    def __init__(self, sockets: Path, binaries: Path) -> None:
        self.dsn = dsn(sockets)
        self.binaries = binaries

    async def stop(self) -> None:
        """Do nothing: it is not ours."""


class Server:
    """A PostgreSQL that ends when we end, however we end."""

    def __init__(self, data: Path, lock: DataLock, binaries: Path, options: Mapping[str, str]) -> None:
        self.data = data
        self.lock = lock
        self.binaries = binaries
        self.cluster = data / "postgres"
        self.sockets = _socket_folder(data)
        self.dsn = dsn(self.sockets)
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._changing = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """The server's process, for doctor and for crash tests."""
        return self._process.pid if self._process else None

    def alive(self) -> bool:
        """Tell whether the server process exists."""
        return self._process is not None and self._process.poll() is None

    async def ensure(self) -> bool:
        """Start the server unless it runs; True when it had to be started.

        Raises: PostgresFailed with the end of its log.
        """
        async with self._changing:
            if self.alive():
                return False
            began = time.monotonic()
            await self._launch()
            log.info("postgres.started", pid=self.pid, seconds=round(time.monotonic() - began, 3))
            return True

    async def watch(self, restarted: Callable[[], None]) -> None:
        """Bring the server back whenever it ends, until cancelled; `restarted` is called after each time."""
        while True:
            while self.alive():
                await asyncio.sleep(0.25)
            log.error("postgres.died", code=self._process.returncode if self._process else None)
            try:
                await self.ensure()
            except NightbellError as error:
                log.error("postgres.restart_failed", why=error.message)
                await asyncio.sleep(2)
            else:
                restarted()

    async def stop(self) -> None:
        """Stop the server, after a checkpoint, and give the data directory free."""
        async with self._changing:
            if self._process is not None:
                for how, wait in ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0)):
                    if await self._ended(how, wait=wait):
                        break
                self._process = None
        self.lock.release()

    async def _launch(self) -> None:
        await postmaster.end_leftovers(self.cluster)
        unrooted = unroot.prefix(self.cluster, self.binaries)
        _private(self.sockets)
        _give_like(self.sockets, self.cluster)
        journal = self.data / "postgres.log"
        _cut(journal)
        options = [f"--{name}={value}" for name, value in self._options.items()]
        command: list[str | Path] = [
            self.binaries / "postgres",
            "-D",
            self.cluster,
            "-k",
            self.sockets,
            *options,
        ]
        with journal.open("ab") as out:
            self._process = subprocess.Popen(
                [*unrooted, *command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd="/",
                env={"LC_ALL": "C"},
                # Ctrl-C at the terminal is for us; we stop the server when we are done with it.
                start_new_session=True,
                preexec_fn=_die_with(os.getpid()),
            )
        await self._ready(self._process, journal)

    async def _ready(self, process: subprocess.Popen[bytes], journal: Path) -> None:
        """Wait as long as the server lives: replaying the log of a crash may take a while."""
        told = time.monotonic()
        while process.poll() is None:
            known = postmaster.status(self.cluster)
            if known and known.pid == process.pid and known.state == "ready":
                return
            if time.monotonic() - told > 5:
                told = time.monotonic()
                log.info("postgres.recovering", pid=process.pid)
            await asyncio.sleep(0.005)
        raise PostgresFailed(
            f"PostgreSQL ended with code {process.returncode} while starting: {_tail(journal)}",
            hint=f"the whole log is {journal}",
        )

    async def _ended(self, how: signal.Signals, *, wait: float) -> bool:
        if self._process is None or self._process.poll() is not None:
            return True
        self._process.send_signal(how)
        until = time.monotonic() + wait
        while self._process.poll() is None and time.monotonic() < until:
            await asyncio.sleep(0.005)
        return self._process.poll() is not None


async def start(
    data: Path,
    *,
    binaries: Path | None = None,
    purpose: str = "serve",
    url: str = "",
    options: Mapping[str, str] = MappingProxyType({}),
) -> Server:
    """Take the data directory and start its server, making both where there are none.

    Shape: `binaries` names a PostgreSQL, else one is found; `options` go over TUNING.
    Raises: Busy, NoPostgres, CannotUnroot, PostgresFailed; nothing is left running or locked.
    """
    data = _private(data.expanduser().absolute())
    lock = await _take(data, purpose=purpose, url=url)
    try:
        folder, major = providers.find(binaries, major=_major(data / "postgres"))
        server = Server(data, lock, folder, {**TUNING, **_of_version(major), **options})
        await _initialise(data, folder, major)
        await server.ensure()
    except BaseException:
        lock.release()
        raise
    return server


async def attach_or_start(data: Path, *, binaries: Path | None = None, purpose: str) -> Database:
    """Return the database of a data directory: that of the nightbell which serves it, else a server of our own.

    Raises: as `start` does; Busy only when the other one does not answer within PATIENCE.
    """
    data = data.expanduser().absolute()
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return await start(data, binaries=binaries, purpose=purpose)
        except Busy:
            sockets = postmaster.answering(data / "postgres")
            if sockets:
                return Attached(sockets, providers.find(binaries, major=_major(data / "postgres"))[0])
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.05)


def dsn(sockets: Path, database: str = "postgres") -> str:
    """Return the address of a database behind a socket folder, for asyncpg, psql and pg_dump alike."""
    return f"postgresql://{USER}@/{database}?host={quote(str(sockets), safe='/')}&port={postmaster.PORT}&sslmode=disable"


async def _take(data: Path, *, purpose: str, url: str) -> DataLock:
    """Take the lock, waiting for a command that is about to end but not for one that serves."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return DataLock.take(data, purpose=purpose, url=url)
        except Busy as busy:
            serving = busy.holder is None or busy.holder.purpose == "serve"
            if serving or time.monotonic() > until:
                raise
            await asyncio.sleep(0.05)


async def _initialise(data: Path, binaries: Path, major: int) -> None:
    """Make the data beside its place and move it there whole, so that an interrupted start leaves nothing half made."""
    if (data / "postgres" / "PG_VERSION").exists():
        return
    made = data / "postgres.new"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(mode=0o700)
    # The built-in provider needs nothing of the system's locales.
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if major >= 17 else []
    command: list[str | Path] = [
        binaries / "initdb",
        "-D",
        made,
        "-U",
        USER,
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C",
        *locale,
    ]
    process = await asyncio.create_subprocess_exec(
        *unroot.prefix(made, binaries),
        *command,
        "--no-instructions",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd="/",
        env={"LC_ALL": "C"},
        start_new_session=True,
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise PostgresFailed(
            f"initdb failed: {said.decode(errors='replace')[-500:].strip()}", place=str(data)
        )
    made.rename(data / "postgres")


def _of_version(major: int) -> dict[str, str]:
    # From 18 on reads go through three more processes by default, which an idle pager does not need.
    return {"io_method": "sync"} if major >= 18 else {}


def _major(cluster: Path) -> int | None:
    try:
        return int((cluster / "PG_VERSION").read_text())
    except FileNotFoundError:
        return None


def _socket_folder(data: Path) -> Path:
    """Return where the socket goes: in the data directory, or in a short place named after it when that is too long."""
    inside = data / "run"
    if len(os.fsencode(inside)) + len(_SOCKET_NAME) <= LONGEST_SOCKET:
        return inside
    runtime = Path(f"/run/user/{os.geteuid()}")
    name = f"nightbell-{os.geteuid()}-{hashlib.sha256(os.fsencode(data)).hexdigest()[:12]}"
    return (runtime if os.access(runtime, os.W_OK) else Path("/tmp")) / name


def _private(folder: Path) -> Path:
    """Return a folder that only we can enter, making it when it is missing.

    Raises: PostgresFailed when somebody else was there first.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = folder.lstat().st_uid
    if folder.is_symlink() and str(folder).startswith("/tmp/") or owner not in (os.geteuid(), unroot.NOBODY):
        raise PostgresFailed(
            f"{folder} belongs to user {owner}", place="data", hint="remove it, or choose another place"
        )
    if owner == os.geteuid():
        folder.chmod(0o700)
    return folder


def _give_like(folder: Path, model: Path) -> None:
    """Let the server, when it runs as nobody, make its socket here."""
    owner = model.stat().st_uid
    if os.geteuid() != 0 or owner == folder.stat().st_uid:
        return
    os.chown(folder, owner, -1)


def _die_with(parent: int) -> Callable[[], None] | None:
    """Return what makes the child get SIGINT, a fast and clean stop, when we are gone: even by kill -9."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGINT.value)
        if os.getppid() != parent:
            os._exit(1)

    return ask


def _cut(journal: Path) -> None:
    if journal.exists() and journal.stat().st_size > _LOG_LIMIT:
        journal.rename(journal.with_suffix(".log.1"))


def _tail(journal: Path) -> str:
    return " | ".join(journal.read_text(errors="replace").splitlines()[-5:])
