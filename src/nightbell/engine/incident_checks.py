"""Decides whether what was sent of an incident can be: lengths, words, labels, and that what it names exists."""

import re
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Table

from nightbell.core import incident as rules
from nightbell.core.errors import Invalid
from nightbell.engine.checks import Checks, Problems
from nightbell.store import incident_tables, tables
from nightbell.store.db import Tx
from nightbell.store.write import incidents as rows

_TEXTS = {
    "title": 255,
    "public_title": 255,
    "summary": 20_000,
    "mitigation_message": 10_000,
    "resolution_message": 10_000,
    "cancellation_message": 10_000,
    "retrospective": 200_000,
}
_WRITTEN = ("not_started", "active", "completed", "skipped")
_MOST_LABELS = 64
_NOT_SLUG = re.compile(r"[^a-z0-9]+")
#: Fields that an empty value clears to something else than null.
_CLEARED: dict[str, Any] = {
    "labels": {}, "retrospective": "", "retrospective_status": "not_started", "private": False, "muted_service_ids": (),
}  # fmt: skip
#: Texts that are null where there is none.
_NULLED = ("public_title", "summary", "mitigation_message", "resolution_message", "cancellation_message")


def check_edit(sent: dict[str, Any]) -> dict[str, Any]:
    """Return what was sent of an incident, trimmed.

    Raises: Problems naming the fields.
    """
    checks = Checks(sent)
    if "title" in sent:
        checks.required("title")
    for name, longest in _TEXTS.items():
        checks.text(name, longest=longest, empty=name != "title")
    _clear(sent)
    checks.choice("kind", rules.KINDS)
    checks.choice("status", (*rules.Status, *rules.MARKS))
    if sent.get("retrospective_status") is not None:
        checks.choice("retrospective_status", _WRITTEN)
    _check_labels(checks)
    for name in _NULLED:
        sent.update({name: None} if sent.get(name) == "" else {})
    checks.done()
    return sent


def _clear(sent: dict[str, Any]) -> None:
    """Read what null stands for: no kind and no status leave them, lists and texts are emptied."""
    for name in ("kind", "status"):
        if sent.get(name) is None:
            sent.pop(name, None)
    for name, empty in _CLEARED.items():
        if name in sent and sent[name] is None:
            sent[name] = empty
    if sent.get("muted_service_ids"):
        sent["muted_service_ids"] = tuple(dict.fromkeys(sent["muted_service_ids"]))


def _check_labels(checks: Checks) -> None:
    labels = checks.sent.get("labels")
    if not labels:
        return
    if len(labels) > _MOST_LABELS:
        checks.wrong("labels", f"At most {_MOST_LABELS} labels.")
        return
    read: dict[str, str] = {}
    for key, value in labels.items():
        if not key.strip() or len(key) > 255:
            checks.wrong("labels", "A label's name has 1 to 255 characters.")
        elif isinstance(value, dict | list) or len(str(value)) > 1_000:
            checks.wrong(f"labels.{key}", "A label is a text of at most 1000 characters.")
        elif value is not None:
            read[key.strip()] = str(value).lower() if isinstance(value, bool) else str(value)
    checks.sent["labels"] = read


def raise_all(problems: Iterable[Invalid]) -> None:
    """Raise Problems when there are any."""
    found = tuple(problems)
    if found:
        raise Problems(found)


#: Fields that name one thing or several, and the table where it is.
_ONE: dict[str, tuple[Table, str]] = {
    "severity_id": (incident_tables.severities, "severity"),
    "sub_status_id": (incident_tables.sub_statuses, "sub-status"),
    "parent_incident_id": (incident_tables.incidents, "incident"),
    "duplicate_of_id": (incident_tables.incidents, "incident"),
}


async def referred(tx: Tx, sent: dict[str, Any]) -> dict[Any, str]:
    """Return the names of everything that was named in an edit.

    Raises: Problems naming each field whose thing does not exist.
    """
    named: dict[Any, str] = {}
    problems: list[Invalid] = []
    for field, (table, _) in _ONE.items():
        if sent.get(field):
            named |= await existing(tx, table, field, [sent[field]], problems)
    for field, table in [
        ("muted_service_ids", tables.services),
        *((f, li.of) for f, li in rows.LINKS.items()),
    ]:
        if sent.get(field):
            named |= await existing(tx, table, field, sent[field], problems)
    raise_all(problems)
    return named


async def existing(
    tx: Tx, table: Table, field: str, ids: Iterable[Any], problems: list[Invalid]
) -> dict[Any, str]:
    """Return the names of these; what does not exist is noted as a problem of the field."""
    asked = list(dict.fromkeys(ids))
    found = await rows.names(tx, table, asked)
    absent = ", ".join(str(one) for one in asked if one not in found)
    if absent:
        label = field.removesuffix("s").removesuffix("_id").replace("_", " ").capitalize()
        problems.append(Invalid(f"{label}: there is no {absent}.", place=field, hint="Name one that exists."))
    return found


async def names_of(tx: Tx, incident: rules.Incident) -> dict[Any, str]:
    """Return the names of what an incident refers to now, for "was → is"."""
    named: dict[Any, str] = {}
    for field, (table, _) in _ONE.items():
        named |= await rows.names(tx, table, [getattr(incident, field)])
    return named | await rows.names(tx, tables.services, incident.muted_service_ids)


async def free_slug(tx: Tx, title: str, number: int) -> str:
    """Return a slug for a title that no other incident has; numbers are unique, and so is what ends in one."""
    base = _NOT_SLUG.sub("-", title.lower()).strip("-")[:80].strip("-") or "incident"
    # A slug of digits alone, or of an id's form, would be taken for another incident's number or id.
    if not base.isdigit() and not _is_id(base) and not await rows.slug_taken(tx, base):
        return base
    return f"{base}-{number}" if not base.isdigit() else f"incident-{base}-{number}"


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return text.startswith("inc-")
    return True
