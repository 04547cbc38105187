"""The wall clock. This is the only module that reads it; everything else is handed `now`."""

from collections.abc import Callable
from datetime import UTC, datetime

#: Returns an aware UTC datetime.
Clock = Callable[[], datetime]


def now() -> datetime:
    """Return the current instant, aware, in UTC."""
    return datetime.now(UTC)
