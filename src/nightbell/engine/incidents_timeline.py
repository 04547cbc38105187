"""This file writes what people, and workflows, put into a timeline themselves.

Rule 1: what the engine wrote keeps its words and its time; only who may read it changes. What people wrote keeps what
it said before.
"""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from nightbell.core.errors import Invalid
from nightbell.core.incident_timeline import LONGEST, Line
from nightbell.core.journal import Actor
from nightbell.engine.checks import Checks
from nightbell.engine.incident_edits import EntryEdit
from nightbell.engine.incident_work import NOBODY, Cause, IncidentWriter
from nightbell.store.incident_tables import incident_events
from nightbell.store.write import incidents as rows

#: The code of what was written by hand.
WRITTEN = "incident.note"
VISIBILITIES = ("internal", "external")
_MOST_ATTACHMENTS = 20
_AHEAD = timedelta(minutes=5)


class IncidentTimeline(IncidentWriter):
    """Writes entries of timelines."""

    async def note(
        self,
        incident_id: UUID,
        edit: EntryEdit,
        *,
        by: Actor,
        now: datetime,
        cause: Cause = NOBODY,
    ) -> UUID:
        """Write an entry and return its id; the same `cause.key` again is the same entry.

        Raises: Unknown, Problems naming the fields.
        """
        sent = _checked(edit, now)
        checks = Checks(sent)
        checks.required("event")
        checks.done()
        async with self.working(incident_id, by=by, now=now, cause=cause) as work:
            if cause.key:
                known = await rows.rows_of(work.tx, incident_events, incident_id, key=cause.key)
                if known:
                    found: UUID = known[0]["id"]
                    return found
            line = Line(code=WRITTEN, event=sent["event"], kinds=("timeline_updated",))
            columns = {
                "visibility": sent.get("visibility") or "internal",
                "occurred_at": sent.get("occurred_at") or now,
                "attachments": sent.get("attachments") or [],
                "key": cause.key,
            }
            return work.say(line, **columns)

    async def change_entry(self, entry_id: UUID, edit: EntryEdit, *, by: Actor, now: datetime) -> None:
        """Change an entry. What it said before stays in its `because`.

        Raises: Unknown, Problems, Invalid for words or times of what the engine wrote.
        """
        sent = {name: value for name, value in _checked(edit, now).items() if value is not None}
        async with self.owning("entry", incident_events, entry_id, by=by, now=now) as (work, entry):
            differing = {name: value for name, value in sent.items() if entry[name] != value}
            _only_shown(entry, differing)
            if not differing:
                return
            was = {
                name: value.isoformat() if isinstance(value, datetime) else value
                for name in differing
                for value in (entry[name],)
            }
            edits = [*entry["because"].get("edits", []), {"by": by.name, "at": now.isoformat(), "was": was}]
            because = {**entry["because"], "edits": edits}
            await rows.update_row(work.tx, incident_events, entry_id, {**differing, "because": because}, now)
            work.touch()
            work.happened("timeline_updated", "incident_event_updated", event_id=str(entry_id))

    async def delete_entry(self, entry_id: UUID, *, by: Actor, now: datetime) -> None:
        """Take an entry out of a timeline; a line stays that says so, and what it said.

        Raises: Unknown, Invalid for what the engine wrote.
        """
        async with self.owning("entry", incident_events, entry_id, by=by, now=now) as (work, entry):
            if entry["code"] != WRITTEN:
                raise Invalid("What Nightbell wrote itself stays.", place="id", hint="Make it internal.")
            await rows.delete_rows(work.tx, incident_events, work.incident.id, id=entry_id)
            because = {"event": entry["event"], "actor": entry["actor"]}
            work.happened("incident_event_deleted", event_id=str(entry_id), event=entry["event"])
            line = Line(
                code="incident.note_removed",
                event=f"An entry of {entry['actor']} was removed",
                kinds=("timeline_updated",),
                because=because,
            )
            work.say(line)


def _checked(edit: EntryEdit, now: datetime) -> dict[str, Any]:
    checks = Checks(edit.sent())
    checks.text("event", longest=LONGEST)
    if checks.sent.get("visibility") is not None:
        checks.choice("visibility", VISIBILITIES)
    checks.that("occurred_at", lambda at: "" if at <= now + _AHEAD else "This lies ahead.")
    for at, one in enumerate(checks.sent.get("attachments") or []):
        if problem := _attachment(one):
            checks.wrong(f"attachments[{at}].url", problem, "https://grafana.example/d/1")
    if len(checks.sent.get("attachments") or []) > _MOST_ATTACHMENTS:
        checks.wrong("attachments", f"At most {_MOST_ATTACHMENTS} attachments.")
    checks.done()
    if checks.sent.get("attachments"):
        kept = [
            {"url": one["url"], "title": str(one.get("title") or "")[:255]}
            for one in checks.sent["attachments"]
        ]
        checks.sent["attachments"] = kept
    return checks.sent


def _attachment(one: dict[str, Any]) -> str:
    """Return what is wrong with an attachment: only the web is linked to, so that no link is a script."""
    url = one.get("url")
    if not isinstance(url, str) or len(url) > 2_000 or any(c.isspace() for c in url):
        return "An attachment has a url."
    try:
        parts = urlsplit(url)
    except ValueError:
        return "This is not an address."
    return (
        "" if parts.scheme in ("http", "https") and parts.hostname else "Only http and https are linked to."
    )


def _only_shown(entry: dict[str, Any], differing: dict[str, Any]) -> None:
    """Refuse to rewrite what the engine said."""
    for name in ("event", "occurred_at"):
        if entry["code"] != WRITTEN and name in differing:
            raise Invalid(
                "What Nightbell wrote itself stays as it is.", place=name, hint="Write an entry of your own."
            )
