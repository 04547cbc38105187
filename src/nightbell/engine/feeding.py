"""Takes out of deliveries what is a beat of a heartbeat: a Watchdog that fires says that all is well, and pages nobody."""

from collections.abc import Sequence
from typing import Any

from nightbell.core.directory import Beat, Directory
from nightbell.core.heartbeat import fed
from nightbell.core.identity import Unit
from nightbell.core.signal import Envelope

Beats = list[Beat]


def taken_out(
    units: Sequence[Unit], envelope: Envelope, url_target: tuple[str, str] | None, directory: Directory
) -> tuple[tuple[Unit, ...], Beats]:
    """Return the units that are alerts, and whom the others are beats of.

    A resolved Watchdog is no beat and stays: it ends an alert from before there was a heartbeat, or does nothing.
    """
    found = [(unit, fed(unit, envelope, url_target, directory)) for unit in units]
    return tuple(unit for unit, beat in found if beat is None), [beat for _, beat in found if beat]


def results(beats: Beats) -> list[dict[str, Any]]:
    """Return what became of them, as the answer to the sender says it."""
    return [{"heartbeat": str(beat.id), "name": beat.name, "what": "beat"} for beat in beats]
