"""What a source says, normalised: an Envelope holds the Signals of one request, in the order sent.

Past this line there are no dicts of unknown shape: text is valid UTF-8 without NUL, times are aware UTC or None.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct


class State(StrEnum):
    """What a sender says of one alert."""

    FIRING = "firing"
    RESOLVED = "resolved"


class Signal(Struct, frozen=True, kw_only=True, gc=False):
    """One statement by a source about one label set."""

    fingerprint: str
    state: State
    labels: dict[str, str]
    annotations: dict[str, str]
    #: None when absent or unusable; the time of receipt then stands in.
    starts_at: datetime | None
    #: None while firing, and when Alertmanager's year 1 says "unset".
    ends_at: datetime | None
    generator_url: str
    #: Where in the request it stood, for messages: "alerts[2]".
    place: str
    #: Only for senders that never say "resolved" (POST /api/v2/alerts): when silence means it is over.
    expires_at: datetime | None = None


class Quarantined(Struct, frozen=True, kw_only=True, gc=False):
    """One alert of a request that could not be used; its siblings were."""

    place: str
    reason: str


class Envelope(Struct, frozen=True, kw_only=True, gc=False):
    """One request of a source, decoded."""

    #: Receiver's own name, the quoting of Alertmanager undone.
    receiver: str
    #: Identifies Alertmanager's notification group; derived from the group labels when the sender sent none.
    group_key: str
    group_labels: dict[str, str]
    common_labels: dict[str, str]
    common_annotations: dict[str, str]
    external_url: str
    #: What the sender calls the whole: "firing", "resolved", or "" when it did not say.
    status: str
    #: Alerts cut off by `max_alerts`; None when the sender does not count them.
    truncated: int | None
    #: `rootly_alert_status` as sent, of any type; None when absent.
    declared_status: Any
    #: A top-level `rootly` value as sent, of any type; None when absent.
    rootly: Any
    signals: tuple[Signal, ...]
    quarantined: tuple[Quarantined, ...]
    #: Things worth telling the operator that cost nothing: unknown status words, odd types.
    warnings: tuple[str, ...]
    #: The body had no `alerts` to speak of; why, for the answer and the log.
    ignored: str = ""
    #: What to call the alert, where whoever made it said so; "" leaves it to the labels.
    title: str = ""
    #: What whoever made it sent beside; JSONPath reads it at the top.
    data: dict[str, Any] | None = None

    @property
    def closes_group(self) -> bool:
        """Whether nothing in this group fires any more, listed or not (rootly.md 1.6)."""
        return self.status == "resolved" and self.truncated == 0

    def last_end(self, default: datetime) -> datetime:
        """Return the latest end that any signal names."""
        return max((s.ends_at for s in self.signals if s.ends_at), default=default)
