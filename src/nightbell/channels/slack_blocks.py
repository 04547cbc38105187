"""Writes a notification as Slack blocks: what, since when, and buttons as long as they mean something. Pure.

Alert text goes through `plain_text` or `escaped`: otherwise `<!channel>` in a label would wake a whole company.
"""

from typing import Any

from nightbell.channels.text import clean, clipped, facts, lines, one_line
from nightbell.core.delivery import Message, Purpose

# Slack's limits: 150 characters in a header, 3,000 in a section, 10 fields, 2,000 in a button's value.
_LONGEST_HEADER = 140
_LONGEST_TEXT = 2_600
_LONGEST_FIELD = 300
_MOST_FIELDS = 8
#: (action, label, style); the action is what comes back when it is pressed.
_BUTTONS = (
    ("acknowledge", "Acknowledge", "primary"),
    ("resolve", "Resolve", ""),
    ("snooze", "Snooze 30 min", ""),
    ("escalate", "Escalate", "danger"),
)
_MARK = {"triggered": "🔴", "acknowledged": "🟡", "deferred": "🟡", "resolved": "🟢", "open": "⚪"}
PREFIX = "nightbell_"


def escaped(text: str) -> str:
    """Return the text fit for Slack's own markup. Source: docs.slack.dev, "Formatting message text"."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def fallback(message: Message) -> str:
    """Return the line that a notification of the telephone shows."""
    return clipped(escaped(f"{_mark(message)}{one_line(message.title, most=200)}"), most=1_000)


def blocks(message: Message) -> list[dict[str, Any]]:
    """Return the message as blocks."""
    title = one_line(message.title, most=_LONGEST_HEADER) or "Nightbell"
    out: list[dict[str, Any]] = [
        {
            "type": "header",
            "text": {"type": "plain_text", "text": f"{_mark(message)}{title}"[:150], "emoji": False},
        }
    ]
    known = [f"*{escaped(name)}* {escaped(value)}" for name, value in facts(message)]
    if known:
        out.append({"type": "context", "elements": [_markup(" · ".join(known), 2_000)]})
    if body := lines(message.body, most=_LONGEST_TEXT):
        out.append({"type": "section", "text": {"type": "plain_text", "text": body[:2_900], "emoji": False}})
    if labels := _labels(message):
        out.append({"type": "section", "fields": labels})
    if message.status and message.purpose is Purpose.PAGE:
        out += _buttons(message)
    elif message.alert_url and message.short_id:
        out.append({"type": "context", "elements": [_markup(f"<{message.alert_url}|Open the alert>", 2_000)]})
    return out


def _buttons(message: Message) -> list[dict[str, Any]]:
    pressed = {"resolved": (), "acknowledged": _BUTTONS[1:]}.get(message.status, _BUTTONS)
    elements: list[dict[str, Any]] = [
        {
            "type": "button",
            "text": {"type": "plain_text", "text": label},
            "action_id": f"{PREFIX}{action}",
            "value": str(message.notification_id),
            **({"style": style} if style else {}),
        }
        for action, label, style in pressed
    ]
    if message.alert_url:
        opens = {"type": "plain_text", "text": "Open"}
        elements.append(
            {"type": "button", "text": opens, "action_id": f"{PREFIX}open", "url": message.alert_url}
        )
    return [{"type": "actions", "elements": elements}] if elements else []


def _labels(message: Message) -> list[dict[str, Any]]:
    shown = [(k, v) for k, v in sorted(message.labels.items()) if k != "alertname"][:_MOST_FIELDS]
    return [
        _markup(f"*{escaped(clean(k[:100]))}*\n{escaped(clean(v[:200]))}", _LONGEST_FIELD) for k, v in shown
    ]


def _markup(text: str, most: int) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": clipped(text, most=most), "verbatim": True}


def _mark(message: Message) -> str:
    mark = _MARK.get(message.status, "")
    return f"{mark} " if mark else ""
