"""Carries out buttons pressed in a chat: whose account it is, what it asks for, and a word back to whoever pressed."""

import asyncio
from datetime import datetime
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from nightbell.engine.providers import Providers
from nightbell.engine.receive import Answer, Pressed, Receive
from nightbell.store.db import Db


class Button(Struct, frozen=True, kw_only=True):
    """A button of a chat's message. `value` is the id of the notification it stands on."""

    reference: str
    user: str
    channel: str
    action: str
    value: str


class Chat(Protocol):
    """A chat in which people have accounts of their own."""

    @property
    def kind(self) -> str:
        """The kind of contact method."""
        ...

    async def email(self, provider: dict[str, str], user: str) -> str:
        """Return the e-mail address of an account, "" when the chat does not say."""
        ...

    async def whisper(self, provider: dict[str, str], channel: str, user: str, text: str) -> None:
        """Say something that only this account sees; best effort."""
        ...


class Pressing:
    """Buttons of one chat."""

    def __init__(self, db: Db, receive: Receive, providers: Providers, chat: Chat) -> None:
        self._db = db
        self._receive = receive
        self._providers = providers
        self._chat = chat
        self._whispers: set[asyncio.Task[None]] = set()

    async def press(self, one: Button, now: datetime) -> Answer:
        """Carry out a button, and whisper what became of it."""
        provider = await self._providers.of(self._db, self._chat.kind)
        answer = await self._carried_out(one, provider, now)
        # The chat waits three seconds for us and then shows a fault, so nobody waits for the whisper.
        task = asyncio.create_task(self._chat.whisper(provider, one.channel, one.user, answer.text))
        self._whispers.add(task)
        task.add_done_callback(self._whispers.discard)
        return answer

    async def drain(self) -> None:
        """Wait until what was to be whispered is."""
        await asyncio.gather(*self._whispers, return_exceptions=True)

    async def _carried_out(self, one: Button, provider: dict[str, str], now: datetime) -> Answer:
        try:
            notification_id = UUID(one.value)
        except ValueError:
            return Answer(text="This button is not one of ours.", verdict="unclear")
        addresses: tuple[str, ...] = (one.user,)
        if not await self._known(addresses):
            email = await self._chat.email(provider, one.user)
            addresses = (one.user, email) if email else addresses
        pressed = Pressed(
            kind=self._chat.kind,
            reference=one.reference,
            addresses=addresses,
            action=one.action,
            notification_id=notification_id,
        )
        return await self._receive.pressed(pressed, now)

    async def _known(self, addresses: tuple[str, ...]) -> bool:
        return bool(await self._db.rows("people_at", [self._chat.kind], [a.lower() for a in addresses]))
