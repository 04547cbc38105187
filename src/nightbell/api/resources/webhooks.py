"""Outgoing webhooks: endpoints and what was delivered to them, in Rootly's shapes.

Only those who connect things read them: the address of an endpoint may be a key, and deliveries tell of everything.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from nightbell.api.attribute import Kind, attribute, times
from nightbell.api.jsonapi import stamp
from nightbell.api.resource import Action, Call, Resource
from nightbell.api.sent import uuid_of
from nightbell.core.access import Permission
from nightbell.engine.configure_webhooks import EndpointEdit, masked_headers
from nightbell.store.read import webhooks
from nightbell.store.read.listing import Found, Record

#: Rootly's word for each state of a delivery.
STATUS: Mapping[str, str] = {
    "waiting": "pending",
    "sending": "pending",
    "delivered": "success",
    "failed": "failed",
}


async def _find(call: Call) -> Found:
    found = await webhooks.endpoints(call.db, call.listing)
    for row in found.rows:
        await _complete(call, row)
    return found


async def _get(call: Call, key: str) -> Record | None:
    row = await webhooks.endpoint(call.db, key)
    if row is not None:
        await _complete(call, row)
    return row


async def _complete(call: Call, row: Record) -> None:
    # Terraform reads it back after it was made, and whoever reads this may see it (rootly.md 4c).
    row["secret"] = await call.edge.configure.reveal_endpoint_secret(row["id"])


async def _create(call: Call, edit: EndpointEdit) -> UUID:
    return await call.edge.configure.create_endpoint(edit, by=call.actor, now=call.now)


async def _change(call: Call, row: Record, edit: EndpointEdit) -> None:
    await call.edge.configure.update_endpoint(row["id"], edit, by=call.actor, now=call.now)


async def _delete(call: Call, row: Record) -> None:
    await call.edge.configure.delete_endpoint(row["id"], by=call.actor, now=call.now)


async def _rotate(call: Call) -> tuple[Any, int]:
    """Replace the secret; what goes out from now on is signed with it."""
    row = await WEBHOOK_ENDPOINTS.row(call, call.parent)
    await call.edge.configure.rotate_endpoint_secret(row["id"], by=call.actor, now=call.now)
    return await WEBHOOK_ENDPOINTS.shown(call, await WEBHOOK_ENDPOINTS.row(call, call.parent)), 200


WEBHOOK_ENDPOINTS = Resource(
    type="webhooks_endpoints",
    collections=("/webhooks/endpoints",),
    item="/webhooks/endpoints/{id}",
    find=_find,
    get=_get,
    edit=EndpointEdit,
    create=_create,
    change=_change,
    delete=_delete,
    read=Permission.CONNECT,
    write=Permission.CONNECT,
    actions=(
        Action(
            method="POST",
            path="/webhooks/endpoints/{id}/rotate_secret",
            summary="Replace the secret that deliveries are signed with",
            permission=Permission.CONNECT,
            run=_rotate,
        ),
    ),
    attributes=(
        attribute("name", edit="name"),
        attribute("slug", edit="slug"),
        attribute("url", edit="url"),
        attribute("event_types", Kind.LIST, edit="event_types"),
        attribute("secret", edit="secret"),
        attribute("enabled", Kind.FLAG, edit="enabled"),
        attribute(
            "custom_headers",
            Kind.LIST,
            of=lambda row: masked_headers(row["custom_headers"]),
            edit="custom_headers",
        ),
        # Ours: whether it hears of private incidents, and how it does.
        attribute("private_incidents", Kind.FLAG, of="private", edit="private"),
        attribute("failing_since", Kind.TIME),
        attribute("failing_why"),
        attribute("disabled_why"),
        *times(),
    ),
)


# ---------------------------------------------------------------- deliveries


async def _find_deliveries(call: Call) -> Found:
    endpoint = await WEBHOOK_ENDPOINTS.row(call, call.parent)
    return await webhooks.deliveries(call.db, endpoint["id"], call.listing)


async def _get_delivery(call: Call, key: str) -> Record | None:
    return await webhooks.delivery(call.db, uuid_of(key))


async def _deliver(call: Call) -> tuple[Any, int]:
    """Send a delivery once more, with the same event id."""
    row = await WEBHOOK_DELIVERIES.row(call, call.parent)
    await call.edge.configure.redeliver(row["id"], by=call.actor, now=call.now)
    return await WEBHOOK_DELIVERIES.shown(call, await WEBHOOK_DELIVERIES.row(call, call.parent)), 200


def _next(row: Record) -> str | None:
    return stamp(row["send_at"]) if row["state"] == "waiting" else None


WEBHOOK_DELIVERIES = Resource(
    type="webhooks_deliveries",
    collections=("/webhooks/endpoints/{id}/deliveries",),
    item="/webhooks/deliveries/{id}",
    find=_find_deliveries,
    get=_get_delivery,
    read=Permission.CONNECT,
    write=Permission.CONNECT,
    actions=(
        Action(
            method="POST",
            path="/webhooks/deliveries/{id}/deliver",
            summary="Send a delivery once more",
            permission=Permission.CONNECT,
            run=_deliver,
        ),
    ),
    attributes=(
        attribute("endpoint_id", Kind.ID),
        attribute("payload"),
        attribute("status", of=lambda row: STATUS[row["state"]]),
        attribute("response_status", Kind.NUMBER),
        attribute("delivered_at", Kind.TIME),
        *times(),
        # Ours: what stands behind the status.
        attribute("event_id", Kind.ID),
        attribute("event_type"),
        attribute("attempts", Kind.NUMBER),
        attribute("why"),
        attribute("response_body"),
        attribute("tries", Kind.LIST),
        attribute("next_attempt_at", Kind.TIME, of=_next),
    ),
)
