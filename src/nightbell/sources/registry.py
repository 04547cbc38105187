"""Says which decoder reads the requests of which type of source."""

from collections.abc import Callable
from typing import Final

from nightbell.core.signal import Envelope
from nightbell.sources import alertmanager

#: Raises BadPayload when the bytes are not JSON, and nothing else.
Decode = Callable[[bytes], Envelope]

SOURCES: Final[dict[str, Decode]] = {
    "alertmanager": alertmanager.decode,
    # Grafana's webhook is Alertmanager's with more fields.
    "grafana": alertmanager.decode,
}
