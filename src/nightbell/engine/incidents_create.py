"""This file makes incidents.

Rule 1: numbers follow each other without a hole, and the same key twice is one incident.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from nightbell.core import incident as rules
from nightbell.core.errors import Invalid
from nightbell.core.incident import Incident, Status
from nightbell.core.incident_timeline import opened
from nightbell.core.journal import Actor
from nightbell.core.shortid import encode
from nightbell.engine.ids import new_id
from nightbell.engine.incident_checks import check_edit, free_slug, raise_all, referred
from nightbell.engine.incident_edits import IncidentEdit
from nightbell.engine.incident_work import NOBODY, Cause, IncidentWriter, Work, columns, read
from nightbell.engine.incidents_alerts import attach
from nightbell.engine.incidents_family import below, check_parent
from nightbell.store.db import Tx
from nightbell.store.write import incidents as rows

#: What comes with an alert where nothing else was said.
_FROM_ALERTS = ("service_ids", "team_ids")


class IncidentMaking(IncidentWriter):
    """Makes incidents."""

    async def create(
        self,
        edit: IncidentEdit,
        *,
        by: Actor,
        now: datetime,
        cause: Cause = NOBODY,
        source: str = "",
    ) -> Incident:
        """Make an incident; with the key of one there is, return that one.

        Shape: services and teams that are not named are those of its alerts. `source` is web, api, workflow or slack.
        Raises: Problems naming the fields.
        """
        sent = _checked(edit)
        sent["source"] = source or ("web" if by.kind == "user" else by.kind)
        async with self.db.tx() as tx:
            number = await rows.lock_numbers(tx)
            known = await rows.same_key(tx, cause.key) if cause.key else None
            if known:
                return read(known)
            named = await referred(tx, sent)
            work = await _made(tx, sent, number, by=by, now=now, cause=cause)
            if work.incident.parent_incident_id:
                await check_parent(work, work.incident.parent_incident_id)
            await _fill(work, sent, named)
            await work.finish()
        self.committed()
        return work.incident

    async def delete(self, incident_id: UUID, *, by: Actor, now: datetime) -> None:
        """Delete an incident with everything that belongs to it; its alerts stay. The audit log keeps that it was."""
        async with self.working(incident_id, by=by, now=now) as work:
            work.happened("incident_deleted")
            work.deleted = True


def _checked(edit: IncidentEdit) -> dict[str, Any]:
    given = edit.sent()
    given.setdefault("title", None)
    for name in rules.TIMES:
        if given.get(name) is None:
            given.pop(name, None)
    if given.pop("duplicate_of_id", None):
        raise Invalid(
            "A new incident is no duplicate yet.", place="duplicate_of_id", hint="Make it, then mark it."
        )
    return check_edit(given)


def _status(sent: dict[str, Any], kind: str, now: datetime) -> Status:
    """Return the status it begins with; the words that are instants stamp them."""
    wanted = sent.pop("status", None)
    if wanted in rules.MARKS:
        sent.setdefault(f"{wanted}_at", now)
        wanted = None
    possible = rules.first_statuses(kind)
    if wanted is None:
        return possible[0]
    status = rules.read_status(wanted)
    if status not in possible:
        raise Invalid(
            f"An incident of kind {kind} does not begin as {status}.",
            place="status",
            hint=f"It begins as: {', '.join(possible)}.",
        )
    return status


async def _made(tx: Tx, sent: dict[str, Any], number: int, *, by: Actor, now: datetime, cause: Cause) -> Work:
    kind = sent.pop("kind", None) or "normal"
    status = _status(sent, kind, now)
    known = {name: value for name, value in sent.items() if name in Incident.__struct_fields__}
    incident = Incident(
        **{
            **known,
            "id": new_id(now),
            "sequential_id": number,
            "slug": await free_slug(tx, sent["title"], number),
            "kind": below(kind) if sent.get("parent_incident_id") else kind,
            "status": status,
            "private": bool(sent.get("private")),
            "created_by": by.user_id,
            "created_at": now,
            "updated_at": now,
        }
    )
    incident = rules.begun(incident, by=by.user_id, now=now)
    raise_all(rules.misplaced(incident, now))
    await rows.add(tx, {**columns(incident), "key": cause.key}, now)
    return Work(tx, incident, by, now, cause)


async def _fill(work: Work, sent: dict[str, Any], named: dict[Any, str]) -> None:
    """Link what it is about and attach its alerts; all of that is one line, that it was made."""
    alert_ids = sent.get("alert_ids") or []
    found = await rows.alerts(work.tx, alert_ids) if alert_ids else []
    work.say(opened(work.incident, work.by, encode(found[0]["number"]) if found else ""))
    if found:
        for name in _FROM_ALERTS:
            if name not in sent:
                ids = dict.fromkeys(one for alert in found for one in alert[name])
                sent[name] = list(await rows.names(work.tx, rows.LINKS[name].of, ids))
    for name in rows.LINKS:
        await rows.link(work.tx, name, work.incident.id, list(dict.fromkeys(sent.get(name) or [])), work.now)
    if alert_ids:
        await attach(work, alert_ids)
