"""Calendars elsewhere that are layers here, and the secret addresses of ours."""

from uuid import UUID

from msgspec.structs import replace

from nightbell.api.attribute import Kind, attribute, times
from nightbell.api.auth import require, require_own
from nightbell.api.resource import Call, Resource
from nightbell.api.sent import uuid_of
from nightbell.core.access import Permission, may
from nightbell.core.errors import Unknown
from nightbell.engine.published import path_of
from nightbell.engine.schedule_edits import FeedEdit, LinkEdit
from nightbell.store.read import schedules
from nightbell.store.read.listing import Found, Record


def _all(rows: list[Record]) -> Found:
    return Found(rows=rows, total=len(rows))


async def _schedule(call: Call) -> UUID:
    key = uuid_of(call.parent)
    if await schedules.schedule(call.db, key) is None:
        raise Unknown(f"There is no schedule {key}.")
    return key


async def _find_feeds(call: Call) -> Found:
    require(call.visitor, Permission.CONFIGURE)
    return _all([_in_clear(call, row) for row in await schedules.feeds_of(call.db, await _schedule(call))])


async def _get_feed(call: Call, key: str) -> Record | None:
    row = await schedules.feed(call.db, uuid_of(key))
    return row and _in_clear(call, row)


def _in_clear(call: Call, row: Record) -> Record:
    return {**row, "url": call.edge.configure.feed_url(row["url"])}


async def _create_feed(call: Call, edit: FeedEdit) -> UUID:
    return await call.edge.configure.create_feed(uuid_of(call.parent), edit, by=call.actor, now=call.now)


async def _change_feed(call: Call, row: Record, edit: FeedEdit) -> None:
    await call.edge.configure.update_feed(row["id"], edit, by=call.actor, now=call.now)


async def _delete_feed(call: Call, row: Record) -> None:
    await call.edge.configure.delete_feed(row["id"], by=call.actor, now=call.now)


#: Only who may change them sees them: their addresses are secrets.
FEEDS = Resource(
    type="schedule_calendars",
    collections=("/schedules/{id}/schedule_calendars",),
    item="/schedule_calendars/{id}",
    find=_find_feeds,
    get=_get_feed,
    edit=FeedEdit,
    create=_create_feed,
    change=_change_feed,
    delete=_delete_feed,
    read=Permission.CONFIGURE,
    attributes=(
        attribute("schedule_id", Kind.ID),
        attribute("name", edit="name"),
        attribute("position", Kind.NUMBER, edit="position"),
        attribute("url", edit="url"),
        attribute("refresh_minutes", Kind.NUMBER, edit="refresh_minutes"),
        attribute("last_tried_at", Kind.TIME, of="tried_at"),
        attribute("last_good_at", Kind.TIME, of="good_at"),
        attribute("error"),
        attribute("unknown_people", Kind.LIST),
        *times(),
    ),
)


# ---------------------------------------------------------------- secret addresses


async def _find_links(call: Call) -> Found:
    """Show one's own, and to who may make them all that are of no person."""
    me = call.visitor.user_id
    mine = await schedules.links_of_user(call.db, me) if me is not None else []
    rows = [*mine, *await schedules.links_of_nobody(call.db)] if _configures(call) else mine
    return _all([_with_url(call, row) for row in rows])


def _configures(call: Call) -> bool:
    return may(call.visitor.role, Permission.CONFIGURE)


async def _get_link(call: Call, key: str) -> Record | None:
    row = await schedules.link(call.db, uuid_of(key))
    if row is not None:
        _check(call, row["kind"], row["user_id"])
    return row and _with_url(call, row)


def _check(call: Call, kind: str, user_id: int | None) -> None:
    if kind == "person" and user_id is not None:
        require_own(call.visitor, user_id)
    else:
        require(call.visitor, Permission.CONFIGURE)


def _with_url(call: Call, row: Record) -> Record:
    token = call.edge.configure.link_token(row["sealed"])
    return {**row, "url": call.edge.base_url + path_of(row["kind"], token)}


async def _create_link(call: Call, edit: LinkEdit) -> UUID:
    sent = edit.sent()
    if sent.get("kind") == "person" and sent.get("user_id") is None:
        edit = replace(edit, user_id=call.visitor.user_id)
    _check(call, str(sent.get("kind")), edit.sent().get("user_id"))
    key, _ = await call.edge.configure.create_link(edit, by=call.actor, now=call.now)
    return key


async def _cancel(call: Call, row: Record) -> None:
    await call.edge.configure.cancel_link(row["id"], by=call.actor, now=call.now)


LINKS = Resource(
    type="calendar_links",
    collections=("/calendar_links",),
    item="/calendar_links/{id}",
    find=_find_links,
    get=_get_link,
    edit=LinkEdit,
    create=_create_link,
    delete=_cancel,
    read=Permission.SELF,
    write=Permission.SELF,
    attributes=(
        attribute("kind", edit="kind"),
        attribute("name", edit="name"),
        attribute("user_id", Kind.NUMBER, edit="user_id"),
        attribute("schedule_id", Kind.ID, edit="schedule_id"),
        attribute("schedule_ids", Kind.LIST, edit="schedule_ids"),
        attribute("url"),
        *times(),
    ),
)
