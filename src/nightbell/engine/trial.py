"""Tries out a contact method: a test message to its owner, sent the same way as a page."""

from datetime import datetime
from uuid import UUID

from nightbell.core.errors import Unknown
from nightbell.engine.ids import new_id
from nightbell.store.db import Db
from nightbell.store.read.people import contact_method
from nightbell.store.write import outbox


async def send_test(db: Db, method_id: UUID, user_id: int, now: datetime) -> UUID:
    """Queue a test message to one of a person's own contact methods; return its id.

    Raises: Unknown when the person has no such contact method.
    """
    found = await contact_method(db, method_id)
    if found is None or found["user_id"] != user_id:
        raise Unknown("You have no such contact method.")
    ident = new_id(now)
    if not await outbox.insert_test(db, ident, method_id, now):
        raise Unknown("This contact method was removed a moment ago.")
    return ident
