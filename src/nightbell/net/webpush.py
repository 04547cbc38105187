"""Encrypts a message for one browser and proves who sends it: Web Push on the wire, nothing of it over HTTP here.

Rule 1: the push service sees the length of a message and never its words; only the subscribed browser can read it.
Source: RFC 8291 (encryption), RFC 8188 (its encoding), RFC 8292 (VAPID).
"""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec import Struct
from yarl import URL

#: Every push service takes this much, and no more need be taken. Units: bytes of text.
LONGEST = 3993
#: A token may be for a day at most; a short one is stale soon when it leaks.
_LIFE = timedelta(hours=12)
_SALT, _AUTH, _POINT = 16, 16, 65
_RECORD = 4096
_CURVE = ec.SECP256R1()


class Subscription(Struct, frozen=True, kw_only=True):
    """Where one browser listens, and the keys it reads with."""

    endpoint: str
    p256dh: str
    auth: str


def decoded(text: str) -> bytes:
    """Return what base64url stands for, padded or not.

    Raises: ValueError.
    """
    return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))


def encoded(data: bytes) -> str:
    """Return base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def new_key() -> str:
    """Return a new private key of a sender, as text."""
    return encoded(ec.generate_private_key(_CURVE).private_numbers().private_value.to_bytes(32, "big"))


def public_key(private: str) -> str:
    """Return what a browser is told, so that nobody else can send to it."""
    return encoded(_point(_private(private).public_key()))


def keys_of(subscription: Subscription) -> tuple[bytes, bytes]:
    """Return the browser's public point and its secret.

    Raises: ValueError for what no browser gives.
    """
    point, secret = decoded(subscription.p256dh), decoded(subscription.auth)
    ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, point)
    if len(secret) != _AUTH or len(point) != _POINT:
        raise ValueError("the keys of the subscription have the wrong length")
    return point, secret


def encrypt(text: bytes, to: Subscription, *, salt: bytes | None = None, private: str | None = None) -> bytes:
    """Return the body of a push message; `salt` and `private` are random unless a test says otherwise.

    Raises: ValueError for keys that are none or a text over LONGEST.
    """
    if len(text) > LONGEST:
        raise ValueError("the text is too long for one push message")
    theirs, secret = keys_of(to)
    salt = salt or secrets.token_bytes(_SALT)
    own = _private(private or new_key())
    ours = _point(own.public_key())
    shared = own.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, theirs))
    seed = _derived(shared, secret, b"WebPush: info\0" + theirs + ours, 32)
    key = _derived(seed, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derived(seed, salt, b"Content-Encoding: nonce\0", 12)
    header = salt + _RECORD.to_bytes(4, "big") + bytes([_POINT]) + ours
    # 2 ends the last record of a message.
    return header + AESGCM(key).encrypt(nonce, text + b"\x02", None)


def authorization(private: str, endpoint: str, *, contact: str, now: datetime) -> str:
    """Return the header that proves the sender; `contact` is a mailto: or https: address of whoever runs this."""
    claims = {"aud": str(URL(endpoint).origin()), "exp": int((now + _LIFE).timestamp()), "sub": contact}
    parts = [{"typ": "JWT", "alg": "ES256"}, claims]
    signed = ".".join(encoded(msgspec.json.encode(part)) for part in parts)
    r, s = decode_dss_signature(_private(private).sign(signed.encode(), ec.ECDSA(SHA256())))
    token = f"{signed}.{encoded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"
    return f"vapid t={token}, k={public_key(private)}"


def _private(text: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(decoded(text), "big"), _CURVE)


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _derived(key: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(key)
