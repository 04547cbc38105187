"""Shows things without wrapping, id and attributes side by side: what outgoing webhooks carry (rootly.md 3)."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from nightbell.api.query import parse
from nightbell.api.resource import Call, Edge, Resource
from nightbell.api.resources import RESOURCES
from nightbell.api.resources import alert_parts as parts
from nightbell.api.resources.alerts import ALERTS
from nightbell.core.access import Role
from nightbell.engine.identity import Visitor
from nightbell.store.read.alerts import LARGEST_IN_LIST
from nightbell.store.read.listing import many
from nightbell.store.tables import alerts

#: Nobody: what has private parts is shown without them.
_ANYBODY = Visitor(user_id=0, name="Nightbell", email="", role=Role.OBSERVER, time_zone="UTC")
#: Whether a private incident may be told is decided by whoever asks for it.
_EVERYTHING = msgspec.structs.replace(_ANYBODY, role=Role.OWNER)


class Unwrapped:
    """Returns resources by their type: incidents as whoever may see all of them is shown them, the rest as anybody is."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._known: Mapping[str, Resource] = {r.type: r for r in reversed(RESOURCES) if r.get}

    async def __call__(self, resource: str, ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
        """Return what there is of some ids; of a type that is not known, nothing."""
        known = self._known.get(resource)
        if known is None or known.get is None:
            return {}
        call = Call(
            edge=self._edge,
            visitor=_EVERYTHING if resource.startswith("incident") else _ANYBODY,
            now=self._edge.clock(),
            url=self._edge.base_url,
            path={},
            query=parse(b"", largest=known.largest_page, usual=known.usual_page),
            attributes={},
        )
        if known is ALERTS:
            # A storm is relayed a hundred at a time, with one question for each kind of thing.
            return {row["id"]: flat(known, row) for row in await _alerts(call, ids)}
        rows = {key: await known.get(call, str(key)) for key in ids}
        return {key: flat(known, row) for key, row in rows.items() if row is not None}


async def _alerts(call: Call, ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """Return alerts as lists show them: without their members, and without requests that are too large for a list."""
    rows = await many(call.db, alerts, alerts.c.id.in_(list(ids)))
    await parts.enrich(call, rows, largest=LARGEST_IN_LIST)
    return rows


def flat(resource: Resource, row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as one flat object."""
    document = resource.document(row)
    return {"id": document.id, **document.attributes}
