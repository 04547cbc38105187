"""This file reads what schedules are asked in a URL or a document: ranges, instants, lists of ids.

Rule 1: a time without a zone is UTC, and what cannot be read names its parameter (rootly.md 3).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from nightbell.api.resource import Call
from nightbell.core.calendar import Span
from nightbell.core.errors import BadPayload, Invalid
from nightbell.core.uuids import as_uuid
from nightbell.engine.scheduling import check_range
from nightbell.store.read.listing import instant

#: What is shown where nobody says until when.
USUAL = timedelta(days=7)


def values(call: Call, *names: str) -> list[str]:
    """Return everything that was sent under some names, `name[]` too, comma lists apart."""
    wanted = {spelled for name in names for spelled in (name, f"{name}[]")}
    sent = (value for name, value in call.query.rest if name in wanted)
    return [word.strip() for value in sent for word in value.split(",") if word.strip()]


def first(call: Call, *names: str) -> str:
    """Return what was sent first under any of some names, "" for nothing."""
    return next((value for name, value in call.query.rest if name in names and value), "")


def users(call: Call, *names: str) -> frozenset[int]:
    """Return the people that were asked for; what can be nobody's id finds nobody."""
    return frozenset(int(text) if text.isdecimal() and len(text) < 10 else 0 for text in values(call, *names))


def ids(call: Call, *names: str) -> list[UUID]:
    """Return the ids that were asked for; what is none finds nothing."""
    return [as_uuid(text) or UUID(int=0) for text in values(call, *names)]


def span(call: Call, longest: timedelta, said: str) -> Span:
    """Return the range a list of shifts is asked for, from now on where nothing is said.

    Raises: BadPayload for what is no time, Invalid for a range that is too long.
    """
    start = _time(call, "from", "since", "filter[starts_after]", "filter[starts_at][gte]") or call.now
    end = _time(call, "to", "until", "filter[ends_before]", "filter[ends_at][lte]") or start + USUAL
    return check_range(start, end, longest, said)


def _time(call: Call, *names: str) -> datetime | None:
    text = first(call, *names)
    return at(text, f"query.{names[0]}") if text else None


def at(text: str, place: str) -> datetime:
    """Return an instant that a URL names.

    Raises: BadPayload for what is none, or is so far off that no zone could show it.
    """
    found = instant(text, place)
    if not 1971 <= found.year <= 9000:
        raise BadPayload(f"not a time that can be: {text[:40]!r}", place=place)
    return found


def with_times(fields: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return the fields of an Edit with their times read.

    Raises: Invalid naming the field.
    """
    return {
        name: _sent(value, name) if name in names and value is not None else value
        for name, value in fields.items()
    }


def _sent(value: Any, place: str) -> datetime | None:
    if value == "":
        return None
    try:
        return at(value if isinstance(value, str) else repr(value), place)
    except BadPayload as error:
        raise Invalid(error.message, place=place, hint=error.hint) from error


def chosen(sent: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return what was sent under the wire's names, by the names of an Edit."""
    return {field: sent[name] for name, field in names.items() if name in sent}
