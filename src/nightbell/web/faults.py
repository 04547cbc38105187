"""Puts what the engine found wrong beside the fields it is about."""

from nightbell.core.errors import Invalid
from nightbell.engine.configure import Problems


def told(error: Invalid) -> dict[str, str]:
    """Return each field's first problem; "" is the place of what belongs to no field."""
    found: dict[str, str] = {}
    for one in error.problems if isinstance(error, Problems) else (error,):
        found.setdefault(one.place, f"{one.message} {one.hint}".strip())
    return found
