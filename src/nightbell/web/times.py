"""Decides how an instant reads: relative where it is fresh, absolute on hover, in the reader's zone and in UTC.

The words are those of frontend/islands/times.ts, which keeps them true while the page is open.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from markupsafe import Markup

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_WEEK_DAYS, _HALF_A_YEAR = 7, 180


def zone(name: str) -> ZoneInfo:
    """Return a time zone, UTC for a name this machine does not know."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def span(length: timedelta) -> str:
    """Return a length in one unit: 41 s, 2 min, 6 h, 3 d."""
    seconds = int(abs(length.total_seconds()))
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min"
    return f"{seconds // _HOUR} h" if seconds < 2 * _DAY else f"{seconds // _DAY} d"


def exact_span(length: timedelta) -> str:
    """Return a length in two units: 1 m 48 s, 2 h 05 m, 3 d 4 h."""
    seconds = int(abs(length.total_seconds()))
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} m {seconds % _MINUTE:02} s"
    if seconds < _DAY:
        return f"{seconds // _HOUR} h {seconds % _HOUR // _MINUTE:02} m"
    return f"{seconds // _DAY} d {seconds % _DAY // _HOUR} h"


def tiny_span(length: timedelta) -> str:
    """Return a delay as an engineer reads it: +0.004 s, +1.2 s, +2 m 05 s."""
    seconds = max(0.0, length.total_seconds())
    if seconds < 1:
        return f"+{seconds:.3f} s"
    return f"+{seconds:.1f} s" if seconds < _MINUTE else f"+{exact_span(length)}"


class Times:
    """Renders instants for one reader at one moment."""

    def __init__(self, now: datetime, time_zone: str) -> None:
        self.now = now
        self.zone = zone(time_zone)

    def full(self, at: datetime) -> str:
        """Return the absolute reading: theirs, then UTC where it differs."""
        local = at.astimezone(self.zone)
        text = f"{local:%a %d %b %Y %H:%M:%S} {local.tzname() or self.zone.key}"
        return text if local.utcoffset() == timedelta() else f"{text} · {at.astimezone(UTC):%H:%M:%S} UTC"

    def exact(self, at: datetime) -> str:
        """Return an instant to the second inside a sentence: 03:12:07 today, 22 Nov 03:12:07 on other days."""
        local = at.astimezone(self.zone)
        today = local.date() == self.now.astimezone(self.zone).date()
        return f"{local:%H:%M:%S}" if today else f"{local:%d %b %H:%M:%S}"

    def clock(self, at: datetime) -> Markup:
        """Return 03:12:07 today, 22 Nov 03:12 on other days."""
        local = at.astimezone(self.zone)
        today = local.date() == self.now.astimezone(self.zone).date()
        return self._tag(at, f"{local:%H:%M:%S}" if today else f"{local:%d %b %H:%M}")

    def ago(self, at: datetime) -> Markup:
        """Return 2 min ago, or in 2 min."""
        if at > self.now:
            return self._tag(at, f"in {span(at - self.now)}", rel="ago")
        past = self.now - at
        return self._tag(at, "just now" if past < timedelta(seconds=5) else f"{span(past)} ago", rel="ago")

    def age(self, at: datetime) -> Markup:
        """Return 2 min, without saying which way."""
        return self._tag(at, span(self.now - at), rel="age")

    def until(self, at: datetime) -> Markup:
        """Return in 2:41, for what happens soon."""
        left = max(0, int((at - self.now).total_seconds()))
        return self._tag(at, f"in {left // _MINUTE}:{left % _MINUTE:02}" if left else "now", rel="clock")

    def moment(self, at: datetime) -> Markup:
        """Return Wed 04:00 within a week, Wed 25 Nov 04:00 beyond."""
        local = at.astimezone(self.zone)
        days = (local.date() - self.now.astimezone(self.zone).date()).days
        if days == 0:
            return self._tag(at, f"today {local:%H:%M}")
        near = 0 < days < _WEEK_DAYS
        year = f" {local:%Y}" if abs(days) > _HALF_A_YEAR else ""
        return self._tag(
            at, f"{local:%a %H:%M}" if near else f"{local:%a} {local.day} {local:%b}{year} {local:%H:%M}"
        )

    def plain(self, at: datetime) -> str:
        """Return Wed 25 Nov 04:00, as text alone."""
        local = at.astimezone(self.zone)
        return f"{local:%a} {local.day} {local:%b} {local:%H:%M}"

    def day(self, at: datetime) -> str:
        """Return the local day, for headings."""
        return f"{at.astimezone(self.zone):%A %d %B}"

    def _tag(self, at: datetime, text: str, *, rel: str = "") -> Markup:
        kept = Markup(' data-rel="{}"').format(rel) if rel else ""
        iso = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return Markup('<time datetime="{}" title="{}"{}>{}</time>').format(iso, self.full(at), kept, text)
