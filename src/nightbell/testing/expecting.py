"""What a line of a case expects of the pages since the last line that expected anything.

Rule 1: a page that nobody listed is wrong too, but where a line only bounds or samples: at_least, at_most, expect_some.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from nightbell.testing.world import Heard

_WANTED = re.compile(
    r"(?P<who>[^:\s]+):(?P<channel>\w+)(?: about (?P<service>\w+))?(?: (?:containing |saying )?'(?P<text>[^']*)')?"
)
#: Keys that look at pages; a line with none of them leaves what came for the next that has one.
LOOKS = frozenset({"expect", "expect_none", "expect_not", "expect_some"})
BOUNDS = frozenset({"exactly", "at_least", "at_most"})
_ONLY_SOME = frozenset({"at_least", "at_most", "expect_some"})


class Wanted(Struct, frozen=True):
    """A page that is expected: "ana:sms", "ana:sms about s1", "ana:sms containing '4 unacked'"."""

    who: str
    channel: str
    service: str | None
    text: str | None

    def fits(self, heard: Heard) -> bool:
        """Return whether a page is this one."""
        return (
            (heard.who.lower(), heard.channel) == (self.who.lower(), self.channel)
            and self.service in (None, heard.labels.get("service"))
            and (self.text or "") in heard.text
        )


def wanted(text: str) -> Wanted:
    """Return what a line means.

    Raises: ValueError when it means nothing.
    """
    found = _WANTED.fullmatch(text)
    if not found:
        raise ValueError(f"expectation not understood: {text!r}")
    return Wanted(**found.groupdict())


def wrong(line: dict[str, Any], heard: Sequence[Heard]) -> Iterator[str]:
    """Yield what is wrong with the pages since the last line that looked."""
    if line.get("expect_none") and heard:
        yield f"expected nothing, heard {_shown(heard)}"
        return
    bounded = BOUNDS & line.keys()
    expected = [*map(wanted, line.get("expect", []))]
    yield from _missing(line, heard, expected, bounded=bool(bounded))
    for text in line.get("expect_not", []):
        if any(wanted(text).fits(one) for one in heard):
            yield f"{text} was not to be heard"
    if "expect" in line and not _ONLY_SOME & line.keys():
        over = _unlisted(heard, expected, bounded=bool(bounded))
        if over:
            yield f"nobody expected {_shown(over)}"


def _missing(
    line: dict[str, Any], heard: Sequence[Heard], expected: list[Wanted], *, bounded: bool
) -> Iterator[str]:
    for text in line.get("expect_some", []):
        if not any(wanted(text).fits(one) for one in heard):
            yield f"expected {text} at least once, heard {_shown(heard)}"
    if bounded:
        many = sum(any(one.fits(h) for one in expected) for h in heard)
        lowest = line.get("exactly", line.get("at_least", 0))
        highest = line.get("exactly", line.get("at_most", many))
        if not lowest <= many <= highest:
            bounds = f"{lowest}" if lowest == highest else f"{lowest} to {highest}"
            yield f"expected {', '.join(line['expect'])} {bounds} times, heard {_shown(heard)}"
        return
    left = list(heard)
    for text, one in zip(line.get("expect", []), expected, strict=True):
        match = next((h for h in left if one.fits(h)), None)
        if match is None:
            yield f"expected {text}, heard {_shown(heard)}"
        else:
            left.remove(match)


def _unlisted(heard: Sequence[Heard], expected: list[Wanted], *, bounded: bool) -> list[Heard]:
    """Return the pages that no expectation accounts for, each of which takes one unless it is bounded."""
    free, over = list(expected), []
    for one in heard:
        match = next((w for w in free if w.fits(one)), None)
        if match is None:
            over.append(one)
        elif not bounded:
            free.remove(match)
    return over


def _shown(heard: Sequence[Heard]) -> str:
    counts = {str(one): sum(str(h) == str(one) for h in heard) for one in heard}
    return ", ".join(f"{many} x {one}" if many > 1 else one for one, many in counts.items()) or "nothing"
