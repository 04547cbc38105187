"""The task that looks which alerts there were lately, for what follows it and for the timeline of an incident."""

from typing import Any
from uuid import UUID

from msgspec import Struct

from nightbell.core.errors import Invalid
from nightbell.core.labels import tag
from nightbell.core.workflow import duration
from nightbell.engine.incident_edits import EntryEdit
from nightbell.engine.tasks.contract import Hands, Result, Step, Task, done
from nightbell.engine.tasks.messages import also_to_slack
from nightbell.engine.tasks.naming import Named, ids_of, incident_of, texts
from nightbell.engine.workflow_context import alert_contexts
from nightbell.store.tables import services

_MOST = 50
_SHOWN = (
    "id", "short_id", "summary", "status", "source", "url", "labels", "services", "started_at", "ended_at",
)  # fmt: skip


class Params(Struct, frozen=True, kw_only=True):
    """Which alerts; what is empty is not asked for."""

    #: "1 hour".
    past_duration: str
    service_ids: list[str] = []
    environment_ids: list[str] = []
    #: severity:critical
    labels: list[str] = []
    #: Kinds or names of sources.
    sources: list[str] = []
    services_impacted_by_incident: bool = False
    environments_impacted_by_incident: bool = False
    post_to_incident_timeline: bool = False
    post_to_slack_channels: list[Named] = []
    parent_message_thread_task: Named | None = None


async def run(hands: Hands, params: Params, step: Step) -> Result:
    """Return the newest 50."""
    since = step.now - duration(params.past_duration)
    wanted = await ids_of(hands, services, texts(params.service_ids), "service_ids")
    if params.services_impacted_by_incident:
        wanted += [UUID(one) for one in (step.context.get("incident") or {}).get("service_ids", [])]
    rows = await hands.db.rows(
        "alerts_lately", since, texts(params.sources), wanted, _tags(params.labels), _MOST
    )
    ids = [row["id"] for row in rows]
    known = await alert_contexts(hands.db, ids, base_url=hands.base_url)
    found = [{name: known[one][name] for name in _SHOWN} for one in ids if one in known]
    if params.post_to_incident_timeline:
        entry = EntryEdit(event=_text(found, params))
        await hands.incidents.note(incident_of(step), entry, by=step.by, now=step.now, cause=step.cause)
    said = done(alerts=found, count=len(found))
    return await also_to_slack(hands, params.post_to_slack_channels, _text(found, params), step, said)


def _tags(labels: list[str]) -> list[int]:
    found = []
    for text in texts(labels):
        cut = next((at for at, char in enumerate(text) if char in ":="), None)
        if cut is None:
            raise Invalid(f"{text[:60]!r} is no label.", place="labels", hint="severity:critical")
        found.append(tag(text[:cut].strip(), text[cut + 1 :].strip()))
    return found


def _text(found: list[dict[str, Any]], params: Params) -> str:
    lines = [f"{len(found)} alerts in the last {params.past_duration}"]
    lines += [f"{one['short_id']} {one['summary']} ({one['status']})" for one in found[:10]]
    return "\n".join(lines)


TASKS = (
    Task(
        name="get_alerts",
        label="Look for alerts",
        group="alerts",
        params=Params,
        run=run,
        fields={"past_duration": duration, "labels": _tags},
    ),
)
