"""Reads what Telegram tells a bot, by webhook or when asked, and writes what the bot says back. Pure."""

import hmac
import re
from base64 import urlsafe_b64decode
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct, field

from nightbell.channels.telegram import ACTS
from nightbell.channels.text import one_line
from nightbell.core.chat import Happening, Link, Press, WhoAmI

#: What the bot is told of, and nothing else that is said in a group.
ALLOWED = ("message", "callback_query")
_LONGEST_ANSWER = 190
_PRESSED = re.compile(r"([aesr]):([\w-]{22})", re.ASCII)
_COMMAND = re.compile(r"/(start|link|id|help)(?:@\w+)?(?:\s+([\w-]{8,64}))?\s*", re.ASCII)


class _Chat(Struct):
    id: int
    type: str = ""
    title: str = ""
    username: str = ""
    first_name: str = ""


class _Text(Struct):
    chat: _Chat
    text: str = ""


class _Sender(Struct):
    id: int


class _Query(Struct):
    id: str
    sender: _Sender = field(name="from")
    data: str = ""


class Update(Struct, frozen=True):
    """One thing Telegram tells, of which the number only grows."""

    update_id: int
    message: _Text | None = None
    callback_query: _Query | None = None


class _Answer(Struct):
    ok: bool = False
    #: One by one, so that one nobody can read does not hide the others.
    result: list[msgspec.Raw] = []
    description: str = ""


class _Numbered(Struct):
    update_id: int


def one(body: bytes) -> Update | None:
    """Return an update, empty when it says something unknown; None for what is none."""
    try:
        return msgspec.json.decode(body, type=Update)
    except (msgspec.MsgspecError, RecursionError):
        pass
    try:
        return Update(msgspec.json.decode(body, type=_Numbered).update_id)
    except (msgspec.MsgspecError, RecursionError):
        return None


def several(body: bytes) -> list[Update] | None:
    """Return what getUpdates answered, None when that is no such answer."""
    try:
        said = msgspec.json.decode(body, type=_Answer)
    except (msgspec.MsgspecError, RecursionError):
        return None
    return [update for raw in said.result if (update := one(bytes(raw)))] if said.ok else None


def happening(update: Update) -> Happening | None:
    """Return what an update means to us."""
    if query := update.callback_query:
        found = _PRESSED.fullmatch(query.data)
        return _press(query, found[1], found[2]) if found else None
    said = update.message
    command = _COMMAND.fullmatch(said.text) if said else None
    if said is None or command is None:
        return None
    if command[2] and command[1] in ("start", "link"):
        name = said.chat.title or said.chat.username or said.chat.first_name
        return Link(code=command[2], address=str(said.chat.id), name=one_line(name, most=60))
    return WhoAmI(address=str(said.chat.id))


def _press(query: _Query, letter: str, ident: str) -> Press | None:
    try:
        notification_id = UUID(bytes=urlsafe_b64decode(ident + "=="))
    except ValueError:
        return None
    by = str(query.sender.id)
    return Press(reference=query.id, by=by, action=ACTS[letter], notification_id=notification_id)


def reply(update: Update, text: str, *, loud: bool) -> tuple[str, dict[str, Any]] | None:
    """Return the method and the body with which the bot answers an update."""
    if query := update.callback_query:
        said = one_line(text, most=_LONGEST_ANSWER)
        return "answerCallbackQuery", {"callback_query_id": query.id, "text": said, "show_alert": loud}
    if update.message:
        return "sendMessage", {"chat_id": update.message.chat.id, "text": text}
    return None


def genuine(secret: str, header: str) -> bool:
    """Return whether a request to us carries the secret that only Telegram was told."""
    return hmac.compare_digest(secret.encode(), header.encode("utf-8", "replace"))
