"""What an alert is and what a delivery does to it: absorb(alert, unit) is the whole of Alertmanager's semantics.

Rule 1: the state of each member decides; an alert is resolved only when no member fires.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from uuid import UUID

from msgspec import Struct, json
from msgspec.structs import replace

from nightbell.core.directory import Fill, Source, Wording
from nightbell.core.group import Group
from nightbell.core.identity import Unit, document, shared_labels
from nightbell.core.labels import shortened
from nightbell.core.signal import Envelope, Signal, State


class Status(StrEnum):
    """Where an alert stands. `deferred` waits for schedules' deferral paths."""

    OPEN = "open"
    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    DEFERRED = "deferred"


class Member(Struct, frozen=True, kw_only=True):
    """One label set inside an alert, with a start and an end of its own."""

    fingerprint: str
    state: State
    group_hash: bytes
    starts_at: datetime
    ends_at: datetime | None
    expires_at: datetime | None
    #: Alertmanager's last complete list did not name it: silenced, inhibited, re-routed or its resolve was lost.
    absent_since: datetime | None
    last_seen_at: datetime
    #: The occurrence of the alert in which it last fired.
    occurrence: int
    #: Closed because its whole group was, not by name.
    inferred: bool = False


class Alert(Struct, frozen=True, kw_only=True):
    """One problem; the same row through all its occurrences."""

    id: UUID
    number: int
    source_id: UUID | None
    identity: bytes
    status: Status
    urgency_id: UUID | None
    summary: str
    alertname: str
    occurrence: int
    request_count: int
    truncated: int
    started_at: datetime
    ended_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: int | None
    resolved_at: datetime | None
    snoozed_until: datetime | None
    last_received_at: datetime
    delivery_id: UUID | None
    unpaged: bool
    #: Hash of what the last delivery said, see `content`.
    content: int
    created_at: datetime
    members: dict[str, Member]
    #: Its place among alerts that are one problem, where a grouping rule took it.
    group: Group | None = None

    @property
    def is_open(self) -> bool:
        """Whether it still needs somebody."""
        return self.status is not Status.RESOLVED

    @property
    def firing(self) -> tuple[Member, ...]:
        """Members that fire."""
        return tuple(m for m in self.members.values() if m.state is State.FIRING)

    @property
    def wake_at(self) -> datetime | None:
        """When time itself must look at this alert: its snooze is over or a firing member expires."""
        wakes = [m.expires_at for m in self.members.values() if m.expires_at and not m.ends_at]
        if self.snoozed_until:
            wakes.append(self.snoozed_until)
        return min(wakes) if wakes else None


class What(StrEnum):
    """What a delivery did to one member."""

    STARTED = "started"
    CONTINUED = "continued"
    #: Fires again after its end.
    RETURNED = "returned"
    #: Fires again, but the start it names lies in the episode that ended: a stale HA peer or a sender that was cut off.
    DOUBTFUL = "doubtful"
    #: A newer start without an end between.
    RESTARTED = "restarted"
    ENDED = "ended"
    #: Says nothing new: a second resolve, a resolve of an older episode or of something never seen.
    NOTHING = "nothing"


#: A member began, or began again.
BEGINS = (What.STARTED, What.RETURNED, What.DOUBTFUL)


class Change(Struct, frozen=True, kw_only=True):
    """One member after a delivery; `signal` is what said so, None when it follows from the group."""

    what: What
    member: Member
    signal: Signal | None


def joined(member: Member | None, signal: Signal, unit: Unit, now: datetime) -> Change | None:
    """Return what one signal does to one member; None when there is no member and nothing fires."""
    if signal.state is State.RESOLVED:
        return _ended(member, signal, now)
    if member is None:
        return Change(what=What.STARTED, member=_started(signal, unit, now), signal=signal)
    if member.state is State.FIRING:
        return Change(what=_still(member, signal), member=_seen(member, signal, unit, now), signal=signal)
    starts = signal.starts_at or now
    # An episode is half-open: what begins at its very end is the next one, unless it is the same start again.
    newer = member.ends_at is None or starts >= member.ends_at and starts > member.starts_at
    what = What.RETURNED if newer else What.DOUBTFUL
    return Change(what=what, member=_started(signal, unit, now), signal=signal)


def _started(signal: Signal, unit: Unit, now: datetime) -> Member:
    return Member(
        fingerprint=signal.fingerprint,
        state=State.FIRING,
        group_hash=unit.group_hash,
        starts_at=signal.starts_at or now,
        ends_at=None,
        expires_at=signal.expires_at,
        absent_since=None,
        last_seen_at=now,
        occurrence=1,
    )


def _still(member: Member, signal: Signal) -> What:
    newer = signal.starts_at is not None and signal.starts_at > member.starts_at + timedelta(seconds=1)
    return What.RESTARTED if newer else What.CONTINUED


def _seen(member: Member, signal: Signal, unit: Unit, now: datetime) -> Member:
    starts = (
        signal.starts_at
        if _still(member, signal) is What.RESTARTED and signal.starts_at
        else member.starts_at
    )
    return replace(
        member,
        starts_at=starts,
        expires_at=signal.expires_at,
        group_hash=unit.group_hash,
        absent_since=None,
        last_seen_at=now,
    )


def _ended(member: Member | None, signal: Signal, now: datetime) -> Change | None:
    if member is None:
        return None
    stale = signal.ends_at is not None and signal.ends_at < member.starts_at
    if member.state is State.RESOLVED or stale:
        return Change(what=What.NOTHING, member=member, signal=signal)
    return Change(what=What.ENDED, member=closed(member, signal.ends_at or now, now), signal=signal)


def closed(member: Member, at: datetime, now: datetime, *, inferred: bool = False) -> Member:
    """Return the member ended at `at`, never before it began: a negative duration must not reach a metric."""
    return replace(
        member,
        state=State.RESOLVED,
        ends_at=max(at, member.starts_at),
        expires_at=None,
        absent_since=None,
        last_seen_at=now,
        inferred=inferred,
    )


def swept(
    alert: Alert | None, named: dict[str, Change], unit: Unit, envelope: Envelope, now: datetime
) -> list[Change]:
    """Return what an envelope says of members it does not name.

    A group that is over ends them all (rootly.md 1.6); a complete list of what fires marks them absent, which is
    no end: they may be silenced (alertmanager.md 2.1). A truncated list says nothing.
    """
    if alert is None or envelope.truncated != 0:
        return []
    if envelope.closes_group:
        last = envelope.last_end(now)
        over = [m for m in ended_with(alert, unit.group_hash, last) if m.fingerprint not in named]
        return [
            Change(what=What.ENDED, member=closed(m, last, now, inferred=True), signal=None) for m in over
        ]
    unnamed = [m for m in alert.firing if m.group_hash == unit.group_hash and m.fingerprint not in named]
    return [
        Change(what=What.NOTHING, member=replace(m, absent_since=now), signal=None)
        for m in unnamed
        if m.absent_since is None
    ]


def ended_with(alert: Alert, group: bytes, last: datetime) -> list[Member]:
    """Return the members that are over when their group is, as of `last`.

    One that began later is not: a delivery that comes late speaks of an older episode.
    """
    return [m for m in alert.firing if m.group_hash == group and m.starts_at <= last]


#: Of a title that a template makes. Units: characters.
LONGEST_TITLE = 500


class Text(Struct, frozen=True, kw_only=True):
    """What is shown of an alert, as its last delivery says it."""

    summary: str
    description: str | None
    external_url: str | None
    labels: dict[str, str]
    annotations: dict[str, str]


def text(unit: Unit, envelope: Envelope, source: Source, *, status: str) -> Text:
    """Return summary, labels and links of a unit (rootly.md 1.5), in the words of its source where it has some."""
    first = unit.signals[0]
    labels = shared_labels(envelope, unit.signals)
    usual = Text(
        summary=_summary(unit, envelope, labels),
        description=_description(first, envelope),
        external_url=first.generator_url or envelope.external_url or None,
        labels=_extracted(labels, first, status),
        annotations=first.annotations if len(unit.signals) == 1 else envelope.common_annotations,
    )
    return usual if source.wording is None else _reworded(usual, unit, envelope, source, source.wording)


def _reworded(usual: Text, unit: Unit, envelope: Envelope, source: Source, wording: Wording) -> Text:
    began = unit.signals[0].starts_at
    said = {
        "data": document(envelope, unit.signals),
        "source": source.type,
        "source_name": source.name,
        "external_id": unit.alertname,
        "summary": usual.summary,
        "description": usual.description,
        "external_url": usual.external_url,
        "labels": usual.labels,
        "annotations": usual.annotations,
        "status": usual.labels["status"],
    }

    def filled(fill: Fill | None) -> str:
        return fill({"alert": said}, began).strip() if fill else ""

    url = filled(wording.external_url)
    return replace(
        usual,
        summary=shortened(" ".join(filled(wording.title).split()), LONGEST_TITLE) or usual.summary,
        description=filled(wording.description) or usual.description,
        # Pages link to it, and a browser runs what javascript: says.
        external_url=url if url.startswith(("http://", "https://")) else usual.external_url,
    )


def _extracted(labels: dict[str, str], first: Signal, status: str) -> dict[str, str]:
    out = {**labels, "status": status}
    for name in ("instance", "dc", "job"):
        if name not in out and name in first.labels:
            out[name] = first.labels[name]
    return out


def _summary(unit: Unit, envelope: Envelope, labels: dict[str, str]) -> str:
    found = envelope.title or unit.alertname or envelope.common_labels.get("description")
    if found:
        return found
    shown = envelope.group_labels or unit.signals[0].labels or labels
    return (
        "{" + ", ".join(f'{k}="{v}"' for k, v in sorted(shown.items())) + "}"
        if shown
        else "Alertmanager alert"
    )


def _description(first: Signal, envelope: Envelope) -> str | None:
    for annotations in (envelope.common_annotations, first.annotations):
        for name in ("description", "message", "summary"):
            if annotations.get(name):
                return annotations[name]
    return None


def content(unit: Unit, text: Text) -> int:
    """Return a stable 64-bit hash of everything shown of a unit: an equal one means nothing needs writing."""
    said = [(s.fingerprint, s.annotations, s.generator_url) for s in unit.signals]
    # Annotations of a single signal are in `said` already; hashing them twice would cost a fifth of this.
    shared = text.annotations if len(said) > 1 else None
    shown = (text.summary, text.description, text.external_url, text.labels, shared, said, unit.key)
    digest = blake2b(json.encode(shown), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def started_at(members: dict[str, Member], occurrence: int, fallback: datetime) -> datetime:
    """Return when the current occurrence began: the earliest start of a member that fired in it."""
    starts = [m.starts_at for m in members.values() if m.occurrence == occurrence]
    return min(starts) if starts else fallback


def ended_at(members: dict[str, Member], occurrence: int, fallback: datetime) -> datetime:
    """Return when the current occurrence ended: the latest end of its members (DESIGN 6)."""
    return max(
        (m.ends_at for m in members.values() if m.occurrence == occurrence and m.ends_at), default=fallback
    )


def counted(members: dict[str, Member]) -> tuple[int, int]:
    """Return how many members there are and how many of them fire, for the row."""
    return len(members), len([1 for m in members.values() if m.state is State.FIRING])
