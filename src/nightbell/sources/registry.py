"""Says which decoder reads the requests of which type of source."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from nightbell.core.signal import Envelope
from nightbell.sources import alertmanager, prometheus
from nightbell.sources.reading import parse, too_deep

#: Raises BadPayload when the bytes are not JSON, and nothing else.
Decode = Callable[[bytes], Envelope]

SOURCES: Final[dict[str, Decode]] = {
    "alertmanager": alertmanager.decode,
    # Grafana's webhook is Alertmanager's with more fields.
    "grafana": alertmanager.decode,
}

#: What may stand before the bracket of a list: spaces, and the marks of the encodings of Unicode.
_BEFORE = b" \t\r\n\0\xef\xbb\xbf\xff\xfe"


def listed(body: bytes) -> bool:
    """Return whether the body can only be a list."""
    return body[:1024].lstrip(_BEFORE)[:1] == b"["


def decode_list(body: bytes, now: datetime) -> Envelope:
    """Return what a bare list at the address of a webhook says.

    A Prometheus that was given this address says by `endsAt` what is over. A script that sends the alerts of a webhook
    without what is around them says it by `status`; such an alert does not expire.
    Raises: BadPayload when the bytes are not JSON.
    """
    try:
        payload = parse(body)
        return alertmanager.read(payload) if _states(payload) else prometheus.read(payload, now)
    except RecursionError as error:
        raise too_deep() from error


def _states(payload: Any) -> bool:
    return isinstance(payload, list) and any(isinstance(one, dict) and one.get("status") for one in payload)
