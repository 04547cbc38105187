"""Requests as senders sent them, and the messages we sent: the evidence at both ends of an alert."""

import zlib
from typing import Any

from nightbell.api.attribute import Kind, attribute, times
from nightbell.api.jsonapi import stamp
from nightbell.api.resource import Call, Resource
from nightbell.api.sent import uuid_of
from nightbell.store.read import notifications as messages
from nightbell.store.read.listing import Found, Record


async def _find(call: Call) -> Found:
    return await messages.deliveries(call.db, call.listing)


async def _get(call: Call, key: str) -> Record | None:
    return await messages.delivery(call.db, uuid_of(key))


def _body(row: Record) -> str | None:
    return zlib.decompress(row["body"]).decode("utf-8", "replace") if "body" in row else None


DELIVERIES = Resource(
    type="deliveries",
    collections=("/deliveries",),
    item="/deliveries/{id}",
    find=_find,
    get=_get,
    attributes=(
        attribute("source_id", Kind.ID),
        attribute("received_at", Kind.TIME),
        attribute("path"),
        attribute("remote_ip"),
        attribute("user_agent"),
        attribute("status_code", Kind.NUMBER),
        attribute("outcome"),
        attribute("reason"),
        attribute("size", Kind.NUMBER),
        attribute("alert_count", Kind.NUMBER),
        attribute("results", Kind.LIST),
        attribute("body", of=_body, omit_null=True),
        *times(),
    ),
)


# ---------------------------------------------------------------- what we sent


async def _find_messages(call: Call) -> Found:
    return await messages.notifications(call.db, call.listing)


async def _get_message(call: Call, key: str) -> Record | None:
    return await messages.notification(call.db, uuid_of(key))


def _tries(row: Record) -> list[dict[str, Any]]:
    plain = ("id", "number", "outcome", "why", "provider_id", "worker")
    return [
        {name: attempt[name] for name in plain}
        | {"started_at": stamp(attempt["started_at"]), "ended_at": stamp(attempt["ended_at"])}
        for attempt in row["tries"]
    ]


NOTIFICATIONS = Resource(
    type="notifications",
    collections=("/notifications",),
    item="/notifications/{id}",
    find=_find_messages,
    get=_get_message,
    attributes=(
        attribute("alert_id", Kind.ID),
        attribute("page_id", Kind.ID),
        # A post to a channel is nobody's, and goes to an address that is no contact method.
        attribute("user_id", Kind.NUMBER, of=lambda row: row["user_id"] or None),
        attribute(
            "contact_method_id", Kind.ID, of=lambda row: row["contact_method_id"] if row["user_id"] else None
        ),
        attribute("channel", of="address", omit_null=True),
        attribute("kind"),
        attribute("purpose"),
        attribute("bundle_id", Kind.ID),
        attribute("occurrence", Kind.NUMBER),
        attribute("escalation_level", Kind.NUMBER, of="level"),
        attribute("state"),
        attribute("why"),
        attribute("because", Kind.OBJECT),
        attribute("provider_id"),
        attribute("attempts_count", Kind.NUMBER, of="attempts"),
        attribute("attempts", Kind.LIST, of=_tries),
        attribute("send_at", Kind.TIME),
        attribute("finished_at", Kind.TIME),
        *times(),
    ),
)
