"""Looks after what the public is told: whether the status pages are fresh, who is to be asked, which plans are due."""

from collections.abc import Callable
from datetime import datetime

from nightbell.engine.incident_planned import Planned
from nightbell.engine.incident_publishing import Publishing
from nightbell.engine.showing import Showing
from nightbell.worker.loop import Chore

#: How old a page may be while nothing is wrong. Units: seconds.
_LOOKS = 1.0
_QUESTIONS = 5.0
_PLANS = 1.0


def chores(
    showing: Showing, publishing: Publishing, planned: Planned, clock: Callable[[], datetime]
) -> tuple[Chore, ...]:
    """Return what a node does about the status pages it holds, those who follow, and planned work."""

    async def ask() -> None:
        await publishing.ask(clock())

    async def plan() -> None:
        await planned.look(clock())

    return (
        Chore("status pages", _LOOKS, showing.look),
        Chore("questions", _QUESTIONS, ask),
        Chore("plans", _PLANS, plan, timed=True),
    )
