"""Alert numbers as six letters and digits, "E89PYM"-like: short to say at night, and no hint of how many there are."""

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_DIGIT = {letter: value for value, letter in enumerate(_ALPHABET)}
_LENGTH = 6
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_SPACE = 62**_LENGTH
# Coprime to 62 (odd, not a multiple of 31), so multiplication only shuffles the numbers: none is lost or doubled.
_STRIDE = 35_742_549_197
_BACK: int = pow(_STRIDE, -1, _SPACE)


def encode(number: int) -> str:
    """Return the short id of an alert number; distinct for the first 56 thousand million alerts."""
    value: int = number * _STRIDE % _SPACE
    high, rest = divmod(value, 62**4)
    middle, low = divmod(rest, 62**2)
    return _PAIRS[high] + _PAIRS[middle] + _PAIRS[low]


def decode(short: str) -> int | None:
    """Return the alert number behind a short id, or None when the text cannot be one."""
    if len(short) != _LENGTH or any(letter not in _DIGIT for letter in short):
        return None
    value: int = 0
    for letter in short:
        value = value * 62 + _DIGIT[letter]
    number: int = value * _BACK % _SPACE
    return number
