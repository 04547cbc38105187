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

#: Of runs of workflows.
RUN = {
    "queued": Look("deferred", "◌", "Queued"),
    "started": Look("acknowledged", "●", "Running"),
    "completed": Look("resolved", "✓", "Completed"),
    "completed_with_errors": Look("triggered", "◐", "Completed with errors"),
    "failed": Look("triggered", "✕", "Failed"),
    "canceled": Look("open", "–", "Canceled"),
}

#: Of the tasks of a run.
RUN_STEP = {
    "started": Look("acknowledged", "●", "Under way"),
    "waiting": Look("deferred", "◌", "Waiting"),
    "completed": Look("resolved", "✓", "Done"),
    "failed": Look("triggered", "✕", "Failed"),
    "skipped": Look("open", "–", "Skipped"),
    "not_configured": Look("open", "○", "Not configured"),
    "canceled": Look("open", "–", "Canceled"),
    "ahead": Look("open", "·", "Not begun"),
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
    "slack": "Slack",
    "telegram": "Telegram",
    "push": "Push",
    "teams": "Teams",
    "discord": "Discord",
    "mattermost": "Mattermost",
    "apprise": "Apprise",
}

#: Of channels, inside a sentence.
WAY = {
    "email": "e-mail",
    "webhook": "webhook",
    "ntfy": "ntfy",
    "inbox": "browser",
    "sms": "SMS",
    "voice": "call",
    "slack": "Slack",
    "telegram": "Telegram",
    "push": "push",
    "teams": "Teams",
    "discord": "Discord",
    "mattermost": "Mattermost",
    "apprise": "Apprise",
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


#: Of heartbeats; one that is switched off is followed all the same.
HEARTBEAT = {
    "waiting": Look("waiting", "◌", "Waiting"),
    "active": Look("resolved", "✓", "Beats"),
    "expired": Look("triggered", "▲", "Silent"),
    "off": Look("open", "○", "Off"),
}
#: Of endpoints of outgoing webhooks, and of what is sent to them.
ENDPOINT = {
    "well": Look("resolved", "✓", "On"),
    "failing": Look("acknowledged", "◐", "Failing"),
    "given_up": Look("triggered", "▲", "Switched off"),
    "off": Look("open", "○", "Off"),
}
SENT = {
    "waiting": Look("waiting", "◌", "on the way"),
    "sending": Look("sending", "◌", "sending"),
    "delivered": Look("sent", "✓", "delivered"),
    "failed": Look("refused", "✕", "given up"),
}
BEAT_BY = {"http": "HTTP", "email": "mail", "alertmanager": "an alert that fires"}

#: Of entries of the ledger.
STEP = {
    "decided": Look("open", "○", "Decided"),
    "queued": Look("waiting", "◌", "Queued"),
    "canceled": Look("canceled", "–", "Called off"),
    "handed_over": Look("sending", "◐", "Handed over"),
    "accepted": Look("sent", "✓", "Accepted"),
    "retry": Look("waiting", "↻", "To be tried again"),
    "refused": Look("refused", "✕", "Refused"),
    "unknown": Look("unknown", "?", "In doubt"),
    "failed": Look("refused", "✕", "Failed"),
    "delivered": Look("sent", "✓", "Delivered"),
    "seen": Look("sent", "✓", "Seen"),
    "acknowledged": Look("acknowledged", "●", "Acknowledged"),
}
#: Of the auditor's promises.
PROMISE = {"holds": Look("resolved", "✓", "Holds"), "broken": Look("triggered", "▲", "Broken")}

#: Of incidents.
INCIDENT = {
    "in_triage": Look("acknowledged", "◔", "In triage"),
    "started": Look("triggered", "▲", "Started"),
    "mitigated": Look("acknowledged", "◐", "Mitigated"),
    "resolved": Look("resolved", "✓", "Resolved"),
    "closed": Look("closed", "■", "Closed"),
    "cancelled": Look("canceled", "–", "Cancelled"),
    "scheduled": Look("waiting", "◌", "Scheduled"),
    "in_progress": Look("acknowledged", "◐", "In progress"),
    "completed": Look("resolved", "✓", "Completed"),
}
#: Of severities, the worst first; the class is that of a chip.
SEVERITY = {
    "critical": Look("critical", "◆", "critical"),
    "high": Look("high", "◆", "high"),
    "medium": Look("medium", "◇", "medium"),
    "low": Look("low", "◇", "low"),
}
#: Of action items.
TO_DO = {
    "open": Look("open", "○", "Open"),
    "in_progress": Look("acknowledged", "◐", "In progress"),
    "done": Look("resolved", "✓", "Done"),
    "cancelled": Look("canceled", "–", "Cancelled"),
}
TO_DO_WORDS = [(name, look.word) for name, look in TO_DO.items()]
PRIORITY = {"high": "High", "medium": "Medium", "low": "Low"}
TO_DO_KIND = {"task": "Task: now", "follow_up": "Follow-up: afterwards"}
VISIBILITY = {"internal": "Internal", "external": "Public: for status pages"}
RETROSPECTIVE = {
    "not_started": "Not started",
    "active": "Being written",
    "completed": "Done",
    "skipped": "None is needed",
}
