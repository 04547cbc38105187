"""This file seals the secrets among a contact method's settings; `Vault.open_text` opens each for the one who sends."""

from collections.abc import Mapping

from nightbell.engine.vault import SEALED, Vault

#: Settings that open something; the rest is shown to whoever may see the contact method.
SECRET = frozenset({"secret", "token", "password", "key", "api_key", "signing_secret", "authorization"})
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
