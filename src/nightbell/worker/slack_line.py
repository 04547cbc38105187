"""Opens, changes and closes the line to Slack's socket mode, as the settings say.

Rule 1: who does not use it does not pay for it: Slack's client is imported when there is an app token.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from typing import Any

import structlog

from nightbell.engine.pressing import Pressing
from nightbell.engine.providers import Providers
from nightbell.engine.rooms import Rooms
from nightbell.store.db import Db
from nightbell.worker.loop import Chore

#: How often the settings are looked at, and a line that could not be opened is tried again. Units: seconds.
_EVERY = 5.0
_log = structlog.get_logger(__name__)


class SlackLine:
    """At most one line, for the tokens of the moment."""

    def __init__(
        self,
        db: Db,
        providers: Providers,
        pressing: Pressing,
        rooms: Rooms,
        clock: Callable[[], datetime],
    ) -> None:
        self._db = db
        self._providers = providers
        self._pressing = pressing
        self._rooms = rooms
        self._clock = clock
        self._socket: Any = None
        self._tokens: tuple[str, ...] = ()

    def chore(self) -> Chore:
        """Return what a worker does about it."""
        return Chore("slack", _EVERY, self.follow)

    async def follow(self) -> None:
        """Make the line be what the settings say."""
        provider = await self._providers.of(self._db, "slack")
        wanted = (provider["app_token"], provider["bot_token"], provider["base_url"])
        if wanted == self._tokens:
            return
        await self.close()
        if not all(wanted):
            self._tokens = wanted
            return
        library: Any = await asyncio.to_thread(import_module, "nightbell.worker.slack_socket")
        socket = library.Socket(self._pressing, self._rooms, provider, self._clock)
        try:
            await socket.open()
        except library.FAULTS as fault:
            await socket.close()
            _log.warning("slack.no_socket", why=f"{type(fault).__name__}: {str(fault)[:200]}")
            return
        self._socket, self._tokens = socket, wanted
        _log.info("slack.socket_open")

    async def close(self) -> None:
        """Hang up."""
        socket, self._socket, self._tokens = self._socket, None, ()
        if socket is not None:
            await socket.close()
