"""Writes what happened, in the transaction in which it did. What nobody could be started by is matched from the start."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from msgspec import json

from nightbell.core.happening import FACTS, Happening
from nightbell.store.db import Tx
from nightbell.store.write.together import Together


async def record(tx: Tx, happenings: Iterable[Happening], now: datetime) -> None:
    """Write what happened, in order, in one statement."""
    rows = Together()
    add(rows, happenings, now)
    await rows.run(tx)


def add(rows: Together, happenings: Iterable[Happening], now: datetime) -> None:
    """Have what happened written with other rows; nothing when nothing did."""
    listed = [_row(one, now) for one in happenings]
    if listed:
        rows.add("insert_happenings", *zip(*listed, strict=True), now)


def _row(one: Happening, now: datetime) -> tuple[Any, ...]:
    return (
        one.id, one.kind, one.alert_id, one.incident_id, one.action_item_id, one.run_id, one.occurrence,
        json.encode(one.data).decode(), one.cause_run_id, one.depth, one.at,
        now if one.kind in FACTS else None,
    )  # fmt: skip
