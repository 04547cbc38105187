"""This file reads what the auditor found, and lays out entries of the ledger for readers."""

from datetime import datetime
from typing import Any

import msgspec

from nightbell.core.ledger import Sealed
from nightbell.store.db import Runner


async def lately(runner: Runner, *, limit: int = 100) -> list[dict[str, Any]]:
    """Return findings, those that stand first, then by age."""
    return [dict(row.items()) for row in await runner.rows("read_findings", limit)]


async def audited_at(runner: Runner) -> datetime | None:
    """Return when the auditor of any node went round last."""
    found: datetime | None = await runner.value("read_audited_at")
    return found


def decoded(sealed: Sealed) -> dict[str, Any]:
    """Return an entry's parts, with its digest."""
    return {**msgspec.json.decode(sealed.entry), "at": sealed.at, "digest": sealed.digest.hex()}
