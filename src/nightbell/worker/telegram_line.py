"""Hears what happens in Telegram: asks, one node at a time, or has Telegram call, as the settings say.

Rule 1: the position moves after an update was carried out. Killed in between, it is told again and done once.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime
from time import monotonic
from typing import Any

import msgspec
import structlog
from msgspec import Struct

from nightbell.channels import telegram, telegram_updates
from nightbell.channels.telegram_updates import Update
from nightbell.channels.text import one_line
from nightbell.engine.chatting import Chatting
from nightbell.engine.polling import Polling, Turn
from nightbell.engine.providers import Providers
from nightbell.net.http import Http, NetError
from nightbell.worker.loop import Chore

#: How long Telegram keeps a question open when nothing happens; less than a lease. Units: seconds.
_QUESTION = 20
#: Between looks at the settings, and the longest pause after a failure. Units: seconds.
_EVERY = 1.0
#: Between looks at the settings while there is no bot. Units: seconds.
_IDLE = 5.0
#: A loop that is not seen for 90 s counts as stuck (web/health.py).
_LONGEST_EAR = 40.0
_LONGEST_PAUSE = 30.0
_log = structlog.get_logger(__name__)


class _Me(Struct):
    username: str = ""


class _Said(Struct):
    ok: bool = False
    result: Any = None
    description: str = ""


class Failed(Exception):  # noqa: N818  it is an answer, not a fault of ours
    """Telegram did not do what it was asked."""


class TelegramLine:
    """One node's ear. `http` is more patient than a question is long."""

    def __init__(
        self, providers: Providers, polling: Polling, chatting: Chatting, http: Http, hook: "Hook"
    ) -> None:
        self._providers = providers
        self._polling = polling
        self._chatting = chatting
        self._http = http
        self._hook = hook
        self._holds = False
        self._pause = 0.0
        self._not_before = 0.0

    def chore(self) -> Chore:
        """Return what a worker does about it."""
        return Chore("telegram", _EVERY, self.look)

    async def look(self) -> None:
        """Arrange what the settings say, and hear what happened; comes back often enough to be seen."""
        until = monotonic() + _LONGEST_EAR
        while await self._heard_something() and monotonic() < until:
            pass

    async def _heard_something(self) -> bool:
        """Ask once; whether to ask again at once."""
        if monotonic() < self._not_before:
            return False
        provider = await self._providers.of(self._polling.db, "telegram")
        mode = provider["updates"]
        if not provider["bot_token"] or mode not in ("poll", "webhook"):
            await self.close()
            self._not_before = monotonic() + _IDLE
            return False
        turn = await self._polling.take(self._hook.clock())
        self._holds = turn is not None
        return turn is not None and await self._with(provider, turn) and mode == "poll"

    async def aclose(self) -> None:
        """Let another node listen, and close all connections."""
        await self.close()
        await self._http.aclose()

    async def close(self) -> None:
        """Let another node listen."""
        if self._holds:
            self._holds = False
            await self._polling.leave()

    async def _with(self, provider: dict[str, str], turn: Turn) -> bool:
        wanted = self._wanted(provider)
        try:
            if turn.arranged != wanted:
                turn = await self._arrange(provider, turn, wanted)
            if provider["updates"] == "poll":
                await self._ask(provider, turn)
            self._pause = 0.0
            return True
        except Failed as fault:
            self._pause = min(max(2 * self._pause, 1.0), _LONGEST_PAUSE)
            self._not_before = monotonic() + self._pause
            _log.warning("telegram.trouble", why=str(fault), again_in=self._pause)
            # Arranged anew when it works again: another program may have taken the bot meanwhile.
            bot = turn.arranged.partition(" ")[0]
            await self._polling.arranged(bot, turn.known_as, str(fault), self._hook.clock())
            return False

    def _wanted(self, provider: dict[str, str]) -> str:
        """Return what is to be arranged, in one word; another token or address is another word."""
        bot = hashlib.sha256(provider["bot_token"].encode()).hexdigest()[:16]
        url = self._hook.url if provider["updates"] == "webhook" else ""
        return f"{bot} {provider['updates']} {url}".strip()

    async def _arrange(self, provider: dict[str, str], turn: Turn, wanted: str) -> Turn:
        me = msgspec.convert(await self._call(provider, "getMe", {}), _Me, strict=False)
        if provider["updates"] == "webhook":
            asked = {
                "url": self._hook.url,
                "secret_token": self._hook.secret,
                "allowed_updates": telegram_updates.ALLOWED,
            }
            await self._call(provider, "setWebhook", asked)
        else:
            await self._call(provider, "deleteWebhook", {"drop_pending_updates": False})
        now = self._hook.clock()
        if turn.arranged.partition(" ")[0] not in ("", wanted.partition(" ")[0]):
            # Numbers of updates belong to a bot.
            await self._polling.forget(now)
        await self._polling.arranged(wanted, me.username, "", now)
        _log.info("telegram.arranged", bot=me.username, by=provider["updates"])
        return await self._polling.take(now) or turn

    async def _ask(self, provider: dict[str, str], turn: Turn) -> None:
        question = {
            "offset": turn.position + 1,
            "timeout": _QUESTION,
            "allowed_updates": telegram_updates.ALLOWED,
        }
        body = await self._posted(provider, "getUpdates", question)
        updates = telegram_updates.several(body)
        if updates is None:
            raise Failed("Telegram's answer was no list of updates")
        for update in updates:
            await self._heard(provider, update)
            if not await self._polling.came(update.update_id, self._hook.clock()):
                return

    async def _heard(self, provider: dict[str, str], update: Update) -> None:
        what = telegram_updates.happening(update)
        answer = await self._chatting.happened("telegram", what, self._hook.clock()) if what else None
        told = telegram_updates.reply(update, answer.text, loud=answer.loud) if answer else None
        if told:
            try:
                await self._call(provider, *told)
            except Failed as fault:
                # It was carried out; only the word back is lost.
                _log.info("telegram.unanswered", why=str(fault))

    async def _call(self, provider: dict[str, str], method: str, body: dict[str, Any]) -> Any:
        said = _read(await self._posted(provider, method, body))
        if not said.ok:
            raise Failed(f"{method}: {one_line(said.description, most=300) or 'refused'}")
        return said.result

    async def _posted(self, provider: dict[str, str], method: str, body: dict[str, Any]) -> bytes:
        url = f"{telegram.base(provider)}/bot{provider['bot_token']}/{method}"
        headers = {"Content-Type": "application/json"}
        try:
            answer = await self._http.ask("POST", url, body=msgspec.json.encode(body), headers=headers)
        except NetError as fault:
            raise Failed(f"{method}: {fault}".replace(provider["bot_token"], "…")) from fault
        if answer.status != 200:
            description = one_line(_read(answer.body).description, most=300)
            raise Failed(f"{method}: HTTP {answer.status} {description}".strip())
        return answer.body


class Hook(Struct, frozen=True, kw_only=True):
    """Where Telegram calls us, and what proves that it is Telegram; and our clock."""

    url: str
    secret: str
    clock: Callable[[], datetime]


def _read(body: bytes) -> _Said:
    try:
        return msgspec.json.decode(body, type=_Said)
    except msgspec.MsgspecError:
        return _Said(description="the answer was not Telegram's")
