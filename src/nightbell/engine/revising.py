"""This file writes what a rotation means from now on, whatever changed about it, and takes leavers out of their turns.

Rule 1: versions are written by one function, `revise`, which asks `core/revision.py`; the past stays as it was.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from nightbell.core.revision import ended, revised
from nightbell.core.schedule import Rotation, Schedule
from nightbell.engine.changing import Change
from nightbell.engine.ids import new_id
from nightbell.engine.rotating import TIMING, beginning, described, spec_of, version
from nightbell.store.read.listing import Record
from nightbell.store.read.schedules import active_days_of, members_of
from nightbell.store.schedule_tables import (
    calendar_links,
    members,
    overrides,
    rotations,
    shadows,
    swaps,
    versions,
)
from nightbell.store.write import config


async def revise(change: Change, row: Record, *, before: Record | None = None) -> None:
    """Write the versions of a rotation anew, from its row as it is now and, where it was edited, as it was before."""
    old = await _stored(change, row)
    if row["deleted_at"] is not None:
        await _write(change, row, old, ended(old, row["id"], at=change.now))
        return
    serving = [m for m in await members_of(change.tx, row["id"]) if m["skipped_at"] is None]
    new = planned(row, serving, await active_days_of(change.tx, row["id"]), old, before, change.now)
    await _write(change, row, old, new)


def planned(
    row: Record,
    serving: list[Record],
    days: list[Record],
    old: Schedule,
    before: Record | None,
    now: datetime,
) -> Schedule:
    """Return the versions of a rotation as they would be written: `old` and the result hold nothing else."""
    begins = row["starts_at"] or row["created_at"]
    last = max(old.rotations, key=_starts, default=None)
    if last is None:
        return revised(old, described(row, serving, days, begins), at=begins)
    begins = max(begins, now)
    made = described(row, serving, days, begins)
    if before is None or all(before[name] == row[name] for name in TIMING):
        made = beginning(replace(made, anchor=last.anchor), begins)
    result = revised(old, made, at=now)
    opened = result.rotations[-1]
    if opened.starts_at is not None and opened.starts_at > now:
        result = replace(result, rotations=(*result.rotations[:-1], beginning(opened, opened.starts_at)))
    return result


def _starts(rotation: Rotation) -> datetime:
    assert rotation.starts_at is not None, "every version has a beginning"
    return rotation.starts_at


async def _stored(change: Change, row: Record) -> Schedule:
    rows = await change.tx.rows("versions_of_rotation", row["id"])
    return Schedule(id=row["schedule_id"], name="", rotations=tuple(version(r, {}) for r in rows))


async def _write(change: Change, row: Record, old: Schedule, new: Schedule) -> None:
    """Replace the stored versions, unless the rotation means what it meant."""
    kept = [one for one in new.rotations if one.ends_at is None or one.ends_at > _starts(one)]
    merged = _merged(kept)
    if _shown(merged) == _shown(old.rotations):
        return
    await change.tx.execute("forget_versions", row["id"])
    for one in merged:
        values = {
            "rotation_id": row["id"],
            "schedule_id": row["schedule_id"],
            "starts_at": one.starts_at,
            "ends_at": one.ends_at,
            "spec": spec_of(one),
        }
        await config.add(change.tx, versions, {"id": new_id(change.now), **values}, change.now)


def _merged(found: list[Rotation]) -> list[Rotation]:
    """Join versions that follow one another and say the same: an edit that changed nothing leaves no trace."""
    merged: list[Rotation] = []
    for one in sorted(found, key=_starts):
        before = merged[-1] if merged else None
        if before and before.ends_at == one.starts_at and spec_of(before) == spec_of(one):
            merged[-1] = replace(before, ends_at=one.ends_at)
        else:
            merged.append(one)
    return merged


def _shown(found: Iterable[Rotation]) -> list[Any]:
    return [(one.starts_at, one.ends_at, spec_of(one)) for one in found]


# ---------------------------------------------------------------- who leaves


async def leave_schedules(change: Change, user_id: int, name: str) -> None:
    """Take a person who left out of every turn, override, swap and shadow still to come, and say so."""
    await skip_member(change, user_id, None, f"{name} has left")
    now = change.now
    for r in await change.tx.rows("overrides_of_leaver", user_id, now):
        await end_early(change, "override", overrides, r)
    for r in await change.tx.rows("shadows_of_leaver", user_id, now):
        await end_early(change, "shadow", shadows, r)
    for r in await change.tx.rows("swaps_of_leaver", user_id, now):
        if r["state"] == "accepted" and r["starts_at"] <= now:
            await change.change("swap", swaps, r["id"], {"ends_at": now})
        else:
            gone = {"state": "withdrawn", "taken_by_user_id": None, "answered_at": now}
            await change.change("swap", swaps, r["id"], gone)
    for r in await change.tx.rows("links_of_leaver", user_id):
        await change.change("calendar_link", calendar_links, r["id"], {"cancelled_at": now})


async def skip_member(change: Change, user_id: int | None, schedule_id: UUID | None, why: str) -> None:
    """Skip a member who is gone in every rotation from now on; whoever follows has the rest of the turn."""
    for r in await change.tx.rows("members_who_leave", user_id, schedule_id):
        skipped = {"skipped_at": change.now, "skipped_why": why}
        await change.change("schedule_member", members, r["id"], skipped)
        row = await change.locked("schedule_rotation", rotations, r["rotation_id"])
        await revise(change, row, before=row)


async def end_early(change: Change, item: str, table: Any, r: Any) -> None:
    """Take back what has not happened yet: what has begun ends now, the rest never was."""
    if r["starts_at"] < change.now:
        await change.change(item, table, r["id"], {"ends_at": change.now})
    else:
        await change.remove(item, table, r["id"])
