"""Which alerts are one problem: the rule that takes an alert, and the bucket of that rule it falls in.

Rule 1: what cannot be found in an alert is nothing it has in common with another: the rule does not take it.
"""

from collections.abc import Iterable
from datetime import datetime
from hashlib import blake2b
from typing import Any
from uuid import UUID

from msgspec import Struct, json

from nightbell.core import alert as alerts
from nightbell.core import identity, maintenance, routing
from nightbell.core.alert import Status
from nightbell.core.comparing import compared
from nightbell.core.directory import Condition, Directory, Grouping, Source, Target
from nightbell.core.draft import Facts
from nightbell.core.identity import Unit
from nightbell.core.signal import Envelope
from nightbell.core.urgency import urgency

#: The operator that makes a condition part of what alerts share.
MATCHES_EXISTING = "matches_existing_alert"
#: Names of an attribute that say the urgency.
URGENCY = ("urgency", "alert_urgency", "alert_urgency_id", "urgency_id")
_TITLE = ("title", "summary")
#: What a timeline says of a shared value.
_SHOWN = 80


class Said(Struct, frozen=True, kw_only=True):
    """What rules look at in an alert."""

    title: str
    urgency_id: UUID | None
    payload: dict[str, Any]
    targets: tuple[Target, ...]


class Placed(Struct, frozen=True, kw_only=True):
    """The rule that takes an alert, the bucket it falls in, and what those in it share, in words."""

    rule: Grouping
    bucket: bytes
    why: str


def placed(
    unit: Unit, envelope: Envelope, source: Source, url_target: tuple[str, str] | None, directory: Directory
) -> Placed | None:
    """Return where a unit falls if it pages; None where no rule takes it, or nobody is paged."""
    asked = urgency(unit, envelope, source, (), directory)
    targets = routing.route(unit, envelope, source, url_target, directory, asked).targets
    if not targets:
        return None
    said = Said(
        title=alerts.text(unit, envelope, source, status="firing").summary,
        urgency_id=urgency(unit, envelope, source, targets, directory),
        payload=identity.document(envelope, unit.signals),
        targets=targets,
    )
    return place(said, directory)


def place(said: Said, directory: Directory) -> Placed | None:
    """Return the first rule that takes an alert."""
    meant = reached(said.targets, directory)
    for rule in directory.groupings:
        shared = _shared(rule, said) if not rule.targets or rule.targets & meant else None
        if shared is not None:
            digest = blake2b(json.encode(shared), digest_size=16, key=rule.id.bytes).digest()
            return Placed(rule=rule, bucket=digest, why=_why(shared))
    return None


def reached(targets: Iterable[Target], directory: Directory) -> frozenset[Target]:
    """Return targets with what they stand for: a service's teams, the policies of both."""
    found = set(targets)
    for target in list(found):
        service = directory.services.get(target.id) if target.type == "Service" else None
        if service:
            found |= {Target(type="Group", id=str(team)) for team in service.team_ids}
            found |= {Target(type="EscalationPolicy", id=str(service.policy_id))}
    for target in list(found):
        team = directory.teams.get(target.id) if target.type == "Group" else None
        if team:
            found |= {Target(type="EscalationPolicy", id=str(team.policy_id))}
    return frozenset(found)


# ---------------------------------------------------------------- what alerts of one bucket share

_Shared = list[tuple[str, str]]


def _shared(rule: Grouping, said: Said) -> _Shared | None:
    """Return what an alert shares with the others of its bucket; None when the rule does not take it."""
    common = _by_conditions(rule, said)
    if common is None:
        return None
    if rule.by_title:
        common.append(("title", said.title))
    if rule.by_urgency:
        common.append(("urgency", str(said.urgency_id or "")))
    common += [(path, _text(find(said.payload))) for path, find in rule.paths]
    return common if all(value for _, value in common) else None


def _by_conditions(rule: Grouping, said: Said) -> _Shared | None:
    plain = [c for c in rule.conditions if c.operator != MATCHES_EXISTING]
    matching = [c for c in rule.conditions if c.operator == MATCHES_EXISTING]
    found = [(c.name, _text(_values(c, said))) for c in matching]
    if not rule.match_any:
        return found if all(holds(c, said) for c in plain) else None
    if not rule.conditions or any(holds(c, said) for c in plain):
        return []
    # One in common is enough: the first that there is, so that a bucket stays one value.
    first = next((pair for pair in found if pair[1]), None)
    return [first] if first else None


def holds(condition: Condition, said: Said) -> bool:
    """Return whether a condition holds for an alert."""
    if condition.find is None and condition.name in (*_TITLE, *URGENCY):
        if condition.urgency_ids and str(said.urgency_id) not in condition.urgency_ids:
            return False
        bare = bool(condition.urgency_ids) and not condition.values
        return bare or compared(condition.operator, _values(condition, said), condition.values)
    return routing.holds(condition, said.payload, said.urgency_id)


def _values(condition: Condition, said: Said) -> list[Any]:
    if condition.find is None and condition.name in _TITLE:
        return [said.title]
    if condition.find is None and condition.name in URGENCY:
        return [str(said.urgency_id or "")]
    return routing.values(condition, said.payload)


def _text(found: Iterable[Any]) -> str:
    """Return values as one text, whatever order they were sent in; "" for none."""
    texts = sorted(
        {json.encode(v).decode() if isinstance(v, dict | list) else identity.text(v) for v in found}
    )
    return "" if not any(texts) else texts[0] if len(texts) == 1 else json.encode(texts).decode()


def _why(shared: _Shared) -> str:
    said = ", ".join(f"{name} {value[:_SHOWN]}" if name != "urgency" else "urgency" for name, value in shared)
    return f"the same {said}" if said else "whatever it takes"


# ---------------------------------------------------------------- who leads


def takes(leader: Facts, bucket: bytes, now: datetime) -> bool:
    """Return whether an alert still leads this bucket: open, paging or taken, and within the window."""
    alert = leader.alert
    group = alert.group if alert else None
    if alert is None or group is None or group.bucket != bucket or now >= group.until:
        return False
    return alert.status in (Status.TRIGGERED, Status.ACKNOWLEDGED)


def heir(followers: Iterable[Facts], now: datetime) -> Facts | None:
    """Return who leads when the leader pages no more: the oldest that nobody took yet, else the oldest.

    Who may page now goes first: planned work on one alert must not silence another.
    """
    still = [f for f in followers if f.alert and f.alert.is_open]
    able = [f for f in still if not _works_on(f, now)]
    return min(able or still, key=_seniority, default=None)


def _seniority(known: Facts) -> tuple[bool, datetime, int]:
    alert = known.alert
    if alert is None:
        raise LookupError("an alert that does not exist follows nobody")
    return alert.status is Status.ACKNOWLEDGED, alert.started_at, alert.number


def is_held(known: Facts, maintenance_id: UUID, now: datetime) -> bool:
    """Return whether a certain planned work keeps an alert from paging."""
    return maintenance_id in _works_on(known, now)


def _works_on(known: Facts, now: datetime) -> list[UUID]:
    source_id = known.alert.source_id if known.alert else None
    found = maintenance.all_of_it(known.directory, source_id, known.service_ids, now)
    return [one.id for one in found]
