"""Posts to Mattermost: by an incoming webhook or as a bot, with buttons where Mattermost can call us back.

Alert text is escaped for Markdown and calls nobody (@all, @channel, @here).
"""

import re
from typing import Any

import msgspec
from msgspec import Struct

from nightbell.channels import answers
from nightbell.channels.text import facts, lines, links, markdown, one_line, subject
from nightbell.core.delivery import Message, Outcome, Purpose, Refused, Sent
from nightbell.core.errors import Invalid
from nightbell.net.http import Answer, Http

# A post has 16,383 characters at most, 4,000 on servers that were never upgraded; escaping doubles at most.
_LONGEST_BODY = 1_200
_LONGEST_VALUE = 100
_HOOK = re.compile(r"https?://\S+/hooks/[a-z0-9]{20,40}", re.ASCII)
_IDENT = re.compile(r"[a-z0-9]{26}", re.ASCII)
_COLOURS = {"triggered": "#b91c1c", "acknowledged": "#b45309", "resolved": "#15803d"}
ACTS = ("acknowledge", "escalate", "snooze", "resolve")
#: What a webhook says, which names no post.
_TAKEN = (b"ok", b"")
_LABELS = {"acknowledge": "good", "escalate": "danger", "snooze": "default", "resolve": "default"}
_BUTTONS = {
    "triggered": ("acknowledge", "escalate", "snooze", "resolve"),
    "acknowledged": ("snooze", "resolve", "escalate"),
    "deferred": ("acknowledge", "resolve"),
    "open": ("escalate", "resolve"),
}


class Mattermost:
    """Delivers to an incoming webhook's address, or as a bot to the id of a channel."""

    kind = "mattermost"

    def __init__(self, http: Http, services: Http | None = None) -> None:
        """Make the channel; `services` reaches the operator's server wherever it is, `http` what people name."""
        self._http = http
        self._services = services or http

    def check(self, address: str, settings: dict[str, str]) -> None:
        """Raise Invalid for what is neither a webhook nor a channel's id."""
        if _IDENT.fullmatch(address):
            return
        hint = "an incoming webhook (https://chat.example.org/hooks/…), or a channel's id (View Info, at the bottom)"
        if not _HOOK.fullmatch(address):
            raise Invalid("not a Mattermost webhook or channel id", place="address", hint=hint)
        if objection := self._http.guard.objection(address):
            raise Invalid(objection, place="address", hint=hint)

    async def send(self, message: Message) -> Outcome:
        """Post the message."""
        try:
            self.check(message.address, message.settings)
        except Invalid as error:
            return Refused(why=error.message)
        if _HOOK.fullmatch(message.address):
            return await self._call("POST", message.address, message, render(message))
        server = message.provider.get("base_url", "").rstrip("/")
        if not (server and message.provider.get("bot_token")):
            return Refused(why="no server or bot token for a channel's id (Settings → Providers)")
        return await self._call("POST", f"{server}/api/v4/posts", message, posted(message))

    async def edit(self, message: Message, provider_id: str) -> Outcome:
        """Make a post say what is true now; one made by a webhook cannot be changed, Mattermost does not name it."""
        server = message.provider.get("base_url", "").rstrip("/")
        if _HOOK.fullmatch(message.address) or not _IDENT.fullmatch(provider_id):
            return Refused(why="a post made by a webhook cannot be changed")
        body = posted(message) | {"id": provider_id}
        return await self._call("PUT", f"{server}/api/v4/posts/{provider_id}", message, body)

    async def _call(self, method: str, url: str, message: Message, body: dict[str, Any]) -> Outcome:
        hook = bool(_HOOK.fullmatch(url))
        headers = {"Content-Type": "application/json"}
        if not hook:
            headers["Authorization"] = f"Bearer {message.provider.get('bot_token', '')}"
        secret = url.rpartition("/")[2] if hook else ""
        ask = answers.Ask(
            method=method, url=url, body=msgspec.json.encode(body), headers=headers, secret=secret
        )
        http = self._http if hook else self._services
        return await answers.exchange(http, ask, lambda answer: _judged(answer, message))


def render(message: Message) -> dict[str, Any]:
    """Return what an incoming webhook takes: a line to be shown on a locked screen, and the rest attached."""
    heading = markdown(subject(message))
    acting = _buttons(message)
    offered = [(label, url) for label, url in links(message) if not acting or label == "Open alert"]
    body = markdown(lines(message.body, most=_LONGEST_BODY))
    tail = " · ".join(f"[{label}]({url})" for label, url in offered)
    attachment = {
        "fallback": heading,
        "color": _COLOURS.get(message.status, "#374151"),
        "text": "\n\n".join(part for part in (body, tail) if part),
        "fields": [
            {"title": name, "value": markdown(one_line(value, most=_LONGEST_VALUE)), "short": True}
            for name, value in facts(message)
        ],
        "actions": acting,
    }
    return {"text": heading, "attachments": [attachment]}


def posted(message: Message) -> dict[str, Any]:
    """Return what the API takes for a post in a channel. `pending_post_id` makes one of two tries."""
    body = render(message)
    return {
        "channel_id": message.address,
        "message": body["text"],
        "props": {"attachments": body["attachments"]},
        "pending_post_id": f"nightbell:{message.notification_id}",
    }


def _buttons(message: Message) -> list[dict[str, Any]]:
    """Return buttons; their context goes to our server only, so the token in the address is seen by no reader."""
    if not message.callback_url or message.purpose is not Purpose.PAGE:
        return []
    return [
        {
            "id": act,
            "name": act.capitalize(),
            "style": _LABELS[act],
            "integration": {"url": message.callback_url, "context": {"act": act}},
        }
        for act in _BUTTONS.get(message.status, ())
    ]


class _Posted(Struct):
    id: str = ""


def _judged(answer: Answer, message: Message) -> Outcome:
    if answers.accepted(answer):
        try:
            ident = msgspec.json.decode(answer.body, type=_Posted).id
        except msgspec.MsgspecError:
            ident = ""
        if not ident and not (_HOOK.fullmatch(message.address) and answer.body.strip() in _TAKEN):
            return answers.unlike(answer)
        return Sent(provider_id=ident, detail=f"HTTP {answer.status}")
    outcome = answers.rejected(answer, message.sent_at)
    if isinstance(outcome, Refused) and answer.status in (404, 410):
        return Refused(why=f"{outcome.why}; the webhook or the channel was deleted", gone=True)
    return outcome
