"""This file lets one process at a time own a data directory, and tells the others who that is.

The lock is the kernel's (flock), so it ends with its holder, however that one ended; the text in it is only news.
"""

import fcntl
import os
import time
from pathlib import Path
from typing import Self

import msgspec
from msgspec import Struct

from nightbell.core.errors import NightbellError

NAME = "nightbell.lock"


class Holder(Struct, frozen=True, kw_only=True):
    """Who owns a data directory."""

    pid: int
    #: "serve" stays; any other command is gone in a moment, so waiting for it is worth it.
    purpose: str
    #: Where it serves; "" when it does not.
    url: str = ""


class Busy(NightbellError):
    """Another process owns the data directory."""

    code = "busy"

    def __init__(self, data: Path, holder: Holder | None) -> None:
        who = f"nightbell {holder.purpose} (process {holder.pid})" if holder else "another process"
        where = f" and serves {holder.url}" if holder and holder.url else ""
        super().__init__(
            f"{who} already uses {data}{where}",
            place="data",
            hint="stop that one first, or give this one another directory with --data or NIGHTBELL_DATA",
        )
        self.holder = holder


class DataLock:
    """The right to use a data directory, held until `release`."""

    def __init__(self, file: int) -> None:
        self._file: int | None = file

    @classmethod
    def take(cls, data: Path, *, purpose: str, url: str = "") -> Self:
        """Take the lock and write down who has it.

        Raises: Busy when someone else does.
        """
        file = os.open(data / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not _locked(file):
            os.close(file)
            raise Busy(data, holder(data))
        _write(file, Holder(pid=os.getpid(), purpose=purpose, url=url))
        return cls(file)

    def tell(self, *, purpose: str, url: str) -> None:
        """Change what others read: after the port is known."""
        if self._file is not None:
            _write(self._file, Holder(pid=os.getpid(), purpose=purpose, url=url))

    def release(self) -> None:
        """Let go; doing it twice is harmless."""
        if self._file is not None:
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = None


def holder(data: Path) -> Holder | None:
    """Return who owns the directory now, or None when nobody does or it has not said yet."""
    try:
        file = os.open(data / NAME, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(file)
    else:
        # Free: whatever stands in it was left by one that was killed.
        return None
    finally:
        os.close(file)


def _locked(file: int) -> bool:
    # `holder` locks for some microseconds to see whether it can, so one refusal proves nothing.
    for _ in range(5):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.002)
        else:
            return True
    return False


def _read(file: int) -> Holder | None:
    try:
        return msgspec.json.decode(os.pread(file, 4096, 0), type=Holder)
    except msgspec.DecodeError:
        return None


def _write(file: int, who: Holder) -> None:
    text = msgspec.json.encode(who)
    os.pwrite(file, text, 0)
    os.ftruncate(file, len(text))
