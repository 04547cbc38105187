"""Reads what Discord tells an application: that it checks us, and which button somebody pressed. Pure."""

import re
from base64 import urlsafe_b64decode
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Struct

from nightbell.channels.discord import ACTS
from nightbell.core.chat import Press

_PRESSED = re.compile(r"([aesr]):([\w-]{22})", re.ASCII)


def genuine(public_key: str, signature: str, stamp: str, body: bytes) -> bool:
    """Return whether a request to us was signed by Discord."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(bytes.fromhex(signature), stamp.encode() + body)
    except (ValueError, InvalidSignature):
        return False
    return True


class _User(Struct, frozen=True):
    id: str = ""


class _Member(Struct, frozen=True):
    user: _User = _User()


class _Data(Struct, frozen=True):
    custom_id: str = ""


class Interaction(Struct, frozen=True):
    """What Discord tells us: a ping (1), or a button that somebody pressed (3)."""

    id: str
    type: int
    data: _Data | None = None
    member: _Member | None = None
    user: _User | None = None


def press(one: Interaction) -> Press | None:
    """Return the button that was pressed; None for what is none of ours."""
    found = _PRESSED.fullmatch(one.data.custom_id) if one.data else None
    who = one.member.user if one.member else one.user
    if found is None or who is None or not who.id.isdecimal():
        return None
    try:
        ident = UUID(bytes=urlsafe_b64decode(found[2] + "=="))
    except ValueError:
        return None
    return Press(reference=one.id, by=f"user:{who.id}", action=ACTS[found[1]], notification_id=ident)
