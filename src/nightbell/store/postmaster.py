"""This file reads what a PostgreSQL server leaves in its data directory, and ends servers nobody watches any more.

Only ever called by whoever holds the data lock, but for `answering`, which merely looks.
"""

import asyncio
import os
import signal
import time
from pathlib import Path

from msgspec import Struct

PORT = 5432
_SOCKET = f".s.PGSQL.{PORT}"


class Status(Struct, frozen=True, kw_only=True):
    """The lines of postmaster.pid that matter here."""

    pid: int
    sockets: Path
    #: "starting", "stopping", "ready", "standby"; "" while the file is being written.
    state: str


def status(cluster: Path) -> Status | None:
    """Return what the server of this data directory last wrote; it may be long dead. None when it ended properly."""
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
    except (FileNotFoundError, PermissionError):
        return None
    if not lines or not lines[0].strip().lstrip("-").isdigit():
        return None
    lines += [""] * (8 - len(lines))
    return Status(pid=abs(int(lines[0])), sockets=Path(lines[4] or "/nonexistent"), state=lines[7].strip())


def answering(cluster: Path) -> Path | None:
    """Return the folder of the socket on which a living server of this data answers, or None."""
    known = status(cluster)
    if known and known.state == "ready" and _exists(known.pid):
        return known.sockets
    return None


async def end_leftovers(cluster: Path) -> bool:
    """End every process that still works on this data, and forget what dead ones wrote; True when there was any.

    An orphan is stopped, not adopted: nothing would stop it when we die in our turn. Its clients are ours and gone.
    """
    known = status(cluster)
    if known is None:
        return False
    found = _working_on(cluster)
    if known.pid in found:
        await _end(cluster, known.pid, signal.SIGINT, wait=20.0)
    # Children outlive a killed postmaster by as long as their query takes, and keep its shared memory in use.
    for step, wait in ((signal.SIGQUIT, 2.0), (signal.SIGKILL, 5.0)):
        for pid in _working_on(cluster):
            await _end(cluster, pid, step, wait=wait)
    for leftover in (cluster / "postmaster.pid", known.sockets / _SOCKET, known.sockets / f"{_SOCKET}.lock"):
        # The number in it may belong to somebody else by now, whom PostgreSQL would take for a living server.
        leftover.unlink(missing_ok=True)
    return bool(found)


async def _end(cluster: Path, pid: int, how: signal.Signals, *, wait: float) -> None:
    until = time.monotonic() + wait
    try:
        os.kill(pid, how)
    except ProcessLookupError:
        return
    while time.monotonic() < until and pid in _working_on(cluster):
        await asyncio.sleep(0.01)


def _working_on(cluster: Path) -> set[int]:
    """Return the processes whose working directory is the data directory, as every PostgreSQL process's is."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(entry / "cwd") == str(cluster):
                found.add(int(entry.name))
        except OSError:
            continue
    return found


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
