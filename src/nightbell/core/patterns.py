"""Regular expressions that people write, read by RE2: Prometheus and Alertmanager read theirs with it, so a matcher
means here what it means there, and its time grows with the text and with nothing else.

Rule 1: what a sender puts into a payload can make no pattern slow. That costs look-arounds and back-references.
"""

from functools import lru_cache

import re2

from nightbell.core.errors import Invalid

#: What RE2 may use for a pattern; `(a{100}){100}` is too large. Units: bytes.
_MEMORY = 1 << 20
#: An answer for a short text is kept: labels repeat, and to ask RE2 costs ten times as much.
_SHORT = 200
_NO = "Not a regular expression: "
_HINT = (
    "Patterns are RE2's, as in Prometheus: no (?=…), (?<!…) or \\1. https://github.com/google/re2/wiki/Syntax"
)


class Pattern:
    """A regular expression that was read; make one with `pattern`."""

    __slots__ = ("_read",)

    def __init__(self, text: str, *, dot_takes_lines: bool) -> None:
        options = re2.Options()
        options.dot_nl = dot_takes_lines
        options.log_errors = False
        options.max_mem = _MEMORY
        self._read = re2.compile(text, options)

    def within(self, text: str) -> bool:
        """Whether it matches somewhere in a text."""
        return self._read.search(_bytes(text)) is not None

    def whole(self, text: str) -> bool:
        """Whether it matches a text from its start to its end."""
        return self._read.fullmatch(_bytes(text)) is not None

    def part(self, text: str) -> str:
        """Return what its first group matched, or all of it where it has none; "" where nothing matches."""
        found = self._read.search(_bytes(text))
        matched: bytes | None = found.group(1 if self._read.groups else 0) if found else None
        return matched.decode(errors="replace") if matched else ""


@lru_cache(maxsize=4096)
def pattern(text: str, *, dot_takes_lines: bool = False) -> Pattern:
    """Read a regular expression.

    Raises: Invalid, saying what is wrong with it.
    """
    try:
        return Pattern(text, dot_takes_lines=dot_takes_lines)
    except re2.error as error:
        why = error.args[0].decode(errors="replace") if error.args else "it cannot be read"
        raise Invalid(_NO + why, hint=_HINT) from None
    except UnicodeEncodeError:
        raise Invalid(f"{_NO}half of a character", hint=_HINT) from None


def problem(text: str) -> str:
    """Return what is wrong with a regular expression, "" when nothing is."""
    why = fault(text)
    return _NO + why if why else ""


def fault(text: str) -> str:
    """Return RE2's own words for what is wrong with a regular expression, "" when nothing is."""
    try:
        pattern(text)
    except Invalid as error:
        return error.message.removeprefix(_NO)
    return ""


def within(wanted: str, text: str) -> bool:
    """Whether a pattern matches somewhere in a text.

    Raises: Invalid.
    """
    return _within(wanted, text) if len(text) <= _SHORT else pattern(wanted).within(text)


def anchored(wanted: str, text: str) -> bool:
    """Whether a pattern matches all of a text, a dot any character: how Prometheus compares a label.

    Raises: Invalid.
    """
    return _anchored(wanted, text) if len(text) <= _SHORT else _whole(wanted, text)


def _whole(wanted: str, text: str) -> bool:
    return pattern(wanted, dot_takes_lines=True).whole(text)


@lru_cache(maxsize=16_384)
def _within(wanted: str, text: str) -> bool:
    return pattern(wanted).within(text)


_anchored = lru_cache(maxsize=16_384)(_whole)


def _bytes(text: str) -> bytes:
    # Half a surrogate pair comes through JSON, and RE2 reads UTF-8.
    return text.encode(errors="replace")
