"""Somebody who must be heard of every so often: what a beat changes, when silence is too long, what counts as a beat.

Rule 1: only a beat makes it active, only time makes it expire; a change of its interval or switch starts it anew.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from nightbell.core.directory import Beat, Directory, Source, Target
from nightbell.core.identity import Unit, units
from nightbell.core.labels import clean, fingerprint
from nightbell.core.signal import Envelope, Signal, State

#: The source of their alerts; planned work can name it like any other.
SOURCE_ID = UUID("6e696768-7462-856c-8c00-686561727462")
TYPE = "heartbeat"
UNITS = {"minutes": timedelta(minutes=1), "hours": timedelta(hours=1), "days": timedelta(days=1)}


class Status(StrEnum):
    """Where a heartbeat stands: never heard, heard in time, silent for too long."""

    WAITING = "waiting"
    ACTIVE = "active"
    EXPIRED = "expired"


class Heartbeat(Struct, frozen=True, kw_only=True):
    """One heartbeat. Switched off it is followed all the same, and pages nobody."""

    id: UUID
    name: str
    summary: str
    description: str | None
    urgency_id: UUID | None
    target: Target
    interval: timedelta
    #: Silence beyond the interval that is still forgiven.
    grace: timedelta
    enabled: bool
    status: Status
    last_pinged_at: datetime | None
    #: Last beat plus interval; kept when it has expired.
    expires_at: datetime | None

    @property
    def wake_at(self) -> datetime | None:
        """When time must look: None unless it is active."""
        return self.expires_at + self.grace if self.expires_at and self.status is Status.ACTIVE else None


def beaten(heartbeat: Heartbeat, now: datetime) -> Heartbeat:
    """Return the heartbeat after a beat."""
    return replace(heartbeat, status=Status.ACTIVE, last_pinged_at=now, expires_at=now + heartbeat.interval)


def due(heartbeat: Heartbeat, now: datetime) -> bool:
    """Return whether its silence is too long."""
    return heartbeat.wake_at is not None and now >= heartbeat.wake_at


def expired(heartbeat: Heartbeat) -> Heartbeat:
    """Return the heartbeat after too long a silence."""
    return replace(heartbeat, status=Status.EXPIRED)


# ---------------------------------------------------------------- what it says


def source(heartbeat: Heartbeat) -> Source:
    """Return who reports that it is silent, or heard again: the heartbeat, by its name."""
    return Source(
        id=SOURCE_ID,
        name=heartbeat.name,
        type=TYPE,
        enabled=True,
        identity="fingerprint",
        dedup_find=None,
        dedup_regexp=None,
        urgency_id=heartbeat.urgency_id,
        urgency_rules=(),
        default_target=heartbeat.target,
        repage_new_members=False,
    )


def said(heartbeat: Heartbeat, state: State, now: datetime) -> tuple[Envelope, Unit]:
    """Return what a heartbeat that expired, or is over, says: one signal, the same alert each time."""
    signal = Signal(
        # Its id alone: a heartbeat that is given another name keeps its alert.
        fingerprint=fingerprint({"heartbeat_id": str(heartbeat.id)}),
        state=state,
        labels={"alertname": heartbeat.name, "heartbeat_id": str(heartbeat.id)},
        annotations={"description": described(heartbeat)},
        starts_at=heartbeat.expires_at if state is State.FIRING else None,
        ends_at=None if state is State.FIRING else now,
        generator_url="",
        place="",
    )
    envelope = Envelope(
        receiver=TYPE,
        group_key=str(heartbeat.id),
        group_labels={},
        common_labels={},
        common_annotations={},
        external_url="",
        status=state.value,
        truncated=None,
        declared_status=None,
        rootly=None,
        signals=(signal,),
        quarantined=(),
        warnings=(),
        title=heartbeat.summary,
    )
    return envelope, units(envelope, source(heartbeat))[0]


def described(heartbeat: Heartbeat) -> str:
    """Return the text of its alert: the one people chose, else what was expected and when it was last heard."""
    if heartbeat.description:
        return heartbeat.description
    last = f"{heartbeat.last_pinged_at:%Y-%m-%d %H:%M:%S} UTC" if heartbeat.last_pinged_at else "never"
    return f"{heartbeat.name} is expected every {spoken(heartbeat.interval)}; it was last heard {last}."


def spoken(interval: timedelta) -> str:
    """Return an interval in the largest unit that fits: "5 minutes", "1 day"."""
    for name, unit in reversed(UNITS.items()):
        if interval % unit == timedelta():
            many = interval // unit
            return f"{many} {name}" if many != 1 else f"1 {name.removesuffix('s')}"
    return f"{interval.total_seconds():g} seconds"


# ---------------------------------------------------------------- alerts that are beats


def fed(
    unit: Unit, envelope: Envelope, url_target: tuple[str, str] | None, directory: Directory
) -> Beat | None:
    """Return the heartbeat that a firing unit feeds instead of paging: a Watchdog fires as long as all is well.

    Shape: named by the rule's `rootly` annotation {"heartbeat": "<id>"}, by the receiver's URL
    /notify/Heartbeat/<id>, or chosen by the heartbeat's own matchers; in this order.
    """
    firing = [signal for signal in unit.signals if signal.state is State.FIRING]
    if not firing:
        return None
    first = firing[0]
    text = first.annotations.get("rootly") or envelope.common_annotations.get("rootly")
    named = _named(text) if text else ""
    if not named and url_target and url_target[0].strip().lower() == TYPE:
        named = url_target[1].strip().lower()
    if named:
        return directory.heartbeats.get(named)
    return next((beat for beat in directory.heartbeats.values() if _chosen(beat, first.labels)), None)


def _chosen(beat: Beat, labels: Mapping[str, str]) -> bool:
    return bool(beat.matchers) and all(matcher.matches(labels) for matcher in beat.matchers)


@lru_cache(maxsize=256)
def _named(text: str) -> str:
    try:
        return named_in(json.loads(text))
    except (ValueError, RecursionError):
        return ""


def named_in(value: Any) -> str:
    """Return the id of the heartbeat that a decoded `rootly` annotation names, "" for none."""
    found = value.get("heartbeat") if isinstance(value, dict) else None
    if isinstance(found, dict):
        found = found.get("id")
    return clean(found).strip().lower() if isinstance(found, str) else ""
