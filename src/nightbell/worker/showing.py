"""Looks once a second whether the status pages still say what is published, and asks addresses that want to follow."""

from collections.abc import Callable
from datetime import datetime

from nightbell.engine.incident_publishing import Publishing
from nightbell.engine.showing import Showing
from nightbell.worker.loop import Chore

#: How old a page may be while nothing is wrong. Units: seconds.
_LOOKS = 1.0
_QUESTIONS = 5.0


def chores(showing: Showing, publishing: Publishing, clock: Callable[[], datetime]) -> tuple[Chore, ...]:
    """Return what a node does about the status pages it holds, and about those who follow."""

    async def ask() -> None:
        await publishing.ask(clock())

    return (Chore("status pages", _LOOKS, showing.look), Chore("questions", _QUESTIONS, ask))
