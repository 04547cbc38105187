"""Writes raw requests, accepted or not, and what became of each."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from nightbell.store.write.ledger import text
from nightbell.store.write.together import Together

_REASON = 1_000
_SHOWN = 500


class Delivery(Struct, frozen=True, kw_only=True, gc=False):
    """One request and its fate; `body` is compressed."""

    id: UUID
    received_at: datetime
    source_id: UUID | None
    path: str
    remote_ip: str
    user_agent: str
    status_code: int
    outcome: str
    reason: str
    size: int
    alert_count: int
    body: bytes
    results: list[dict[str, Any]]


def insert(all_of_it: Together, rows: Sequence[Delivery]) -> None:
    """Write requests."""
    if not rows:
        return
    columns = zip(
        *(
            (
                d.id, d.received_at, d.source_id, d.path[:_SHOWN], d.remote_ip[:_SHOWN], d.user_agent[:_SHOWN],
                d.status_code, d.outcome, d.reason[:_REASON], d.size, d.alert_count, d.body, text(d.results),
            )
            for d in rows
        ),
        strict=True,
    )  # fmt: skip
    all_of_it.add("insert_deliveries", *columns)


def touch_sources(all_of_it: Together, ids: Iterable[UUID], now: datetime) -> None:
    """Note when sources were last heard."""
    all_of_it.add("touch_sources", list(ids), now)
