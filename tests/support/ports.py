"""Ports of loopback for servers of tests: one that is held from the first, or a number that no call out ever takes.

A port that was free a moment ago may be somebody's by the time a server wants it, most likely as the near end of a
connection of another test: the kernel takes those from 32768 on. uvicorn then ends the process, and with it the tests.
"""

import os
import socket
from collections.abc import Iterator
from itertools import count

LOOPBACK = "127.0.0.1"
#: Below the ports of connections, above those of well-known services; a stretch for each process that runs tests.
_FIRST, _LAST, _STRETCH = 20_000, 32_000, 200
_stretches = (_LAST - _FIRST) // _STRETCH
_numbers: Iterator[int] = count()


def held() -> socket.socket:
    """Return a socket bound to a port of loopback, for a server in this process to listen on."""
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((LOOPBACK, 0))
    return bound


def free_port() -> int:
    """Return a port that nobody has now, for a program that is told one; each is given once in a while."""
    begin = _FIRST + os.getpid() % _stretches * _STRETCH
    for _ in range(_STRETCH):
        port = begin + next(_numbers) % _STRETCH
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
    raise AssertionError(f"no port from {begin} on is free")
