"""What is told of one incident in writing: plain values, and each part of them as Markdown.

Rule 1: what machines and headings say is one line and means nothing to Markdown; what people wrote stays as they wrote it.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from msgspec import Struct

_MARKS = re.compile(r"[\\`*\[\]<|~]|(?<!\w)_|_(?!\w)|&(?=#?\w+;)")
_LEADING = re.compile(r"^([#>+=-]|\d+(?=[.)]))")
_NONE = "None."


class Moment(Struct, frozen=True, kw_only=True):
    """When an incident came to a status, and by whom; `at` is None where it never did."""

    name: str
    at: datetime | None
    by: str = ""


class Phase(Struct, frozen=True, kw_only=True):
    """How long an incident stood in a status; `open` while it still does."""

    name: str
    length: timedelta
    open: bool = False


class Entry(Struct, frozen=True, kw_only=True):
    """A line of the timeline; `written` when a person wrote it, so that its Markdown is theirs."""

    at: datetime
    text: str
    by: str = ""
    written: bool = False
    visibility: str = "internal"
    #: Attachments by link: (title, address).
    links: tuple[tuple[str, str], ...] = ()


class Item(Struct, frozen=True, kw_only=True):
    """Something to be done."""

    summary: str
    status: str
    kind: str = "task"
    priority: str = "medium"
    owner: str = ""
    due: str = ""


class Attached(Struct, frozen=True, kw_only=True):
    """An alert of the incident."""

    short_id: str
    summary: str
    status: str
    started_at: datetime
    ended_at: datetime | None
    url: str = ""


class Seat(Struct, frozen=True, kw_only=True):
    """A role and who has it."""

    role: str
    people: tuple[str, ...]


class Report(Struct, frozen=True, kw_only=True):
    """One incident, as it is told."""

    number: int
    title: str
    slug: str
    status: str
    url: str
    severity: str = ""
    kind: str = "normal"
    private: bool = False
    summary: str = ""
    mitigation: str = ""
    resolution: str = ""
    cancellation: str = ""
    services: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    labels: dict[str, str] = {}
    creator: str = ""
    moments: tuple[Moment, ...] = ()
    phases: tuple[Phase, ...] = ()
    #: From the first alert or the start to the first acknowledgement; to the resolution. None while unknown.
    to_acknowledge: timedelta | None = None
    to_resolve: timedelta | None = None
    seats: tuple[Seat, ...] = ()
    subscribers: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()
    items: tuple[Item, ...] = ()
    alerts: tuple[Attached, ...] = ()


def plain(text: str) -> str:
    """Return a value as one line that Markdown shows letter by letter."""
    line = _MARKS.sub(lambda mark: "\\" + mark[0], " ".join(text.split()))
    return _LEADING.sub(lambda mark: f"\\{mark[1]}" if not mark[1].isdigit() else mark[1] + "\u200b", line)


def moment(at: datetime | None, zone: tzinfo = UTC) -> str:
    """Return an instant to the second with its zone, "–" for none."""
    if at is None:
        return "–"
    local = at.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M:%S} {local.tzname() or 'UTC'}"


def length(span: timedelta | None) -> str:
    """Return a length in two units: 41 s, 12 min 30 s, 3 h 05 min, 2 d 4 h; "–" for none."""
    if span is None:
        return "–"
    seconds = max(0, int(span.total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if not minutes:
        return f"{seconds} s"
    if not hours:
        return f"{minutes} min {seconds % 60:02} s"
    return f"{hours} h {minutes % 60:02} min" if not days else f"{days} d {hours % 24} h"


def names(texts: Sequence[str]) -> str:
    """Return names in a row, "none" where there are none."""
    return ", ".join(plain(text) for text in texts) or "none"


def timeline(report: Report, zone: tzinfo = UTC) -> str:
    """Return the timeline as a list, oldest first."""
    return "\n".join(_entry(entry, zone) for entry in report.entries) or _NONE


def _entry(entry: Entry, zone: tzinfo) -> str:
    said = entry.text.strip() if entry.written else plain(entry.text)
    by = f" ({plain(entry.by)})" if entry.by else ""
    links = "".join(f"\n[{plain(title or address)}](<{_address(address)}>)" for title, address in entry.links)
    # Continued lines stand under their list item, whatever they hold.
    return f"- **{moment(entry.at, zone)}**{by} {said}{links}".replace("\n", "\n  ")


def _address(address: str) -> str:
    return re.sub(r"[<>\s\\]", "", address)


def items(report: Report) -> str:
    """Return the action items as a task list."""
    return "\n".join(_item(item) for item in report.items) or _NONE


def _item(item: Item) -> str:
    box = "x" if item.status == "done" else " "
    facts = [
        item.owner and f"owner: {plain(item.owner)}",
        item.due and f"due {plain(item.due)}",
        f"{plain(item.priority)} priority",
        item.status.replace("_", " ") if item.status not in ("open", "done") else "",
    ]
    return f"- [{box}] {plain(item.summary)} ({', '.join(fact for fact in facts if fact)})"


def durations(report: Report) -> str:
    """Return how long each phase took, as a table, and the two figures everybody asks for."""
    rows = [(phase.name, length(phase.length) + (" so far" if phase.open else "")) for phase in report.phases]
    rows += [("Time to acknowledge", length(report.to_acknowledge))]
    rows += [("Time to resolve", length(report.to_resolve))]
    return _table(("Phase", "Duration"), rows)


def people(report: Report) -> str:
    """Return who had which role."""
    return "\n".join(f"- **{plain(seat.role)}**: {names(seat.people)}" for seat in report.seats) or _NONE


def alerts(report: Report, zone: tzinfo = UTC) -> str:
    """Return the attached alerts as a list."""
    return "\n".join(_alert(one, zone) for one in report.alerts) or _NONE


def _alert(one: Attached, zone: tzinfo) -> str:
    title = f"[{plain(one.short_id)}](<{_address(one.url)}>)" if one.url else plain(one.short_id)
    over = f", ended {moment(one.ended_at, zone)}" if one.ended_at else ""
    return f"- {title} {plain(one.summary)} ({plain(one.status)}, since {moment(one.started_at, zone)}{over})"


def moments(report: Report, zone: tzinfo = UTC) -> str:
    """Return when the incident came to each status, as a table."""
    rows = [
        (one.name.replace("_", " ").capitalize(), moment(one.at, zone), one.by)
        for one in sorted(report.moments, key=lambda one: one.at or datetime.max.replace(tzinfo=UTC))
        if one.at
    ]
    return _table(("Moment", "At", "By"), rows) if rows else _NONE


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *([plain(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
