"""The wall clock. This is the only module that reads it; everything else is handed `now`."""

from collections.abc import Callable
from datetime import UTC, datetime

#: Returns an aware UTC datetime.
Clock = Callable[[], datetime]


def now() -> datetime:
    """Return the current instant, aware, in UTC."""
    return datetime.now(UTC)


def by_hand(clock: Clock) -> bool:
    """Return whether somebody moves a clock on purpose: then a leap is what waiting would have been."""
    return hasattr(clock, "move_to")


class Standing:
    """Time that passes only when told to: in tests, and in a program started with `--test-clock`."""

    def __init__(self, start: datetime) -> None:
        self.instant = start

    def __call__(self) -> datetime:
        """Return the present instant."""
        return self.instant

    def move_to(self, instant: datetime) -> None:
        """Go on to an instant.

        Raises: ValueError for the past, where no real clock of ours goes.
        """
        if instant < self.instant:
            raise ValueError(f"time does not run backwards: {instant} is before {self.instant}")
        self.instant = instant
