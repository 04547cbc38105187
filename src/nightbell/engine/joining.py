"""Somebody joins: a one-time link becomes a person who can log in and be paged."""

from datetime import datetime

from nightbell.core.errors import Invalid, Stale
from nightbell.core.journal import person
from nightbell.engine.configure_people import welcome
from nightbell.engine.identity import Account, check_account, hash_password, invitation, note
from nightbell.store.db import Db
from nightbell.store.write import identity as rows


async def accept(db: Db, token: str, account: Account, now: datetime) -> int:
    """Spend a link on a new person and return their id.

    Raises: Unknown, Invalid naming the field, Stale when somebody else was faster.
    """
    offer = await invitation(db, token, now)
    fields = check_account(account, email=offer.email)
    password_hash = await hash_password(account.password)
    async with db.tx() as tx:
        if await rows.user_by_email(tx, fields["email"]):
            raise Invalid("Somebody has this address already.", place="email")
        if not await rows.use_invitation(tx, offer.id, now):
            raise Stale("This link was used a moment ago.")
        user_id = await rows.insert_user(tx, {**fields, "role": offer.role.value}, password_hash, now)
        await note(tx, person(user_id, fields["name"]), "user.joined", str(user_id), now)
        await welcome(tx, user_id, fields["email"], person(user_id, fields["name"]), now)
    return user_id
