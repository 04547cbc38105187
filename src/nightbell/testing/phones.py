"""Telephones that ring in tests: a Channel of any kind that keeps what it was given and answers as it was told.

What nobody expected is an error in every test, not only in those about it: see `Phones.unclaimed`.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime

from msgspec import Struct

from nightbell.core.delivery import Message, Outcome, Purpose, Sent


class Hang(Struct, frozen=True):
    """Take the message and never answer: the process may be killed meanwhile."""


Answer = Outcome | Hang


class Heard(Struct, frozen=True, kw_only=True):
    """A message that arrived at a telephone."""

    at: datetime
    kind: str
    message: Message

    def __str__(self) -> str:
        """Return it as an error shows it."""
        said = f"{self.message.purpose} to {self.message.recipient} by {self.kind}"
        return f"{self.at:%H:%M:%S} {said}: {self.message.title}"


class FakePhone:
    """One kind of channel; every address on it reaches somebody."""

    def __init__(self, kind: str, heard: Callable[[str, Message], None]) -> None:
        self.kind = kind
        #: Set while a message hangs, for whoever drives the engine.
        self.hanging = asyncio.Event()
        #: How many messages hang now.
        self.hung = 0
        self._heard = heard
        self._answers: deque[Answer] = deque()

    def will(self, *answers: Answer) -> None:
        """Say how the next messages fare; after those every message is accepted."""
        self._answers.extend(answers)

    def forget(self) -> None:
        """Accept every message again."""
        self._answers.clear()

    def check(self, address: str, settings: dict[str, str]) -> None:
        """Accept every address."""

    async def send(self, message: Message) -> Outcome:
        """Keep the message, then answer."""
        self._heard(self.kind, message)
        answer = self._answers.popleft() if self._answers else Sent(provider_id=f"{self.kind}-1")
        if isinstance(answer, Hang):
            await self._hang()
            raise AssertionError("unreachable: nobody lets go but by killing")
        return answer

    async def _hang(self) -> None:
        self.hung += 1
        self.hanging.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.hung -= 1


class Phones:
    """All telephones of a test, by kind, and everything they were given."""

    def __init__(self, *kinds: str, clock: Callable[[], datetime]) -> None:
        self.by_kind = {kind: FakePhone(kind, self._hear) for kind in kinds}
        self.heard: list[Heard] = []
        #: What no expectation has asked for yet.
        self.unclaimed: list[Heard] = []
        self._clock = clock

    def __getitem__(self, kind: str) -> FakePhone:
        """Return the telephone of a kind."""
        return self.by_kind[kind]

    def claim(self, recipient: str, kind: str, purpose: Purpose) -> Heard:
        """Take one message that was expected.

        Raises: AssertionError when there is none.
        """
        for one in self.unclaimed:
            if (one.message.recipient, one.kind, one.message.purpose) == (recipient, kind, purpose):
                self.unclaimed.remove(one)
                return one
        others = "; ".join(map(str, self.unclaimed)) or "nothing"
        raise AssertionError(
            f"{self._clock():%H:%M:%S} no {purpose} to {recipient} by {kind}; waiting were: {others}"
        )

    def verify(self) -> None:
        """Raise AssertionError for messages nobody expected."""
        if self.unclaimed:
            raise AssertionError("unexpected: " + "; ".join(map(str, self.unclaimed)))

    def _hear(self, kind: str, message: Message) -> None:
        one = Heard(at=self._clock(), kind=kind, message=message)
        self.heard.append(one)
        self.unclaimed.append(one)
