"""Posts to Discord: by a channel's webhook with links, or as a bot with buttons that act.

Alert text is escaped for Discord's Markdown and may mention nobody, by its form and by `allowed_mentions`.
"""

import hashlib
import re
from base64 import urlsafe_b64encode
from typing import Any

import msgspec
from msgspec import Struct

from nightbell.channels import answers
from nightbell.channels.text import facts, lines, links, markdown, one_line, subject
from nightbell.core.delivery import Message, Outcome, Purpose, Refused, Sent
from nightbell.core.errors import Invalid
from nightbell.net.http import Answer, Http

# Discord's own limits are 2,000 characters of content, 256 of a title, 4,096 of a description, 1,024 of a field.
_LONGEST_TITLE = 250
_LONGEST_BODY = 3_500
_LONGEST_DESCRIPTION = 4_096
_LONGEST_VALUE = 200
_WEBHOOK = re.compile(r"https?://\S+/api/(?:v\d+/)?webhooks/\d{5,20}/[\w-]{20,100}", re.ASCII)
_CHANNEL = re.compile(r"(?:user:)?\d{5,20}", re.ASCII)
_COLOURS = {"triggered": 0xB91C1C, "acknowledged": 0xB45309, "resolved": 0x15803D}
#: Error codes of Discord: unknown channel, unknown webhook, missing access, cannot send to this user.
_GONE = frozenset({10003, 10015, 50001, 50007})
ACTS = {"a": "acknowledge", "e": "escalate", "s": "snooze", "r": "resolve"}
_LABELS = {"a": ("Acknowledge", 3), "e": ("Escalate", 4), "s": ("Snooze", 2), "r": ("Resolve", 2)}
_BUTTONS = {"triggered": "aesr", "acknowledged": "sre", "deferred": "ar", "open": "er"}


class Discord:
    """Delivers to a webhook's address, or through a bot to the number of a channel or `user:` and a number."""

    kind = "discord"

    def __init__(self, http: Http, services: Http | None = None) -> None:
        """Make the channel; `services` reaches the operator's server wherever it is, `http` what people name."""
        self._http = http
        self._services = services or http

    def check(self, address: str, settings: dict[str, str]) -> None:
        """Raise Invalid for an address that is neither a webhook nor a channel."""
        if _CHANNEL.fullmatch(address):
            return
        hint = "a webhook (channel settings → Integrations → Webhooks), a channel's number, or user:NUMBER"
        if not _WEBHOOK.fullmatch(address):
            raise Invalid("not a Discord webhook, channel or user", place="address", hint=hint)
        if objection := self._http.guard.objection(address):
            raise Invalid(objection, place="address", hint=hint)

    async def send(self, message: Message) -> Outcome:
        """Post the message."""
        try:
            self.check(message.address, message.settings)
        except Invalid as error:
            return Refused(why=error.message)
        if _WEBHOOK.fullmatch(message.address):
            return await self._call("POST", f"{message.address}?wait=true", message, render(message))
        if not message.provider.get("bot_token"):
            return Refused(why="no bot token for a Discord channel (Settings → Providers)")
        channel = message.address
        if message.address.startswith("user:"):
            opened = await self._open(message)
            if not isinstance(opened, Sent):
                return opened
            channel = opened.provider_id
        nonce = hashlib.sha256(message.idempotency_key.encode()).hexdigest()[:25]
        url = f"{base(message.provider)}/channels/{channel}/messages"
        once = {"nonce": nonce, "enforce_nonce": True}
        return await self._call("POST", url, message, render(message) | once)

    async def edit(self, message: Message, provider_id: str) -> Outcome:
        """Make a message that was sent say what is true now."""
        channel, _, ident = provider_id.partition("/")
        if not (channel.isdecimal() and ident.isdecimal()):
            return Refused(why="Discord did not say which message this was")
        if _WEBHOOK.fullmatch(message.address):
            url = f"{message.address}/messages/{ident}"
        else:
            url = f"{base(message.provider)}/channels/{channel}/messages/{ident}"
        return await self._call("PATCH", url, message, render(message))

    async def _open(self, message: Message) -> Outcome:
        """Return the channel of direct messages with a user; asking twice opens one."""
        body = {"recipient_id": message.address.removeprefix("user:")}
        return await self._call("POST", f"{base(message.provider)}/users/@me/channels", message, body)

    async def _call(self, method: str, url: str, message: Message, body: dict[str, Any]) -> Outcome:
        hook = bool(_WEBHOOK.fullmatch(message.address))
        headers = {"Content-Type": "application/json"}
        if not hook:
            headers["Authorization"] = f"Bot {message.provider.get('bot_token', '')}"
        secret = message.address.rpartition("/")[2] if hook else ""
        ask = answers.Ask(
            method=method, url=url, body=msgspec.json.encode(body), headers=headers, secret=secret
        )
        http = self._http if hook else self._services
        return await answers.exchange(http, ask, lambda answer: _judged(answer, message))


def base(provider: dict[str, str]) -> str:
    """Return where the service is called."""
    return (provider.get("base_url") or "https://discord.com/api/v10").rstrip("/")


def render(message: Message) -> dict[str, Any]:
    """Return the message: a line for the locked screen, the rest in an embed, its limits kept in characters."""
    by_bot = not _WEBHOOK.fullmatch(message.address)
    offered = [(label, url) for label, url in links(message) if not by_bot or label == "Open alert"]
    tail = " · ".join(f"[{label}]({url})" for label, url in offered)
    # Escaping doubles a text at most, and the links are never cut.
    room = min(_LONGEST_BODY, _LONGEST_DESCRIPTION - len(tail) - 2)
    body = markdown(lines(message.body, most=max(room // 2, 8)))
    embed = {
        "title": markdown(one_line(message.title, most=_LONGEST_TITLE // 2)),
        "description": "\n\n".join(part for part in (body, tail) if part),
        "color": _COLOURS.get(message.status, 0x374151),
        "fields": [
            {"name": name, "value": markdown(one_line(value, most=_LONGEST_VALUE)), "inline": True}
            for name, value in facts(message)
        ],
    }
    return {
        "content": markdown(subject(message)),
        "embeds": [embed],
        "allowed_mentions": {"parse": []},
        "components": _buttons(message) if by_bot else [],
    }


def _buttons(message: Message) -> list[dict[str, Any]]:
    if not message.acknowledge_url or message.purpose is not Purpose.PAGE:
        return []
    ident = urlsafe_b64encode(message.notification_id.bytes).rstrip(b"=").decode()
    buttons = [
        {"type": 2, "style": _LABELS[one][1], "label": _LABELS[one][0], "custom_id": f"{one}:{ident}"}
        for one in _BUTTONS.get(message.status, "")
    ]
    return [{"type": 1, "components": buttons}] if buttons else []


class _Posted(Struct):
    id: str = ""
    channel_id: str = ""
    code: int = 0


def _judged(answer: Answer, message: Message) -> Outcome:
    try:
        said = msgspec.json.decode(answer.body, type=_Posted)
    except msgspec.MsgspecError:
        said = _Posted()
    if answers.accepted(answer):
        if not said.id and answer.status != 204:
            return answers.unlike(answer)
        known = f"{said.channel_id}/{said.id}" if said.channel_id else said.id
        return Sent(provider_id=known, detail=f"HTTP {answer.status}")
    outcome = answers.rejected(answer, message.sent_at)
    if isinstance(outcome, Refused) and said.code in _GONE:
        return Refused(why=f"{outcome.why}; it is gone, or the bot may not write there", gone=True)
    return outcome
