"""Looks once a second whether the status pages still say what is published."""

from nightbell.engine.showing import Showing
from nightbell.worker.loop import Chore

#: How old a page may be while nothing is wrong. Units: seconds.
EVERY = 1.0


def chore(showing: Showing) -> Chore:
    """Return what a node does about the status pages it holds."""
    return Chore("status pages", EVERY, showing.look)
