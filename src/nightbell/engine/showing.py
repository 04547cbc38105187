"""Holds in memory what the status pages show, and looks in the background whether it still holds.

Rule 1: whoever reads a page waits for nobody: not for the database, not for the pool, not for a look under way.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from nightbell.core import status_page
from nightbell.core.status_page import Board, Face, Published, Said
from nightbell.store.db import Db, Row, Runner, Tx, connect_one

#: Incidents of a page that are kept.
_MOST = 200
#: A look that takes longer is given up. Units: seconds.
_PATIENCE = 10.0


class Showing:
    """What the pages show, as this node saw it last."""

    def __init__(self, db: Db, link_key: bytes, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._key = link_key
        self._clock = clock
        self._own: Any = None
        self._stamp = ""
        #: By the slug of the page.
        self.boards: Mapping[str, Board] = {}
        #: When somebody looked last; None before the first look.
        self.seen: datetime | None = None
        #: Moves with every change, so that whoever keeps something made of the boards knows.
        self.version = 0

    async def look(self) -> None:
        """Look once. Raises: what PostgreSQL says when it is away; what was seen before stays."""
        async with asyncio.timeout(_PATIENCE):
            # A connection of its own, so that a full pool leaves the pages fresh; none where there are no pages.
            if self._own is None and not await self._db.value("any_status_page"):
                self._keep({}, "")
                return
            await self._look_again()

    async def _look_again(self) -> None:
        try:
            if self._own is None or self._own.is_closed():
                self._own = await connect_one(self._db.dsn)
            async with self._own.transaction(isolation="repeatable_read", readonly=True):
                await self._read(Tx(self._own))
        except BaseException:
            self.close()
            raise
        if not self.boards:
            self.close()

    async def _read(self, tx: Tx) -> None:
        now = self._clock()
        stamp = await tx.value("status_stamp")
        if stamp != self._stamp:
            self._keep(await boards(tx, self._key, now), stamp)
        self.seen = now

    def _keep(self, boards_: Mapping[str, Board], stamp: str) -> None:
        if boards_ != self.boards:
            self.boards = boards_
            self.version += 1
        self._stamp = stamp
        self.seen = self._clock()

    def close(self) -> None:
        """Give the connection back."""
        if self._own is not None:
            self._own.terminate()
            self._own = None


async def boards(runner: Runner, key: bytes, now: datetime) -> dict[str, Board]:
    """Return what every page shows, by its slug."""
    return await _boards(runner, await runner.rows("status_faces"), key, now)


async def _boards(runner: Runner, faces: list[Row], key: bytes, now: datetime) -> dict[str, Board]:
    wanted = {ident for face in faces for ident in face["service_ids"]}
    names = {r["id"]: r["name"] for r in await runner.rows("status_services", sorted(wanted))}
    told = _published(
        await runner.rows("status_said", now - status_page.HISTORY, _MOST, [f["id"] for f in faces])
    )
    return {
        row["slug"]: status_page.board(
            _face(row, key),
            [(ident, names[ident]) for ident in row["service_ids"] if ident in names],
            told[row["id"]],
        )
        for row in faces
    }


async def any_board(runner: Runner, page_id: UUID, key: bytes, now: datetime) -> Board | None:
    """Return what one page shows, or would show if it were switched on."""
    found = await runner.rows("status_face", page_id)
    return (await _boards(runner, found, key, now)).popitem()[1] if found else None


def _face(row: Row, key: bytes) -> Face:
    return Face(
        id=row["id"],
        slug=row["slug"],
        title=row["public_title"] or row["title"],
        description=row["public_description"],
        success=row["success_message"],
        failure=row["failure_message"],
        footer=row["footer"],
        website_url=row["website_url"],
        support_url=row["support_url"],
        privacy_url=row["privacy_url"],
        sections=tuple(row["section_order"]),
        time_zone=row["time_zone"],
        indexed=row["indexed"],
        token="" if row["public"] else status_page.token(key, row["id"], row["token_round"]),
    )


def _published(rows: list[Row]) -> dict[UUID, list[Published]]:
    """Return the incidents of each page, from the lines of what was said in the order of time."""
    lines: dict[tuple[UUID, UUID], list[Row]] = defaultdict(list)
    for row in rows:
        lines[row["status_page_id"], row["incident_id"]].append(row)
    found: dict[UUID, list[Published]] = defaultdict(list)
    for (page_id, incident_id), said in lines.items():
        found[page_id].append(_incident(incident_id, said))
    return found


def _incident(ident: UUID, rows: list[Row]) -> Published:
    first = rows[0]
    return Published(
        id=ident,
        title=first["title"],
        planned=first["kind"].startswith("scheduled"),
        severity=first["severity"],
        service_ids=frozenset(first["service_ids"]),
        said=tuple(
            Said(
                id=row["id"],
                at=row["started_at"],
                updated_at=row["updated_at"],
                status=row["status"],
                text=row["event"],
                impact=row["impact"],
            )
            for row in rows
        ),
        starts_at=first["scheduled_for"],
        ends_at=first["scheduled_until"],
    )
