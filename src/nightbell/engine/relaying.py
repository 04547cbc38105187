"""Turns what happened into deliveries to endpoints: each event once for each endpoint that asked for it.

Rule 1: the id of an event is that of what happened, so that relaying it twice is relaying it once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID, uuid5

import msgspec
import structlog
from msgspec import Struct

from nightbell.core import webhook
from nightbell.engine.faults import FAULTS
from nightbell.engine.ids import minter
from nightbell.store.db import Db, Row, Tx
from nightbell.store.write import webhooks
from nightbell.store.write.webhooks import News

#: What is told in one transaction.
BATCH = 100
#: Receivers limit what they read. What is longer goes without the request that an alert came in. Units: bytes.
LARGEST = 512 * 1024
_AUDIT = "audit_log.created"
#: Which resource an event carries, by the first part of its name, and where its id stands in what happened.
_RESOURCES: Mapping[str, tuple[str, str]] = {
    "alert": ("alerts", "alert_id"),
    "incident": ("incidents", "incident_id"),
    "incident_event": ("incident_events", "event_id"),
    "incident_status_page_event": ("incident_status_page_events", "status_page_event_id"),
    "genius_workflow_run": ("workflow_runs", "run_id"),
}
_log = structlog.get_logger(__name__)


class Shows(Protocol):
    """Returns things as the API shows them, without wrapping: id and attributes side by side."""

    async def __call__(self, resource: str, ids: Sequence[UUID]) -> Mapping[UUID, Mapping[str, Any]]:
        """Return what there is of some ids."""
        ...


class Hears(Protocol):
    """Hears of what happened in the transaction in which it is told: rooms."""

    async def happened(self, tx: Tx, rows: Sequence[Row], now: datetime) -> None:
        """Do what follows from it."""
        ...


class Event(Struct, frozen=True, kw_only=True):
    """Something to tell. `resource` and `key` name what it is about; `data` is what is known without looking."""

    id: UUID
    type: str
    at: datetime
    data: Mapping[str, Any]
    resource: str = ""
    key: UUID | None = None
    private: bool = False


class Endpoint(Struct, frozen=True, kw_only=True):
    """Who wants to hear of what."""

    id: UUID
    event_types: frozenset[str]
    private: bool

    def wants(self, event: Event) -> bool:
        """Return whether it asked for an event, and may hear of it."""
        return event.type in self.event_types and (self.private or not event.private)


class Relaying:
    """Tells endpoints what happened."""

    def __init__(self, db: Db, shows: Shows, rooms: Hears | None = None) -> None:
        self._rooms = rooms
        self.db = db
        self._shows = shows

    async def relay(self, now: datetime) -> int:
        """Relay the oldest of what happened, and return how much of it there was."""
        happened = await self.db.rows("unrelayed_happenings", BATCH)
        audited = await self.db.rows("unrelayed_audit", BATCH)
        if not happened and not audited:
            return 0
        listening = [_endpoint(row) for row in await self.db.rows("listening_endpoints")]
        events = [*await self._events(happened), *(_audit(row) for row in audited)] if listening else []
        news = await self._news([e for e in events if any(to.wants(e) for to in listening)], listening, now)

        async def work(tx: Tx) -> None:
            await webhooks.add(tx, news, now)
            if self._rooms is not None:
                await self._rooms.happened(tx, happened, now)
            await tx.execute("relayed_happenings", [row["id"] for row in happened], now)
            await tx.execute("relayed_audit", [row["id"] for row in audited], now)

        await self.db.in_tx(work)
        return len(happened) + len(audited)

    async def _events(self, happened: Sequence[Row]) -> list[Event]:
        about = list({row["incident_id"] for row in happened if row["incident_id"]})
        incidents = (
            {r["id"]: r for r in await self.db.rows("incidents_of_happenings", about)} if about else {}
        )
        return [event for row in happened for event in _told(row, incidents.get(row["incident_id"]))]

    async def _news(
        self, events: Sequence[Event], listening: Sequence[Endpoint], now: datetime
    ) -> list[News]:
        shown = await self._shown(events)
        mint, out = minter(now), []
        for event in events:
            flat = shown.get((event.resource, event.key))
            payload = body(event, flat if flat is not None else event.data).decode()
            out += [
                News(id=mint(), endpoint_id=to.id, event_id=event.id, event_type=event.type, payload=payload)
                for to in listening
                if to.wants(event)
            ]
        return out

    async def _shown(self, events: Iterable[Event]) -> dict[tuple[str, UUID | None], Mapping[str, Any]]:
        """Return what events are about, as it is now. What cannot be shown is told with what is known of it."""
        wanted: dict[str, list[UUID]] = {}
        for event in events:
            if event.key is not None and event.key not in wanted.setdefault(event.resource, []):
                wanted[event.resource].append(event.key)
        out: dict[tuple[str, UUID | None], Mapping[str, Any]] = {}
        for resource, keys in wanted.items():
            try:
                found = await self._shows(resource, keys)
            except FAULTS as fault:
                # One resource that cannot be shown must not hold up every other event for ever.
                _log.error("webhook.not_shown", resource=resource, why=str(fault), exc_info=fault)
                continue
            out |= {(resource, key): flat for key, flat in found.items()}
        return out


def body(event: Event, data: Mapping[str, Any]) -> bytes:
    """Return the body of an event, to be sent as it is at every try. Source: rootly.md 3, "Outgoing webhooks"."""
    envelope = {"id": event.id, "type": event.type, "issued_at": _stamp(event.at)}
    written = msgspec.json.encode({"event": envelope, "data": data})
    if len(written) <= LARGEST:
        return written
    # An alert's request can be megabytes; whoever wants it asks for the alert.
    short = {name: value for name, value in data.items() if name != "data"} | {"data_left_out": True}
    return msgspec.json.encode({"event": envelope, "data": short})


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _endpoint(row: Row) -> Endpoint:
    return Endpoint(id=row["id"], event_types=frozenset(row["event_types"]), private=row["private"])


def _told(row: Row, incident: Row | None) -> Iterator[Event]:
    """Return the events of a happening. The first has its id, another one that is made of it: always the same."""
    about = incident["kind"] if incident else str(row["data"].get("kind") or "")
    written = incident["retrospective_status"] if incident else ""
    for number, kind in enumerate(webhook.events(row["kind"], row["data"], about, written=written)):
        ident = uuid5(row["id"], kind) if number else row["id"]
        yield _event(ident, kind, row, incident)


def _event(ident: UUID, kind: str, row: Row, incident: Row | None) -> Event:
    data, about = row["data"], kind.partition(".")[0]
    resource, place = _RESOURCES.get(about, ("", ""))
    key = _key(row.get(place) or data.get(place))
    if about == "incident_post_mortem" and incident:
        data = _retrospective(incident)
    return Event(
        id=ident,
        type=kind,
        at=row["at"],
        data={"id": key, **data} if key else data,
        resource=resource if key else "",
        key=key,
        private=bool(incident["private"] if incident else data.get("private")),
    )


def _retrospective(incident: Row) -> dict[str, Any]:
    return {
        "id": incident["id"],
        "incident_id": incident["id"],
        "title": incident["title"],
        "status": incident["retrospective_status"],
        "content": incident["retrospective"],
    }


def _key(value: Any) -> UUID | None:
    if isinstance(value, str):
        try:
            return UUID(value)
        except ValueError:
            return None
    return value if isinstance(value, UUID) else None


def _audit(row: Row) -> Event:
    """Return a line of the audit log as Rootly's audits read (rootly.md 2.2, Audit)."""
    data = {
        "id": row["id"],
        "event": row["action"].rpartition(".")[2],
        "event_display": row["action"],
        "item_type": row["item_type"],
        "item_id": row["item_id"],
        "object": None,
        "object_changes": row["changes"],
        "user_id": row["user_id"],
        "user_name": row["actor"],
        "user_email": row["email"],
        "ip_address": row["remote_ip"] or None,
        "created_at": _stamp(row["created_at"]),
    }
    return Event(id=row["id"], type=_AUDIT, at=row["created_at"], data=data)
