"""Reads Alertmanager's webhook, and those of senders that look like it (Grafana, Mimir, scripts).

Two ways lead to the same Envelope: a typed decoder for what Alertmanager really sends, and a patient one for the
rest. Whatever parses as JSON is an Envelope; one bad alert is set aside and its siblings go on.
"""

import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct
from msgspec.json import Decoder

from nightbell.core.labels import common, fingerprint
from nightbell.core.signal import Envelope, Quarantined, Signal, State
from nightbell.sources.reading import (
    MAX_WARNINGS,
    Aware,
    cleaned,
    count,
    distinct,
    kind,
    label_set,
    parse,
    text,
    texts,
    time_in,
    too_deep,
    usable,
)

#: Alertmanager says the first of each; the others are Grafana's and people's.
STATES = {
    "firing": State.FIRING,
    "alerting": State.FIRING,
    "resolved": State.RESOLVED,
    "ok": State.RESOLVED,
    "inactive": State.RESOLVED,
    "normal": State.RESOLVED,
}

# What Go's regexp.QuoteMeta puts a backslash before: receiver names arrive quoted.
_QUOTED = re.compile(r"\\([\\.+*?()|\[\]{}^$])")
_HEX = "0123456789abcdef"


def decode(body: bytes) -> Envelope:
    """Return what the request says.

    Raises: BadPayload when the bytes are not JSON.
    """
    try:
        return _typed(body) or read(parse(body))
    except RecursionError as error:
        raise too_deep() from error


# The typed way: one pass in C, for what Alertmanager itself sends. Anything that takes thought is left. -----


class _Alert(Struct, gc=False):
    status: State
    labels: dict[str, str]
    annotations: dict[str, str]
    startsAt: Aware
    endsAt: Aware
    fingerprint: str
    generatorURL: str = ""


class _Webhook(Struct, gc=False):
    receiver: str
    status: State
    alerts: list[_Alert]
    groupLabels: dict[str, str]
    commonLabels: dict[str, str]
    commonAnnotations: dict[str, str]
    externalURL: str
    groupKey: str
    truncatedAlerts: Annotated[int, Meta(ge=0, lt=2**31)] | None = None
    rootly_alert_status: Any = None
    rootly: Any = None


_WEBHOOK = Decoder(_Webhook)


def _typed(body: bytes) -> Envelope | None:
    if b"\\u0000" in body:  # the one thing to clean that this decoder lets through
        return None
    try:
        sent = _WEBHOOK.decode(body)
    except ValueError:
        return None
    signals = [_typed_signal(i, alert) for i, alert in enumerate(sent.alerts)]
    fingerprints = {s.fingerprint for s in signals if s is not None}
    if not signals or not sent.groupKey or len(fingerprints) < len(signals):
        return None
    return Envelope(
        receiver=_unquoted(sent.receiver),
        group_key=sent.groupKey,
        group_labels=sent.groupLabels,
        common_labels=sent.commonLabels,
        common_annotations=sent.commonAnnotations,
        external_url=sent.externalURL,
        status=sent.status.value,
        truncated=sent.truncatedAlerts,
        declared_status=cleaned(sent.rootly_alert_status),
        rootly=cleaned(sent.rootly),
        signals=tuple(s for s in signals if s is not None),
        quarantined=(),
        warnings=(),
    )


def _typed_signal(i: int, alert: _Alert) -> Signal | None:
    starts = usable(alert.startsAt)
    ends = None if alert.status is State.FIRING else usable(alert.endsAt)
    odd_time = (starts is None and alert.startsAt.year > 1) or (ends is None and alert.endsAt.year > 1)
    if odd_time or not _well_formed(alert.fingerprint):
        return None
    return Signal(
        fingerprint=alert.fingerprint,
        state=alert.status,
        labels=alert.labels,
        annotations=alert.annotations,
        starts_at=starts,
        ends_at=_not_before(starts, ends),
        generator_url=alert.generatorURL,
        place=f"alerts[{i}]",
    )


# The patient way: any JSON. -------------------------------------------------------------------------------


def read(payload: Any) -> Envelope:
    """Return what a JSON value says, whatever it is."""
    warnings: list[str] = []
    if isinstance(payload, list):
        warnings.append("a bare list was read as the alerts; Prometheus itself belongs at /api/v2/alerts")
        payload = {"alerts": payload}
    if not isinstance(payload, dict):
        return _envelope({}, (), warnings, ignored=f"the body is {kind(payload)}, not an object with alerts")
    alerts = payload.get("alerts", UNSET)
    if not isinstance(alerts, list):
        return _envelope(payload, (), warnings, ignored=f"alerts is {kind(alerts)}, not a list")
    whole = _state(payload.get("status"), State.FIRING)
    if whole is None:
        warnings.append("the status of the whole is not a word known here")
    read = [_member(a, f"alerts[{i}]", whole or State.FIRING, warnings) for i, a in enumerate(alerts)]
    return _envelope(payload, read, warnings, ignored="" if alerts else "alerts is an empty list")


def _member(alert: Any, place: str, whole: State, warnings: list[str]) -> Signal | Quarantined:
    labels = label_set(alert, place)
    if isinstance(labels, Quarantined):
        return labels
    state = _state(alert.get("status"), whole)
    if state is None:
        return Quarantined(place=f"{place}.status", reason="not a status known here: firing or resolved")
    starts = time_in(alert, "startsAt", place, warnings)
    ends = time_in(alert, "endsAt", place, warnings) if state is State.RESOLVED else None
    sent = alert.get("fingerprint")
    return Signal(
        fingerprint=sent if isinstance(sent, str) and _well_formed(sent) else fingerprint(labels),
        state=state,
        labels=texts(labels),
        annotations=texts(alert.get("annotations")),
        starts_at=starts,
        ends_at=_not_before(starts, ends),
        generator_url=text(alert.get("generatorURL")),
        place=place,
    )


def _envelope(
    payload: dict[str, Any], read: Sequence[Signal | Quarantined], warnings: list[str], *, ignored: str
) -> Envelope:
    signals = distinct((s for s in read if isinstance(s, Signal)), warnings)
    receiver = _unquoted(text(payload.get("receiver")))
    group_labels = texts(payload.get("groupLabels"))
    group_key = text(payload.get("groupKey"))
    status = _state(payload.get("status"), None)
    return Envelope(
        receiver=receiver,
        group_key=group_key or _derived_key(receiver, group_labels),
        group_labels=group_labels,
        common_labels=_common(payload.get("commonLabels"), [s.labels for s in signals]),
        common_annotations=_common(payload.get("commonAnnotations"), [s.annotations for s in signals]),
        external_url=text(payload.get("externalURL")),
        status=status.value if status else "",
        truncated=count(payload.get("truncatedAlerts")) if group_key or group_labels else None,
        declared_status=cleaned(payload.get("rootly_alert_status")),
        rootly=cleaned(payload.get("rootly")),
        signals=signals,
        quarantined=tuple(q for q in read if isinstance(q, Quarantined)),
        warnings=tuple(warnings[:MAX_WARNINGS]),
        ignored=ignored,
    )


def _common(sent: Any, sets: list[dict[str, str]]) -> dict[str, str]:
    # Custom payloads may leave these out; routes and summaries read them all the same.
    return texts(sent) if isinstance(sent, dict) else common(sets)


def _derived_key(receiver: str, group_labels: dict[str, str]) -> str:
    # A custom payload (Alertmanager 0.32) cannot name its groupKey, but {{ toJson . }} has the group labels: a key
    # from those outlives members that come and go. A script sends neither. A key from the fingerprints or alert
    # names it happens to list would change when one of them resolves, and the alert would be taken for another;
    # so the receiver alone is its group, within which units are told apart by alertname as in any group. Whoever
    # names no group cannot speak for all of it: `truncated` is None then, and nothing unlisted is ever closed.
    return json.dumps(["derived", receiver, sorted(group_labels.items())], ensure_ascii=False)


def _state(word: Any, default: State | None) -> State | None:
    if word is None or word == "":
        return default
    return STATES.get(word.strip().casefold()) if isinstance(word, str) else None


def _well_formed(sent: str) -> bool:
    return 0 < len(sent) <= 64 and not sent.strip(_HEX)


def _not_before(starts: datetime | None, ends: datetime | None) -> datetime | None:
    # No alert ends before it began: a negative duration must not reach a metric.
    return starts if starts and ends and ends < starts else ends


def _unquoted(receiver: str) -> str:
    return _QUOTED.sub(r"\1", receiver) if "\\" in receiver else receiver
