"""Links a chat to a person: a code is shown to whoever is logged in, and whoever writes it in a chat proves that both are one.

Rule 1: a code works once and for minutes; only its hash is kept.
"""

import hashlib
import secrets
from datetime import datetime, timedelta

from nightbell.core.chat import Link
from nightbell.core.errors import NightbellError, Unknown
from nightbell.core.journal import person
from nightbell.engine.act import Woken
from nightbell.engine.configure import Configure
from nightbell.engine.edits import ContactMethodEdit
from nightbell.engine.ids import new_id
from nightbell.engine.ingest import Committed
from nightbell.store.db import Db

LIFE = timedelta(minutes=15)
#: Letters of a code; 96 bits, and short enough to be typed.
_BYTES = 12


class Linking:
    """Gives out codes and takes them."""

    def __init__(self, db: Db, configure: Configure, woken: Woken) -> None:
        self._db = db
        self._configure = configure
        self._woken = woken

    async def code(self, user_id: int, kind: str, now: datetime) -> str:
        """Return a new code for a person; the one before it is void."""
        code = secrets.token_urlsafe(_BYTES)
        async with self._db.tx() as tx:
            await tx.execute("drop_link_codes", user_id, kind, now)
            await tx.execute("insert_link_code", new_id(now), user_id, kind, _hash(code), now + LIFE, now)
        return code

    async def link(self, kind: str, one: Link, now: datetime) -> str:
        """Make a chat a contact method of whoever the code was shown to, and return what to say in the chat.

        Shape: the same code written twice, or told twice by the service, is said to have worked.
        """
        row = await self._db.row("use_link_code", _hash(one.code), kind, now)
        if row is None:
            return await self._again(kind, one)
        user_id = row["user_id"]
        try:
            name = await self._added(user_id, kind, one, now)
        except NightbellError as fault:
            return f"That did not work: {fault.message}"
        # Whoever waits on their page sees it there.
        self._woken(Committed(outcomes=(), pages=False, decisions=(), shows=True))
        return (
            f"Linked. Pages for {name} come here from now on. On your page at Nightbell you can send a test."
        )

    async def _added(self, user_id: int, kind: str, one: Link, now: datetime) -> str:
        user = await self._db.row("user_named", user_id)
        if user is None or not user["active"]:
            raise Unknown("This person is not at Nightbell any more.")
        by = person(user_id, user["name"])
        known = await self._db.row("method_at", user_id, kind, one.address)
        if known:
            await self._configure.verify_contact_method(known["id"], by=by, now=now)
        else:
            edit = ContactMethodEdit(kind=kind, address=one.address, name=one.name or kind.capitalize())
            await self._configure.create_contact_method(user_id, edit, verified=True, by=by, now=now)
        return str(user["name"])

    async def _again(self, kind: str, one: Link) -> str:
        row = await self._db.row("used_link_code", _hash(one.code), kind)
        if row and await self._db.row("method_at", row["user_id"], kind, one.address):
            return "This chat is linked already."
        return "This code is not valid, or not any more. Open your page at Nightbell for a new one."


def _hash(code: str) -> bytes:
    # 96 random bits need no slow hash: there is nothing to guess.
    return hashlib.sha256(code.encode("utf-8", "replace")).digest()
