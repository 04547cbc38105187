"""Which signals are one alert: an Envelope falls apart into Units, each with a key that outlives deliveries.

Rule 1: the alertname alone is never the identity unless a person chose it (rootly.md 1.6, hazards H1 to H3).
"""

from collections.abc import Callable
from hashlib import blake2b
from typing import Any
from uuid import UUID

from msgspec import Struct

from nightbell.core import patterns
from nightbell.core.directory import Source
from nightbell.core.labels import common
from nightbell.core.signal import Envelope, Signal

#: A key is shown; what is compared is its hash. A 120 kB group key is genuine (alertmanager.md 7.16).
_SHOWN = 1_000


class Unit(Struct, frozen=True, kw_only=True, gc=False):
    """The signals of one envelope that belong to one alert."""

    identity: bytes
    key: str
    #: The mode that gave the key, and what it fell back from.
    rule: str
    alertname: str
    signals: tuple[Signal, ...]
    group_hash: bytes


def units(envelope: Envelope, source: Source) -> tuple[Unit, ...]:
    """Return the units of an envelope, in the order their first signals were sent."""
    grouping = group_hash(source.id, envelope)
    key_of = _KEYS[source.identity]
    found: dict[tuple[str, str], list[Signal]] = {}
    for signal in envelope.signals:
        found.setdefault(key_of(signal, envelope, source), []).append(signal)
    return tuple(
        Unit(
            identity=_digest(source.id, rule, key),
            key=key[:_SHOWN],
            rule=rule,
            alertname=alertname(signals[0], envelope),
            signals=tuple(signals),
            group_hash=grouping,
        )
        for (rule, key), signals in found.items()
    )


def group_hash(source_id: UUID, envelope: Envelope) -> bytes:
    """Return what identifies Alertmanager's own group within a source: receiver and group key."""
    return _digest(source_id, "members", f"{envelope.group_key}\0{envelope.receiver}")


def alertname(signal: Signal, envelope: Envelope) -> str:
    """Return the alertname, "" when the sender has none (genuine: alertmanager.md 7.5)."""
    return signal.labels.get("alertname") or envelope.common_labels.get("alertname") or ""


def _by_group(signal: Signal, envelope: Envelope, source: Source) -> tuple[str, str]:
    return "group", f"{envelope.group_key}|{envelope.receiver}|{alertname(signal, envelope)}"


def _by_fingerprint(signal: Signal, envelope: Envelope, source: Source) -> tuple[str, str]:
    return "fingerprint", signal.fingerprint


def _by_alertname(signal: Signal, envelope: Envelope, source: Source) -> tuple[str, str]:
    name = alertname(signal, envelope)
    return ("alertname", name) if name else _fallen_back("alertname", signal, envelope, source)


def _by_key(signal: Signal, envelope: Envelope, source: Source) -> tuple[str, str]:
    value = _found(source, document(envelope, (signal,)))
    return ("key", value) if value else _fallen_back("key", signal, envelope, source)


def _fallen_back(mode: str, signal: Signal, envelope: Envelope, source: Source) -> tuple[str, str]:
    rule, key = _by_group(signal, envelope, source)
    return f"{rule} (no {mode})", key


_KEYS: dict[str, Callable[[Signal, Envelope, Source], tuple[str, str]]] = {
    "group": _by_group,
    "fingerprint": _by_fingerprint,
    "alertname": _by_alertname,
    "key": _by_key,
}


def document(envelope: Envelope, signals: tuple[Signal, ...]) -> dict[str, Any]:
    """Return the payload as JSONPath sees it: Alertmanager's own names, only these alerts and what they share."""
    own = {
        "receiver": envelope.receiver,
        "status": envelope.status,
        "groupKey": envelope.group_key,
        "groupLabels": envelope.group_labels,
        "commonLabels": shared_labels(envelope, signals),
        "commonAnnotations": envelope.common_annotations,
        "externalURL": envelope.external_url,
        "truncatedAlerts": envelope.truncated,
        "alerts": [_alert_document(signal) for signal in signals],
    }
    return own | envelope.data if envelope.data else own


def shared_labels(envelope: Envelope, signals: tuple[Signal, ...]) -> dict[str, str]:
    """Return the labels that all of an alert's signals have, over those of their envelope."""
    own = signals[0].labels if len(signals) == 1 else common([signal.labels for signal in signals])
    return {**envelope.common_labels, **own}


def _alert_document(signal: Signal) -> dict[str, Any]:
    return {
        "status": signal.state.value,
        "labels": signal.labels,
        "annotations": signal.annotations,
        "fingerprint": signal.fingerprint,
        "generatorURL": signal.generator_url,
        "startsAt": signal.starts_at.isoformat() if signal.starts_at else None,
        "endsAt": signal.ends_at.isoformat() if signal.ends_at else None,
    }


def _found(source: Source, payload: dict[str, Any]) -> str:
    if source.dedup_find is None:
        return ""
    value = next((text(found) for found in source.dedup_find(payload)), "")
    if source.dedup_regexp and value:
        return patterns.pattern(source.dedup_regexp).part(value)
    return value


def text(found: Any) -> str:
    """Return a value found by JSONPath as the text a person would compare it with."""
    if isinstance(found, bool):
        return "true" if found else "false"
    return "" if found is None else str(found)


def _digest(source_id: UUID, rule: str, key: str) -> bytes:
    mode = rule.split(" ", 1)[0]
    return blake2b(f"{mode}\0{key}".encode(), digest_size=16, key=source_id.bytes).digest()
