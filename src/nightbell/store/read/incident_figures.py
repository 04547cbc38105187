"""This file reads incidents to be counted."""

from datetime import datetime
from typing import Any

from nightbell.store.db import Runner
from nightbell.store.read.incident_pages import Viewer


async def since(runner: Runner, viewer: Viewer, start: datetime) -> list[dict[str, Any]]:
    """Return incidents that began since then and that somebody may see, with the names they are counted by."""
    rows = await runner.rows("incident_figures", viewer.user_id, viewer.everything, start)
    return [dict(row.items()) for row in rows]
