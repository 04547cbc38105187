"""This file proves that an address belongs to its person: a code goes there, and comes back from them."""

from datetime import datetime
from uuid import UUID

from nightbell.core import verification
from nightbell.core.errors import Invalid, Unknown
from nightbell.core.journal import Actor
from nightbell.core.verification import Sent
from nightbell.engine.changing import Writer
from nightbell.engine.ids import new_id
from nightbell.store.db import Tx
from nightbell.store.tables import contact_methods

#: Kinds that ring the same telephone: who reads a text there also takes calls.
_SAME_DEVICE = ("sms", "voice")


class Verifying(Writer):
    """Sends codes and checks them."""

    async def send_code(self, method_id: UUID, user_id: int, now: datetime) -> None:
        """Send a code to one of a person's contact methods; an earlier one is void.

        Raises: Unknown, Invalid when it needs no code or too many went there.
        """

        async def work(tx: Tx) -> str:
            kind = await _of(tx, method_id, user_id)
            if kind in verification.NEED_NO_CODE:
                return "This one is verified by being logged in there."
            if (
                await tx.value("codes_sent_to", user_id, now - verification.DAY)
                >= verification.MOST_A_DAY_EACH
            ):
                return f"{verification.MOST_A_DAY_EACH} codes were sent for you within a day. Ask again tomorrow."
            ident = new_id(now)
            following = verification.sent_again(await _known(tx, method_id), ident, now)
            if isinstance(following, str):
                return following
            await tx.execute("insert_verification_message", ident, method_id, now)
            await _keep(tx, method_id, following, now)
            return ""

        if problem := await self.db.in_tx(work):
            raise Invalid(problem, place="code")

    async def confirm_code(
        self, method_id: UUID, user_id: int, code: str, *, by: Actor, now: datetime
    ) -> None:
        """Verify a contact method, and others at the same address, by the code that went there.

        Raises: Unknown, Invalid saying what is wrong with the code.
        """

        async def work(tx: Tx) -> str:
            await _of(tx, method_id, user_id)
            known, problem = verification.tried(self.vault.link_key, await _known(tx, method_id), code, now)
            if known is not None:
                await _keep(tx, method_id, known, now)
            return problem

        # A wrong code counts, so it is committed before it is refused.
        if problem := await self.db.in_tx(work):
            raise Invalid(problem, place="code")
        async with self.changing(by, now) as change:
            for row in await change.tx.rows("same_address", method_id, list(_SAME_DEVICE)):
                values = {"verified_at": now}
                await change.change("contact_method", contact_methods, row["id"], values, by_code=True)


async def _of(tx: Tx, method_id: UUID, user_id: int) -> str:
    """Return the kind of a person's contact method.

    Raises: Unknown when they have no such one.
    """
    row = await tx.row("lock_method", method_id)
    if row is None or row["user_id"] != user_id:
        raise Unknown("You have no such contact method.")
    return str(row["kind"])


async def _known(tx: Tx, method_id: UUID) -> Sent | None:
    row = await tx.row("lock_verification", method_id)
    return Sent(**dict(row.items())) if row else None


async def _keep(tx: Tx, method_id: UUID, known: Sent, now: datetime) -> None:
    values = (known.notification_id, known.expires_at, known.tries, known.sent_today, known.day_began)
    await tx.execute("put_verification", method_id, *values, known.last_sent_at, now)
