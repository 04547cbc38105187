"""Publishes to an ntfy server: push to a phone without an account, with buttons that act.

Published as JSON to the server's root and never by headers, so that alert text cannot become one.
"""

import hashlib
import re
from typing import Any

import msgspec
from msgspec import Struct

from nightbell.channels import answers
from nightbell.channels.text import lines, one_line
from nightbell.core.delivery import Message, Outcome, Purpose
from nightbell.core.errors import Invalid
from nightbell.net.http import Http

# ntfy turns a longer message into an attachment, and refuses a JSON body of more than twice this.
_LONGEST_MESSAGE = 4096
_LONGEST_BODY = 2 * _LONGEST_MESSAGE
_LONGEST_TITLE = 250

_ADDRESS = re.compile(r"(?P<server>https?://\S+)/(?P<topic>[-_A-Za-z0-9]{1,64})")
_TOKEN = re.compile(r"[\x21-\x7e]*")

#: 5 rings through Do Not Disturb where the app is allowed to; 3 is ntfy's ordinary.
_PRIORITY = {Purpose.PAGE: 5, Purpose.TEST: 4}
_ORDINARY = 3


class Ntfy:
    """Delivers to an ntfy topic; the address is `https://server/topic`."""

    kind = "ntfy"

    def __init__(self, http: Http) -> None:
        self._http = http

    def check(self, address: str, settings: dict[str, str]) -> None:
        """Raise Invalid for an address without a topic or a token that cannot be sent."""
        if not _ADDRESS.fullmatch(address):
            hint = "https://ntfy.sh/your-topic; letters, digits, - and _, at most 64"
            raise Invalid("not an ntfy topic address", place="address", hint=hint)
        if objection := self._http.guard.objection(address):
            raise Invalid(objection, place="address")
        if not _TOKEN.fullmatch(settings.get("token", "")):
            raise Invalid("an access token has no spaces or control characters", place="settings.token")

    async def send(self, message: Message) -> Outcome:
        """Publish the message and report what the server said."""
        server, _, _ = message.address.rpartition("/")
        headers = {"Content-Type": "application/json", "Idempotency-Key": message.idempotency_key}
        if token := message.settings.get("token", ""):
            headers["Authorization"] = f"Bearer {token}"
        return await answers.post(
            self._http,
            f"{server}/",
            body=render(message),
            headers=headers,
            now=message.sent_at,
            identify=_published_id,
        )


def render(message: Message) -> bytes:
    """Return the publish request, its text cut until all of it fits ntfy's limits."""
    publish = {
        "topic": message.address.rpartition("/")[2],
        "title": one_line(message.title, most=_LONGEST_TITLE),
        "message": "",
        "priority": _PRIORITY.get(message.purpose, _ORDINARY),
        "tags": _tags(message),
        "actions": _actions(message),
        # From 2.16 the same sequence replaces what is shown, so an uncertain first attempt is not shown twice.
        "sequence_id": hashlib.sha256(message.idempotency_key.encode()).hexdigest()[:32],
    }
    if message.alert_url:
        publish["click"] = message.alert_url
    room = _LONGEST_BODY - len(msgspec.json.encode(publish))
    publish["message"] = _fitting(lines(message.body, most=_LONGEST_MESSAGE), room)
    return msgspec.json.encode(publish)


def _fitting(text: str, room: int) -> str:
    """Return the text cut until its JSON form, where quotes and line breaks count twice, fits."""
    most = len(text.encode())
    while most > 64 and (excess := len(msgspec.json.encode(text)) - room) > 0:
        most = max(64, most - excess)
        text = lines(text, most=most)
    return text


def _tags(message: Message) -> list[str]:
    if message.purpose is Purpose.PAGE:
        return ["rotating_light"]
    return ["white_check_mark"] if message.status == "resolved" else ["information_source"]


def _actions(message: Message) -> list[dict[str, Any]]:
    """Return at most three buttons, ntfy's limit: acknowledging acts from the lock screen, the others open a page."""
    buttons: list[dict[str, Any]] = []
    if url := message.acknowledge_url:
        buttons.append(
            {"action": "http", "label": "Acknowledge", "url": url, "method": "POST", "clear": True}
        )
    for label, url in (("Escalate", message.escalate_url), ("Snooze", message.snooze_url)):
        if url:
            buttons.append({"action": "view", "label": label, "url": url})
    return buttons


class _Published(Struct):
    id: Any = ""
    error: Any = None


def _published_id(body: bytes) -> str | None:
    """Return the id of what was published, "" when the server does not say; None for an answer that is not ntfy's."""
    try:
        said = msgspec.json.decode(body, type=_Published) if body else _Published()
    except msgspec.DecodeError:
        return None
    return None if said.error else str(said.id)[:64]
