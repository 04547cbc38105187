"""Ends the incidents that end with their alerts, soon after the last of these has."""

from collections.abc import Callable
from datetime import datetime

from nightbell.engine.incidents import Incidents
from nightbell.worker.loop import Chore

#: Units: seconds.
_LOOKS = 2.0


def chore(incidents: Incidents, clock: Callable[[], datetime]) -> Chore:
    """Return what a node does about incidents whose alerts are over."""

    async def follow() -> None:
        await incidents.follow_alerts(now=clock())

    return Chore("incidents of alerts", _LOOKS, follow, timed=True)
