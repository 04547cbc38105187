"""Keeps secrets at rest: AES-256-GCM under the installation's key, and the key that signs links.

The key comes from NIGHTBELL_SECRET_KEY; without it one is made and kept in the database, so that several nodes agree
(ADR 0011 says what each choice protects).
"""

import secrets
from base64 import b64decode, b64encode
from datetime import datetime
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from nightbell.core.errors import Invalid
from nightbell.store.db import Db

_NONCE = 12
#: Marks a sealed setting inside a JSON document.
SEALED = "sealed:"


class Vault:
    """Seals and opens secrets. Two uses of one key never share a subkey."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(sha256(b"nightbell vault\0" + key).digest())
        #: Signs links in messages (core/links.py).
        self.link_key = sha256(b"nightbell links\0" + key).digest()

    def seal(self, text: str) -> bytes:
        """Return the text encrypted; the same text never looks the same twice."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._cipher.encrypt(nonce, text.encode(), None)

    def open(self, sealed: bytes) -> str:
        """Return what was sealed.

        Raises: Invalid when it was sealed under another key.
        """
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], None).decode()
        except InvalidTag as fault:
            raise Invalid(
                "A stored secret was sealed under another key.",
                place="NIGHTBELL_SECRET_KEY",
                hint="Start with the key that was in use before, on every node.",
            ) from fault

    def seal_text(self, text: str) -> str:
        """Return the text encrypted, as text for a JSON document."""
        return SEALED + b64encode(self.seal(text)).decode()

    def open_text(self, value: str) -> str:
        """Return a setting in the clear; one that is not sealed comes back as it is."""
        return self.open(b64decode(value.removeprefix(SEALED))) if value.startswith(SEALED) else value


async def unlock(db: Db, given: str | None, now: datetime) -> Vault:
    """Return the vault of this installation; the key is made once, by whichever node is first."""
    if given:
        return Vault(given.encode())
    await db.execute("insert_instance_once", "secret_key", secrets.token_hex(32), now)
    return Vault(str(await db.value("instance_value", "secret_key")).encode())
