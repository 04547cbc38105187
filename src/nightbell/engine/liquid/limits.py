"""What one rendering may cost, and the meter that is asked before every step of it.

Rule 1: nothing between two questions to the meter may take long or make much: whatever a filter returns is weighed,
and a filter that could multiply is asked beforehand how much it would make (guards.py).
"""

from collections.abc import Iterator
from time import thread_time
from typing import Any

from liquid.exceptions import ResourceLimitError
from msgspec import Struct


class Limit(Struct, frozen=True, kw_only=True):
    """What one rendering may use."""

    #: Of processor time; waiting for others does not count.
    seconds: float = 0.25
    #: Characters of output, and of every single value a template makes.
    output: int = 100_000
    #: Rounds of all loops together.
    rounds: int = 10_000
    #: Nodes and filters in all.
    steps: int = 200_000
    #: Characters in all variables a template sets, together.
    held: int = 1_000_000


#: What templates get where nothing else is said.
USUAL = Limit()
#: Longer templates are refused before they are read.
LONGEST = 20_000
#: Elements of a list, a table or a range.
MOST_ELEMENTS = 10_000
#: Blocks within blocks, and scopes within scopes.
DEEPEST = 30
#: Digits of a number.
_LONGEST_NUMBER = 1 << 256


class TooMuch(ResourceLimitError):
    """A template used more than it may."""

    def __init__(self, what: str) -> None:
        super().__init__(what, token=None)


class Meter:
    """Counts what one rendering uses."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self._began = thread_time()
        self._steps = 0
        self._rounds = 0
        self._written = 0
        self._held: dict[str, int] = {}

    def step(self) -> None:
        """Count one node or filter."""
        self._steps += 1
        if self._steps > self.limit.steps:
            raise TooMuch(f"the template takes more than {self.limit.steps} steps")
        if self._steps % 16 == 0:
            self.look_at_the_clock()

    def look_at_the_clock(self) -> None:
        """Raise TooMuch when the time is up."""
        if self.left() <= 0:
            raise TooMuch(f"the template takes longer than {self.limit.seconds:g} s")

    def left(self) -> float:
        """Return the processor time that is left, in seconds."""
        return self.limit.seconds - (thread_time() - self._began)

    def loop(self, rounds: int) -> None:
        """Count the rounds of a loop that begins."""
        self._rounds += rounds
        if self._rounds > self.limit.rounds:
            raise TooMuch(f"the loops take more than {self.limit.rounds} rounds")

    def wrote(self, characters: int) -> None:
        """Count what is written, captures too."""
        self._written += characters
        if self._written > 8 * self.limit.output:
            raise TooMuch(f"the template writes more than {8 * self.limit.output} characters")

    def keep(self, name: str, value: Any) -> None:
        """Weigh what a variable is set to."""
        self._held[name] = self.weighed(value)
        if sum(self._held.values()) > self.limit.held:
            raise TooMuch(f"the variables hold more than {self.limit.held} characters")

    def weighed(self, value: Any) -> int:
        """Return about how many characters a value is. Raises: TooMuch."""
        if isinstance(value, str):
            self.would_make(len(value))
            return len(value)
        if isinstance(value, (dict, list, tuple)):
            return self._all_of(value)
        if isinstance(value, range):
            self._elements(value.stop - value.start)
        elif isinstance(value, int) and abs(value) > _LONGEST_NUMBER:
            raise TooMuch("a number is longer than 77 digits")
        return 8

    def would_make(self, characters: int) -> None:
        """Raise TooMuch when a text of this length is too long."""
        if characters > self.limit.output:
            raise TooMuch(f"a text would be longer than {self.limit.output} characters")

    def _elements(self, count: int) -> None:
        if count > MOST_ELEMENTS:
            raise TooMuch(f"a list would have more than {MOST_ELEMENTS} elements")

    def _all_of(self, value: Any) -> int:
        self._elements(len(value))
        weight = 0
        for one in _leaves(value):
            weight += len(one) + 2 if isinstance(one, str) else 8
            # A value somebody sent may be larger than what a template may make of it.
            if weight > self.limit.held:
                raise TooMuch(f"a value would be longer than {self.limit.held} characters")
        return weight


def _leaves(value: Any) -> Iterator[Any]:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting.extend(one.values())
            yield from one
        elif isinstance(one, (list, tuple)):
            waiting.extend(one)
            yield None
        else:
            yield one
