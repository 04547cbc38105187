"""This file mints identifiers: UUIDv7, whose time is the `now` it is given, never the wall clock's."""

import secrets
from collections.abc import Callable
from datetime import datetime
from itertools import count
from random import getrandbits
from uuid import UUID

# A uuid.UUID like any other, but made and written in C: an eighth of the time, and an alert takes three.
from asyncpg.pgproto.pgproto import UUID as QuickUUID

_VERSION = 0x7 << 76
_VARIANT = 0x2 << 62


def new_id(now: datetime) -> UUID:
    """Return one UUIDv7 of this instant."""
    return minter(now)()


def floor_id(at: datetime) -> UUID:
    """Return the smallest UUIDv7 of an instant, so that a range of ids is a range of time."""
    return UUID(int=_floor(at))


def _floor(now: datetime) -> int:
    return (int(now.timestamp() * 1000) & 0xFFFF_FFFF_FFFF) << 80


_32_BITS = 0xFFFF_FFFF
_counted = count(secrets.randbits(20))


def minter(now: datetime) -> Callable[[], UUID]:
    """Return a function that mints UUIDv7s of this instant, each greater than the one before it in this process.

    The 32 bits after the time are a counter, so that a journal sorts by id; the rest is random (RFC 9562 6.2).
    """
    floor = _floor(now) | _VERSION | _VARIANT

    def mint() -> UUID:
        order = next(_counted) & _32_BITS
        bits: int = floor | order >> 20 << 64 | (order & 0xF_FFFF) << 42 | getrandbits(42)
        return QuickUUID(bits.to_bytes(16, "big"))  # type: ignore[no-any-return]  # asyncpg is untyped

    return mint
