"""Sends to a Telegram chat through a bot: buttons that act, and one message that says what is true now.

The text goes out plain, with entities beside it and never as Markdown or HTML, so alert text stays text.
"""

import re
from base64 import urlsafe_b64encode
from datetime import timedelta
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from nightbell.channels import answers
from nightbell.channels.text import facts, lines, one_line, subject, unmentioned
from nightbell.core.delivery import Message, Outcome, Purpose, Refused, Retry, Sent
from nightbell.core.errors import Invalid
from nightbell.net.http import Answer, Http

# 4,096 UTF-16 units; bytes of UTF-8 are never fewer than those.
_LONGEST = 4096
_LONGEST_TITLE = 400
_CHAT = re.compile(r"-?[1-9]\d{0,18}|@[A-Za-z]\w{3,31}", re.ASCII)
_TOKEN = re.compile(r"\d{3,20}:[A-Za-z0-9_-]{20,100}")
#: What a button means, by its letter: 64 bytes hold little more than one id.
ACTS = {"a": "acknowledge", "e": "escalate", "s": "snooze", "r": "resolve"}
_LABELS = {"a": "Acknowledge", "e": "Escalate", "s": "Snooze", "r": "Resolve"}
#: Which buttons make sense, by status, in rows.
_BUTTONS = {"triggered": ("ae", "sr"), "acknowledged": ("sr", "e"), "deferred": ("ar",), "open": ("er",)}
#: Descriptions of chats that will never take a message again.
_GONE = (
    "chat not found",
    "user is deactivated",
    "bot was kicked",
    "bot was blocked",
    "group chat was upgraded",
)


class Telegram:
    """Delivers to a chat; the address is its number, or the @name of a public channel."""

    kind = "telegram"

    def __init__(self, http: Http) -> None:
        self._http = http

    def check(self, address: str, settings: dict[str, str]) -> None:
        """Raise Invalid for what is not the number or the name of a chat."""
        if not _CHAT.fullmatch(address):
            hint = "use the link on this page, or ask the bot for /id in the chat"
            raise Invalid(
                "not a Telegram chat: a number like 123456789 or a @channel", place="address", hint=hint
            )

    async def send(self, message: Message) -> Outcome:
        """Post the message to the chat."""
        try:
            self.check(message.address, message.settings)
        except Invalid as error:
            return Refused(why=error.message)
        return await self._call("sendMessage", message, render(message))

    async def edit(self, message: Message, provider_id: str) -> Outcome:
        """Make a message that was sent say what is true now."""
        chat, _, number = provider_id.partition("/")
        if not number.isdecimal():
            return Refused(why="Telegram did not say which message this was")
        body = render(message) | {"chat_id": int(chat), "message_id": int(number)}
        body.pop("disable_notification")
        return await self._call("editMessageText", message, body)

    async def _call(self, method: str, message: Message, body: dict[str, Any]) -> Outcome:
        token = message.provider.get("bot_token", "")
        if not _TOKEN.fullmatch(token):
            return Refused(why="no usable bot token (Settings → Providers)")
        ask = answers.Ask(
            url=f"{base(message.provider)}/bot{token}/{method}",
            body=msgspec.json.encode(body),
            headers={"Content-Type": "application/json"},
            secret=token,
        )
        return await answers.exchange(self._http, ask, lambda answer: _judged(answer, message))


def base(provider: dict[str, str]) -> str:
    """Return where the service is called."""
    return (provider.get("base_url") or "https://api.telegram.org").rstrip("/")


def render(message: Message) -> dict[str, Any]:
    """Return the body of sendMessage, its text cut until it fits; the link at its end is never cut."""
    heading = unmentioned(subject(replace(message, title=one_line(message.title, most=_LONGEST_TITLE))))
    said = "\n".join(f"{name}: {value}" for name, value in facts(message) if name not in ("Status", "Alert"))
    # A link is text, because Telegram refuses a whole message for a button that leads to localhost.
    tail = "\n\n" + message.alert_url if message.alert_url else ""
    head = unmentioned(f"{heading}\n{said}" if said else heading)
    room = _LONGEST - len((head + tail).encode()) - 2
    body = lines(unmentioned(lines(message.body, most=_LONGEST)), most=max(room, 8))
    return {
        "chat_id": message.address,
        "text": head + (f"\n\n{body}" if body else "") + tail,
        "entities": [{"type": "bold", "offset": 0, "length": _units(heading)}],
        "link_preview_options": {"is_disabled": True},
        "disable_notification": message.purpose is Purpose.UPDATE,
        "reply_markup": {"inline_keyboard": _keyboard(message)},
    }


def _keyboard(message: Message) -> list[list[dict[str, str]]]:
    if not message.acknowledge_url or message.purpose is not Purpose.PAGE:
        return []
    ident = urlsafe_b64encode(message.notification_id.bytes).rstrip(b"=").decode()
    rows = _BUTTONS.get(message.status, ())
    return [[{"text": _LABELS[one], "callback_data": f"{one}:{ident}"} for one in row] for row in rows]


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


class _Chat(Struct):
    id: int


class _Posted(Struct):
    message_id: int
    chat: _Chat


class _Parameters(Struct, frozen=True):
    retry_after: int = 0


class _Answer(Struct):
    ok: bool = False
    result: _Posted | bool | None = None
    description: str = ""
    parameters: _Parameters = _Parameters()


def _judged(answer: Answer, message: Message) -> Outcome:
    try:
        said = msgspec.json.decode(answer.body, type=_Answer)
    except msgspec.MsgspecError:
        said = _Answer()
    if answers.accepted(answer):
        if not said.ok:
            return answers.unlike(answer)
        posted = said.result
        return Sent(
            provider_id=f"{posted.chat.id}/{posted.message_id}" if isinstance(posted, _Posted) else "",
            detail="HTTP 200",
        )
    reason = said.description.lower()
    if "message is not modified" in reason:
        return Sent(detail="it said so already")
    outcome = answers.rejected(answer, message.sent_at)
    if isinstance(outcome, Retry):
        wait = timedelta(seconds=said.parameters.retry_after)
        return replace(outcome, after=wait) if wait and outcome.after is None else outcome
    gone = any(words in reason for words in _GONE)
    hint = "; the chat is gone, or the bot was put out of it" if gone else ""
    return Refused(why=f"{outcome.why}{hint}", gone=gone)
