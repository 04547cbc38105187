"""Stands in for Telegram: keeps the chats with their messages, holds questions open, and tells of buttons.

Rule 1: a message nobody took fails the test; so does a button on a message that does not have it.
"""

import asyncio
from types import TracebackType
from typing import Any, Self

import msgspec
from aiohttp import web
from msgspec import Struct

from nightbell.testing.doubles import Double, Reply, Request

TOKEN = "123456:the-token-of-the-double-0123456789"
NAME = "nightbell_double_bot"


class Chatted(Struct, kw_only=True):
    """A message as it stands in a chat."""

    chat: int
    number: int
    text: str
    buttons: dict[str, str]
    silent: bool = False
    edits: int = 0


class TelegramDouble(Double):
    """A Telegram on loopback, with one bot."""

    def __init__(self, *, blocked: frozenset[int] = frozenset()) -> None:
        super().__init__(always=self._serve)
        self.blocked = blocked
        self.messages: list[Chatted] = []
        #: What was said back to whoever pressed: (id of the press, text, whether it must be closed).
        self.answers: list[tuple[str, str, bool]] = []
        self.webhook: dict[str, Any] | None = None
        self.asking = 0
        #: How often somebody asked while another was asking; Telegram then answers the other one with 409.
        self.conflicts = 0
        self._question = 0
        self.updates: list[dict[str, Any]] = []
        self._confirmed = 0
        self._next = 1
        self._taken = 0
        self._told = asyncio.Condition()

    @property
    def settings(self) -> dict[str, str]:
        """What an operator would enter."""
        return {"bot_token": TOKEN, "base_url": self.url}

    async def take(self) -> Chatted:
        """Return the next message, once it is there."""
        self._taken += 1
        await self.until(lambda: len(self.messages) >= self._taken)
        return self.messages[self._taken - 1]

    async def until(self, holds: Any, *, within: float = 20.0) -> None:
        """Wait until something is true of what Telegram was told; TimeoutError when it does not become so."""
        async with asyncio.timeout(within):
            while not holds():
                await asyncio.sleep(0.01)

    def pressed(self, message: Chatted, label: str, by: int, *, ident: str = "") -> dict[str, Any]:
        """Return the update that tells of a button, numbered after the last one."""
        query = {
            "id": ident or f"press-{self._next}",
            "from": {"id": by, "is_bot": False, "first_name": "Somebody"},
            "message": {
                "message_id": message.number,
                "chat": {"id": message.chat, "type": "private"},
                "date": 0,
            },
            "chat_instance": "1",
            "data": message.buttons[label],
        }
        return self._numbered({"callback_query": query})

    def written(self, chat: int, text: str, *, title: str = "") -> dict[str, Any]:
        """Return the update that tells of a text in a chat."""
        kind = {"type": "group", "title": title} if title else {"type": "private", "first_name": "Ana"}
        said = {
            "message_id": 900,
            "date": 0,
            "chat": {"id": chat, **kind},
            "from": {"id": abs(chat)},
            "text": text,
        }
        return self._numbered({"message": said})

    async def tell(self, *updates: dict[str, Any]) -> None:
        """Let updates wait for whoever asks."""
        async with self._told:
            self.updates += updates
            self._told.notify_all()

    def verify(self) -> None:
        """Raise AssertionError for messages nobody took."""
        super().verify()
        if left := self.messages[self._taken :]:
            raise AssertionError(f"unexpected messages: {[(m.chat, m.text) for m in left]}")

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await super().__aexit__(kind, error, trace)

    # ------------------------------------------------------------ what it does

    def _numbered(self, update: dict[str, Any]) -> dict[str, Any]:
        self._next += 1
        return {"update_id": self._next - 1, **update}

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if not request.path.endswith("/getUpdates"):
            return await super()._handle(request)
        self.asking += 1
        try:
            return await self._asked(msgspec.json.decode(await request.read()))
        finally:
            self.asking -= 1

    async def _asked(self, question: dict[str, Any]) -> web.Response:
        if self.webhook is not None:
            return web.json_response({"ok": False, "error_code": 409, "description": "Conflict"}, status=409)
        # An offset says that everything before it was carried out.
        self.updates = [u for u in self.updates if u["update_id"] >= question["offset"]]
        self._question += 1
        mine = self._question
        async with self._told:
            # Whoever asked before is let go.
            self._told.notify_all()
            try:
                async with asyncio.timeout(question["timeout"]):
                    await self._told.wait_for(
                        lambda: self.updates or self._over.is_set() or mine != self._question
                    )
            except TimeoutError:
                pass
        if mine != self._question:
            self.conflicts += 1
            said = {"ok": False, "error_code": 409, "description": "Conflict: terminated by other getUpdates"}
            return web.json_response(said, status=409)
        return web.json_response({"ok": True, "result": self.updates})

    async def stop(self) -> None:
        """Let go of whoever asks, and close."""
        self._over.set()
        async with self._told:
            self._told.notify_all()
        await super().stop()

    def _serve(self, request: Request) -> Reply:
        token, _, method = request.path.removeprefix("/bot").partition("/")
        if token != TOKEN:
            return _refused(401, "Unauthorized")
        answer = getattr(self, f"_{method}", None)
        return answer(request.json()) if answer else _refused(404, "Not Found")

    def _getMe(self, asked: dict[str, Any]) -> Reply:  # noqa: N802  Telegram's names
        return _said({"id": 123456, "is_bot": True, "username": NAME})

    def _setWebhook(self, asked: dict[str, Any]) -> Reply:  # noqa: N802
        self.webhook = asked
        return _said(True)

    def _deleteWebhook(self, asked: dict[str, Any]) -> Reply:  # noqa: N802
        self.webhook = None
        return _said(True)

    def _sendMessage(self, asked: dict[str, Any]) -> Reply:  # noqa: N802
        chat = int(asked["chat_id"])
        if chat in self.blocked:
            return _refused(403, "Forbidden: bot was blocked by the user")
        if not 1 <= len(asked["text"].encode("utf-16-le")) // 2 <= 4096:
            return _refused(400, "Bad Request: message is too long")
        made = Chatted(chat=chat, number=len(self.messages) + 1, text="", buttons={})
        self.messages.append(made)
        return self._written(made, asked)

    def _editMessageText(self, asked: dict[str, Any]) -> Reply:  # noqa: N802
        found = [m for m in self.messages if (m.chat, m.number) == (asked["chat_id"], asked["message_id"])]
        if not found:
            return _refused(400, "Bad Request: message to edit not found")
        before = (found[0].text, dict(found[0].buttons))
        answer = self._written(found[0], asked)
        if before == (found[0].text, found[0].buttons):
            return _refused(400, "Bad Request: message is not modified")
        found[0].edits += 1
        return answer

    def _answerCallbackQuery(self, asked: dict[str, Any]) -> Reply:  # noqa: N802
        if len(asked["text"]) > 200:
            return _refused(400, "Bad Request: MESSAGE_TOO_LONG")
        self.answers.append((asked["callback_query_id"], asked["text"], asked["show_alert"]))
        return _said(True)

    def _written(self, one: Chatted, asked: dict[str, Any]) -> Reply:
        rows = asked.get("reply_markup", {}).get("inline_keyboard", [])
        if any(not 1 <= len(b["callback_data"].encode()) <= 64 for row in rows for b in row):
            return _refused(400, "Bad Request: BUTTON_DATA_INVALID")
        one.text, one.silent = asked["text"], asked.get("disable_notification", False)
        one.buttons = {b["text"]: b["callback_data"] for row in rows for b in row}
        return _said({"message_id": one.number, "date": 0, "chat": {"id": one.chat, "type": "private"}})


def _said(result: Any) -> Reply:
    return Reply(
        body=msgspec.json.encode({"ok": True, "result": result}), headers={"Content-Type": "application/json"}
    )


def _refused(code: int, description: str) -> Reply:
    said = {"ok": False, "error_code": code, "description": description}
    return Reply(status=code, body=msgspec.json.encode(said), headers={"Content-Type": "application/json"})
