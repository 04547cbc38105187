"""Codes that prove an address: six digits, short-lived, a few tries, so many a day. Pure.

A code is computed from the installation's key and the id of the message that carries it; nobody stores it.
"""

from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest, digest
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

DIGITS = 6
LIFE = timedelta(minutes=15)
#: A guess is right once in 200,000 codes.
MOST_TRIES = 5
MOST_A_DAY = 10
#: For one person, all their addresses together: nobody's account shall text strangers all day.
MOST_A_DAY_EACH = 20
#: Between two codes to one address.
PAUSE = timedelta(seconds=30)
DAY = timedelta(days=1)
#: Whoever is logged in there has proven it.
NEED_NO_CODE = frozenset({"inbox", "push"})


class Sent(Struct, frozen=True, kw_only=True):
    """The last code of a contact method. `notification_id` is None once it was used, or guessed at too often."""

    notification_id: UUID | None
    expires_at: datetime
    tries: int
    sent_today: int
    day_began: datetime
    last_sent_at: datetime


def code(key: bytes, notification_id: UUID) -> str:
    """Return the code that a message carries."""
    mac = digest(key, b"nightbell verification\0" + notification_id.bytes, sha256)
    return f"{int.from_bytes(mac[:8], 'big') % 10**DIGITS:0{DIGITS}d}"


def sent_again(before: Sent | None, notification_id: UUID, now: datetime) -> Sent | str:
    """Return what is known once another code goes out, or why none may."""
    if before is not None:
        if now < before.last_sent_at + PAUSE:
            left = int((before.last_sent_at + PAUSE - now).total_seconds()) + 1
            return f"A code went out a moment ago. Ask again in {left} s."
        if now < before.day_began + DAY and before.sent_today >= MOST_A_DAY:
            return f"{MOST_A_DAY} codes went to this address within a day. Ask again tomorrow, or ask an administrator."
    same_day = before is not None and now < before.day_began + DAY
    return Sent(
        notification_id=notification_id,
        expires_at=now + LIFE,
        tries=0,
        sent_today=(before.sent_today if before and same_day else 0) + 1,
        day_began=before.day_began if before and same_day else now,
        last_sent_at=now,
    )


def tried(key: bytes, known: Sent | None, given: str, now: datetime) -> tuple[Sent | None, str]:
    """Return what is known after somebody typed a code, and what is wrong with it; "" when it is right."""
    if known is None or known.notification_id is None:
        return known, "No code waits to be entered. Ask for a new one."
    if now >= known.expires_at:
        return replace(known, notification_id=None), "This code has expired. Ask for a new one."
    digits = "".join(c for c in given if c.isascii() and c.isdigit())
    if compare_digest(digits.encode(), code(key, known.notification_id).encode()):
        return replace(known, notification_id=None), ""
    tries = known.tries + 1
    if tries >= MOST_TRIES:
        return replace(known, tries=tries, notification_id=None), "Too many wrong codes. Ask for a new one."
    left = MOST_TRIES - tries
    return replace(
        known, tries=tries
    ), f"That is not the code. {left} {'try' if left == 1 else 'tries'} left."
