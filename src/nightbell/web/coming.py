"""Reads what is still to come of whatever changes a schedule: overrides, swaps, shadows, calendars elsewhere."""

from typing import Any
from uuid import UUID

from nightbell.core.access import Permission, may
from nightbell.store.read import schedules as stored
from nightbell.store.read.listing import Condition, Listing
from nightbell.web.site import WebRequest

_MOST = 50


def _to_come(request: WebRequest) -> Listing:
    later = Condition("ends_at", "gt", (request.now.isoformat(),))
    return Listing(where=(later,), limit=_MOST, order=("starts_at",))


async def overrides(request: WebRequest, ident: UUID) -> list[dict[str, Any]]:
    """Return the overrides of a schedule that are not over, by start."""
    return (await stored.overrides_of(request.site.db, ident, _to_come(request))).rows


async def shadows(request: WebRequest, ident: UUID) -> list[dict[str, Any]]:
    """Return who shadows, or will, by start."""
    return (await stored.shadows_of(request.site.db, ident, _to_come(request))).rows


async def swaps(request: WebRequest, ident: UUID) -> list[dict[str, Any]]:
    """Return the swaps of a schedule that wait for an answer or are agreed, with what the reader may do about each."""
    rows = (await stored.swaps_of(request.site.db, ident, _to_come(request))).rows
    return [_with_rights(request, row) for row in rows if row["state"] in ("open", "accepted")]


async def asked_of(request: WebRequest) -> list[dict[str, Any]]:
    """Return the swaps, of every schedule, that wait for the reader's yes, or for anybody's."""
    rows = (await stored.swaps_for(request.site.db, request.visitor.user_id, _to_come(request))).rows
    known = (_with_rights(request, row) for row in rows)
    return [row for row in known if row["may_accept"]]


def _with_rights(request: WebRequest, row: dict[str, Any]) -> dict[str, Any]:
    me, role = request.visitor.user_id, request.visitor.role
    asked, is_open = row["asked_user_id"], row["state"] == "open"
    answers = is_open and row["user_id"] != me and may(role, Permission.RESPOND)
    own = me in (row["user_id"], row["created_by"]) or may(role, Permission.PEOPLE)
    return {
        **row,
        "may_accept": answers and asked in (None, me),
        "may_decline": answers and asked == me,
        "may_withdraw": own and may(role, Permission.RESPOND),
    }


async def feeds(request: WebRequest, ident: UUID) -> list[dict[str, Any]]:
    """Return the calendars elsewhere that are layers of a schedule, the strongest first."""
    return (await stored.feeds_of(request.site.db, ident))[::-1]
