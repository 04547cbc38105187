"""Reads what forms about a stretch of time send: who, from when, until when, by the reader's clock."""

from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from nightbell.core.calendar import Span
from nightbell.core.directory import Directory
from nightbell.core.errors import Invalid
from nightbell.engine.configure import Problems
from nightbell.web import lanes
from nightbell.web.site import WebRequest

#: More than this nobody looks through before saving.
LONGEST_SHOWN = timedelta(days=120)
_USUAL = timedelta(hours=8)


class Given(NamedTuple):
    """What a form holds of a stretch, as it was typed."""

    starts_at: str
    ends_at: str


def instants(given: Given, place: ZoneInfo, *, prefix: str = "") -> Span:
    """Return the instants that were typed.

    Raises: Invalid naming the fields.
    """
    named = {f"{prefix}starts_at": given.starts_at, f"{prefix}ends_at": given.ends_at}
    found = {name: lanes.local(text, place) for name, text in named.items()}
    wrong = [Invalid("A date and a time, please.", place=name) for name, at in found.items() if at is None]
    if wrong:
        raise Problems(wrong)
    start, end = (at for at in found.values() if at is not None)
    return Span(start, end)


def shown(span: Span) -> Span:
    """Return a span that can be previewed.

    Raises: Invalid when it is none.
    """
    if not span.start < span.end <= span.start + LONGEST_SHOWN:
        raise Invalid("It ends before it begins, or after 120 days: too long to show.")
    return span


def asked(request: WebRequest, place: ZoneInfo) -> Given:
    """Return what the address of a form fills in: `from` and `to`, by default from now on."""
    start = _instant(request.query_params.get("from", ""), place) or request.now
    end = _instant(request.query_params.get("to", ""), place) or start + _USUAL
    return Given(lanes.for_field(max(start, request.now), place), lanes.for_field(end, place))


def _instant(text: str, place: ZoneInfo) -> datetime | None:
    # A plus sign of an offset arrives as a space.
    return lanes.local(text.replace(" ", "+"), place)


def person(text: str) -> int | None:
    """Return the id of a person that a picker sent; None for nobody."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def people(directory: Directory) -> list[tuple[int, str]]:
    """Return who can be put on call, by name."""
    found = [(u.id, u.name) for u in directory.users.values() if u.active and u.role != "observer"]
    return sorted(found, key=lambda one: one[1].lower())
