"""Slows down whoever guesses passwords: after too many failures in five minutes, one has to wait."""

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=5)
#: Forgotten from the oldest on: an attacker with many addresses must not fill the memory.
MOST = 10_000


class Throttle:
    """Recent failures, by whatever names the one who failed: an address, an account."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, list[datetime]] = OrderedDict()

    def wait(self, limits: Mapping[str, int], now: datetime) -> timedelta:
        """Return how long to wait before the next try, given how many failures each name may have; zero for none."""
        return max((self._wait(name, limit, now) for name, limit in limits.items()), default=timedelta())

    def _wait(self, name: str, limit: int, now: datetime) -> timedelta:
        recent = [at for at in self._failures.get(name, []) if now - at < WINDOW]
        return recent[-limit] + WINDOW - now if len(recent) >= limit else timedelta()

    def failed(self, limits: Mapping[str, int], now: datetime) -> None:
        """Note a failure of every name."""
        for name, limit in limits.items():
            self._failures[name] = [*self._failures.pop(name, [])[1 - limit :], now]
        while len(self._failures) > MOST:
            self._failures.popitem(last=False)

    def succeeded(self, name: str) -> None:
        """Forget the failures of somebody who got in."""
        self._failures.pop(name, None)
