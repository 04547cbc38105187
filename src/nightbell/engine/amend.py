"""This file lets a person rewrite what an alert says: its summary, description, links, labels and urgency.

It changes no state and pages nobody: that is engine/act.py's.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from nightbell.core import labels as label_sets
from nightbell.core.errors import Invalid, Unknown
from nightbell.core.journal import Actor
from nightbell.engine.checks import Checks
from nightbell.engine.edits import AlertEdit
from nightbell.engine.ids import new_id
from nightbell.store.db import Db, Tx
from nightbell.store.tables import alerts
from nightbell.store.write import config

#: Widths of the narrow row (store/write/ledger.py). Units: characters.
_SUMMARY = 500
_URL = 4_096
#: Of edit and table; an alert's external id is its alertname (rootly.md 1.5).
_NARROW = {"summary": "summary", "external_id": "alertname", "urgency_id": "urgency_id"}
_WIDE = ("description", "external_url", "labels", "service_ids", "team_ids")
#: Of a field: which statement says what does not exist, and what to call one of them.
_NAMED = {
    "urgency_id": ("missing_urgencies", "urgency"),
    "service_ids": ("missing_services", "service"),
    "team_ids": ("missing_teams", "team"),
}


async def amend(db: Db, alert_id: UUID, edit: AlertEdit, *, by: Actor, now: datetime) -> None:
    """Rewrite what was sent, and say so in the journal; nothing happens when nothing differs.

    Raises: Unknown when there is no such alert, Problems naming the fields.
    """
    sent = _checked(edit)
    async with db.tx() as tx:
        before = await config.locked(tx, alerts, alert_id)
        if before is None:
            raise Unknown("There is no such alert.", place="id")
        narrow = {_NARROW[name]: sent[name] for name in _NARROW if name in sent}
        narrow = {name: value for name, value in narrow.items() if before[name] != value}
        await _check_named(tx, sent)
        if "labels" in sent:
            narrow["tags"] = label_sets.tags(sent["labels"])
        wide = [name for name in _WIDE if name in sent]
        if not narrow and not wide:
            return
        await config.change(tx, alerts, alert_id, narrow, now)
        texts = (sent.get("description"), sent.get("external_url"), sent.get("labels"))
        concerned = (sent.get("service_ids") or [], sent.get("team_ids") or [])
        await tx.execute("amend_details", alert_id, *texts, wide, *concerned, now)
        await _journal(tx, alert_id, [*(n for n in narrow if n != "tags"), *wide], by, now)
        # Open pages listen (worker/pulse.py).
        await tx.execute("notify", "nightbell", "alerts")


def _checked(edit: AlertEdit) -> dict[str, Any]:
    checks = Checks(edit.sent())
    checks.text("summary", longest=_SUMMARY)
    checks.text("external_id", longest=_SUMMARY, empty=True)
    checks.text("external_url", longest=_URL, empty=True)
    checks.text("description", longest=label_sets.MAX_ANNOTATION, empty=True)
    checks.done()
    sent = checks.sent
    if "external_id" in sent:
        sent["external_id"] = sent["external_id"] or ""
    if "labels" in sent:
        cleaned = {label_sets.clean(k): label_sets.clean(v) for k, v in sent["labels"].items()}
        sent["labels"] = label_sets.capped(cleaned)
    return sent


async def _check_named(tx: Tx, sent: dict[str, Any]) -> None:
    for field, (missing, kind) in _NAMED.items():
        value = sent.get(field) or []
        absent = await tx.rows(missing, value if isinstance(value, list) else [value]) if value else ()
        if absent:
            raise Invalid(f"There is no {kind} {absent[0][0]}.", place=field)


async def _journal(tx: Tx, alert_id: UUID, changed: list[str], by: Actor, now: datetime) -> None:
    details = f"{by.name} changed {', '.join(name.replace('_', ' ') for name in changed)}."
    await tx.execute(
        "journal_amendment", new_id(now), alert_id, by.user_id, details, {"changed": changed}, now
    )
