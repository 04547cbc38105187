"""This file reads what workflows and templates know of an alert, an incident or an action item.

Rule 1: one statement for each kind of thing, however many alerts are asked for: a storm asks for thousands.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from nightbell.store.db import Runner

#: Larger requests are not shown to templates. Units: bytes, before compression.
LARGEST = 1_048_576
EVENTS = 200
ALERTS = 100
Record = dict[str, Any]


async def alerts(runner: Runner, ids: Sequence[UUID]) -> list[Record]:
    """Return alerts with their names around them and the request's `body`."""
    rows = [dict(row.items()) for row in await runner.rows("context_of_alerts", list(ids))]
    wanted = list({row["delivery_id"] for row in rows if row["delivery_id"]})
    found = await runner.rows("read_bodies", wanted, LARGEST) if wanted else []
    bodies = {row["id"]: bytes(row["body"]) for row in found}
    return [{**row, "body": bodies.get(row["delivery_id"])} for row in rows]


async def incident(runner: Runner, incident_id: UUID) -> Record | None:
    """Return an incident with `links`, `roles`, `events`, `items`, `alert_ids` and `people` by id."""
    row = await runner.row("context_of_incident", incident_id)
    if row is None:
        return None
    found = dict(row.items())
    found["links"] = await runner.rows("context_links", incident_id)
    found["roles"] = await runner.rows("context_roles", incident_id)
    found["events"] = await runner.rows("context_events", incident_id, EVENTS)
    found["items"] = await runner.rows("context_items", incident_id, None)
    found["alert_ids"] = [
        r["alert_id"] for r in await runner.rows("context_incident_alerts", incident_id, ALERTS)
    ]
    ids = [value for name, value in found.items() if name.endswith("_by") and value is not None]
    found["people"] = {r["id"]: r for r in await runner.rows("context_people", ids)} if ids else {}
    return found


async def action_item(runner: Runner, item_id: UUID) -> Record | None:
    """Return an action item."""
    rows = await runner.rows("context_items", None, item_id)
    return dict(rows[0].items()) if rows else None


async def open_incident(
    runner: Runner, service_ids: Sequence[UUID], label: tuple[str, str] | None
) -> UUID | None:
    """Return an open incident that an alert may be attached to: of one of its services, or of its label."""
    key, value = label or (None, None)
    found: UUID | None = await runner.value("open_incident_for", list(service_ids), key, value)
    return found
