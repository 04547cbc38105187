"""Keeps together what belongs together: while something of a key is under way at a place, more of it goes there too."""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Affinity(Generic[K]):
    """Which place each key is at, for as long as anything of it is under way. Places are numbers."""

    def __init__(self) -> None:
        #: At which place, and how many.
        self._places: dict[K, tuple[int, int]] = {}

    @contextmanager
    def at(self, key: K, choose: Callable[[], int]) -> Iterator[int]:
        """Give the place of a key for one piece of work; `choose` is asked where nothing of it is under way."""
        place, many = self._places.get(key) or (choose(), 0)
        self._places[key] = place, many + 1
        try:
            yield place
        finally:
            place, many = self._places.pop(key)
            if many > 1:
                self._places[key] = place, many - 1

    def __len__(self) -> int:
        return len(self._places)
