"""Alerts: what fires, whom it is for, and what people do about it."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import UNSET, UnsetType

from nightbell.api.attribute import Kind, attribute, constant, times
from nightbell.api.jsonapi import Document
from nightbell.api.resource import Action, Call, Resource
from nightbell.api.resources import alert_acts, flat, incidents
from nightbell.api.resources import alert_parts as parts
from nightbell.api.sent import uuid_of
from nightbell.core.access import Permission
from nightbell.core.directory import Target
from nightbell.core.errors import Invalid, Unknown
from nightbell.engine.act import NewAlert
from nightbell.engine.amend import amend
from nightbell.engine.edits import AlertEdit, Edit, Json, JsonList, MaybeId, MaybeIds, MaybeText, Text
from nightbell.store.read import alerts
from nightbell.store.read.listing import Found, Record, instant

#: One alert shows its request up to this size. Units: bytes, before compression.
_LARGEST = 64 * 1024 * 1024
_SAID = ("summary", "description", "external_id", "external_url", "urgency_id", "service_ids", "team_ids")
#: How an alert may begin; whatever comes after is an act of its own.
_FIRST = ("open", "triggered")
#: When it was; later only its source says so.
_TIMES = ("started_at", "ended_at")
#: What it may concern without paging it: the type as a target, by the field of the edit.
_CONCERNS = {"service_ids": "Service", "team_ids": "Group"}
#: Where a request says what an act could not find.
_PLACES = {
    "target": "notification_target_id",
    "attached Service": "service_ids",
    "attached Group": "group_ids",
}


class SentAlert(Edit, frozen=True, kw_only=True):
    """What may be sent of an alert. Labels come as a list of key and value, or as an object."""

    summary: Text = UNSET
    description: MaybeText = UNSET
    status: MaybeText = UNSET
    external_id: MaybeText = UNSET
    external_url: MaybeText = UNSET
    deduplication_key: MaybeText = UNSET
    urgency_id: MaybeId = UNSET
    labels: JsonList | Json = UNSET
    started_at: MaybeText = UNSET
    ended_at: MaybeText = UNSET
    data: Json = UNSET
    service_ids: MaybeIds = UNSET
    team_ids: MaybeIds = UNSET
    notification_target_type: MaybeText = UNSET
    notification_target_id: str | int | None | UnsetType = UNSET
    targets: JsonList = UNSET


async def _find(call: Call) -> Found:
    found = await alerts.listed(call.db, call.listing)
    wanted = call.query.fields.get("alerts")
    with_data = wanted is None or "data" in wanted
    await parts.enrich(call, found.rows, largest=alerts.LARGEST_IN_LIST if with_data else None)
    return found


async def _get(call: Call, key: str) -> Record | None:
    ident = await alerts.alert_id(call.db, key)
    row = await alerts.one_alert(call.db, ident) if ident else None
    if row is not None:
        await parts.enrich(call, [row], largest=_LARGEST)
    return row


async def _incidents(call: Call, rows: Sequence[Record]) -> list[Document]:
    return await incidents.documents(call, [one for row in rows for one in row["incident_rows"]])


def _accept(sent: dict[str, Any]) -> dict[str, Any]:
    fields = ALERTS.taken(sent)
    for name in ("notification_targets", "alerting_targets"):
        if name in sent:
            fields["targets"] = sent[name]
    for name in _TIMES:
        if name in sent:
            fields[name] = sent[name]
    return fields


async def _create(call: Call, edit: SentAlert) -> UUID:
    sent = edit.sent()
    if sent.get("status") not in (None, *_FIRST):
        raise Invalid(f"Must be one of: {', '.join(_FIRST)}.", place="status")
    new = NewAlert(
        summary=sent.get("summary") or "",
        description=sent.get("description"),
        external_id=sent.get("external_id"),
        external_url=sent.get("external_url"),
        deduplication_key=sent.get("deduplication_key"),
        status=sent.get("status"),
        labels=_labels(sent.get("labels")),
        targets=_targets(sent) or (),
        attached=_concerned(sent),
        urgency_id=sent.get("urgency_id"),
        started_at=_instant(sent, "started_at"),
        ended_at=_instant(sent, "ended_at"),
        data=sent.get("data"),
    )
    with _named():
        return (await call.edge.act.create(new, by=call.actor, now=call.now)).id


def _labels(sent: Any) -> dict[str, str]:
    pairs = (
        sent.items() if isinstance(sent, dict) else ((one.get("key"), one.get("value")) for one in sent or [])
    )
    return {str(key): _text(value) for key, value in pairs if key and value is not None}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _targets(sent: dict[str, Any]) -> tuple[Target, ...] | None:
    """Return whom to page; None when nothing was said about it."""
    wanted = list(sent.get("targets") or [])
    if sent.get("notification_target_type") and sent.get("notification_target_id"):
        wanted.append({"type": sent["notification_target_type"], "id": sent["notification_target_id"]})
    if not wanted:
        return None
    return tuple(dict.fromkeys(Target(type=str(t.get("type")), id=str(t.get("id"))) for t in wanted))


def _concerned(sent: dict[str, Any]) -> tuple[Target, ...]:
    wanted = ((kind, ident) for field, kind in _CONCERNS.items() for ident in sent.get(field) or ())
    return tuple(dict.fromkeys(Target(type=kind, id=str(ident)) for kind, ident in wanted))


def _instant(sent: dict[str, Any], name: str) -> datetime | None:
    return instant(sent[name], name) if sent.get(name) else None


async def _change(call: Call, row: Record, edit: SentAlert) -> None:
    """Rewrite what it says, send it to somebody else. Its state has acts of its own."""
    sent = edit.sent()
    said = {name: sent[name] for name in _SAID if name in sent}
    if "labels" in sent:
        said["labels"] = _labels(sent["labels"])
    if said:
        await amend(call.db, row["id"], AlertEdit(**said), by=call.actor, now=call.now)
    wanted = _targets(sent)
    if wanted and [{"id": t.id, "type": t.type} for t in wanted] != parts.targets(row):
        with _named():
            await call.edge.act.reassign(row["id"], wanted, by=call.actor, now=call.now)


@contextmanager
def _named() -> Iterator[None]:
    """What was named and does not exist is a wrong value here; 404 would say that the alert is not there."""
    try:
        yield
    except Unknown as error:
        if error.place not in _PLACES:
            raise
        raise Invalid(error.message, place=_PLACES[error.place]) from error


async def _receipt(call: Call) -> tuple[Any, int]:
    """Say what became of a request: here it is done before it is answered, so it is never pending."""
    ident = uuid_of(call.parent)
    if await alerts.one_alert(call.db, ident) is not None:
        return {"state": "done", "resource_type": "alerts", "resource_id": str(ident)}, 200
    raise Unknown("There is no such receipt.")


def _act(name: str, summary: str, do: Callable[[Call], Awaitable[None]], **accepts: Kind) -> Action:
    async def run(call: Call) -> tuple[Any, int]:
        await do(call)
        return await ALERTS.shown(call, await ALERTS.row(call, call.parent)), 200

    path = f"/alerts/{{id}}/{name}"
    return Action(
        method="POST", path=path, summary=summary, permission=Permission.RESPOND, run=run, accepts=accepts
    )


ALERTS = Resource(
    type="alerts",
    collections=("/alerts",),
    item="/alerts/{id}",
    find=_find,
    get=_get,
    edit=SentAlert,
    accept=_accept,
    create=_create,
    change=_change,
    write=Permission.RESPOND,
    more=lambda row: {"source": row["source_type"]},
    include={"incidents": _incidents},
    actions=(
        _act("acknowledge", "Take an alert", alert_acts.acknowledge),
        _act("resolve", "Say that it is over", alert_acts.resolve),
        _act("snooze", "Keep it quiet for some minutes", alert_acts.snooze, delay_minutes=Kind.NUMBER),
        _act(
            "escalate",
            "Page the next level, or another policy",
            alert_acts.escalate,
            escalation_policy_id=Kind.ID,
            escalation_policy_level=Kind.NUMBER,
        ),
        # Ours: Rootly's API cannot ask for help, nor start over.
        _act(
            "add_responders",
            "Page others beside whoever is paged",
            alert_acts.add_responders,
            targets=Kind.LIST,
            user_ids=Kind.LIST,
        ),
        _act("restart", "Start its escalation over, by the policies as they are now", alert_acts.restart),
        Action(
            method="GET",
            path="/alerts/receipts/{id}",
            summary="What became of a request",
            permission=Permission.VIEW,
            run=_receipt,
            media_type="application/json",
        ),
    ),
    attributes=(
        attribute("short_id"),
        constant("noise", "not_noise"),
        attribute("source", of="source_type"),
        attribute("status", edit="status"),
        attribute("summary", edit="summary"),
        attribute("description", edit="description"),
        attribute("url"),
        attribute("services", Kind.LIST),
        attribute("groups", Kind.LIST),
        constant("functionalities", [], Kind.LIST),
        constant("environments", [], Kind.LIST),
        attribute("service_ids", Kind.LIST, edit="service_ids"),
        attribute("group_ids", Kind.LIST, of="team_ids", edit="team_ids"),
        constant("functionality_ids", [], Kind.LIST),
        constant("environment_ids", [], Kind.LIST),
        attribute("external_id", of=lambda row: row["alertname"] or None, edit="external_id"),
        attribute("external_url", edit="external_url"),
        attribute("alert_urgency_id", Kind.ID, of="urgency_id", edit="urgency_id"),
        attribute(
            "alert_urgency",
            Kind.OBJECT,
            of=lambda row: flat.urgency(row["urgency"]) if row["urgency"] else None,
            omit_null=True,
        ),
        attribute("group_leader_alert_id", Kind.ID, of="leader_id"),
        attribute("is_group_leader_alert", Kind.FLAG, of=parts.leads),
        attribute("labels", Kind.LIST, of=parts.labels, edit="labels"),
        attribute("data", Kind.OBJECT, of=parts.data, edit="data"),
        attribute("notification_target_type", of=parts.first_target("type"), edit="notification_target_type"),
        attribute("notification_target_id", of=parts.first_target("id"), edit="notification_target_id"),
        attribute("alerting_targets", Kind.LIST, of=parts.targets, edit="targets"),
        attribute("deduplication_key", of="dedup_key", edit="deduplication_key"),
        constant("alert_field_values", [], Kind.LIST),
        attribute("responders", Kind.LIST),
        attribute("notified_users", Kind.LIST),
        attribute("incidents", Kind.LIST),
        *(
            attribute(name, Kind.TIME)
            for name in ("started_at", "ended_at", "acknowledged_at", "resolved_at")
        ),
        *times(),
        # Ours: what Rootly does not tell.
        attribute("deduplication_rule", of="dedup_rule"),
        attribute("occurrence", Kind.NUMBER),
        attribute("request_count", Kind.NUMBER),
        attribute("member_count", Kind.NUMBER),
        attribute("firing_count", Kind.NUMBER),
        attribute("truncated", Kind.NUMBER),
        attribute("last_received_at", Kind.TIME),
        attribute("snoozed_until", Kind.TIME),
        attribute("unpaged", Kind.FLAG),
        attribute(
            "members",
            Kind.LIST,
            of=lambda row: [parts.member(m) for m in row["members"]] if "members" in row else None,
            omit_null=True,
        ),
        attribute(
            "occurrences",
            Kind.LIST,
            of=lambda row: (
                [parts.occurrence(o) for o in row["occurrences"]] if "occurrences" in row else None
            ),
            omit_null=True,
        ),
    ),
    relationships=lambda row: {},
)
