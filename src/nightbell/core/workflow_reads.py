"""What the conditions of workflows read out of a context, as texts.

Rule 1: a thing of a catalog is found by its id, its slug and its name, so that a condition may name it by any of them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from nightbell.core import alert_fields
from nightbell.core.directory import Find
from nightbell.core.identity import text
from nightbell.core.workflow_conditions import Read, Subject

_NAMES = ("id", "slug", "name")


def plain(noun: str, *keys: str) -> Read:
    """Return a reader of plain values and of things of a catalog: `plain("alert", "status")`."""
    return lambda subject: tuple(
        dict.fromkeys(t for key in keys for t in _names(_part(subject, noun).get(key)))
    )


def labels(noun: str) -> Read:
    """Return a reader of labels: each as "key:value", "key=value" and its bare key."""
    return lambda subject: tuple(_labels(_part(subject, noun).get("labels")))


def payload(find: Find) -> Read:
    """Return a reader of what a JSONPath finds in the payload of an alert."""
    return lambda subject: tuple(_flat(find(_part(subject, "alert").get("data") or {})))


def field(kind: str) -> Read:
    """Return a reader of a field that every alert has (core/alert_fields.py)."""
    return lambda subject: tuple(_flat([alert_fields.value(_part(subject, "alert").get("data") or {}, kind)]))


def _part(subject: Subject, noun: str) -> Mapping[str, Any]:
    part = subject.get(noun)
    return part if isinstance(part, Mapping) else {}


def _names(value: Any) -> Iterable[str]:
    if isinstance(value, Mapping):
        return [text(value[key]) for key in _NAMES if value.get(key) not in (None, "")]
    if isinstance(value, list | tuple):
        return [name for one in value for name in _names(one)]
    return [] if value is None or value == "" else [text(value)]


def _labels(value: Any) -> Iterable[str]:
    if isinstance(value, Mapping):
        pairs: Iterable[tuple[Any, Any]] = value.items()
    else:
        pairs = [(one.get("key"), one.get("value")) for one in value or () if isinstance(one, Mapping)]
    for key, held in pairs:
        shown = text(held)
        yield f"{key}:{shown}"
        yield f"{key}={shown}"
        yield str(key)


def _flat(found: Iterable[Any]) -> Iterable[str]:
    for value in found:
        if isinstance(value, list):
            yield from (text(one) for one in value if one is not None)
        elif value is not None:
            yield text(value)
