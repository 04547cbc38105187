"""This file reads what only the web pages show: the frame, one alert with everything around it, what was received."""

import zlib
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from nightbell.store.db import Row, Runner

#: A page nobody answered for a day does not go on ringing in browsers.
RINGING = timedelta(days=1)
#: The auditor goes round twice a minute; silent for longer, nobody watches.
SILENT = timedelta(minutes=5)
MEMBERS = 500
EVENTS = 400
MESSAGES = 400
OCCURRENCES = 50
#: A raw body beyond this is offered for download, not shown.
SHOWN_BODY = 256 * 1024


def first_id(at: datetime) -> UUID:
    """Return the smallest UUIDv7 of an instant, so that a range of ids is a range of time."""
    return UUID(int=max(0, int(at.timestamp() * 1000)) << 80)


def when(ident: UUID) -> float:
    """Return the Unix time in a UUIDv7."""
    return (ident.int >> 80) / 1000


async def chrome(db: Runner, user_id: int, now: datetime) -> dict[str, Any]:
    """Return what the frame shows: `firing`, `reachable`, `away` (without a browser), `ringing`, what the auditor says."""
    found = await db.row("page_chrome", user_id)
    ringing = await db.rows("page_ringing", user_id, first_id(now - RINGING))
    at = found["audited_at"] if found else None
    silent = at is not None and now - at > SILENT
    return {**_dict(found), "auditor_silent": silent, "ringing": [dict(row.items()) for row in ringing]}


async def alert_counts(db: Runner) -> dict[str, int]:
    """Return the number of alerts by status, and `all`; 10,001 stands for more than 10,000."""
    return _dict(await db.row("page_alert_counts"))


async def alert(db: Runner, *, number: int | None = None, ident: UUID | None = None) -> dict[str, Any] | None:
    """Return one alert with its details and names, or None."""
    row = await db.row("page_alert", number, ident)
    return _dict(row) if row else None


async def members(db: Runner, alert_id: UUID) -> list[Row]:
    """Return what fires and fired in an alert, firing first, 500 at most."""
    return await db.rows("page_members", alert_id, MEMBERS)


async def events(db: Runner, alert_id: UUID) -> list[Row]:
    """Return the latest 400 entries of a journal, newest first."""
    return await db.rows("page_events", alert_id, EVENTS)


async def notifications(db: Runner, alert_id: UUID) -> list[dict[str, Any]]:
    """Return the latest 400 messages of an alert, newest first, each with its `tries`."""
    found = [_dict(row) for row in await db.rows("page_notifications", alert_id, MESSAGES)]
    tries: dict[UUID, list[Row]] = defaultdict(list)
    for attempt in await db.rows("page_attempts", [row["id"] for row in found]) if found else []:
        tries[attempt["notification_id"]].append(attempt)
    for row in found:
        row["tries"] = tries[row["id"]]
    return found


async def escalations(db: Runner, alert_id: UUID) -> list[Row]:
    """Return the climbs of an alert, newest first."""
    return await db.rows("page_escalations", alert_id)


async def open_pages(db: Runner, alert_id: UUID) -> list[Row]:
    """Return requests for attention that may still use a later contact method."""
    return await db.rows("page_open_pages", alert_id)


async def occurrences(db: Runner, alert_id: UUID) -> list[Row]:
    """Return how often an alert came before, newest first."""
    return await db.rows("page_occurrences", alert_id, OCCURRENCES)


async def attention(db: Runner, alert_ids: Sequence[UUID]) -> tuple[dict[UUID, list[Row]], dict[UUID, Row]]:
    """Return who is being paged by each of these alerts, and the climb of each that goes on."""
    if not alert_ids:
        return {}, {}
    people: dict[UUID, list[Row]] = defaultdict(list)
    for row in await db.rows("page_paging", list(alert_ids)):
        people[row["alert_id"]].append(row)
    climbs = {row["alert_id"]: row for row in await db.rows("page_climbs", list(alert_ids))}
    return people, climbs


async def receiver_history(db: Runner, source_id: UUID, receiver: str) -> dict[str, int]:
    """Return of the last 200 alerts of a receiver how many were `seen` and how many `resolved`."""
    return _dict(await db.row("page_receiver_history", source_id, receiver))


async def deliveries(
    db: Runner, *, source_id: UUID | None, outcome: str | None, before: UUID | None, limit: int
) -> list[Row]:
    """Return requests received, newest first."""
    return await db.rows("page_deliveries", source_id, outcome, before, limit)


async def delivery(db: Runner, delivery_id: UUID) -> dict[str, Any] | None:
    """Return one request, its body as it was sent."""
    row = await db.row("page_delivery", delivery_id)
    if row is None:
        return None
    found = _dict(row)
    found["body"] = zlib.decompress(found["body"]) if found["body"] else b""
    return found


async def deliveries_of_alert(db: Runner, row: dict[str, Any]) -> list[Row]:
    """Return the latest ten requests that told of an alert."""
    since = first_id(row["created_at"])
    return await db.rows("page_deliveries_of_alert", row["source_id"], since, [{"id": str(row["id"])}])


async def unpaged(db: Runner) -> list[Row]:
    """Return alerts that asked for somebody and reached nobody."""
    return await db.rows("page_unpaged")


async def set_up(db: Runner, user_id: int) -> dict[str, bool]:
    """Return which of the first steps are done."""
    return _dict(await db.row("page_set_up", user_id))


async def reachability(db: Runner) -> list[Row]:
    """Return everybody, with the kinds of channel that reach them, and those whose last message did not arrive."""
    return await db.rows("page_reachability")


async def invitations(db: Runner, now: datetime) -> list[Row]:
    """Return links that wait to be used."""
    return await db.rows("page_invitations", now)


async def audit(db: Runner, limit: int = 50) -> list[Row]:
    """Return the latest changes of the configuration."""
    return await db.rows("page_audit", limit)


async def replies(db: Runner, limit: int = 50) -> list[Row]:
    """Return what people answered lately to messages, and what they were told."""
    return await db.rows("read_replies", limit)


async def last_test(db: Runner, user_id: int, method_id: UUID) -> Row | None:
    """Return how the last test of a contact method fared."""
    return await db.row("page_test", user_id, method_id)


async def has_owner(db: Runner) -> bool:
    """Return whether anybody has been set up."""
    return bool(await db.value("count_people"))


async def sessions(db: Runner, user_id: int, now: datetime) -> list[Row]:
    """Return the browsers of one person."""
    return await db.rows("sessions_of_user", user_id, now)


async def api_keys(db: Runner, user_id: int) -> list[Row]:
    """Return the API tokens of one person, without the tokens."""
    return await db.rows("api_keys_of_user", user_id)


def _dict(row: Row | None) -> dict[str, Any]:
    return dict(row.items()) if row else {}
