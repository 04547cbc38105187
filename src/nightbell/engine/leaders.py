"""Finds, under lock, who leads the groups that alerts may join, before anything is decided."""

from collections.abc import Iterable

from nightbell.core import grouping
from nightbell.core.alert import Status
from nightbell.core.directory import Directory, Source
from nightbell.core.draft import Facts
from nightbell.core.identity import Unit
from nightbell.core.signal import Envelope, State
from nightbell.store.db import Tx
from nightbell.store.write import facts

#: What a delivery says of one alert: as much of it as rules look at.
Asking = tuple[Unit, Envelope, Source, tuple[str, str] | None]


def asks(unit: Unit, before: Facts) -> bool:
    """Return whether a unit may page for the first time in its occurrence: only then does a rule look at it."""
    quiet = before.alert is None or before.alert.status in (Status.OPEN, Status.RESOLVED)
    return quiet and any(signal.state is State.FIRING for signal in unit.signals)


async def leaders(tx: Tx, asking: Iterable[Asking], directory: Directory) -> dict[bytes, Facts]:
    """Return who leads each bucket that these would fall in; they stay as they are until the transaction ends."""
    found = (grouping.placed(*one, directory) for one in asking)
    buckets = {at.bucket for at in found if at}
    return by_bucket(await facts.by_bucket(tx, buckets, directory)) if buckets else {}


def by_bucket(known: Iterable[Facts]) -> dict[bytes, Facts]:
    """Return the alerts that take others in by where they do."""
    pairs = ((f.alert.group.bucket, f) for f in known if f.alert and f.alert.group)
    return {bucket: one for bucket, one in pairs if bucket}


def keep(led: dict[bytes, Facts], before: Facts | None, after: Facts) -> None:
    """Let a batch see what its own decisions made of who leads.

    An alert whose bucket a younger one has taken over does not get it back because it is heard of again.
    """
    had, has = (by_bucket([one]) if one else {} for one in (before, after))
    for bucket, one in had.items():
        mine = led.get(bucket)
        if mine and mine.alert and one.alert and mine.alert.id == one.alert.id:
            del led[bucket]
            led |= has
    led |= {bucket: one for bucket, one in has.items() if bucket not in had}
