"""The three fields every alert has. Custom fields come later; these cannot be made, changed or deleted."""

from datetime import UTC, datetime

from nightbell.api.attribute import attribute, constant, times
from nightbell.api.resource import Call, Resource
from nightbell.core.alert_fields import BUILT_IN, field_id
from nightbell.store.read.listing import Found, Record

#: When the first installation could have had them; nothing depends on it.
_SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def _row(kind: str) -> Record:
    return {
        "id": field_id(kind),
        "kind": kind,
        "name": BUILT_IN[kind],
        "created_at": _SINCE,
        "updated_at": _SINCE,
    }


async def _find(call: Call) -> Found:
    rows = [_row(kind) for kind in BUILT_IN]
    for condition in call.listing.where:
        if condition.field in ("kind", "name", "slug") and condition.op in ("eq", "in"):
            column = "kind" if condition.field == "slug" else condition.field
            rows = [row for row in rows if row[column] in condition.values]
    start = call.listing.offset
    return Found(rows=rows[start : start + call.listing.limit], total=len(rows))


async def _get(call: Call, key: str) -> Record | None:
    return next((row for row in map(_row, BUILT_IN) if key in (str(row["id"]), row["kind"])), None)


FIELDS = Resource(
    type="alert_fields",
    collections=("/alert_fields",),
    item="/alert_fields/{id}",
    find=_find,
    get=_get,
    attributes=(
        attribute("slug", of="kind"),
        attribute("name"),
        attribute("kind"),
        constant("owner_group_ids", []),
        *times(),
    ),
)
