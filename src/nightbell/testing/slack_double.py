"""Stands in for Slack: keeps what was posted, changed and whispered, knows its members, and speaks socket mode.

Rule 1: a post nobody took fails the test.
"""

import asyncio
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import msgspec
from aiohttp import WSMsgType, web
from msgspec import Struct

from nightbell.channels.slack_blocks import PREFIX
from nightbell.testing.doubles import Double, Reply, Request, Script

BOT = "xoxb-the-double"
APP = "xapp-the-double"
SECRET = "a-signing-secret-of-the-double"
#: Methods that take no JSON, as Slack documents them.
READING = frozenset(
    {"users.info", "users.lookupByEmail", "users.conversations", "conversations.history", "conversations.replies",
     "chat.getPermalink"}
)  # fmt: skip


class Post(Struct, kw_only=True):
    """A message as it stands."""

    channel: str
    ts: str
    body: dict[str, Any]
    edits: int = 0

    @property
    def text(self) -> str:
        """The line of a notification."""
        return str(self.body["text"])

    @property
    def buttons(self) -> list[str]:
        """What its buttons do."""
        rows = [b["elements"] for b in self.body["blocks"] if b["type"] == "actions"]
        return [one["action_id"].removeprefix(PREFIX) for row in rows for one in row]

    def value(self, action: str) -> str:
        """Return what a button sends along."""
        rows = [b["elements"] for b in self.body["blocks"] if b["type"] == "actions"]
        found = [one for row in rows for one in row if one["action_id"] == f"{PREFIX}{action}"]
        return str(found[0]["value"])


class SlackDouble(Double):
    """A Slack on loopback. `members` maps ids to e-mail addresses."""

    def __init__(self, **members: str) -> None:
        super().__init__(always=self._serve)
        self.members = members
        self.posts: list[Post] = []
        self.whispers: list[dict[str, Any]] = []
        self.confirmed: list[str] = []
        self._taken = 0
        self._sockets: list[web.WebSocketResponse] = []
        self.changed = asyncio.Condition()

    @property
    def settings(self) -> dict[str, str]:
        """What an operator would enter."""
        return {"bot_token": BOT, "signing_secret": SECRET, "app_token": APP, "base_url": f"{self.url}/api"}

    def will(self, *script: Script) -> None:
        """Script what happens to the next requests."""
        super().will(*script)

    async def until(self, holds: Any, *, within: float = 20.0) -> None:
        """Wait until something is true of what Slack was told; TimeoutError when it does not become so."""
        async with asyncio.timeout(within):
            while not holds():
                await asyncio.sleep(0.01)

    async def take(self) -> Post:
        """Return the next post, once it is there."""
        self._taken += 1
        await self.until(lambda: len(self.posts) >= self._taken)
        return self.posts[self._taken - 1]

    def pressed(self, post: Post, action: str, by: str, *, at: str = "1.0") -> dict[str, Any]:
        """Return what Slack says when a member presses a button."""
        return {
            "type": "block_actions",
            "user": {"id": by},
            "channel": {"id": post.channel},
            "container": {"type": "message", "message_ts": post.ts, "channel_id": post.channel},
            "actions": [
                {
                    "type": "button",
                    "action_id": f"{PREFIX}{action}",
                    "value": post.value(action),
                    "action_ts": at,
                }
            ],
        }

    @property
    def lines(self) -> int:
        """How many socket lines are open."""
        return sum(not line.closed for line in self._sockets)

    async def send(self, envelope_id: str, payload: dict[str, Any], kind: str = "interactive") -> None:
        """Say something over socket mode, on the last line that was opened."""
        await self.until(lambda: any(not s.closed for s in self._sockets))
        line = [s for s in self._sockets if not s.closed][-1]
        envelope = {"envelope_id": envelope_id, "type": kind, "payload": payload}
        await line.send_str(msgspec.json.encode({**envelope, "accepts_response_payload": True}).decode())

    def verify(self) -> None:
        """Raise AssertionError for posts nobody took."""
        super().verify()
        if left := self.posts[self._taken :]:
            raise AssertionError(f"unexpected posts: {[(p.channel, p.text) for p in left]}")

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for line in self._sockets:
            await line.close()
        await super().__aexit__(kind, error, trace)

    # ------------------------------------------------------------ what it does

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("upgrade", "").lower() == "websocket":
            return await self._line(request)
        return await super()._handle(request)

    async def _line(self, request: web.Request) -> web.WebSocketResponse:
        line = web.WebSocketResponse()
        await line.prepare(request)
        await line.send_str('{"type":"hello","num_connections":1}')
        self._sockets.append(line)
        async for said in line:
            if said.type is WSMsgType.TEXT and said.data.startswith("{"):
                self.confirmed.append(msgspec.json.decode(said.data)["envelope_id"])
        return line

    def _serve(self, request: Request) -> Reply:
        parts = urlsplit(request.path)
        method = parts.path.removeprefix("/api/")
        wanted = APP if method == "apps.connections.open" else BOT
        if request.headers.get("authorization") != f"Bearer {wanted}":
            return said(ok=False, error="invalid_auth")
        asked = {k: v[0] for k, v in parse_qs(parts.query).items()}
        if request.headers.get("content-type", "").startswith("application/json"):
            if method in READING:
                return said(ok=False, error="invalid_arguments")
            asked |= request.json() if request.body else {}
        else:
            asked |= {k: v[0] for k, v in parse_qs(request.body.decode()).items()}
        answer = getattr(self, "_" + method.replace(".", "_"), None)
        return answer(asked) if answer else said(ok=False, error="unknown_method")

    def _chat_postMessage(self, asked: dict[str, Any]) -> Reply:  # noqa: N802  Slack's name
        channel = asked["channel"]
        if channel.startswith("U") and channel not in self.members:
            return said(ok=False, error="channel_not_found")
        home = f"D{channel[1:]}" if channel.startswith("U") else channel
        post = Post(channel=home, ts=f"1700000000.{len(self.posts):06d}", body=asked)
        self.posts.append(post)
        return said(channel=home, ts=post.ts)

    def _chat_update(self, asked: dict[str, Any]) -> Reply:
        found = [p for p in self.posts if (p.channel, p.ts) == (asked["channel"], asked["ts"])]
        if not found:
            return said(ok=False, error="message_not_found")
        found[0].body, found[0].edits = asked, found[0].edits + 1
        return said(channel=asked["channel"], ts=asked["ts"])

    def _chat_postEphemeral(self, asked: dict[str, Any]) -> Reply:  # noqa: N802
        self.whispers.append(asked)
        return said()

    def _users_lookupByEmail(self, asked: dict[str, Any]) -> Reply:  # noqa: N802
        found = [k for k, v in self.members.items() if v == asked["email"]]
        return said(user={"id": found[0]}) if found else said(ok=False, error="users_not_found")

    def _users_info(self, asked: dict[str, Any]) -> Reply:
        email = self.members.get(asked["user"])
        if email is None:
            return said(ok=False, error="user_not_found")
        return said(user={"id": asked["user"], "profile": {"email": email}})

    def _conversations_open(self, asked: dict[str, Any]) -> Reply:
        return said(channel={"id": f"D{asked['users'][1:]}"})

    def _conversations_history(self, asked: dict[str, Any]) -> Reply:
        here = [p for p in self.posts if p.channel == asked["channel"]]
        return said(messages=[{"ts": p.ts, "metadata": p.body.get("metadata")} for p in reversed(here)])

    def _apps_connections_open(self, asked: dict[str, Any]) -> Reply:
        return said(url=f"{self.url.replace('http', 'ws', 1)}/socket")

    def _auth_test(self, asked: dict[str, Any]) -> Reply:
        return said(team="Double", user="nightbell")


def said(*, ok: bool = True, **more: Any) -> Reply:
    """Return an answer as Slack gives it: 200, and inside whether it worked."""
    return Reply(body=msgspec.json.encode({"ok": ok, **more}), headers={"Content-Type": "application/json"})
