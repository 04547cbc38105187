"""Says what states are called and which shape stands beside the colour, once for every page."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct


class Look(Struct, frozen=True):
    """How a state is shown: the class gives the colour, the shape and the word stand without it."""

    css: str
    shape: str
    word: str


#: Of alerts. The tab of triggered alerts is called Firing.
STATUS = {
    "triggered": Look("triggered", "▲", "Triggered"),
    "acknowledged": Look("acknowledged", "●", "Acknowledged"),
    "open": Look("open", "○", "Open"),
    "deferred": Look("deferred", "◌", "Deferred"),
    "resolved": Look("resolved", "✓", "Resolved"),
}

#: Of webhooks received.
OUTCOME = {
    "accepted": Look("accepted", "✓", "Accepted"),
    "ignored": Look("ignored", "○", "Ignored"),
    "quarantined": Look("quarantined", "◐", "Partly used"),
    "rejected": Look("rejected", "✕", "Rejected"),
}

#: Of messages sent.
STATE = {
    "waiting": Look("waiting", "◌", "waiting"),
    "sending": Look("sending", "◌", "sending"),
    "sent": Look("sent", "✓", "handed over"),
    "refused": Look("refused", "✕", "refused"),
    "unknown": Look("unknown", "?", "unknown"),
    "canceled": Look("canceled", "–", "canceled"),
}

#: Of channels.
CHANNEL = {
    "email": "E-mail",
    "webhook": "Webhook",
    "ntfy": "ntfy",
    "inbox": "This browser",
    "sms": "SMS",
    "voice": "Call",
}

#: Of channels, inside a sentence.
WAY = {
    "email": "e-mail",
    "webhook": "webhook",
    "ntfy": "ntfy",
    "inbox": "browser",
    "sms": "SMS",
    "voice": "call",
}

TABS = (
    ("triggered", "Firing"),
    ("acknowledged", "Acknowledged"),
    ("open", "Open"),
    ("deferred", "Deferred"),
    ("resolved", "Resolved"),
    ("all", "All"),
)

ROLE = {
    "owner": "Owner: everything",
    "admin": "Admin: people, policies and sources",
    "user": "User: answers alerts",
    "observer": "Observer: looks only",
}


def counted(number: int, cap: int = 10_000) -> str:
    """Return a count for a tab; one that was capped says so."""
    return f"{cap:,}+" if number > cap else f"{number:,}"


def plural(number: int, one: str, many: str | None = None) -> str:
    """Return the number with its noun: 1 level, 2 levels."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def flag(one: Mapping[str, Any]) -> str:
    """Return what a schedule asks people to look at: a member who is gone, a calendar that fails."""
    if one["code"] == "calendar_failed":
        return f"The calendar {one['lane']} cannot be read: {one['why']}. What it said last counts."
    if one["code"] == "people_unknown":
        return f"The calendar {one['lane']} names people nobody here is called: {one['why']}."
    return f"{one['lane']}: {one['why']}, and is skipped."
