"""Writes to people and channels on Slack as a bot, and changes what it wrote when that is no longer true.

Slack answers 200 to almost everything and says inside what happened: only `"ok": true` means sent.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from nightbell.channels import answers, hiding, slack_blocks
from nightbell.channels.text import one_line
from nightbell.core.delivery import (
    Absent,
    Found,
    Message,
    NotSaid,
    Outcome,
    Purpose,
    Refused,
    Retry,
    Sent,
    Traced,
    Unsure,
)
from nightbell.core.errors import Invalid
from nightbell.core.receipt import Stage
from nightbell.net.http import Answer, Blocked, Http, MaybeSent, NetError, NotSent

_MEMBER = re.compile(r"[UW][A-Z0-9]{6,20}")
_CHANNEL = re.compile(r"[CG][A-Z0-9]{6,20}")
_EMAIL = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
#: What may work later. Source: docs.slack.dev, errors of chat.postMessage.
_LATER = frozenset(
    {"ratelimited", "rate_limited", "service_unavailable", "team_added_to_org", "message_limit_exceeded"}
)
#: Slack does not say whether it took the message.
_DOUBT = frozenset({"internal_error", "fatal_error", "request_timeout"})
_HINTS = {
    "invalid_auth": "the bot token in the settings is wrong",
    "token_revoked": "the bot token was revoked; install the app again",
    "token_expired": "the bot token has expired",
    "account_inactive": "the app was removed from the workspace",
    "missing_scope": "the app needs chat:write, im:write, users:read and users:read.email",
    "channel_not_found": "nobody has this id, or the bot was not invited to the channel",
    "not_in_channel": "invite the bot to the channel",
    "is_archived": "the channel is archived",
    "users_not_found": "nobody in the workspace has this e-mail address",
    "user_not_found": "nobody in the workspace has this id",
    "user_disabled": "this person was deactivated",
    "messages_tab_disabled": "the app's messages tab is off: App Home → Messages Tab",
}
EVENT = "nightbell_notification"


class Said(Struct):
    """What Slack answers to most calls."""

    ok: bool = False
    error: str = ""
    channel: Any = ""
    ts: str = ""
    user: Any = None
    messages: list[dict[str, Any]] = []
    #: Of auth.test and apps.connections.open.
    team: str = ""
    url: str = ""
    user_id: str = ""
    #: Of lists of channels, and of what says where a message is.
    channels: list[dict[str, Any]] = []
    response_metadata: dict[str, Any] = {}
    permalink: str = ""


class Slack:
    """Delivers to a person (an id or an e-mail address) or to a channel (an id)."""

    kind = "slack"

    def __init__(self, http: Http) -> None:
        self._http = http

    def check(self, address: str, settings: dict[str, str]) -> None:
        """Raise Invalid for what is neither a member, nor a channel, nor an e-mail address."""
        if not (_MEMBER.fullmatch(address) or _CHANNEL.fullmatch(address) or _EMAIL.fullmatch(address)):
            raise Invalid(
                "not a Slack member id, channel id or e-mail address",
                place="address",
                hint="a profile's ⋮ menu copies the member ID: U0123ABCD",
            )

    async def send(self, message: Message) -> Outcome:
        """Write the message and report what Slack said."""
        if not message.provider.get("bot_token"):
            return Refused(why="Slack is not set up: no bot token (Settings → Providers)")
        target = await self._target(message)
        if not isinstance(target, str):
            return target
        return await self._written(message, "chat.postMessage", {"channel": target, **_thread(message)})

    async def edit(self, message: Message, provider_id: str) -> Outcome:
        """Make a message that stands say what is true now."""
        channel, _, ts = provider_id.partition(":")
        if not message.provider.get("bot_token") or not ts:
            return Refused(why="nothing to change")
        return await self._written(message, "chat.update", {"channel": channel, "ts": ts})

    async def trace(self, message: Message, provider_id: str, known: frozenset[str]) -> Traced:
        """Look for a message by the key it carries in its metadata."""
        if provider_id:
            return Found(provider_id=provider_id, stage=Stage.DELIVERED, why="Slack has it")
        target = await self._target(message)
        if not isinstance(target, str):
            return NotSaid(why="Slack does not say where it would be")
        if target.startswith(("U", "W")):
            opened = await call(self._http, message.provider, "conversations.open", {"users": target})
            channel = _id_of(opened.channel) if isinstance(opened, Said) and opened.ok else ""
        else:
            channel = target
        if not channel:
            return NotSaid(why="Slack does not say where it would be")
        return await self._searched(message, channel)

    async def email(self, provider: dict[str, str], user: str) -> str:
        """Return the e-mail address of a member, "" when Slack does not say."""
        found = await call(self._http, provider, "users.info", {"user": user}, form=True)
        profile = (
            found.user.get("profile") if isinstance(found, Said) and isinstance(found.user, dict) else None
        )
        return str(profile.get("email") or "")[:254] if isinstance(profile, dict) else ""

    async def whisper(self, provider: dict[str, str], channel: str, user: str, text: str) -> None:
        """Say something in a channel that only this member sees; best effort."""
        body = {"channel": channel, "user": user, "text": slack_blocks.escaped(one_line(text, most=1_000))}
        await call(self._http, provider, "chat.postEphemeral", body)

    async def _searched(self, message: Message, channel: str) -> Traced:
        asked = {"channel": channel, "limit": 50, "include_all_metadata": True,
                 "oldest": str(int(message.sent_at.timestamp()) - 120)}  # fmt: skip
        found = await call(self._http, message.provider, "conversations.history", asked, form=True)
        if not isinstance(found, Said) or not found.ok:
            return NotSaid(why=found.error if isinstance(found, Said) else str(found))
        for one in found.messages:
            payload = (one.get("metadata") or {}).get("event_payload") or {}
            if payload.get("key") == message.idempotency_key:
                return Found(provider_id=f"{channel}:{one.get('ts', '')}", stage=Stage.DELIVERED)
        return Absent(why="Slack has no such message")

    async def _target(self, message: Message) -> str | Outcome:
        """Return the id to write to; an e-mail address is asked for at Slack."""
        address = message.address
        try:
            self.check(address, message.settings)
        except Invalid as error:
            return Refused(why=error.message)
        if "@" not in address:
            return address
        found = await call(self._http, message.provider, "users.lookupByEmail", {"email": address}, form=True)
        if isinstance(found, Blocked):
            return Refused(why=str(found))
        if isinstance(found, NetError):
            # Looking somebody up sends nothing.
            return Retry(why=str(found))
        if isinstance(found, Answer):
            return answers.rejected(found, message.sent_at)
        return _id_of(found.user) if found.ok else _refused(found)

    async def _written(self, message: Message, method: str, where: dict[str, Any]) -> Outcome:
        body = {
            **where,
            "text": slack_blocks.fallback(message),
            "blocks": slack_blocks.blocks(message),
            "unfurl_links": False,
            "unfurl_media": False,
            "metadata": {"event_type": EVENT, "event_payload": {"key": message.idempotency_key}},
        }
        answer = await call(self._http, message.provider, method, body)
        if isinstance(answer, Blocked):
            return Refused(why=str(answer))
        if isinstance(answer, NotSent):
            return Retry(why=str(answer))
        if isinstance(answer, MaybeSent):
            return Unsure(why=str(answer))
        if isinstance(answer, Answer):
            return (
                _unreadable(answer)
                if 200 <= answer.status < 300
                else answers.rejected(answer, message.sent_at)
            )
        if not isinstance(answer, Said):
            return Unsure(why=str(answer))
        return (
            Sent(provider_id=f"{_id_of(answer.channel)}:{answer.ts}", detail="ok")
            if answer.ok
            else _refused(answer)
        )


async def call(
    http: Http, provider: Mapping[str, str], method: str, body: Mapping[str, Any], *, form: bool = False
) -> Said | Answer | NetError:
    """Call a method of Slack's; what it said, or the answer that was none, or why there was none."""
    # Methods that only read something take no JSON: some leave it out, some refuse it as invalid arguments.
    sent = _form(body) if form else msgspec.json.encode(body)
    kind = "application/x-www-form-urlencoded" if form else "application/json; charset=utf-8"
    token = provider.get("app_token" if method == "apps.connections.open" else "bot_token", "")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
    url = f"{provider.get('base_url', '').rstrip('/')}/{method}"
    try:
        answer = await http.post(url, body=sent, headers=headers)
    except NetError as error:
        return error
    try:
        if 200 <= answer.status < 300:
            return msgspec.json.decode(answer.body, type=Said)
    except msgspec.DecodeError:
        pass
    return hiding.hidden(answer, url, headers)


def _form(arguments: Mapping[str, Any]) -> bytes:
    """Return arguments as a form, in which true is written as Slack reads it."""
    return urlencode({k: str(v).lower() if isinstance(v, bool) else v for k, v in arguments.items()}).encode()


def _thread(message: Message) -> dict[str, Any]:
    """Return where an update goes: below the page it is about, so that a conversation stays readable."""
    ts = message.earlier.partition(":")[2]
    return {"thread_ts": ts} if ts and message.purpose is Purpose.UPDATE else {}


def _id_of(thing: Any) -> str:
    found = thing.get("id", "") if isinstance(thing, dict) else thing
    return str(found)[:64] if isinstance(found, str) else ""


def _refused(said: Said) -> Outcome:
    error = one_line(said.error, most=100)
    hint = f"; {_HINTS[said.error]}" if said.error in _HINTS else ""
    why = f"Slack: {error or 'no reason given'}{hint}"
    if said.error in _LATER:
        return Retry(why=why)
    return Unsure(why=why) if said.error in _DOUBT else Refused(why=why)


def _unreadable(answer: Answer) -> Outcome:
    said = one_line(answer.body[:300].decode("utf-8", "replace"), most=100)
    return Unsure(why=f"HTTP {answer.status} with an answer that is not Slack's: {said}")
