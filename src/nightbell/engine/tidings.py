"""What the rest of a node hears of a commit: whom to wake and what to count. Small, so another process can be told."""

from collections import Counter

from msgspec import Struct

from nightbell.core.draft import Decision
from nightbell.engine.ingest import Committed
from nightbell.engine.leasing import Leased


class Tidings(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Of one commit."""

    #: What pages show moved.
    shows: bool = False
    #: Alerts have new labels, of which the search should know.
    grown: bool = False
    #: Something happened that may start workflows or is told to endpoints outside.
    happened: bool = False
    #: Somebody is to be notified now.
    pages: bool = False
    #: Timers were set.
    due: bool = False
    #: How many alerts became what: "created", "repeated"…; "" is what time did.
    alerts: dict[str, int] = {}
    #: How many pages were created.
    paged: int = 0
    #: For each alert that reached no one: "paged" or "nobody".
    unpaged: tuple[str, ...] = ()
    #: How each beat of a heartbeat came.
    beats: tuple[str, ...] = ()
    #: Deliveries set aside because of a defect of ours.
    faults: int = 0
    #: What this node is to send now (ADR 0040).
    leased: tuple[Leased, ...] = ()


def tidings(committed: Committed) -> Tidings:
    """Return what is to be heard of a commit."""
    made = committed.decisions
    alerts = Counter(d.what for d in made)
    paged = sum(_pages(d) for d in made if d.pages)
    for one in committed.repeats:
        alerts[one.decision.what] += one.times
        paged += _pages(one.decision) * one.times
    return Tidings(
        shows=committed.shows or bool(committed.decided),
        grown=any(d.shown for d in made),
        happened=any(d.happened for d in made),
        pages=committed.pages,
        due=bool(committed.repeats) or any(d.escalations or d.pages for d in made),
        alerts=dict(alerts),
        paged=paged,
        unpaged=tuple(d.fallback for d in made if d.fallback),
        beats=committed.beats,
        faults=committed.faults,
        leased=committed.leased,
    )


def _pages(decision: Decision) -> int:
    return sum(entry.code == "page.created" for entry in decision.entries)
