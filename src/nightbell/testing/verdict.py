"""This file says what came of one scenario."""

from typing import NamedTuple


class Verdict(NamedTuple):
    """A scenario's id and what was wrong with it, one line each; nothing where it passed."""

    case: str
    problems: tuple[str, ...] = ()
