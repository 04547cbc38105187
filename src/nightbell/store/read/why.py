"""This file reads what is recorded of an alert's pages, for the sentence that says why (core/why.py)."""

from collections import defaultdict
from typing import Any
from uuid import UUID

from nightbell.core.why import Case, Climbed, Paged, Proof, Said, Sent, Tried
from nightbell.store.db import Row, Runner


async def case(runner: Runner, alert_id: UUID, status: str) -> Case:
    """Return the case of an alert's current occurrence."""
    pages = await runner.rows("why_pages", alert_id)
    said = await runner.rows("why_said", alert_id)
    started = [row["because"].get("reason", "") for row in said if row["code"] == "escalation.started"]
    messages = await _messages(runner, [row["id"] for row in pages]) if pages else {}
    return Case(
        status=status,
        routed=started[0] if started else "",
        pages=tuple(Paged(**dict(row.items()), messages=tuple(messages.get(row["id"], ()))) for row in pages),
        said=tuple(Said(**_but(row, "because")) for row in said),
        climbs=tuple(Climbed(**dict(row.items())) for row in await runner.rows("why_climbs", alert_id)),
    )


async def _messages(runner: Runner, page_ids: list[UUID]) -> dict[UUID, list[Sent]]:
    rows = await runner.rows("why_messages", page_ids)
    ids = [row["id"] for row in rows]
    tries: dict[UUID, list[Tried]] = defaultdict(list)
    for row in await runner.rows("why_tries", ids):
        tries[row["notification_id"]].append(Tried(**_but(row, "notification_id")))
    proofs: dict[UUID, list[Proof]] = defaultdict(list)
    for row in await runner.rows("why_proofs", ids):
        proofs[row["notification_id"]].append(Proof(**_but(row, "notification_id")))
    found: dict[UUID, list[Sent]] = defaultdict(list)
    for row in rows:
        ident, values = row["id"], _but(row, "id", "page_id")
        found[row["page_id"]].append(Sent(**values, tries=tuple(tries[ident]), proofs=tuple(proofs[ident])))
    return found


def _but(row: Row, *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}
