"""The real program, in a process of its own, on a data directory of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.ports import free_port

#: Two cores may be shared by many.
PATIENCE = 60


class Program:
    """The `nightbell` command on one data directory."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.out, self.err = folder / "out", folder / "err"
        self.process: subprocess.Popen[bytes] | None = None
        kept = {name: value for name, value in os.environ.items() if not name.startswith("NIGHTBELL_")}
        self.environ = {**kept, "NIGHTBELL_DATA": str(self.data), "NIGHTBELL_PORT": str(self.port)}

    def start(self, *arguments: str) -> None:
        """Serve, and wait for the line that says it is ready."""
        self.launch(*arguments)
        until = time.monotonic() + PATIENCE
        while "is ready on" not in self.out.read_text():
            assert self.process and self.process.poll() is None, self.err.read_text()
            assert time.monotonic() < until, self.err.read_text()
            time.sleep(0.05)

    def launch(self, *arguments: str) -> None:
        """Serve, without waiting."""
        with self.out.open("wb") as out, self.err.open("wb") as err:
            command = [sys.executable, "-m", "nightbell", "serve", *arguments]
            self.process = subprocess.Popen(command, stdout=out, stderr=err, env=self.environ)

    def end(self, how: signal.Signals) -> int:
        """Send a signal and return the exit code."""
        assert self.process
        self.process.send_signal(how)
        return self.process.wait(PATIENCE)

    def run(self, *arguments: str, given: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "nightbell", *arguments],
            input=given,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env={**self.environ, **environ},
        )

    def says(self, *arguments: str, given: str = "") -> str:
        """Return what a command answers that must succeed."""
        done = self.run(*arguments, given=given)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def refuses(self, *arguments: str, given: str = "", **environ: str) -> str:
        """Return what a command complains of that must fail, politely."""
        done = self.run(*arguments, given=given, **environ)
        assert done.returncode == 1, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        assert done.stdout == ""
        return " ".join(done.stderr.split())

    def leftovers(self) -> list[str]:
        """Return the command lines of processes that still have to do with the data directory."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if str(self.data) in line:
                found.append(line)
        return found


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """The program, not started."""
    made = Program(tmp_path)
    yield made
    if made.process and made.process.poll() is None:
        made.end(signal.SIGKILL)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The program, serving, for all tests of a module."""
    made = Program(tmp_path_factory.mktemp("served"))
    made.start()
    yield made
    assert made.end(signal.SIGINT) == 0
