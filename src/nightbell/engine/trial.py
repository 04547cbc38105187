"""Tries out what should work at night: a contact method, the same way as a page; a provider, straight from its settings."""

from datetime import datetime
from uuid import UUID

from nightbell.core.delivery import Channel, Message, Outcome, Purpose
from nightbell.core.errors import Unknown
from nightbell.core.providers import BY_KIND
from nightbell.engine.ids import new_id
from nightbell.engine.particulars import Clerk
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


async def try_out(db: Db, clerk: Clerk, channel: Channel, address: str, now: datetime) -> Outcome:
    """Send a test straight to an address, and return what the provider said: for whoever sets a provider up.

    Raises: Invalid when the address could never work.
    """
    channel.check(address, {})
    ident = new_id(now)
    provider = BY_KIND[channel.kind]
    settings = await clerk.providers.of(db, provider.name)
    message = Message(
        notification_id=ident,
        idempotency_key=str(ident),
        purpose=Purpose.TEST,
        address=address,
        settings={},
        recipient="",
        sent_at=now,
        title="Nightbell test message",
        body=f"{provider.label} is set up: pages can be sent from here.",
        status="",
        urgency="",
        short_id="",
        labels={},
        annotations={},
        started_at=None,
        level=None,
        alert_url="",
        acknowledge_url="",
        escalate_url="",
        snooze_url="",
        provider=settings,
    )
    return await channel.send(message)
