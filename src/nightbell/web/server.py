"""Runs the web server inside our own event loop, and gets the process ready for many connections."""

import resource
from types import TracebackType
from typing import Any

import structlog
import uvicorn

#: 10,000 alert groups open up to 10,000 connections (alertmanager.md 4.3).
FILES = 65_536
BACKLOG = 4_096
_log = structlog.get_logger(__name__)


class Server(uvicorn.Server):
    """uvicorn inside our own loop; signals are ours."""

    def capture_signals(self) -> Any:
        """Leave signals alone."""
        return _nothing()


class _nothing:  # noqa: N801  a context manager, nothing more
    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def raise_limits() -> None:
    """Allow as many open files as the machine lets us have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    if wanted < FILES:
        _log.warning(
            "limits.files", have=wanted, want=FILES, hint="raise LimitNOFILE: storms open many connections"
        )
