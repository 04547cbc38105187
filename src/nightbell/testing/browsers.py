"""A browser that subscribed to push messages, and the opening of what it was sent, written from the other end.

Rule 1: nothing here calls net/webpush.py but for letters and digits, or a mistake there would agree with itself.
"""

import secrets

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from nightbell.net.webpush import encoded

_SALT, _SIZE = 16, 4


class Browser:
    """One browser with keys of its own."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._secret = secrets.token_bytes(16)

    @property
    def point(self) -> bytes:
        """Its public key, as a point that is not compressed."""
        return self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    @property
    def settings(self) -> dict[str, str]:
        """What it tells the program when it subscribes, beside the endpoint."""
        return {"p256dh": encoded(self.point), "auth": encoded(self._secret)}

    def opened(self, body: bytes) -> bytes:
        """Return the text of a push message.

        Raises: InvalidTag when it was not encrypted for this browser, AssertionError when it is no such message.
        """
        salt, rest = body[:_SALT], body[_SALT + _SIZE :]
        if int.from_bytes(body[_SALT : _SALT + _SIZE], "big") != 4096 or len(body) > 4096:
            raise AssertionError("not one record of 4,096 bytes")
        theirs, sealed = rest[1 : 1 + rest[0]], rest[1 + rest[0] :]
        sender = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs)
        shared = self._key.exchange(ec.ECDH(), sender)
        seed = _derived(shared, self._secret, b"WebPush: info\0" + self.point + theirs, 32)
        key = _derived(seed, salt, b"Content-Encoding: aes128gcm\0", 16)
        nonce = _derived(seed, salt, b"Content-Encoding: nonce\0", 12)
        plain = AESGCM(key).decrypt(nonce, sealed, None)
        if plain[-1:] != b"\x02":
            raise AssertionError("the last record must end with 2")
        return plain[:-1]


def _derived(key: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(key)
