"""How many incidents a service, a team or a functionality had: the charts of Backstage (rootly.md 4d)."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from nightbell.api.resource import Action, Call
from nightbell.api.resources.incident_shapes import viewer
from nightbell.core.access import Permission
from nightbell.store.read import incidents

#: By the noun of the path: the filter that finds its incidents.
CHARTS: Mapping[str, str] = {"services": "services", "teams": "teams", "functionalities": "functionalities"}
_SHOWN = timedelta(days=90)


def chart(kind: str, field: str) -> Action:
    """Return what shows the incidents of the last 90 days by day: {"data": {"2026-11-23": 2}}."""

    async def run(call: Call) -> tuple[Any, int]:
        since = call.now - _SHOWN
        counted = await incidents.counts_by_day(call.db, viewer(call), field, call.parent, since=since)
        return {"data": dict(counted)}, 200

    return Action(
        method="GET",
        path=f"/{kind}/{{id}}/incidents_chart",
        summary=f"How many incidents there were by day, of one of {kind}",
        permission=Permission.VIEW,
        run=run,
    )
