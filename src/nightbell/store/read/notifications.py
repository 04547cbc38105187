"""This file reads what went out and what came in: notifications with their attempts, and deliveries."""

from collections import defaultdict
from typing import Any
from uuid import UUID

from sqlalchemy import and_, true

from nightbell.store.db import Runner
from nightbell.store.read.listing import Found, Listing, Record, Shelf, by_names, conditions, newest, one
from nightbell.store.tables import deliveries as requests
from nightbell.store.tables import notifications as messages

NOTIFICATIONS = Shelf(
    table=messages,
    filters=by_names(
        messages, "alert_id", "user_id", "kind", "purpose", "state", "created_at", "contact_method_id"
    ),
    orders={"created_at": messages.c.id, "send_at": messages.c.send_at},
    default="-created_at",
)
DELIVERIES = Shelf(
    table=requests,
    filters=by_names(requests, "source_id", "outcome", "status_code", "received_at", "created_at"),
    search=(requests.c.reason, requests.c.user_agent),
    orders={"created_at": requests.c.id, "received_at": requests.c.id},
    default="-created_at",
)


async def notifications(runner: Runner, listing: Listing) -> Found:
    """Return messages, newest first, each with its `tries`."""
    page = await newest(runner, NOTIFICATIONS, listing, and_(true(), *conditions(NOTIFICATIONS, listing)))
    await _with_attempts(runner, page.rows)
    return page


async def notification(runner: Runner, ident: UUID) -> Record | None:
    """Return one message with its `tries`."""
    row = await one(runner, messages, messages.c.id == ident)
    await _with_attempts(runner, [row] if row else [])
    return row


async def _with_attempts(runner: Runner, rows: list[Record]) -> None:
    tries: dict[UUID, list[Any]] = defaultdict(list)
    for attempt in await runner.rows("read_attempts", [row["id"] for row in rows]) if rows else []:
        tries[attempt["notification_id"]].append(dict(attempt))
    for row in rows:
        row["tries"] = tries[row["id"]]


async def deliveries(runner: Runner, listing: Listing) -> Found:
    """Return requests, newest first, without their bodies."""
    shown = [column for column in requests.c if column.name != "body"]
    return await newest(runner, DELIVERIES, listing, and_(true(), *conditions(DELIVERIES, listing)), shown)


async def delivery(runner: Runner, ident: UUID) -> Record | None:
    """Return one request with its `body`, zlib-compressed."""
    row = await runner.row("read_delivery", ident)
    return dict(row) if row else None
