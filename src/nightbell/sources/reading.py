"""Reads JSON as strangers send it: what parses becomes text, a time, a label set, or a reason why not.

Only `parse` raises. Everything that leaves here is free of NUL and lone surrogates, except where it says so.
"""

import json
import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta

from nightbell.core.errors import BadPayload
from nightbell.core.labels import clean, shortened
from nightbell.core.signal import Quarantined, Signal

HINT = "send the JSON of Alertmanager's webhook, version 4"
MAX_WARNINGS = 20

#: A time with an offset; without one it could be anybody's noon.
Aware = Annotated[datetime, Meta(tz=True)]

# Outside these years a time is a mistake or "unset" (Go says year 1, others 1970), and adding a day may overflow.
_FIRST_YEAR, _LAST_YEAR = 1971, 2999
_SIGNED_64 = range(-(2**63), 2**63)
_KINDS = {type(None): "null", bool: "true or false", str: "text", list: "a list", dict: "an object"}


def parse(body: bytes) -> Any:
    """Return the JSON value in `body`, as sent. Invalid UTF-8 is replaced: a broken byte must not lose an alert.

    Raises: BadPayload when it is not JSON. Python's parser would take NaN, and refuses integers over 4300 digits;
    here the former is refused and the latter is text.
    """
    if not body.strip():
        raise BadPayload("the body is empty", hint=HINT)
    text = body.decode(json.detect_encoding(body), "replace")
    try:
        return json.loads(text, parse_constant=_refuse, parse_int=_integer, parse_float=_number)
    except RecursionError as error:
        raise too_deep() from error
    except ValueError as error:
        raise BadPayload(f"not JSON: {error}", hint=HINT) from error


def too_deep() -> BadPayload:
    """Return the error for lists in lists in lists."""
    return BadPayload("the JSON is nested too deeply", hint=HINT)


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON value")


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= 20 else digits


def _number(digits: str) -> float | str:
    value = float(digits)
    return value if math.isfinite(value) else digits


def kind(value: object) -> str:
    """Return what to call a JSON value in a message to its sender."""
    return "missing" if value is UNSET else _KINDS.get(type(value), "a number")


def scalar(value: Any) -> str:
    """Return any JSON value as text, not cleaned: text as it is, null as nothing, the rest as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def text(value: Any) -> str:
    """Return any JSON value as clean text."""
    return clean(scalar(value))


def texts(value: Any) -> dict[str, str]:
    """Return an object as clean texts, its null values left out; nothing when it is no object."""
    if not isinstance(value, dict):
        return {}
    return {clean(k): text(v) for k, v in value.items() if v is not None}


def cleaned(value: Any) -> Any:
    """Return a JSON value that can be stored: text clean at any depth, integers over 64 bits as text."""
    match value:
        case str():
            return clean(value)
        case list():
            return [cleaned(v) for v in value]
        case dict():
            return {clean(k): cleaned(v) for k, v in value.items()}
        case int() if value not in _SIGNED_64:
            return str(value)
    return value


def count(value: Any) -> int | None:
    """Return a whole number from 0 to 2^31 - 1 (more is cut: it must fit a column), or None."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        return None
    return min(value, 2**31 - 1)


# Times ---------------------------------------------------------------------------------------------------


def instant(value: Any) -> datetime | None:
    """Return an RFC 3339 time in UTC, to the microsecond, or None when there is no usable one."""
    if not isinstance(value, str):
        return None
    leap = value[16:19] == ":60"  # a leap second: the datetime type has none
    try:
        moment = msgspec.convert(f"{value[:17]}59{value[19:]}" if leap else value, Aware)
    except ValueError:
        return None
    found = usable(moment)
    return found + timedelta(seconds=1) if found and leap else found


def usable(moment: datetime) -> datetime | None:
    """Return the moment in UTC, or None when its year says it is none."""
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        return None
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def time_in(alert: dict[str, Any], key: str, place: str, warnings: list[str]) -> datetime | None:
    """Return the time under `key`, or None; one that was meant and cannot be used is worth a warning."""
    value = alert.get(key)
    found = instant(value)
    if found is None and value not in (None, "") and not text(value).startswith("0001-"):
        warnings.append(f"{place}.{key} is not a usable time; the time of receipt stands in")
    return found


# Members -------------------------------------------------------------------------------------------------


def label_set(alert: Any, place: str) -> dict[str, str] | Quarantined:
    """Return the labels of one alert *as sent, not cleaned* (its fingerprint counts NULs), or why there are none.

    Numbers and truth values become text; null is no label.
    """
    if not isinstance(alert, dict):
        return Quarantined(place=place, reason=f"the alert is {kind(alert)}, not an object")
    labels = alert.get("labels", UNSET)
    if not isinstance(labels, dict):
        return Quarantined(place=f"{place}.labels", reason=f"the labels are {kind(labels)}, not an object")
    for name, value in labels.items():
        if isinstance(value, dict | list):
            where = f"{place}.labels.{shortened(clean(name), 80)}"
            return Quarantined(place=where, reason=f"the label is {kind(value)}, not text")
    return {name: scalar(value) for name, value in labels.items() if value is not None}


def distinct(signals: Iterable[Signal], warnings: list[str]) -> tuple[Signal, ...]:
    """Return one signal for each fingerprint: that of the later start, and of equal starts the later one sent.

    So a resolve loses to the firing of a later episode and ends its own. No start means now, hence latest.
    """
    kept: dict[str, Signal] = {}
    for signal in signals:
        rival = kept.get(signal.fingerprint)
        if rival is not None:
            warnings.append(f"{rival.place} and {signal.place} are the same alert; the later start was kept")
        if rival is None or _start(signal) >= _start(rival):
            kept[signal.fingerprint] = signal
    return tuple(kept.values())


def _start(signal: Signal) -> datetime:
    return signal.starts_at or datetime.max.replace(tzinfo=UTC)
