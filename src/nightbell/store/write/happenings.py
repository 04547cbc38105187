"""This file writes what happened for whoever listens: workflows, endpoints outside, rooms of incidents."""

from collections.abc import Iterable
from datetime import datetime

from msgspec import json

from nightbell.core.happening import Happening
from nightbell.store.db import Tx


async def record(tx: Tx, happenings: Iterable[Happening], now: datetime) -> None:
    """Write happenings in the transaction of what happened: one statement, none when there are none."""
    rows = [
        (
            h.id, h.kind, h.alert_id, h.incident_id, h.action_item_id, h.run_id, h.occurrence,
            json.encode(h.data).decode(), h.cause_run_id, h.depth, h.at,
        )
        for h in happenings
    ]  # fmt: skip
    if rows:
        await tx.execute("insert_happenings", *zip(*rows, strict=True), now)
