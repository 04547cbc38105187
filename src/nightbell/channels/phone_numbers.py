"""Checks telephone numbers, for the channels that need one. Pure."""

import re

from nightbell.core.errors import Invalid

#: E.164: a plus, a country code that does not begin with 0, at most 15 digits; the shortest real ones have 7.
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def check_number(address: str, *, place: str = "address") -> None:
    """Raise Invalid for what is not a telephone number in the international form."""
    if not _E164.fullmatch(address):
        raise Invalid(
            "not a telephone number in the international form",
            place=place,
            hint="a plus, the country code and the number, without spaces: +15550100123",
        )
