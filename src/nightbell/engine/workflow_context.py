"""What conditions and templates see: an alert, an incident, an action item, in Rootly's names and plain JSON.

Rule 1: matching, preview and runs are handed the same dictionary, so what was tried is what happens.
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from nightbell.core.happening import Happening
from nightbell.core.shortid import encode
from nightbell.engine.liquid.texts import parameterize
from nightbell.store.db import Runner
from nightbell.store.read import contexts

Context = dict[str, Any]
#: What no source sent.
_API = "api"
_LONGEST_NUMBER = 400
_LINKS = ("services", "groups", "environments", "functionalities", "types")
_TIMES = (
    "started_at", "ended_at", "acknowledged_at", "resolved_at", "snoozed_until", "created_at", "updated_at",
)  # fmt: skip
#: From when to when a phase of an incident lasts.
_DURATIONS = {
    "duration": ("started_at", "resolved_at"),
    "in_triage_duration": ("in_triage_at", "started_at"),
    "detected_duration": ("started_at", "detected_at"),
    "acknowledged_duration": ("started_at", "acknowledged_at"),
    "mitigated_duration": ("started_at", "mitigated_at"),
    "resolved_duration": ("started_at", "resolved_at"),
}
_PLAIN = (
    "sequential_id", "slug", "title", "public_title", "summary", "kind", "status", "private", "source", "labels",
    "severity", "severity_slug", "raw_severity", "raw_sub_status", "mitigation_message", "resolution_message",
    "cancellation_message", "retrospective_status", "parent_incident_id", "duplicate_of_id",
)  # fmt: skip


async def context(
    db: Runner,
    *,
    alert_id: UUID | None = None,
    incident_id: UUID | None = None,
    action_item_id: UUID | None = None,
    happening: Happening | None = None,
    base_url: str = "",
) -> Context:
    """Return what is known of these; what is not there is left out.

    Shape: {"alert": …, "incident": …, "action_item": …, "happening": …}, plain JSON. An action item brings its
    incident; `base_url` makes links whole.
    """
    found: Context = {}
    if happening is not None:
        alert_id = alert_id or happening.alert_id
        incident_id = incident_id or happening.incident_id
        action_item_id = action_item_id or happening.action_item_id
        found["happening"] = {"kind": happening.kind, "at": stamp(happening.at), **plain(happening.data)}
    if action_item_id and (item := await contexts.action_item(db, action_item_id)):
        found["action_item"] = _item(item)
        incident_id = incident_id or item["incident_id"]
    if alert_id and (alerts := await alert_contexts(db, [alert_id], base_url=base_url)):
        found["alert"] = alerts[alert_id]
    if incident_id and (row := await contexts.incident(db, incident_id)):
        found["incident"] = await _incident(db, row, base_url)
    return found


async def earlier(db: Runner, run_id: UUID, params: Mapping[str, Any]) -> Context:
    """Return what came of a run's earlier tasks, by the slug of their names, where parameters ask for it.

    Shape: {"tasks": {"call-the-api": {"name", "slug", "status", "output", "started_at", "completed_at", "why"}}}.
    """
    if "tasks" not in str(params):
        return {}
    tasks: Context = {}
    for row in await db.rows("context_steps", run_id):
        name = row["name"] or row["kind"].replace("_", " ")
        slug = parameterize(name)
        tasks[slug] = {
            "name": name,
            "slug": slug,
            "status": row["status"],
            "why": row["why"],
            "output": row["output"],
            "started_at": stamp(row["started_at"]),
            "completed_at": stamp(row["ended_at"]),
        }
        # What Rootly writes with a dash some write as a word.
        tasks[slug.replace("-", "_")] = tasks[slug]
    return {"tasks": tasks}


async def alert_contexts(db: Runner, ids: Sequence[UUID], *, base_url: str = "") -> dict[UUID, Context]:
    """Return what is known of many alerts at once, by id; two statements, however many."""
    return {row["id"]: _alert(row, base_url) for row in await contexts.alerts(db, ids)}


def stamp(at: datetime | None) -> str | None:
    """Return an instant in RFC 3339, in UTC and to the second."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if at else None


def plain(value: Any) -> Any:
    """Return a value as JSON has it: ids and instants as text."""
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return str(value) if isinstance(value, UUID | date) else value


def _alert(row: Mapping[str, Any], base_url: str) -> Context:
    short = encode(row["number"])
    source = row["source_type"] or _API
    services, groups = row["services"] or [], row["groups"] or []
    return {
        "id": str(row["id"]),
        "short_id": short,
        "source": source,
        "source_type": source,
        "source_name": row["source_name"] or source,
        "source_id": plain(row["source_id"]),
        "status": row["status"],
        "summary": row["summary"],
        "title": row["summary"],
        "description": row["description"],
        "body": row["description"],
        "url": f"{base_url}/account/alerts/{short}",
        "external_id": row["alertname"] or None,
        "external_url": row["external_url"],
        "deduplication_key": row["dedup_key"],
        "alert_urgency_id": plain(row["urgency_id"]),
        "alert_urgency": row["urgency"],
        "labels": row["labels"] or {},
        "annotations": row["annotations"] or {},
        "services": services,
        "service_ids": [one["id"] for one in services],
        "groups": groups,
        "group_ids": [one["id"] for one in groups],
        "alerting_targets": [{"id": str(t["id"]), "type": t["type"]} for t in row["targets"] or []],
        "responders": row["responders"] or [],
        "notified_users": row["notified_users"] or [],
        "incidents": row["incidents"] or [],
        "occurrence": row["occurrence"],
        "request_count": row["request_count"],
        "member_count": row["member_count"],
        "firing_count": row["firing_count"],
        **{name: stamp(row[name]) for name in _TIMES},
        "data": payload(row["body"]),
    }


def payload(body: bytes | None) -> dict[str, Any]:
    """Return the request of an alert as it was sent; nothing where it is kept no more or is no JSON."""
    if body is None:
        return {}
    try:
        sent = json.loads(zlib.decompress(body).decode("utf-8", "replace"), parse_int=_number)
    except (zlib.error, ValueError, RecursionError):
        return {}
    # Prometheus, and senders like it, post the bare list.
    return sent if isinstance(sent, dict) else {"alerts": sent} if isinstance(sent, list) else {}


def _number(digits: str) -> int | str:
    return int(digits) if len(digits) < _LONGEST_NUMBER else digits


async def _incident(db: Runner, row: contexts.Record, base_url: str) -> Context:
    alerts = await alert_contexts(db, row["alert_ids"], base_url=base_url)
    times = {name: stamp(value) for name, value in row.items() if name.endswith("_at")}
    people = {
        ("creator" if name == "created_by" else name): _person(row["people"].get(value))
        for name, value in row.items()
        if name.endswith("_by")
    }
    return {
        "id": str(row["id"]),
        **{name: plain(row[name]) for name in _PLAIN},
        "sub_status": (row["raw_sub_status"] or {}).get("name"),
        "severity_id": plain(row["severity_id"]),
        "url": f"{base_url}/account/incidents/{row['sequential_id']}",
        **_links(row["links"]),
        **times,
        "scheduled_for": stamp(row["scheduled_for"]),
        "scheduled_until": stamp(row["scheduled_until"]),
        **{name: _seconds(row[start], row[end]) for name, (start, end) in _DURATIONS.items()},
        **people,
        **_roles(row["roles"]),
        "events": [plain({k: v for k, v in event.items() if k != "code"}) for event in row["events"]],
        "action_items": [_item(item) for item in row["items"]],
        "alerts": [{k: v for k, v in alert.items() if k != "data"} for alert in alerts.values()],
    }


def _links(rows: Sequence[Mapping[str, Any]]) -> Context:
    """Return names, slugs, ids and the things themselves: `services`, `services_slug`, `service_ids`, `raw_services`."""
    found: Context = {}
    for kind in _LINKS:
        things = [row["thing"] for row in rows if row["kind"] == kind]
        found[kind] = [one["name"] for one in things]
        found[f"{kind}_slug"] = [one["slug"] for one in things]
        found[f"raw_{kind}"] = things
        one = "functionality" if kind == "functionalities" else kind.removesuffix("s")
        found[f"{one}_ids"] = [thing["id"] for thing in things]
    # Rootly's other words for the same.
    return {**found, "teams": found["groups"], "incident_types": found["types"], "causes": []}


def _roles(rows: Sequence[Mapping[str, Any]]) -> Context:
    roles: dict[UUID, Context] = {}
    for row in rows:
        role = {"id": str(row["id"]), "name": row["name"], "slug": row["slug"], "users": []}
        holder = {"id": row["user_id"], "name": row["user_name"], "email": row["email"]}
        held = roles.setdefault(row["id"], role)
        held["users"].append(holder)
        held.setdefault("user", holder)
    return {"roles": list(roles.values())}


def _item(row: Mapping[str, Any]) -> Context:
    who = row["assigned_to_user_id"]
    owner = {"id": who, "name": row["owner_name"], "email": row["owner_email"]} if who else None
    groups = row["groups"] or []
    return {
        "id": str(row["id"]),
        "incident_id": str(row["incident_id"]),
        **{name: row[name] for name in ("summary", "description", "kind", "priority", "status")},
        "due_date": plain(row["due_date"]),
        "assigned_to_user_id": who,
        "assigned_to": owner,
        "assigned_user": owner,
        "groups": groups,
        "group_ids": [one["id"] for one in groups],
        **{name: stamp(row[name]) for name in ("completed_at", "created_at", "updated_at")},
    }


def _person(row: Mapping[str, Any] | None) -> Context | None:
    return None if row is None else {"id": row["id"], "name": row["name"], "email": row["email"]}


def _seconds(start: datetime | None, end: datetime | None) -> int | None:
    return max(0, round((end - start).total_seconds())) if start and end else None
