"""Carries out what happens in a chat, whichever way it was told, and says what to answer there."""

from datetime import datetime
from hashlib import sha256
from hmac import digest
from typing import assert_never

import structlog
from msgspec import Struct

from nightbell.core.chat import Happening, Link, Press, WhoAmI
from nightbell.engine.faults import FAULTS
from nightbell.engine.linking import Linking
from nightbell.engine.receive import Pressed, Receive

_log = structlog.get_logger(__name__)


class Said(Struct, frozen=True, kw_only=True):
    """What to answer in a chat. A `loud` answer wants to be read: something was not done."""

    text: str
    loud: bool = False


class Chatting:
    """The chats of services that tell us what happens there."""

    def __init__(self, receive: Receive, linking: Linking) -> None:
        self._receive = receive
        self.linking = linking

    async def happened(self, kind: str, what: Happening, now: datetime) -> Said:
        """Carry out something that happened, once, and return what to answer.

        Shape: what nobody can carry out is answered, too, or the service would tell it again for ever.
        """
        try:
            return await self._happened(kind, what, now)
        except FAULTS as fault:
            _log.error("chat.fault", kind=kind, why=f"{type(fault).__name__}: {fault}", exc_info=fault)
            return Said(text="That did not work, and it is our fault. Open the alert instead.", loud=True)

    async def _happened(self, kind: str, what: Happening, now: datetime) -> Said:
        match what:
            case Press():
                pressed = Pressed(
                    kind=kind,
                    reference=what.reference,
                    addresses=(what.by,) if what.by else (),
                    action=what.action,
                    notification_id=what.notification_id,
                )
                answer = await self._receive.pressed(pressed, now)
                return Said(text=answer.text, loud=answer.verdict != "done")
            case Link():
                return Said(text=await self.linking.link(kind, what, now))
            case WhoAmI():
                hint = "To be paged here, open your page at Nightbell and follow the link there."
                return Said(text=f"This chat is {what.address}. {hint}")
            case _:
                assert_never(what)


def webhook_secret(link_key: bytes) -> str:
    """Return what a service must show that calls us and cannot sign; another use of the key gives another secret."""
    return digest(link_key, b"nightbell chat webhook", sha256).hex()
