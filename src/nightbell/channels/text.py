"""Makes the text of an alert fit for a line, a body or a byte limit. Shared by the channels, pure.

Alert text is hostile until it went through here: it may hold line breaks, escape sequences and direction overrides.
"""

import re
from datetime import UTC, datetime

from nightbell.core.delivery import Message, Purpose

CUT = "…"

_LINE_BREAKS = {0x2028: "\n", 0x2029: "\n", 0x85: "\n"}
_CONTROLS = {code: None for code in (*range(0x20), *range(0x7F, 0xA0)) if code not in (0x09, 0x0A, 0x85)}
# Marks, embeddings, overrides and isolates: real right-to-left text needs none of them.
_DIRECTIONS = {
    code: None for code in (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
#: What Markdown reads anywhere, and what it reads at the start of a line.
_MARK = re.compile(r"[\\`*_~|\[\]<>]")
_LINE_MARK = re.compile(r"^([ \t]*(?:\d{1,9}(?=[.)](?:\s|$)))?)([#+.)-])", re.MULTILINE)
_MENTION = re.compile(r"@(?=\w)")
_HARMLESS = {**_CONTROLS, **_DIRECTIONS, **_LINE_BREAKS}


def clean(text: str) -> str:
    """Return the text without control characters and direction overrides; line breaks become `\\n`, tabs stay."""
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_HARMLESS)


def clipped(text: str, *, most: int) -> str:
    """Return the text cut to at most `most` UTF-8 bytes, with a mark where it was cut. `most` must hold the mark."""
    if len(text) <= most and len(encoded := text.encode("utf-8", "replace")) <= most:
        return encoded.decode("utf-8")
    room = most - len(CUT.encode())
    return text[:most].encode("utf-8", "replace")[:room].decode("utf-8", "ignore") + CUT


def one_line(text: str, *, most: int) -> str:
    """Return the text as one clean line of at most `most` UTF-8 bytes, fit for a header."""
    # Cut first: an annotation may be a megabyte, and only its start is wanted.
    line = " ".join(clean(text[: 2 * most]).split())
    # Python before 3.11.10 decodes an encoded word (RFC 2047) in a header it is given and writes the line breaks
    # hidden in it out as they are (CVE-2024-6923); ntfy decodes them in titles.
    return clipped(line.replace("=?", "= ?"), most=most)


def lines(text: str, *, most: int) -> str:
    """Return the text clean, with its line breaks, in at most `most` UTF-8 bytes."""
    return clipped(clean(text[: 2 * most]), most=most)


def unmentioned(text: str) -> str:
    """Return the text with every @ parted from the word behind it, so that it calls nobody (@everyone, @here)."""
    return _MENTION.sub("@\u2060", text)


def markdown(text: str) -> str:
    """Return the text such that Markdown shows it as it is: no emphasis, links, lists, headings or mentions."""
    return unmentioned(_LINE_MARK.sub(r"\1\\\2", _MARK.sub(r"\\\g<0>", text)))


def moment(at: datetime | None) -> str:
    """Return an instant for people, to the second in UTC; "" for None."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if at else ""


def facts(message: Message) -> list[tuple[str, str]]:
    """Return what a person wants to know first, as (name, value) pairs, empty ones left out."""
    pairs = [
        ("Status", one_line(message.status, most=80)),
        ("Urgency", one_line(message.urgency, most=80)),
        ("Started", moment(message.started_at)),
        ("Level", str(message.level) if message.level is not None else ""),
        ("Alert", one_line(message.short_id, most=80)),
    ]
    return [(name, value) for name, value in pairs if value]


def links(message: Message) -> list[tuple[str, str]]:
    """Return the (label, URL) pairs this message offers, the most urgent first."""
    pairs = [
        ("Acknowledge", message.acknowledge_url),
        ("Escalate", message.escalate_url),
        ("Snooze", message.snooze_url),
        ("Open alert", message.alert_url),
    ]
    return [(label, url) for label, url in pairs if url]


def subject(message: Message) -> str:
    """Return a one-line heading that says what it is even on a locked screen."""
    word = "test" if message.purpose is Purpose.TEST else message.status
    heading = f"[{one_line(word, most=40).upper()}] " if word else ""
    mark = f" ({one_line(message.short_id, most=40)})" if message.short_id else ""
    return f"{heading}{one_line(message.title, most=200)}{mark}"
