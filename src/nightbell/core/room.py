"""Decides what a chat room of an incident is: when there is one, its name, what stands on top, whom to ask in.

Rule 1: a room is brought to what it should be, from wherever it stands; nothing here remembers how it got there.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct

#: When a room is opened by itself: for every incident, or from a severity on; else by hand.
BY_HAND, ALWAYS = "by_hand", "always"
SEVERITIES = ("critical", "high", "medium", "low")
OPENS = (BY_HAND, *SEVERITIES, ALWAYS)
#: Kinds of incidents that are in earnest.
_EARNEST = ("normal", "normal_sub")
#: After these nobody works there any more.
_OVER = ("closed", "cancelled", "completed")
#: Slack's own limit of a channel's name, and ours of a topic.
_LONGEST_NAME = 76
_LONGEST_TOPIC = 240
_NOT_NAME = re.compile(r"[^a-z0-9]+")

#: Before each next try; after the last it is always that long.
_WAITS = tuple(timedelta(seconds=s) for s in (2, 5, 15, 60, 300, 900))
#: A room that cannot be made is given up after so many tries; whoever presses the button starts anew.
MOST_TRIES = 12
#: A line is told if it came at most so long before the room; what is older stands on the incident's page.
BEFORE = timedelta(minutes=5)


class Incident(Struct, frozen=True, kw_only=True):
    """What a room shows of its incident."""

    id: UUID
    number: int
    slug: str
    title: str
    summary: str
    status: str
    kind: str
    severity: str
    severity_name: str
    private: bool
    services: tuple[str, ...] = ()
    #: (role, person)
    roles: tuple[tuple[str, str], ...] = ()
    url: str = ""


class Header(Struct, frozen=True, kw_only=True):
    """The message on top of a room: a line, and (name, value) pairs under it."""

    title: str
    facts: tuple[tuple[str, str], ...]
    summary: str
    url: str


def wanted(opens: str, *, kind: str, severity: str) -> bool:
    """Return whether an incident gets a room by itself."""
    if kind not in _EARNEST or opens not in OPENS or opens == BY_HAND:
        return False
    if opens == ALWAYS:
        return True
    return severity in SEVERITIES and SEVERITIES.index(severity) <= SEVERITIES.index(opens)


def name(number: int, slug: str) -> str:
    """Return what the room of an incident is called: `inc-12-disk-full`."""
    # The slug of an incident may begin with its number; once is enough.
    words = _NOT_NAME.sub("-", slug.lower()).strip("-").removeprefix(f"{number}-")
    return f"inc-{number}-{words}"[:_LONGEST_NAME].strip("-")


def variants(base: str) -> tuple[str, ...]:
    """Return names to try in turn, for when somebody else has the first."""
    return (base, *(f"{base}-{n}" for n in range(2, 6)))


def over(status: str) -> bool:
    """Return whether nobody works on it any more."""
    return status in _OVER


def topic(incident: Incident) -> str:
    """Return the topic of a room."""
    parts = [f"#{incident.number}", incident.status.replace("_", " "), incident.severity_name, incident.url]
    return " · ".join(part for part in parts if part)[:_LONGEST_TOPIC]


def header(incident: Incident) -> Header:
    """Return the message on top."""
    facts = [
        ("Status", incident.status.replace("_", " ").capitalize()),
        ("Severity", incident.severity_name or "none"),
        ("Services", ", ".join(incident.services)),
        *incident.roles,
    ]
    return Header(
        title=f"#{incident.number} {incident.title}",
        facts=tuple((label, value) for label, value in facts if value),
        summary=incident.summary,
        url=incident.url,
    )


def wait(attempt: int) -> timedelta:
    """Return how long to wait after a try that did not work, counted from 1."""
    return _WAITS[min(attempt, len(_WAITS)) - 1]


def at(ts: str) -> datetime | None:
    """Return when a message of Slack's was written; its `ts` is the time."""
    try:
        return datetime.fromtimestamp(float(ts), tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None


def unseen(lines: Sequence[Mapping[str, Any]], told: frozenset[UUID]) -> list[Mapping[str, Any]]:
    """Return the lines of a timeline that were not told; what came from the room is not told there again."""
    return [one for one in lines if one["id"] not in told and not str(one["key"] or "").startswith("slack/")]


# ---------------------------------------------------------------- what a chat says


class Told(Struct, frozen=True, kw_only=True):
    """What a chat answered. `value` is an id; `hopeless` says that asking again would not help."""

    ok: bool
    value: str = ""
    error: str = ""
    after: timedelta | None = None
    hopeless: bool = False


class Marked(Struct, frozen=True, kw_only=True):
    """A message that somebody marked: what it says, whose account wrote it, and where it can be seen."""

    text: str
    author: str
    name: str
    link: str


class Mark(Struct, frozen=True, kw_only=True):
    """Somebody put a sign on a message."""

    channel: str
    ts: str
    sign: str
    by: str
