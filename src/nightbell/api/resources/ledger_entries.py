"""The ledger of pages, newest first: our own resource, for whoever keeps a copy or an eye on it."""

from typing import Any
from uuid import UUID

from nightbell.api.attribute import Kind, attribute
from nightbell.api.resource import Call, Resource
from nightbell.core.access import Permission
from nightbell.core.errors import BadPayload
from nightbell.core.uuids import as_uuid
from nightbell.store.read import findings, ledger
from nightbell.store.read.listing import Found

_LAST = 2**62


async def _find(call: Call) -> Found:
    listing = call.listing
    if listing.after and not listing.after.isdecimal():
        raise BadPayload("A cursor of the ledger is a position.", place="page[after]")
    before = int(listing.after[:18]) if listing.after else _LAST
    found = await ledger.latest(call.db, limit=listing.limit, before=before, alert_id=_alert(call))
    rows = [_row(findings.decoded(one), one.entry) for one in found]
    following = str(found[-1].position) if len(found) == listing.limit else ""
    total = (await ledger.head(call.db)).position - (await ledger.beginning(call.db)).position
    return Found(rows=rows, total=total, next_cursor=following)


def _alert(call: Call) -> UUID | None:
    asked = [value for c in call.listing.where if c.field == "alert_id" for value in c.values]
    found = as_uuid(asked[0]) if asked else None
    if asked and found is None:
        raise BadPayload("This is no id of an alert.", place="filter[alert_id]")
    return found


def _row(entry: dict[str, Any], text: str) -> dict[str, Any]:
    return {**entry, "id": entry["position"], "entry": text}


LEDGER = Resource(
    type="ledger_entries",
    collections=("/ledger_entries",),
    find=_find,
    read=Permission.OPERATE,
    attributes=(
        attribute("position", Kind.NUMBER),
        attribute("step"),
        attribute("at", Kind.TIME),
        attribute("alert_id", Kind.ID, of="alert"),
        attribute("page_id", Kind.ID, of="page"),
        attribute("notification_id", Kind.ID, of="notification"),
        attribute("user_id", Kind.NUMBER, of="person"),
        attribute("provider_id"),
        attribute("told", Kind.OBJECT),
        attribute("entry"),
        attribute("digest"),
    ),
)
