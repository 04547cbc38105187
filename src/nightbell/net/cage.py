"""Holds code that makes its own connections to the rules of ours: what a caged thread may reach, start and read.

Python itself reports each connection just before it is made, with the address the kernel will be asked for, so a
second DNS answer or a redirect gets no further. A thread in the cage starts no programs, and reads no files but those
of its own libraries. Nothing is watched until somebody is caged.

Rule 1: only pure Python that stays in its thread can be caged. An extension in C that opens sockets by itself reports
nothing, and before Python 3.12 a thread it starts is not held back either: whoever cages code looks at it first.
Source: PEP 578; the table of audit events in Python's documentation.
"""

import sys
import sysconfig
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from ipaddress import ip_address
from os.path import realpath

from nightbell.net.guard import Guard

_NEVER = (
    "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.remove", "os.rename",
    "os.mkdir", "os.kill", "_thread.start", "pty.spawn", "ctypes.dlopen", "socket.bind",
)  # fmt: skip
_CONNECTING = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
#: Beside Python's own and its libraries' files: what resolving names and checking certificates needs.
_READABLE = (
    "/etc/ssl/",
    "/etc/pki/",
    "/etc/hosts",
    "/etc/resolv.conf",
    "/etc/nsswitch.conf",
    "/etc/mime.types",
)


class Forbidden(PermissionError):
    """Something a caged thread may not do; libraries that expect an OSError survive it."""


class _Cage(threading.local):
    guard: Guard | None = None
    refusals: tuple[str, ...] = ()


_cage = _Cage()
_watching = threading.Lock()
_watched: list[bool] = []


@contextmanager
def caged(guard: Guard) -> Iterator[list[str]]:
    """Hold this thread to a guard for as long as the block lasts; yields what was refused, once it is over."""
    _watch()
    refused: list[str] = []
    _cage.guard, _cage.refusals = guard, ()
    try:
        yield refused
    finally:
        refused += _cage.refusals
        _cage.guard = None


def _watch() -> None:
    with _watching:
        if not _watched:
            sys.addaudithook(_seen)
            _watched.append(True)


def _seen(event: str, args: tuple[object, ...]) -> None:
    """Judge one event; anything outside a cage costs one look."""
    guard = _cage.guard
    if guard is None:
        return
    fault = ""
    if event in _CONNECTING:
        fault = _unreachable(guard, args[1])
    elif event == "open":
        fault = _unreadable(args[0])
    elif event.startswith(_NEVER):
        fault = f"{event} is not allowed here"
    if fault:
        _cage.refusals = (*_cage.refusals, fault)
        raise Forbidden(fault)


def _unreachable(guard: Guard, address: object) -> str:
    if address is None:
        return ""  # a connected socket sends on
    if not isinstance(address, tuple) or not address:
        return "only addresses of the internet can be called"
    try:
        found = ip_address(str(address[0]))
    except ValueError:
        return f"{address[0]} was not resolved first"
    return (
        ""
        if guard.permits(found)
        else f"{found} is a private or reserved address; allow its network to call it"
    )


def _unreadable(path: object) -> str:
    if not isinstance(path, str):
        return "" if isinstance(path, int) else "a file with an odd name"
    # As the kernel will find it: neither ".." nor a link leads out.
    where = realpath(path)
    return "" if where.startswith((*_own(), *_READABLE)) else "files of this machine are not read here"


@cache
def _own() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    roots = {
        paths["stdlib"],
        paths["platstdlib"],
        paths["purelib"],
        paths["platlib"],
        sys.base_prefix + "/lib",
    }
    return tuple(f"{realpath(root)}/" for root in sorted(roots))
