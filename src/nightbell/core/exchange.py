"""What came back when a server outside was asked: an answer, or why there is none. Values, never exceptions."""

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct


class Answered(Struct, frozen=True, kw_only=True):
    """A server answered, whatever it said. Header names are in lower case; a long body is cut."""

    status: int
    headers: dict[str, str]
    body: bytes


class Unanswered(Struct, frozen=True, kw_only=True):
    """No answer. `doubtful`: it may have arrived all the same; `blocked`: it may never be called from here."""

    why: str
    doubtful: bool = False
    blocked: bool = False


class Ask(Protocol):
    """A way to ask a server over HTTP. It never raises for what a network or a server does."""

    async def __call__(
        self, method: str, url: str, *, body: bytes, headers: Mapping[str, str]
    ) -> Answered | Unanswered:
        """Ask once and report what is known."""
        ...
