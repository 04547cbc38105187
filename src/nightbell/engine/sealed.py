"""This file seals the secrets of a contact method: some of its settings, and an address that is itself a key.

`Vault.open_text` opens each for the one who sends; readers see a mask.
"""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from nightbell.engine.vault import SEALED, Vault

#: Settings that open something; the rest is shown to whoever may see the contact method.
SECRET = frozenset(
    {"secret", "token", "password", "key", "api_key", "signing_secret", "authorization", "auth"}
)
#: Kinds whose addresses, where they are URLs, let anybody write who has them.
SECRET_ADDRESSES = frozenset({"discord", "mattermost", "teams", "apprise", "push"})
#: What a part of any other URL is called that opens something.
_KEYS = SECRET | {"sig", "signature", "access_token", "auth_token", "apikey", "api-key"}
#: What a reader sees in their place, and may send back to mean "unchanged".
MASK = "••••••••"


def seal_settings(vault: Vault, settings: Mapping[str, str], before: Mapping[str, str]) -> dict[str, str]:
    """Return settings as they are stored; a masked secret keeps the one that was there before."""
    return {
        name: before.get(name, "")
        if value == MASK
        else vault.seal_text(value)
        if name in SECRET and value
        else value
        for name, value in settings.items()
    }


def open_settings(vault: Vault, stored: Mapping[str, str]) -> dict[str, str]:
    """Return settings in clear, for the channel that sends or checks."""
    return {name: vault.open_text(value) for name, value in stored.items()}


def masked_settings(stored: Mapping[str, str]) -> dict[str, str]:
    """Return settings for a reader, secrets masked."""
    return {name: MASK if value.startswith(SEALED) else value for name, value in stored.items()}


def seal_address(vault: Vault, kind: str, address: str) -> str:
    """Return an address as it is stored: a URL that is a key or holds one is sealed, a number or a name is not."""
    secret = "://" in address and (kind in SECRET_ADDRESSES or _holds_key(address))
    return vault.seal_text(address) if secret else address


def _holds_key(url: str) -> bool:
    """Return whether a URL has a password in it, or a key in its query."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    names = {name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    return bool(parts.password) or not names.isdisjoint(_KEYS)


def shown_address(stored: str) -> str:
    """Return an address for a reader who may not have the key."""
    return MASK if stored.startswith(SEALED) else stored
