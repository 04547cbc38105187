"""This file changes incidents: what they say, how grave they are, where they stand.

Rule 1: a change of what is so already is no change, so two people who do the same leave one line in the timeline.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from nightbell.core import incident as rules
from nightbell.core.errors import Invalid
from nightbell.core.incident import Incident, Status
from nightbell.core.incident_timeline import Line, linked, moving, told
from nightbell.core.journal import Actor
from nightbell.engine.incident_checks import check_edit, names_of, raise_all, referred
from nightbell.engine.incident_edits import IncidentEdit
from nightbell.engine.incident_work import NOBODY, Cause, IncidentWriter, Work
from nightbell.engine.incidents_alerts import attach
from nightbell.engine.incidents_family import above, below, check_parent, merge, unmerge
from nightbell.store.write import incidents as rows

#: Links, what people call them, and Rootly's plural, from which triggers are made.
_LINKED = {
    "service_ids": ("Services", "services"),
    "team_ids": ("Teams", "teams"),
    "environment_ids": ("Environments", "environments"),
    "functionality_ids": ("Functionalities", "functionalities"),
    "type_ids": ("Types", "incident_types"),
}
#: Which message belongs to which status.
MESSAGES = {
    Status.MITIGATED: "mitigation_message",
    Status.RESOLVED: "resolution_message",
    Status.CANCELLED: "cancellation_message",
}
#: Set by rules of their own.
_APART = frozenset({"status", "duplicate_of_id"})


class IncidentChanges(IncidentWriter):
    """Changes incidents."""

    async def update(
        self,
        incident_id: UUID,
        edit: IncidentEdit,
        *,
        by: Actor,
        now: datetime,
        cause: Cause = NOBODY,
    ) -> Incident:
        """Change what was sent of an incident, all of it or nothing; alerts that are named are attached too.

        Raises: Unknown, Problems naming the fields.
        """
        sent = check_edit(edit.sent())
        beside = sent.get("duplicate_of_id")
        async with self.working(incident_id, by=by, now=now, cause=cause, beside=beside) as work:
            await self._apply(work, sent)
        return work.incident

    async def move(
        self,
        incident_id: UUID,
        to: Status,
        *,
        message: str | None = None,
        by: Actor,
        now: datetime,
        cause: Cause = NOBODY,
    ) -> Incident:
        """Go to another status; one who comes second changes nothing.

        Raises: Unknown, Invalid naming what may follow instead.
        """
        edit = IncidentEdit(status=to.value)
        if message and to in MESSAGES:
            edit = replace(edit, **{MESSAGES[to]: message})
        return await self.update(incident_id, edit, by=by, now=now, cause=cause)

    async def restart(
        self, incident_id: UUID, *, by: Actor, now: datetime, cause: Cause = NOBODY
    ) -> Incident:
        """Take up again what was mitigated, over or cancelled; one that was taken up already stays as it is.

        Raises: Unknown, Invalid when there is nothing to take up.
        """
        async with self.working(incident_id, by=by, now=now, cause=cause) as work:
            if work.incident.status not in (Status.STARTED, Status.IN_PROGRESS):
                await self._apply(work, {"status": rules.restarting(work.incident).value})
        return work.incident

    async def resolve_alerts(
        self, incident_id: UUID, *, by: Actor, now: datetime, cause: Cause = NOBODY
    ) -> int:
        """Resolve every alert of an incident, which stays as it is; return how many were not resolved before."""
        async with self.working(incident_id, by=by, now=now, cause=cause) as work:
            return await self._end_alerts(work)

    async def _apply(self, work: Work, sent: dict[str, Any]) -> None:
        named = await referred(work.tx, sent) | await names_of(work.tx, work.incident)
        await _join(work, sent)
        await _change(work, sent, named)
        for name, (label, kind) in _LINKED.items():
            if name in sent:
                await _relink(work, name, label, kind, sent[name] or [])
        if sent.get("alert_ids"):
            await attach(work, sent["alert_ids"])
        resolved = work.incident.status is Status.RESOLVED and work.before.status is not Status.RESOLVED
        if resolved and work.incident.resolve_alerts:
            await self._end_alerts(work, setting="resolve_alerts")

    async def _end_alerts(self, work: Work, **because: str) -> int:
        """Resolve its alerts, in the same transaction."""
        ids = await rows.attached(work.tx, work.incident.id)
        came = await self.act.resolve_within(work.tx, ids, by=work.by, now=work.now) if ids else []
        work.committed += came
        if came:
            many = "1 alert" if len(came) == 1 else f"{len(came)} alerts"
            work.say(Line(code="incident.alerts_resolved", event=f"{many} resolved", because=because))
        return len(came)


async def _join(work: Work, sent: dict[str, Any]) -> None:
    """Put it below another incident, or make it the duplicate of one."""
    if "duplicate_of_id" in sent and sent["duplicate_of_id"] != work.incident.duplicate_of_id:
        if sent["duplicate_of_id"]:
            work.also.append(await merge(work, sent["duplicate_of_id"], sent.get("cancellation_message")))
        else:
            unmerge(work)
    if "parent_incident_id" in sent:
        if sent["parent_incident_id"]:
            await check_parent(work, sent["parent_incident_id"])
        kind = sent.get("kind") or work.incident.kind
        sent["kind"] = below(kind) if sent["parent_incident_id"] else above(kind)


async def _change(work: Work, sent: dict[str, Any], named: dict[Any, str]) -> None:
    before = work.incident
    stands = _moved(work, before, sent)
    values = {n: v for n, v in sent.items() if n in Incident.__struct_fields__ and n not in _APART}
    after = replace(stands, **values)
    if (after.kind in rules.PLANNED) is not before.planned:
        raise Invalid("Planned work stays planned work.", place="kind", hint=f"It is {before.kind}.")
    await _check_sub_status(work, after)
    if after.status is not before.status or _timed(values):
        raise_all(rules.misplaced(after, work.now))
    if stands.status is not before.status:
        message = MESSAGES.get(stands.status, "")
        stands = replace(stands, **{message: getattr(after, message)}) if message in values else stands
        work.say(moving(before, after, values.get(message)))
    for line in told(stands, after, named):
        work.say(line)
    work.incident = after


def _moved(work: Work, before: Incident, sent: dict[str, Any]) -> Incident:
    """Return the incident where it is to stand; a finer status belongs to the one it was below."""
    wanted = sent.get("status")
    if wanted is None:
        return before
    if wanted in rules.MARKS:
        sent.setdefault(f"{wanted}_at", getattr(rules.marked(before, wanted, now=work.now), f"{wanted}_at"))
        return before
    after = rules.moved(before, rules.read_status(wanted), by=work.user_id, now=work.now)
    return after if after is before else replace(after, sub_status_id=None)


def _timed(values: dict[str, Any]) -> bool:
    return not values.keys().isdisjoint({*rules.TIMES, "kind", "scheduled_for", "scheduled_until"})


async def _check_sub_status(work: Work, after: Incident) -> None:
    if after.sub_status_id is None or after.sub_status_id == work.incident.sub_status_id:
        return
    parent = await work.tx.value("parent_of_sub_status", after.sub_status_id)
    if parent != after.status:
        raise Invalid(
            f"This sub-status belongs to {parent}, and the incident is {after.status}.", place="sub_status_id"
        )


async def _relink(work: Work, name: str, label: str, kind: str, wanted: list[UUID]) -> None:
    has = await rows.linked(work.tx, name, work.incident.id)
    added = [one for one in dict.fromkeys(wanted) if one not in has]
    removed = [one for one in has if one not in wanted]
    if not added and not removed:
        return
    await rows.link(work.tx, name, work.incident.id, added, work.now)
    await rows.unlink(work.tx, name, work.incident.id, removed)
    called = await rows.names(work.tx, rows.LINKS[name].of, [*added, *removed])
    work.say(linked(label, kind, [called[one] for one in added], [called[one] for one in removed]))
