"""Reads what Slack says to us: a genuine request, and which button was pressed by whom. Pure."""

import hashlib
import hmac
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

import msgspec
from msgspec import Struct

from nightbell.core.room import Mark

#: Older requests are somebody's copies. Source: docs.slack.dev, "Verifying requests from Slack".
_WINDOW_SECONDS = 300
PREFIX = "nightbell_"
_LONGEST_ID = 64


class Press(Struct, frozen=True, kw_only=True):
    """A button that was pressed. `value` names the message it is on."""

    reference: str
    user: str
    channel: str
    action: str
    value: str


def genuine(secret: str, *, stamp: str, signature: str, body: bytes, now: datetime) -> bool:
    """Return whether a request bears Slack's signature and is not an old one sent again."""
    if not secret or not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        return False
    if abs(now.timestamp() - int(stamp)) > _WINDOW_SECONDS:
        return False
    wanted = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={wanted}".encode(), signature.encode("utf-8", "replace"))


def payload(body: bytes) -> dict[str, Any]:
    """Return the payload of an interaction that came by URL; {} when there is none."""
    try:
        text = parse_qs(body.decode("utf-8"), max_num_fields=10).get("payload", [""])[0]
        found = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def presses(found: dict[str, Any]) -> list[Press]:
    """Return the presses of our own buttons in an interaction; links that only open something are left out."""
    if found.get("type") != "block_actions":
        return []
    user = _text(_inside(found, "user").get("id"))
    channel = _text(_inside(found, "channel").get("id")) or _text(
        _inside(found, "container").get("channel_id")
    )
    ts = _text(_inside(found, "container").get("message_ts"))
    actions = found.get("actions")
    out = []
    for one in actions if isinstance(actions, list) else []:
        name = _text(one.get("action_id")) if isinstance(one, dict) else ""
        if name.startswith(PREFIX) and name != f"{PREFIX}open" and user:
            stamp = _text(one.get("action_ts"))
            out.append(
                Press(
                    reference=f"{ts}/{user}/{name}/{stamp}",
                    user=user,
                    channel=channel,
                    action=name.removeprefix(PREFIX),
                    value=_text(one.get("value")),
                )
            )
    return out


def event(body: bytes) -> dict[str, Any]:
    """Return an event that came by URL; {} for what is none."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def challenge(found: dict[str, Any]) -> str:
    """Return what Slack wants to hear when an address is entered, "" when it asks for nothing."""
    said = found.get("challenge")
    return said[:500] if found.get("type") == "url_verification" and isinstance(said, str) else ""


def mark(found: dict[str, Any]) -> Mark | None:
    """Return the sign that somebody put on a message, None for any other event."""
    inner = _inside(found, "event")
    item = _inside(inner, "item")
    if found.get("type") != "event_callback" or inner.get("type") != "reaction_added":
        return None
    one = Mark(
        channel=_text(item.get("channel")),
        ts=_text(item.get("ts")),
        sign=_text(inner.get("reaction")),
        by=_text(inner.get("user")),
    )
    return one if item.get("type") == "message" and one.channel and one.ts and one.sign else None


def _inside(found: dict[str, Any], name: str) -> dict[str, Any]:
    inner = found.get(name)
    return inner if isinstance(inner, dict) else {}


def _text(value: object) -> str:
    return value[:_LONGEST_ID].replace("\0", "") if isinstance(value, str) else ""
