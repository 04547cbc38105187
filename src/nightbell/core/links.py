"""Links in messages: signed, expiring, for one alert and one person. Whoever holds one needs no session.

Rule 1: a link can only do what its person may do to its alert, and only until it expires.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest, digest
from uuid import UUID

import msgspec
from msgspec import Struct

from nightbell.core.errors import Forbidden

#: Long enough for a weekend, short enough for an old mailbox.
LIFE = timedelta(days=3)
#: Bytes of the signature: 128 bits keep the link short enough for an SMS.
_MAC = 16


class Link(Struct, frozen=True, array_like=True):
    """What a link stands for. `as_of` is the number of rungs fired when it was sent, see events.Escalate."""

    alert_id: UUID
    user_id: int
    notification_id: UUID
    as_of: int
    expires: int


def sign(key: bytes, link: Link) -> str:
    """Return the token of a link, safe in a URL path."""
    body = msgspec.msgpack.encode(
        (link.alert_id.bytes, link.user_id, link.notification_id.bytes, link.as_of, link.expires)
    )
    return urlsafe_b64encode(body + _mac(key, body)).rstrip(b"=").decode()


def opened(key: bytes, token: str, now: datetime) -> Link:
    """Return what a token stands for.

    Raises: Forbidden when it is not ours, was changed, or is past its time.
    """
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        body, mac = raw[:-_MAC], raw[-_MAC:]
        if len(body) < _MAC or not compare_digest(mac, _mac(key, body)):
            raise ValueError("signature")
        alert, user, notification, as_of, expires = msgspec.msgpack.decode(body)
        link = Link(UUID(bytes=alert), user, UUID(bytes=notification), as_of, expires)
    except (ValueError, TypeError, msgspec.MsgspecError) as fault:
        raise Forbidden("This link is not valid.", hint="Open the alert from the newest message.") from fault
    if now.timestamp() >= link.expires:
        raise Forbidden("This link has expired.", hint="Log in to see the alert.")
    return link


def _mac(key: bytes, body: bytes) -> bytes:
    return digest(key, b"nightbell link\0" + body, sha256)[:_MAC]
