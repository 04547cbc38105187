"""This file writes the ledger as JSON lines and CSV, each line with the digest before it, so that a part can be checked alone."""

import csv
import io
from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Raw, Struct

from nightbell.core.errors import BadPayload
from nightbell.core.ledger import Broken, Head, Sealed, followed

COLUMNS = (
    "position", "at", "sealed_at", "step", "alert", "page", "notification", "person", "provider_id", "told",
    "previous", "digest", "entry",
)  # fmt: skip


class Line(Struct, frozen=True, kw_only=True):
    """One line of an export; `entry` is the canonical text itself."""

    position: int
    previous: str
    digest: str
    entry: Raw


def json_line(one: Sealed, previous: bytes) -> bytes:
    """Return an entry as a line of JSON."""
    line = Line(
        position=one.position,
        previous=previous.hex(),
        digest=one.digest.hex(),
        entry=Raw(one.entry.encode()),
    )
    return msgspec.json.encode(line) + b"\n"


def csv_line(one: Sealed, previous: bytes) -> bytes:
    """Return an entry as a line of CSV, its parts in columns and its text at the end."""
    said = msgspec.json.decode(one.entry)
    told = msgspec.json.encode(said["told"]).decode()
    known = {**said, "told": told, "previous": previous.hex(), "digest": one.digest.hex(), "entry": one.entry}
    return _row([_plain(known[name]) for name in COLUMNS])


def csv_header() -> bytes:
    """Return the first line of a CSV."""
    return _row(COLUMNS)


def _row(values: Iterable[object]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(values)
    return out.getvalue().encode()


def _plain(value: object) -> object:
    """Keep a spreadsheet from running what a provider called its message (a cell that begins with =)."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value


def checked(lines: Iterable[bytes]) -> Head | Broken:
    """Return the end of an exported chain that holds, or where it does not; it may begin anywhere.

    Raises: BadPayload for a line that is no line of an export.
    """
    head: Head | None = None
    for position, previous, text, digest in _read(lines):
        before = Head(position - 1, previous) if head is None else head
        step = followed(before, [(position, text, digest)])
        if isinstance(step, Broken):
            return step
        head = step
    return head or Head()


def _read(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes, str, bytes]]:
    rest = iter(lines)
    first = next(rest, b"")
    if first.startswith(b"position,"):
        texts = (line.decode() for line in rest)
        for number, row in enumerate(csv.DictReader(texts, fieldnames=COLUMNS), 2):
            try:
                previous, digest = bytes.fromhex(row["previous"]), bytes.fromhex(row["digest"])
                yield int(row["position"]), previous, row["entry"], digest
            except (TypeError, ValueError) as error:
                raise _unreadable(number, error) from error
        return
    for number, line in enumerate([first, *rest] if first else [], 1):
        try:
            one = msgspec.json.decode(line, type=Line)
            yield (
                one.position,
                bytes.fromhex(one.previous),
                bytes(one.entry).decode(),
                bytes.fromhex(one.digest),
            )
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
            raise _unreadable(number, error) from error


def _unreadable(number: int, error: Exception) -> BadPayload:
    return BadPayload(f"Line {number} is no line of a ledger: {error}", place=f"line {number}")
