"""Who is on call by policy, path and level: what Rootly's `oncalls` answers."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from nightbell.api import asking
from nightbell.api.attribute import Kind, attribute
from nightbell.api.jsonapi import Document, refer
from nightbell.api.resource import Call, Resource
from nightbell.api.resources import escalation_policies, schedules, users
from nightbell.api.resources.escalation_policies import POLICIES
from nightbell.core.access import Permission
from nightbell.core.calendar import zone
from nightbell.engine.oncalls import OnCall, Question, on_calls
from nightbell.engine.scheduling import check_range
from nightbell.store.read.listing import Found, Record

_LONGEST = timedelta(days=62)


async def _find(call: Call) -> Found:
    since = asking.first(call, "since")
    start = asking.at(since, "query.since") if since else call.now
    until = asking.first(call, "until")
    end = asking.at(until, "query.until") if until else start
    check_range(start, end, _LONGEST, "2 months")
    place = zone(asking.first(call, "time_zone") or "Etc/UTC", "query.time_zone")
    question = Question(
        since=start,
        until=end,
        earliest=asking.first(call, "earliest").lower() in ("true", "1"),
        policies=_words(call, "filter[escalation_policy_ids]"),
        schedules=_words(call, "filter[schedule_ids]"),
        users=asking.users(call, "filter[user_ids]"),
        services=_words(call, "filter[service_ids]"),
        teams=_words(call, "filter[group_ids]"),
        loudness=_words(call, "filter[notification_types]"),
    )
    found = await on_calls(call.db, await call.edge.directory(), question)
    first = call.listing.offset
    rows = [_row(one, place) for one in found[first : first + call.listing.limit]]
    return Found(rows=rows, total=len(found))


def _words(call: Call, name: str) -> frozenset[str]:
    return frozenset(word.lower() for word in asking.values(call, name))


def _row(one: OnCall, place: Any) -> Record:
    return {
        "id": one.id,
        "escalation_policy_id": one.policy.id,
        "escalation_policy_name": one.policy.name,
        "escalation_policy_path_id": one.path.id,
        "escalation_policy_path_name": one.path.name,
        "notification_type": one.path.loudness,
        "is_default_path": one.path.is_default,
        "escalation_level": one.level,
        "schedule_id": one.schedule_id,
        "schedule_name": one.schedule_name,
        "user_id": one.user,
        "starts_at": _local(one.start, place),
        "ends_at": _local(one.end, place),
    }


def _local(at: Any, place: Any) -> str:
    shown: str = at.astimezone(place).isoformat(timespec="milliseconds")
    return shown.replace("+00:00", "Z") if place.key == "Etc/UTC" else shown


def _relationships(row: Record) -> dict[str, Any]:
    return {
        "user": refer("users", row["user_id"]),
        "schedule": refer("schedules", row["schedule_id"]),
        "escalation_policy": refer("escalation_policies", row["escalation_policy_id"]),
    }


async def _users(call: Call, rows: Sequence[Record]) -> list[Document]:
    return await users.documents(call, [row["user_id"] for row in rows])


async def _schedules(call: Call, rows: Sequence[Record]) -> list[Document]:
    return await schedules.documents(call, [row["schedule_id"] for row in rows if row["schedule_id"]])


async def _policies(call: Call, rows: Sequence[Record]) -> list[Document]:
    wanted: dict[UUID, None] = dict.fromkeys(row["escalation_policy_id"] for row in rows)
    found = [await escalation_policies.get(call, str(key)) for key in wanted]
    return [POLICIES.document(row) for row in found if row]


ON_CALLS = Resource(
    type="on_call_resources",
    collections=("/oncalls",),
    parameters=(
        "since",
        "until",
        "earliest",
        "time_zone",
        "filter[escalation_policy_ids]",
        "filter[schedule_ids]",
        "filter[user_ids]",
        "filter[service_ids]",
        "filter[group_ids]",
        "filter[notification_types]",
    ),
    find=_find,
    read=Permission.VIEW,
    relationships=_relationships,
    include={"user": _users, "schedule": _schedules, "escalation_policy": _policies},
    largest_page=1000,
    usual_page=1000,
    attributes=(
        attribute("escalation_policy_id", Kind.ID),
        attribute("escalation_policy_name"),
        attribute("escalation_policy_path_id", Kind.ID),
        attribute("escalation_policy_path_name"),
        attribute("notification_type"),
        attribute("is_default_path", Kind.FLAG),
        attribute("escalation_level", Kind.NUMBER),
        attribute("schedule_id", Kind.ID),
        attribute("schedule_name"),
        attribute("user_id", Kind.NUMBER),
        # Already text: in the time zone that was asked for.
        attribute("starts_at"),
        attribute("ends_at"),
    ),
)
