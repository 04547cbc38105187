"""Real programs on loopback: Nightbell itself, Prometheus and Alertmanager, each in a folder and on ports of its own.

Everything started here is ended by its own process id, and every wait has an end.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from types import MappingProxyType
from typing import Any, Self, TypeVar

import httpx

from nightbell.store import postmaster
from nightbell.worker.intake_apart import PROGRAM
from support.ports import LOOPBACK, free_port

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
#: A step of the wait; everything below answers in less than ten of them when the machine is idle.
STEP = 0.05


def eventually(look: Callable[[], T], *, within: float = 20, what: str = "") -> T:
    """Return what `look` returns once that is true, or fail; an AssertionError or a lost connection is "not yet"."""
    until = time.monotonic() + within
    last: object = None
    while True:
        try:
            found = look()
            if found:
                return found
            last = found
        except (AssertionError, httpx.TransportError, LookupError) as not_yet:
            last = not_yet
        if time.monotonic() > until:
            raise AssertionError(f"{what or 'it'} did not come true within {within} s; last: {last!r}")
        time.sleep(STEP)


class Program:
    """A subprocess in a session of its own, what it says in a file."""

    def __init__(
        self, command: Sequence[str | Path], folder: Path, *, env: Mapping[str, str] | None = None
    ) -> None:
        self.command = [str(part) for part in command]
        self.folder = folder
        self.log = folder / "log"
        self._env = env
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None, "not started"
        return self._process.pid

    def start(self) -> None:
        """Start it; does not wait for it to be of any use."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=None if self._env is None else dict(self._env),
                cwd=self.folder,
                start_new_session=True,
            )

    def alive(self) -> bool:
        """Tell whether it runs."""
        return self._process is not None and self._process.poll() is None

    def said(self) -> str:
        """Return all it has said."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def kill(self) -> None:
        """End it without a warning, and wait until it is gone."""
        self._end(signal.SIGKILL, 10)

    def stop(self, *, within: float = 20) -> None:
        """Ask it to end; kill it when it does not."""
        if not self._end(signal.SIGTERM, within):
            self._end(signal.SIGKILL, 10)

    def _end(self, how: signal.Signals, within: float) -> bool:
        if self._process is None or self._process.poll() is not None:
            return True
        self._process.send_signal(how)
        try:
            self._process.wait(within)
        except subprocess.TimeoutExpired:
            return False
        return True

    def answering(self, url: str, *, within: float = 60) -> None:
        """Wait until a URL answers 200, and fail with the end of the log when it does not."""

        def look() -> bool:
            assert self.alive(), f"{self.command[0]} ended:\n{self.said()[-2000:]}"
            return httpx.get(url, timeout=2).status_code == 200

        try:
            eventually(look, within=within, what=url)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.said()[-2000:]}") from error

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class Nightbell(Program):
    """The program, as `nightbell serve` in a process of its own.

    Shape: `settings` are NIGHTBELL_* variables without their prefix; none of the machine's own reach it.
    """

    def __init__(
        self, folder: Path, *, port: int | None = None, settings: Mapping[str, object] = MappingProxyType({})
    ) -> None:
        self.port = port or free_port()
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.data = folder / "data"
        ours = {
            "data": self.data,
            "port": self.port,
            "allow_networks": "127.0.0.0/8",
            "log_format": "json",
            **settings,
        }
        env = {name: value for name, value in os.environ.items() if not name.startswith("NIGHTBELL_")}
        env |= {f"NIGHTBELL_{name.upper()}": str(value) for name, value in ours.items()}
        super().__init__([sys.executable, "-m", "nightbell", "serve"], folder, env=env)

    def start(self) -> None:
        """Start it and wait until it says that it is ready."""
        before = self.said().count("Nightbell is ready")
        super().start()

        def look() -> bool:
            if not self.alive():
                raise RuntimeError(f"nightbell serve ended:\n{self.said()[-4000:]}")
            return self.said().count("Nightbell is ready") > before

        eventually(look, within=30, what=f"readiness of {self.folder}")

    def run(self, *arguments: str, stdin: str = "") -> str:
        """Run another command on the same installation and return the bare value it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "nightbell", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            env=None if self._env is None else dict(self._env),
            check=False,
        )
        assert done.returncode == 0, f"nightbell {' '.join(arguments)}: {done.stderr}"
        return done.stdout.strip()

    def owner(self, email: str = "owner@example.org") -> str:
        """Make an owner and return an API token of theirs."""
        self.run("user", "add", email, "--name", "Olive Owner", "--role", "owner")
        return self.run("token", "create", "--user", email, "--role", "owner")

    def postgres_pid(self) -> int:
        """Return the process id of its embedded PostgreSQL."""
        found = postmaster.status(self.data / "postgres")
        assert found is not None, "no PostgreSQL"
        return found.pid

    def beside(self) -> list[int]:
        """Return the ids of the processes that take requests beside its own."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [int(child) for child in children if PROGRAM in _command(int(child))]

    def metric(self, name: str) -> float:
        """Return a number of /metrics, all labels together; 0 when there is none."""
        return metric(f"{self.url}/metrics", name)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def metric(url: str, name: str) -> float:
    """Return a number of an exposition, all labels together; 0 when there is none."""
    lines = httpx.get(url, timeout=5).text.splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith((f"{name} ", f"{name}{{")))


# ---------------------------------------------------------------- Prometheus and Alertmanager

#: What scripts/newer-alertmanager unpacked.
_NEWER = ("scripts/newer-alertmanager", "--cached")


def installed(*names: str) -> Path | None:
    """Return the first of these programs that this machine has installed."""
    return next((Path(found) for name in names if (found := shutil.which(name))), None)


def unpacked(name: str) -> Path | None:
    """Return a program of a later suite, when it was fetched."""
    done = subprocess.run(_NEWER, cwd=ROOT, capture_output=True, text=True, check=False)
    found = Path(done.stdout.strip() or "/nonexistent") / "usr/bin" / name
    return found if found.exists() else None


class Alertmanager(Program):
    """An Alertmanager without a cluster."""

    def __init__(self, binary: Path, folder: Path, config: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "alertmanager.yml").write_text(config, encoding="utf-8")
        self.port = free_port()
        self.url = f"http://{LOOPBACK}:{self.port}"
        super().__init__(
            [
                binary,
                f"--config.file={folder}/alertmanager.yml",
                f"--storage.path={folder}/alertmanager",
                f"--web.listen-address={LOOPBACK}:{self.port}",
                "--cluster.listen-address=",
                "--log.level=debug",
            ],
            folder,
        )

    def start(self) -> None:
        """Start it and wait until it is ready."""
        super().start()
        self.answering(f"{self.url}/-/ready")

    def metric(self, name: str) -> float:
        """Return a number of its /metrics, all labels together."""
        return metric(f"{self.url}/metrics", name)


class Prometheus(Program):
    """A Prometheus that evaluates one rule file every second."""

    def __init__(self, binary: Path, folder: Path, *, config: str, rules: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.rules = folder / "rules.yml"
        self.rules.write_text(rules, encoding="utf-8")
        (folder / "prometheus.yml").write_text(config, encoding="utf-8")
        self.port = free_port()
        self.url = f"http://{LOOPBACK}:{self.port}"
        super().__init__(
            [
                binary,
                f"--config.file={folder}/prometheus.yml",
                f"--storage.tsdb.path={folder}/tsdb",
                f"--web.listen-address={LOOPBACK}:{self.port}",
                "--web.enable-lifecycle",
                # Alerts are sent again this often while they fire: a lost one heals soon.
                "--rules.alert.resend-delay=2s",
            ],
            folder,
        )

    def start(self) -> None:
        """Start it and wait until it is ready."""
        super().start()
        self.answering(f"{self.url}/-/ready", within=30)


# ---------------------------------------------------------------- servers that receive, beside tests that are not async


class Background:
    """An event loop in a thread: asynchronous doubles for tests that just wait."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def do(self, work: Coroutine[Any, Any, T], *, within: float = 20) -> T:
        """Run a coroutine there and return its result."""
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(within)

    def close(self) -> None:
        """Cancel what is left and end the thread."""

        async def cancel() -> None:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        self.do(cancel())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()
