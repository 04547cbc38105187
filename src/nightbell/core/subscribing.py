"""Links of people who are nobody here: to say that they want to be told of something, and to end it.

Rule 1: a link stands for one row and nothing else, and whoever only opens it changes nothing.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from hmac import compare_digest, digest
from uuid import UUID

from nightbell.core.errors import Forbidden

_MAC = 16


def sign(key: bytes, subscriber_id: UUID) -> str:
    """Return the token of a subscriber, safe in a URL path. It never expires: ending must always work."""
    return urlsafe_b64encode(subscriber_id.bytes + _mac(key, subscriber_id.bytes)).rstrip(b"=").decode()


def opened(key: bytes, token: str) -> UUID:
    """Return whose token it is.

    Raises: Forbidden when it is not ours.
    """
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        raw = b""
    body, mac = raw[:16], raw[16:]
    if len(body) != _MAC or not compare_digest(mac, _mac(key, body)):
        raise Forbidden("This link is not valid.", hint="Use the one from the newest message.")
    return UUID(bytes=body)


def _mac(key: bytes, body: bytes) -> bytes:
    return digest(key, b"nightbell subscriber\0" + body, sha256)[:_MAC]
