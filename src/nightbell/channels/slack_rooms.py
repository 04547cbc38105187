"""Keeps chat rooms at Slack: makes them, asks people in, writes on top and below, archives, and reads what was marked.

Rule 1: a call that may have worked is no failure that may be repeated blindly: names and keys say what is there.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from nightbell.channels import answers
from nightbell.channels.slack import Said, call
from nightbell.channels.slack_blocks import escaped
from nightbell.channels.text import clean, clipped, one_line
from nightbell.core.room import Header, Marked, Told
from nightbell.net.http import Answer, Blocked, Http

#: What stands in the metadata of what we write, to find it again.
EVENT = "nightbell_room"
#: What cannot work later either. Source: docs.slack.dev, errors of conversations.create, invite, setTopic, archive.
_HOPELESS = frozenset(
    {
        "account_inactive", "channel_not_found", "invalid_auth", "invalid_name", "invalid_name_maxlength",
        "invalid_name_punctuation", "invalid_name_required", "invalid_name_specials", "is_archived", "method_not_supported",
        "missing_scope", "no_permission", "not_allowed_token_type", "not_authed", "restricted_action", "token_expired",
        "token_revoked", "user_is_restricted",
    }
)  # fmt: skip
_LATER = frozenset({"ratelimited", "internal_error", "fatal_error", "request_timeout", "service_unavailable"})
_HINTS = {
    "missing_scope": "the app needs channels:manage, channels:read, channels:history, groups:write, groups:read, "
    "groups:history, reactions:read, chat:write, users:read and users:read.email",
    "restricted_action": "the workspace does not let apps make channels",
    "invalid_auth": "the bot token in the settings is wrong",
}
#: Answers are read as far as 64 kB; a channel is about one.
_PAGE = 40
_MOST_PAGES = 50
_LINK = re.compile(r"<(https?://[^|>]+)\|([^>]+)>|<(https?://[^>]+)>")
_LONGEST = 2_800
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

Provider = Mapping[str, str]


class SlackRooms:
    """Rooms of one workspace after another: whose tokens are handed in."""

    def __init__(self, http: Http) -> None:
        self._http = http
        #: Who we are, by token.
        self._own: dict[str, str] = {}

    async def make(self, provider: Provider, name: str, *, private: bool) -> Told:
        """Make a channel and return its id; "name_taken" where there is one."""
        body = {"name": name, "is_private": private}
        return await self._asked(provider, "conversations.create", body, lambda said: _id(said.channel))

    async def find(self, provider: Provider, name: str) -> Told:
        """Return the id of a channel of this name that we made ourselves, "" where there is none."""
        own = await self._self(provider)
        if not own.ok:
            return own
        cursor = ""
        for _ in range(_MOST_PAGES):
            asked = {"types": "public_channel,private_channel", "exclude_archived": "true", "limit": _PAGE}
            more = {**asked, "cursor": cursor} if cursor else asked
            said = await call(self._http, provider, "users.conversations", more, form=True)
            if not isinstance(said, Said) or not said.ok:
                return _trouble(said)
            for one in said.channels:
                if one.get("name") == name and one.get("creator") == own.value:
                    return Told(ok=True, value=_id(one))
            cursor = str(said.response_metadata.get("next_cursor") or "")
            if not cursor:
                break
        return Told(ok=True)

    async def invite(self, provider: Provider, channel: str, user: str) -> Told:
        """Ask somebody in; who is there already is no fault, and who cannot come is asked once."""
        said = await call(self._http, provider, "conversations.invite", {"channel": channel, "users": user})
        if not isinstance(said, Said):
            return _trouble(said)
        if said.ok or said.error in ("already_in_channel", "cant_invite_self"):
            return Told(ok=True, value=user)
        return Told(ok=False, error=said.error, hopeless=said.error not in _LATER)

    async def account(self, provider: Provider, email: str) -> Told:
        """Return whose account an e-mail address is, "" for nobody's."""
        said = await call(self._http, provider, "users.lookupByEmail", {"email": email}, form=True)
        if isinstance(said, Said) and said.error == "users_not_found":
            return Told(ok=True)
        return Told(ok=True, value=_id(said.user)) if isinstance(said, Said) and said.ok else _trouble(said)

    async def set_topic(self, provider: Provider, channel: str, topic: str) -> Told:
        """Write the topic."""
        body = {"channel": channel, "topic": topic}
        return await self._asked(provider, "conversations.setTopic", body, lambda said: channel)

    async def write(self, provider: Provider, channel: str, what: Header | str, key: str) -> Told:
        """Post a message, and return its `ts`; the key finds it again."""
        body = {"channel": channel, **_written(what), "metadata": _metadata(key)}
        return await self._asked(provider, "chat.postMessage", body, lambda said: said.ts)

    async def rewrite(self, provider: Provider, channel: str, ts: str, what: Header, key: str) -> Told:
        """Make a message say what is true now."""
        body = {"channel": channel, "ts": ts, **_written(what), "metadata": _metadata(key)}
        return await self._asked(provider, "chat.update", body, lambda said: said.ts)

    async def written(self, provider: Provider, channel: str) -> dict[str, str] | Told:
        """Return the last messages that bear a key of ours: their `ts` by key."""
        asked = {"channel": channel, "limit": 30, "include_all_metadata": True}
        said = await call(self._http, provider, "conversations.history", asked, form=True)
        if not isinstance(said, Said) or not said.ok:
            return _trouble(said)
        keyed = (
            (((m.get("metadata") or {}).get("event_payload") or {}).get("key"), m) for m in said.messages
        )
        return {str(key): str(m.get("ts", "")) for key, m in keyed if key}

    async def archive(self, provider: Provider, channel: str) -> Told:
        """Close a room; it stays readable."""
        told = await self._asked(
            provider, "conversations.archive", {"channel": channel}, lambda said: channel
        )
        return Told(ok=True) if told.error.startswith("already_archived") else told

    async def unarchive(self, provider: Provider, channel: str) -> Told:
        """Open a room again."""
        told = await self._asked(
            provider, "conversations.unarchive", {"channel": channel}, lambda said: channel
        )
        return Told(ok=True) if told.error.startswith("not_archived") else told

    async def read(self, provider: Provider, channel: str, ts: str) -> Marked | Told:
        """Return what a message says, whether it stands by itself or in a thread."""
        for method in ("conversations.history", "conversations.replies"):
            asked = {"channel": channel, "latest": ts, "oldest": ts, "inclusive": True, "limit": 1}
            more = {**asked, "ts": ts} if method.endswith("replies") else asked
            said = await call(self._http, provider, method, more, form=True)
            if not isinstance(said, Said) or not (said.ok or said.error == "thread_not_found"):
                return _trouble(said)
            found = next((m for m in said.messages if m.get("ts") == ts), None)
            if found is not None:
                return await self._marked(provider, channel, ts, found)
        return Told(ok=False, error="there is no such message any more", hopeless=True)

    async def _marked(
        self, provider: Provider, channel: str, ts: str, message: dict[str, Any]
    ) -> Marked | Told:
        link = await call(
            self._http, provider, "chat.getPermalink", {"channel": channel, "message_ts": ts}, form=True
        )
        if not isinstance(link, Said) or not link.ok:
            return _trouble(link)
        author = str(message.get("user") or "")[:64]
        name = await self.name(provider, author) if author else str(message.get("username") or "somebody")
        return Marked(
            text=plain(str(message.get("text") or "")), author=author, name=name, link=link.permalink
        )

    async def name(self, provider: Provider, user: str) -> str:
        """Return what a member is called, their id when Slack does not say."""
        said = await call(self._http, provider, "users.info", {"user": user}, form=True)
        found = said.user if isinstance(said, Said) and isinstance(said.user, dict) else {}
        profile = found.get("profile") if isinstance(found.get("profile"), dict) else {}
        shown = found.get("real_name") or (profile or {}).get("real_name") or found.get("name") or user
        return one_line(str(shown), most=100)

    async def _self(self, provider: Provider) -> Told:
        token = provider.get("bot_token", "")
        if token not in self._own:
            said = await call(self._http, provider, "auth.test", {}, form=True)
            if not isinstance(said, Said) or not said.ok:
                return _trouble(said)
            self._own[token] = said.user_id
        return Told(ok=True, value=self._own[token])

    async def _asked(self, provider: Provider, method: str, body: dict[str, Any], value: Any) -> Told:
        said = await call(self._http, provider, method, body)
        return Told(ok=True, value=value(said)) if isinstance(said, Said) and said.ok else _trouble(said)


def plain(text: str) -> str:
    """Return Slack's markup as text: its escapes undone, links as their address."""

    def link(found: re.Match[str]) -> str:
        return f"{found[2]} ({found[1]})" if found[1] else found[3]

    shown = _LINK.sub(link, text).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return clean(shown)[:9_000]


def _written(what: Header | str) -> dict[str, Any]:
    quiet = {"unfurl_links": False, "unfurl_media": False}
    if isinstance(what, str):
        return {"text": clipped(escaped(clean(what)), most=_LONGEST), "mrkdwn": False, **quiet}
    title = one_line(what.title, most=140)
    fields = [
        {"type": "mrkdwn", "text": f"*{escaped(label)}*\n{escaped(one_line(value, most=200))}"}
        for label, value in what.facts[:10]
    ]
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": title, "emoji": False}},
        {"type": "section", "fields": fields},
    ]
    if what.summary:
        text = clipped(clean(what.summary), most=_LONGEST)
        blocks.append({"type": "section", "text": {"type": "plain_text", "text": text, "emoji": False}})
    open_it = {"type": "mrkdwn", "text": f"<{what.url}|Open the incident>", "verbatim": True}
    blocks.append({"type": "context", "elements": [open_it]})
    return {"text": escaped(title), "blocks": blocks, **quiet}


def _metadata(key: str) -> dict[str, Any]:
    return {"event_type": EVENT, "event_payload": {"key": key}}


def _id(thing: Any) -> str:
    return str(thing.get("id") or "")[:64] if isinstance(thing, dict) else ""


def _trouble(said: Any) -> Told:
    """Return what went wrong, and whether it may work later."""
    if isinstance(said, Said):
        hint = f": {_HINTS[said.error]}" if said.error in _HINTS else ""
        return Told(
            ok=False,
            error=one_line(said.error or "no reason given", most=100) + hint,
            hopeless=said.error in _HOPELESS,
        )
    if isinstance(said, Answer):
        return Told(ok=False, error=f"HTTP {said.status}", after=answers.retry_after(said, _LONG_AGO))
    return Told(ok=False, error=str(said), hopeless=isinstance(said, Blocked))
