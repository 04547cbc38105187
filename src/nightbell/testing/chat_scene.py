"""Stories in which people press buttons in a chat, and messages that stand there follow what becomes of the alert.

await (
    scene.at("02:00").firing("DiskFull").pages(ana, by="telegram")
    .pressed(ana, "acknowledge").shows(ana, "acknowledged")
    .resolved("DiskFull").shows(ana, "resolved").told(ana, by="telegram")
)
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Self

from msgspec import Struct

from nightbell.core.chat import Press
from nightbell.core.delivery import Message, Outcome, Purpose, Sent
from nightbell.engine.aftercare import Aftercare
from nightbell.engine.chatting import Chatting, Said
from nightbell.engine.linking import Linking
from nightbell.engine.messages import Desk
from nightbell.engine.receive import Receive
from nightbell.engine.vault import Vault
from nightbell.store.db import Db
from nightbell.testing.cast import Person
from nightbell.testing.phones import FakePhone
from nightbell.testing.scenario import Scene
from nightbell.testing.story import Story

KIND = "telegram"


class Standing(Struct, kw_only=True):
    """A message as it stands in a chat."""

    ident: str
    message: Message
    edits: int = 0


class FakeChat(FakePhone):
    """A chat: what was sent stands there, and can be changed."""

    def __init__(self, heard: Callable[[str, Message], None]) -> None:
        super().__init__(KIND, heard)
        self.standing: list[Standing] = []

    async def send(self, message: Message) -> Outcome:
        """Keep the message where it can be seen, then answer."""
        outcome = await super().send(message)
        if not isinstance(outcome, Sent):
            return outcome
        ident = f"{KIND}-{len(self.standing) + 1}"
        self.standing.append(Standing(ident=ident, message=message))
        return Sent(provider_id=ident)

    async def edit(self, message: Message, provider_id: str) -> Outcome:
        """Change a message."""
        for one in self.standing:
            if one.ident == provider_id:
                one.message, one.edits = message, one.edits + 1
                return Sent(detail="edited")
        raise AssertionError(f"there is no message {provider_id} to change")

    def newest(self, who: str) -> Standing:
        """Return the last page that stands in somebody's chat.

        Raises: AssertionError when there is none.
        """
        for one in reversed(self.standing):
            if one.message.recipient == who and one.message.purpose is Purpose.PAGE:
                return one
        raise AssertionError(f"no page stands in the chat of {who}")


class ChatScene(Scene):
    """A stage with a chat on it."""

    def __init__(self, db: Db, *, nodes: int = 1, start: datetime | None = None) -> None:
        super().__init__(db, nodes=nodes, start=start)
        self.chat = FakeChat(self.phones._hear)
        self.phones.by_kind[KIND] = self.chat
        #: What was said back to whoever pressed a button, in order.
        self.answers: list[Said] = []
        # Those that were made before know nothing of the chat.
        self.engines = [self._engine() for _ in range(nodes)]
        engine = self.engine
        receive = Receive(db, engine.directories, engine.act, engine.committed.append)
        desk = Desk(Vault(b"test"), "http://nightbell.example")
        self.chatting = Chatting(receive, Linking(db, self.configure, engine.committed.append))
        self._care = Aftercare(db, self.phones.by_kind, desk, receive)

    async def settle(self) -> None:
        """Do everything that is due at this instant, and let messages say what is true."""
        await super().settle()
        while self.awake and await self._care.edit(self.clock()):
            pass

    async def button(self, who: str, action: str, on: Standing, reference: str) -> Said:
        """Let somebody press a button; the same reference is the same press, told again."""
        press = Press(reference=reference, by=who, action=action, notification_id=on.message.notification_id)
        said = await self.chatting.happened(KIND, press, self.clock())
        self.answers.append(said)
        await self.settle()
        return said

    def at(self, when: str | timedelta) -> "ChatStory":
        """Begin a story at an instant."""
        return ChatStory(self).at(when)

    @property
    def now(self) -> "ChatStory":
        """Begin a story at the present instant."""
        return ChatStory(self)


class ChatStory(Story):
    """A story in which people press buttons."""

    def __init__(self, scene: ChatScene) -> None:
        super().__init__(scene)
        self._chat = scene

    def pressed(self, who: Person, action: str, *, of: Person | None = None, told: int = 1) -> Self:
        """Let somebody press a button of their newest page, or of somebody else's; `told` is how often we hear of it."""

        async def step() -> None:
            on = self._chat.chat.newest((of or who).name)
            reference = f"press {len(self._chat.answers)}"
            for _ in range(told):
                await self._chat.button(who.name, action, on, reference)

        return self.then(step)

    def shows(self, who: Person, status: str, *, edits: int | None = None) -> Self:
        """Expect what somebody's newest page says now."""

        async def step() -> None:
            one = self._chat.chat.newest(who.name)
            if one.message.status != status or (edits is not None and one.edits != edits):
                raise AssertionError(f"it shows {one.message.status} after {one.edits} edits, not {status}")

        return self.then(step)

    def answered(self, text: str) -> Self:
        """Expect what was said back to whoever pressed last."""

        async def step() -> None:
            if text not in self._chat.answers[-1].text:
                raise AssertionError(f"the answer was {self._chat.answers[-1].text!r}, not {text!r}")

        return self.then(step)
