"""The filters for instants. An instant is text in RFC 3339; `"now"` is when the template is rendered, never the clock."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from liquid import RenderContext
from liquid.exceptions import FilterArgumentError
from liquid.filter import liquid_filter, with_context

from nightbell.core.zones import RAILS
from nightbell.engine.liquid.words import written

_LONGEST = 100
_FORMATS = ("%Y-%m-%d %H:%M:%S %z", "%B %d, %Y", "%b %d, %Y", "%d %B %Y", "%d %b %Y", "%Y/%m/%d")
_SECONDS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_SPAN = re.compile(r"(?:in )?(\d{1,6}) ([a-z]+?)s?( ago| from now)?")
_DAYS = {"today": 0, "tomorrow": 1, "yesterday": -1}


@with_context
@liquid_filter
def date(value: Any, form: Any = "%Y-%m-%d", *, context: RenderContext) -> str:
    """Return an instant in a format of strftime; what is no instant stays as it is."""
    at = moment(value, _now(context))
    return written(value) if at is None else formatted(at, written(form))


@with_context
@liquid_filter
def smart_date(value: Any, form: Any = None, *, context: RenderContext) -> str:
    """Return the instant that words mean: "tomorrow", "in 2 hours", "3 days ago"."""
    at = meant(written(value), _now(context))
    if at is None:
        return written(value)
    return formatted(at, written(form)) if form else iso(at)


@with_context
@liquid_filter
def date_add(value: Any, count: Any, unit: Any = "seconds", *, context: RenderContext) -> str:
    """Return an instant later by so many seconds, minutes, hours, days, weeks, months or years."""
    return _moved(value, count, unit, context, sign=1)


@with_context
@liquid_filter
def date_minus(value: Any, count: Any, unit: Any = "seconds", *, context: RenderContext) -> str:
    """Return an instant earlier by so many seconds, minutes, hours, days, weeks, months or years."""
    return _moved(value, count, unit, context, sign=-1)


@with_context
@liquid_filter
def in_time_zone(value: Any, name: Any, *, context: RenderContext) -> str:
    """Return an instant as it is on the clocks of a zone: "Europe/Berlin"."""
    at = moment(value, _now(context))
    return written(value) if at is None else iso(at.astimezone(_zone(written(name))))


@with_context
@liquid_filter
def to_utc(value: Any, *, context: RenderContext) -> str:
    """Return an instant in UTC."""
    at = moment(value, _now(context))
    return written(value) if at is None else iso(at.astimezone(UTC))


@with_context
@liquid_filter
def to_iso8601(value: Any, *, context: RenderContext) -> str:
    """Return an instant in ISO 8601."""
    at = moment(value, _now(context))
    return written(value) if at is None else iso(at)


@with_context
@liquid_filter
def distance_of_time_in_words(value: Any, other: Any = None, *, context: RenderContext) -> str:
    """Return how far two instants are apart, or how long so many seconds are: "about 2 hours"."""
    if other is None and isinstance(value, (int, float)):
        return in_words(timedelta(seconds=min(abs(value), 1e11)))
    first, second = moment(value, _now(context)), moment(other or "now", _now(context))
    return "" if first is None or second is None else in_words(abs(second - first))


@with_context
@liquid_filter
def distance_of_time_in_words_to_now(value: Any, *, context: RenderContext) -> str:
    """Return how far an instant is from now: "5 minutes"."""
    at = moment(value, _now(context))
    return "" if at is None else in_words(abs(_now(context) - at))


def moment(value: Any, now: datetime) -> datetime | None:
    """Return the instant a value names, in UTC where it has no zone; None when it names none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return _since_1970(value)
    text = written(value).strip()
    if not text or len(text) > _LONGEST:
        return None
    if text in ("now", "today"):
        return now
    if text.isdecimal():
        return _since_1970(int(text))
    found = _read(text)
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)


def _since_1970(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _read(text: str) -> datetime | None:
    for reading in (datetime.fromisoformat, parsedate_to_datetime, *_READINGS):
        try:
            return reading(text)
        except (ValueError, TypeError, IndexError):
            continue
    return None


def _reading(form: str) -> Callable[[str], datetime]:
    def reading(text: str) -> datetime:
        found = datetime.strptime(text, form)  # noqa: DTZ007  a format without a zone is in UTC
        return found if found.tzinfo else found.replace(tzinfo=UTC)

    return reading


_READINGS = tuple(_reading(form) for form in _FORMATS)


def meant(text: str, now: datetime) -> datetime | None:
    """Return the instant that words mean, None when they mean none."""
    words = text.strip().lower()
    if words in _DAYS:
        return now + timedelta(days=_DAYS[words])
    span = _SPAN.fullmatch(words)
    if span and (span[2] in _SECONDS or span[2] in _MONTHS):
        count = int(span[1])
        return later(now, -count if span[3] == " ago" else count, span[2])
    return moment(text, now)


def later(at: datetime, count: float, unit: str) -> datetime:
    """Return an instant moved; months keep the day where there is one. Raises: FilterArgumentError."""
    one = unit.strip().lower().removesuffix("s")
    try:
        if one in _SECONDS:
            return at + timedelta(seconds=count * _SECONDS[one])
        if one in _MONTHS:
            return _by_months(at, int(count) * _MONTHS[one])
    except (OverflowError, ValueError) as error:
        raise FilterArgumentError("the instant is out of range", token=None) from error
    known = ", ".join((*_SECONDS, *_MONTHS))
    raise FilterArgumentError(f"'{unit}' is no unit of time: one of {known}", token=None)


def _by_months(at: datetime, months: int) -> datetime:
    year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    for day in (at.day, 30, 29, 28):
        try:
            return at.replace(year=year, month=month + 1, day=min(day, at.day))
        except ValueError:
            if day == 28:
                raise
    return at


def _moved(value: Any, count: Any, unit: Any, context: RenderContext, *, sign: int) -> str:
    at = moment(value, _now(context))
    if at is None:
        return written(value)
    try:
        return iso(later(at, sign * float(count), written(unit)))
    except (ValueError, TypeError) as error:
        raise FilterArgumentError(f"'{written(count)}' is not a number", token=None) from error


def iso(at: datetime) -> str:
    """Return an instant in RFC 3339, to the second."""
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


#: glibc would write as wide as it is told, and `%s` in the zone of the machine.
_WIDE = re.compile(r"%([-_0^#]?)\d+")


def formatted(at: datetime, form: str) -> str:
    """Return an instant in a format of strftime, as Ruby means `%s`, `%L`, `%N` and `%:z`."""
    if len(form) > _LONGEST:
        raise FilterArgumentError(f"the format is longer than {_LONGEST} characters", token=None)
    offset = at.strftime("%z")
    ours = {
        "%s": str(int(at.timestamp())),
        "%L": f"{at.microsecond // 1000:03d}",
        "%N": f"{at.microsecond:06d}000",
        "%:z": f"{offset[:3]}:{offset[3:5]}",
    }
    text = _WIDE.sub(r"%\1", form).replace("%%", "\0")
    for mark, meaning in ours.items():
        text = text.replace(mark, meaning)
    return at.strftime(text.replace("\0", "%%"))


def in_words(span: timedelta) -> str:
    """Return a span as people say it."""
    minutes = round(span.total_seconds() / 60)
    if minutes < 1:
        return "less than a minute"
    if minutes < 45:
        return _many(minutes, "minute")
    if minutes < 1_440:
        return "about " + _many(max(1, round(minutes / 60)), "hour")
    if minutes < 43_200:
        return _many(round(minutes / 1_440), "day")
    if minutes < 525_600:
        return ("about " if minutes < 86_400 else "") + _many(max(1, round(minutes / 43_200)), "month")
    return "about " + _many(minutes // 525_600, "year")


def _many(count: int, unit: str) -> str:
    return f"{count} {unit}" + ("s" if count != 1 else "")


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(RAILS.get(name, name))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise FilterArgumentError(f"'{name}' is no time zone", token=None) from error


def _now(context: RenderContext) -> datetime:
    now: datetime = context.now  # type: ignore[attr-defined]  # our own context (templates.py) has it
    return now
