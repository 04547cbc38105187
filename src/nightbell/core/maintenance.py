"""Planned work: while a maintenance lasts, alerts of its services and sources are recorded and page nobody.

Nothing is lost by it: what still fires when it ends is paged then, from the first level.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from nightbell.core.directory import Directory


class Muted(Struct, frozen=True, kw_only=True):
    """What keeps an alert from paging, and until when."""

    id: UUID
    name: str
    until: datetime


def muted(
    directory: Directory, source_id: UUID | None, service_ids: frozenset[str], now: datetime
) -> Muted | None:
    """Return the maintenance that mutes an alert, the one that lasts longest; None when it may page."""
    return max(all_of_it(directory, source_id, service_ids, now), key=lambda m: m.until, default=None)


def all_of_it(
    directory: Directory, source_id: UUID | None, service_ids: frozenset[str], now: datetime
) -> list[Muted]:
    """Return every maintenance that mutes an alert."""
    return [
        Muted(id=one.id, name=one.name, until=until)
        for one in directory.maintenances
        if (source_id in one.source_ids or one.service_ids & service_ids) and (until := one.until(now))
    ]
