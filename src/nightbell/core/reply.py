"""Reads what people answer to a message, and makes the codes they answer with. Pure.

Understood: a verb and a code in either order ("ack 4F", "4F ack", "4F"), a key alone ("1"), "ack all". Anything else
is None: guessing at night is worse than asking.
"""

import re
from collections.abc import Set
from datetime import timedelta

from msgspec import Struct

#: How long a code means the same alert.
LIFE = timedelta(days=3)
#: Kinds of message that carry a code, because people answer them by text.
CODED = frozenset({"sms"})

# Codes are a digit and a letter, so that no code is a verb ("1") and none a word; letters that sound or look like
# others are left out.
_DIGITS = "23456789"
_LETTERS = "ACDFGHJKMNPQRTVWXY"
_CODE = re.compile(rf"[{_DIGITS}][{_LETTERS}][{_DIGITS}]?")

_VERBS = {
    "acknowledge": ("1", "a", "ack", "acknowledge", "acknowledged", "ok", "yes", "y", "taken", "mine"),
    "resolve": ("2", "r", "res", "resolve", "resolved", "close", "closed", "fixed"),
    "escalate": ("3", "e", "esc", "escalate"),
    "snooze": ("4", "s", "snooze", "later"),
    "help": ("help", "?", "info"),
}
_MEANING = {word: verb for verb, words in _VERBS.items() for word in words}
_ALL = frozenset({"all", "everything"})
_MOST_WORDS = 3


class Command(Struct, frozen=True, kw_only=True):
    """What an answer asks for. `verb` is acknowledge, resolve, escalate, snooze or help."""

    verb: str
    #: "" where none was given.
    code: str = ""
    #: Every alert that pages this person now.
    everything: bool = False


def parse(text: str) -> Command | None:
    """Return what an answer asks for; None when it is not clear."""
    words = re.findall(r"[\w?]+", text.casefold())
    if not 0 < len(words) <= _MOST_WORDS:
        return None
    codes = [w.upper() for w in words if _CODE.fullmatch(w.upper())]
    verbs = [_MEANING[w] for w in words if w in _MEANING]
    everything = any(w in _ALL for w in words)
    known = len(codes) + len(verbs) + sum(w in _ALL for w in words)
    if known != len(words) or len(codes) > 1 or len(verbs) > 1 or (codes and everything):
        return None
    if not verbs and everything:
        return None
    return Command(verb=verbs[0] if verbs else "acknowledge", code="".join(codes), everything=everything)


def code(ordinal: int) -> str:
    """Return the code of an ordinal number from 0; two characters for the first 144, three for 1,152 more."""
    digits, letters = len(_DIGITS), len(_LETTERS)
    short = digits * letters
    third = ""
    if ordinal >= short:
        # Beyond these codes come round again; nobody answers a thousand alerts by text.
        ordinal = (ordinal - short) % (short * digits)
        third = _DIGITS[ordinal // short]
        ordinal %= short
    # Neighbours differ in both characters: 2A, 3C, 4D… are harder to confuse than 2A, 2C, 2D.
    high, low = divmod(ordinal, digits)
    return f"{_DIGITS[low]}{_LETTERS[(high + low) % letters]}{third}"


def free_code(taken: Set[str]) -> str:
    """Return the first code that is not taken; where all are, the first of all comes round again."""
    total = len(_DIGITS) * len(_LETTERS) * (1 + len(_DIGITS))
    return next((c for n in range(total) if (c := code(n)) not in taken), code(0))
