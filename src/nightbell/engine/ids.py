"""This file mints identifiers: UUIDv7, whose time is the `now` it is given, never the wall clock's."""

import secrets
from collections.abc import Callable
from datetime import datetime
from itertools import count
from random import getrandbits
from uuid import UUID

_VERSION = 0x7 << 76
_VARIANT = 0x2 << 62
_12_BITS = 0xFFF
_62_BITS = (1 << 62) - 1


def new_id(now: datetime) -> UUID:
    """Return a UUIDv7 of this instant; within a millisecond the order is random.

    Source: RFC 9562 section 5.7.
    """
    return UUID(int=_floor(now) | _VERSION | _VARIANT | _scattered(secrets.randbits(74)))


def _floor(now: datetime) -> int:
    return (int(now.timestamp() * 1000) & 0xFFFF_FFFF_FFFF) << 80


def _scattered(bits: int) -> int:
    return ((bits >> 62 & _12_BITS) << 64) | (bits & _62_BITS)


_32_BITS = 0xFFFF_FFFF
_counted = count(secrets.randbits(20))


def minter(now: datetime) -> Callable[[], UUID]:
    """Return a function that mints UUIDv7s of this instant, each greater than the one before it in this process.

    The 32 bits after the time are a counter, so that a journal sorts by id; the rest is random (RFC 9562 6.2).
    """
    floor = _floor(now) | _VERSION | _VARIANT

    def mint() -> UUID:
        order = next(_counted) & _32_BITS
        return UUID(int=floor | order >> 20 << 64 | (order & 0xF_FFFF) << 42 | getrandbits(42))

    return mint
