"""The journal: what happened to an alert, who did it and because of what. Only notes are written by people."""

from collections.abc import Sequence
from uuid import UUID

from msgspec import UNSET

from nightbell.api.attribute import Kind, attribute, times
from nightbell.api.resource import Call, Resource
from nightbell.api.resources import flat
from nightbell.api.resources.incident_shapes import brief, viewer
from nightbell.api.sent import uuid_of
from nightbell.core.access import Permission
from nightbell.core.errors import Invalid, Unknown
from nightbell.core.uuids import as_uuid
from nightbell.engine.edits import Edit, MaybeText, Text
from nightbell.store.read import alert_events, alerts, incidents, people
from nightbell.store.read.listing import Found, Listing, Record

#: The feed is long and its entries are small; Rootly's own limit.
LARGEST_FEED = 50


class NoteEdit(Edit, frozen=True, kw_only=True):
    """A remark."""

    kind: MaybeText = UNSET
    details: Text = UNSET


async def _of_alert(call: Call) -> Found:
    found = await alert_events.of_alert(call.db, await _alert(call), call.listing)
    await _with_people(call, found.rows)
    return found


async def _feed(call: Call) -> Found:
    found = await alert_events.feed(call.db, call.listing)
    await _with_people(call, found.rows)
    return found


async def _get(call: Call, key: str) -> Record | None:
    row = await alert_events.event(call.db, uuid_of(key))
    await _with_people(call, [row] if row else [])
    return row


async def _with_people(call: Call, rows: Sequence[Record]) -> None:
    known = await people.users_by_id(call.db, [row["user_id"] for row in rows if row["user_id"] is not None])
    attached = {row["id"]: as_uuid(str(row["because"].get("incident_id") or "")) for row in rows}
    seen = await incidents.by_ids(call.db, viewer(call), {one for one in attached.values() if one})
    for row in rows:
        row["user"] = flat.user(known[row["user_id"]]) if row["user_id"] in known else None
        ident = attached[row["id"]]
        incident = seen.get(ident) if ident else None
        row["incident"] = brief(call, incident) if incident else None


async def _alert(call: Call) -> UUID:
    ident = await alerts.alert_id(call.db, call.parent)
    if ident is None or await alerts.one_alert(call.db, ident) is None:
        raise Unknown(f"There is no alert {call.parent[:60]}.")
    return ident


async def _note(call: Call, edit: NoteEdit) -> UUID:
    sent = edit.sent()
    if sent.get("kind") not in (None, "note"):
        raise Invalid("Only notes are written by hand.", place="kind")
    ident = await _alert(call)
    await call.edge.act.note(ident, sent.get("details") or "", by=call.actor, now=call.now)
    newest = await alert_events.of_alert(call.db, ident, Listing(limit=1))
    key: UUID = newest.rows[0]["id"]
    return key


_ATTRIBUTES = (
    attribute("alert_id", Kind.ID),
    attribute("kind", edit="kind"),
    attribute("action"),
    attribute("source"),
    attribute("user_id", Kind.NUMBER),
    attribute("details", edit="details"),
    attribute("user", Kind.OBJECT, omit_null=True),
    attribute("escalation_level", Kind.NUMBER, of="level"),
    attribute("escalation_target_type", of=lambda row: row["because"].get("target_type")),
    attribute("incident", Kind.OBJECT, omit_null=True),
    attribute("incident_ids", Kind.LIST, of=lambda row: [row["incident"]["id"]] if row["incident"] else []),
    # Ours: which rule spoke, and what it went by.
    attribute("code"),
    attribute("because", Kind.OBJECT),
    *times(),
)

EVENTS = Resource(
    type="alert_events",
    collections=("/alerts/{id}/events",),
    item="/alert_events/{id}",
    find=_of_alert,
    get=_get,
    edit=NoteEdit,
    create=_note,
    write=Permission.RESPOND,
    attributes=_ATTRIBUTES,
)

FEED = Resource(
    type="alert_events",
    collections=("/alert_events",),
    find=_feed,
    largest_page=LARGEST_FEED,
    attributes=_ATTRIBUTES,
)
