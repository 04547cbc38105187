"""What an alert's document shows beyond its own row: the request it came in, its people, services, teams, urgency.

Rule 1: what the sender sent is shown as it was sent; our five keys stand beside it and never instead of it.
"""

import json
import re
import zlib
from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any
from uuid import UUID

import msgspec

from nightbell.api.jsonapi import stamp
from nightbell.api.resource import Call
from nightbell.api.resources import flat
from nightbell.api.resources.incident_shapes import brief, viewer
from nightbell.core import heartbeat
from nightbell.core.shortid import encode
from nightbell.store.read import alerts, incidents, people, sources, teams
from nightbell.store.read.listing import Record

_TOP = msgspec.json.Decoder(dict[str, msgspec.Raw])
#: Python's own parser, and so Rootly's SDK, refuses a whole answer for one integer of 4,300 digits.
_LONGEST_NUMBER = 400
_LONG_NUMBER = re.compile(rf"\d{{{_LONGEST_NUMBER}}}")
#: What an alert shows that no source sent.
API = "api"


async def enrich(call: Call, rows: Sequence[Record], *, largest: int | None) -> None:
    """Put beside each row what its document needs. One query per kind of thing, however many rows."""
    await alerts.complete(call.db, rows, largest=largest)
    types = {row["id"]: row["type"] for row in await sources.all_sources(call.db)}
    types[heartbeat.SOURCE_ID] = heartbeat.TYPE
    urgencies = {row["id"]: row for row in await sources.all_urgencies(call.db)}
    services = await teams.services_by_id(call.db, _all(rows, "service_ids"))
    groups = await teams.teams_by_id(call.db, _all(rows, "team_ids"))
    known = await people.users_by_id(call.db, [user_id for row in rows for user_id in _people(row)])
    attached = await incidents.of_alerts(call.db, viewer(call), [row["id"] for row in rows])
    for row in rows:
        row["incident_rows"] = attached[row["id"]]
        row["incidents"] = [brief(call, one) for one in attached[row["id"]]]
        row["source_type"] = types.get(row["source_id"], API)
        row["urgency"] = urgencies.get(row["urgency_id"])
        row["services"] = flat.present(row["service_ids"], services)
        row["groups"] = flat.present(row["team_ids"], groups)
        row["responders"] = _flat(_responders(row), known, row)
        row["notified_users"] = _flat(row["notified_user_ids"], known, row)
        row["short_id"] = encode(row["number"])
        row["url"] = f"{call.edge.base_url}/account/alerts/{row['short_id']}"


def leads(row: Record) -> bool:
    """Return whether an alert leads a group, or led one when it was over."""
    return row["group_rule_id"] is not None and row["leader_id"] is None


def _all(rows: Sequence[Record], column: str) -> list[UUID]:
    return list({key for row in rows for key in row[column]})


def _responders(row: Record) -> list[int]:
    """Whoever was paged in this occurrence, and whoever took it without being paged."""
    taken = [row["acknowledged_by"]] if row["acknowledged_by"] is not None else []
    return list(dict.fromkeys([*row["paged_user_ids"], *taken]))


def _people(row: Record) -> list[int]:
    return [*_responders(row), *row["notified_user_ids"]]


def _flat(ids: list[int], known: dict[int, Record], row: Record) -> list[dict[str, Any]]:
    return [flat.user(known[key]) if key in known else flat.former_user(key, row) for key in ids]


# ---------------------------------------------------------------- the request


def data(row: Record) -> dict[str, Any]:
    """Return the latest envelope as it was sent, and the five keys Rootly adds (rootly.md 1.4)."""
    return {
        **_envelope(row["body"]),
        "ID": row["delivery_id"],
        "rootly": {
            "title": row["summary"],
            "description": row["description"],
            "alert_source_url": row["external_url"],
            "alerting_targets": targets(row),
        },
        "routing_rules": [{"id": r["id"], "targets": r["targets"]} for r in row["routing"]],
        "alert_urgency_id": row["urgency_id"],
        "rootly_alert_status": row["status"],
    }


def targets(row: Record) -> list[dict[str, Any]]:
    """Return whom an alert is for."""
    return [{"id": str(target["id"]), "type": target["type"]} for target in row["targets"]]


def _envelope(body: bytes | None) -> dict[str, Any]:
    if body is None:
        return {}
    # Bytes that are no UTF-8 were replaced when they were read; here too, or the answer would be no JSON.
    sent = zlib.decompress(body).decode("utf-8", "replace")
    try:
        if _LONG_NUMBER.search(sent):
            sent = json.dumps(json.loads(sent, parse_int=_short, parse_float=_finite))
        return dict(_TOP.decode(sent))
    except (ValueError, RecursionError):
        # Prometheus, and senders like it, post the bare list.
        return {"alerts": msgspec.Raw(sent.encode())} if sent.lstrip().startswith("[") else {}


def _short(digits: str) -> int | str:
    return int(digits) if len(digits) < _LONGEST_NUMBER else digits


def _finite(digits: str) -> float | str:
    return float(digits) if isfinite(float(digits)) else digits


def labels(row: Record) -> list[dict[str, str]]:
    """Return labels as a list, by name."""
    return [{"key": key, "value": value} for key, value in sorted(row["labels"].items())]


def member(one: Record) -> dict[str, Any]:
    """Return one label set of an alert, with a start and an end of its own."""
    spans = {name: stamp(one[name]) for name in ("starts_at", "ends_at", "absent_since", "last_seen_at")}
    plain = ("fingerprint", "state", "inferred", "labels", "annotations", "generator_url", "occurrence")
    return {**{name: one[name] for name in plain}, **spans}


def occurrence(one: Record) -> dict[str, Any]:
    """Return one time an alert came before."""
    spans = {name: stamp(one[name]) for name in ("started_at", "ended_at", "acknowledged_at")}
    return {"number": one["number"], **spans}


def first_target(part: str) -> Callable[[Record], Any]:
    """Return what shows the type or the id of the first target, None where there is none."""
    return lambda row: row["targets"][0][part] if row["targets"] else None
