"""This file reads schedules and what belongs to them, as people described it. Who is on call is computed elsewhere."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Table, and_

from nightbell.store.db import Runner
from nightbell.store.read.listing import Found, Listing, Record, Shelf, by_names, found, many, one
from nightbell.store.schedule_tables import (
    active_days,
    calendar_links,
    feeds,
    holiday_calendars,
    overrides,
    rotations,
    shadows,
    swaps,
    time_off,
    working_hours,
)
from nightbell.store.schedule_tables import members as all_members
from nightbell.store.schedule_tables import schedules as all_schedules

SCHEDULES = Shelf(
    table=all_schedules,
    filters=by_names(all_schedules, "name", "id", "created_at"),
    search=(all_schedules.c.name, all_schedules.c.description),
    orders=by_names(all_schedules, "name", "created_at", "updated_at"),
    default="name",
)
ROTATIONS = Shelf(
    table=rotations,
    filters=by_names(rotations, "name", "created_at"),
    search=(rotations.c.name,),
    orders=by_names(rotations, "position", "name", "created_at"),
    default="position",
)


def _in_time(table: Table) -> Shelf:
    return Shelf(
        table=table,
        filters=by_names(table, "starts_at", "ends_at", "user_id", "created_at"),
        orders=by_names(table, "starts_at", "ends_at", "created_at"),
        default="starts_at",
    )


OVERRIDES, SHADOWS, TIME_OFF = _in_time(overrides), _in_time(shadows), _in_time(time_off)
SWAPS = Shelf(
    table=swaps,
    filters=by_names(swaps, "state", "starts_at", "ends_at", "user_id", "asked_user_id", "created_at"),
    orders=by_names(swaps, "starts_at", "created_at"),
    default="starts_at",
)


# ---------------------------------------------------------------- schedules


async def schedules(runner: Runner, listing: Listing) -> Found:
    """Return schedules with the ids of their rotations, and what should be looked at."""
    page = await found(runner, SCHEDULES, listing, all_schedules.c.deleted_at.is_(None))
    await _with_parts(runner, page.rows)
    return page


async def schedule(runner: Runner, schedule_id: UUID) -> Record | None:
    """Return one schedule, unless it was deleted."""
    where = and_(all_schedules.c.id == schedule_id, all_schedules.c.deleted_at.is_(None))
    row = await one(runner, all_schedules, where)
    await _with_parts(runner, [row] if row else [])
    return row


async def schedules_by_id(runner: Runner, ids: Sequence[UUID]) -> dict[UUID, Record]:
    """Return these schedules by id, deleted ones too: somebody may ask who was on call."""
    rows = await many(runner, all_schedules, all_schedules.c.id.in_(sorted(set(ids)))) if ids else []
    await _with_parts(runner, rows)
    return {row["id"]: row for row in rows}


async def _with_parts(runner: Runner, rows: list[Record]) -> None:
    ids = [row["id"] for row in rows]
    layers: dict[UUID, list[UUID]] = defaultdict(list)
    flags: dict[UUID, list[Record]] = defaultdict(list)
    for r in await runner.rows("read_rotation_ids", ids) if ids else []:
        layers[r["schedule_id"]].append(r["id"])
    for r in await runner.rows("flags_of_schedules", ids) if ids else []:
        flags[r["schedule_id"]].append({name: r[name] for name in ("code", "lane", "why", "since")})
    for row in rows:
        row["rotation_ids"], row["flags"] = layers[row["id"]], flags[row["id"]]


# ---------------------------------------------------------------- rotations


async def rotations_of(runner: Runner, schedule_id: UUID, listing: Listing) -> Found:
    """Return the rotations of a schedule, the lowest layer first, each with its members."""
    alive = and_(rotations.c.schedule_id == schedule_id, rotations.c.deleted_at.is_(None))
    page = await found(runner, ROTATIONS, listing, alive)
    await _with_members(runner, page.rows)
    return page


async def rotation(runner: Runner, rotation_id: UUID) -> Record | None:
    """Return one rotation with its members."""
    alive = and_(rotations.c.id == rotation_id, rotations.c.deleted_at.is_(None))
    row = await one(runner, rotations, alive)
    await _with_members(runner, [row] if row else [])
    return row


async def rotations_by_id(runner: Runner, ids: Sequence[UUID]) -> list[Record]:
    """Return these rotations with their members."""
    rows = await many(runner, rotations, rotations.c.id.in_(sorted(set(ids))), rotations.c.position)
    await _with_members(runner, rows)
    return rows


async def _with_members(runner: Runner, rows: list[Record]) -> None:
    own: dict[UUID, list[Record]] = defaultdict(list)
    ids = [row["id"] for row in rows]
    for member in await runner.rows("read_rotation_members", ids) if ids else []:
        own[member["rotation_id"]].append(dict(member))
    for row in rows:
        row["members"] = own[row["id"]]


async def members_of(runner: Runner, rotation_id: UUID) -> list[Record]:
    """Return the members of a rotation, in order."""
    return [dict(row) for row in await runner.rows("read_rotation_members", [rotation_id])]


async def member(runner: Runner, member_id: UUID) -> Record | None:
    """Return one member of a rotation."""
    return await one(runner, all_members, all_members.c.id == member_id)


async def active_days_of(runner: Runner, rotation_id: UUID) -> list[Record]:
    """Return the days of a rotation that have hours of their own."""
    return await many(runner, active_days, active_days.c.rotation_id == rotation_id, active_days.c.created_at)


async def active_day(runner: Runner, day_id: UUID) -> Record | None:
    """Return one day of a rotation."""
    return await one(runner, active_days, active_days.c.id == day_id)


# ---------------------------------------------------------------- what changes who is on call


async def overrides_of(runner: Runner, schedule_id: UUID, listing: Listing) -> Found:
    """Return the overrides of a schedule, past ones too."""
    return await found(runner, OVERRIDES, listing, overrides.c.schedule_id == schedule_id)


async def override(runner: Runner, override_id: UUID) -> Record | None:
    """Return one override."""
    return await one(runner, overrides, overrides.c.id == override_id)


async def overrides_by_id(runner: Runner, ids: Sequence[UUID]) -> list[Record]:
    """Return these overrides; unknown ids are absent."""
    return await many(runner, overrides, overrides.c.id.in_(sorted(set(ids)))) if ids else []


async def swaps_of(runner: Runner, schedule_id: UUID, listing: Listing) -> Found:
    """Return the swaps asked for in a schedule."""
    return await found(runner, SWAPS, listing, swaps.c.schedule_id == schedule_id)


async def swaps_for(runner: Runner, user_id: int, listing: Listing) -> Found:
    """Return the swaps that wait for this person's answer, or are theirs."""
    mine = (swaps.c.user_id == user_id) | (swaps.c.asked_user_id == user_id) | swaps.c.asked_user_id.is_(None)
    return await found(runner, SWAPS, listing, mine)


async def swap(runner: Runner, swap_id: UUID) -> Record | None:
    """Return one swap."""
    return await one(runner, swaps, swaps.c.id == swap_id)


async def shadows_of(runner: Runner, schedule_id: UUID, listing: Listing) -> Found:
    """Return who shadows whom in a schedule."""
    return await found(runner, SHADOWS, listing, shadows.c.schedule_id == schedule_id)


async def shadow(runner: Runner, shadow_id: UUID) -> Record | None:
    """Return one shadow."""
    return await one(runner, shadows, shadows.c.id == shadow_id)


# ---------------------------------------------------------------- absences


async def time_off_of(runner: Runner, user_id: int, listing: Listing) -> Found:
    """Return when somebody is away."""
    return await found(runner, TIME_OFF, listing, time_off.c.user_id == user_id)


async def one_time_off(runner: Runner, time_off_id: UUID) -> Record | None:
    """Return one time off."""
    return await one(runner, time_off, time_off.c.id == time_off_id)


async def holiday_calendars_of(runner: Runner, user_id: int) -> list[Record]:
    """Return whose public holidays count for somebody: one calendar or none."""
    return await many(runner, holiday_calendars, holiday_calendars.c.user_id == user_id)


async def holiday_calendar(runner: Runner, calendar_id: UUID) -> Record | None:
    """Return one holiday calendar."""
    return await one(runner, holiday_calendars, holiday_calendars.c.id == calendar_id)


async def working_hours_of(runner: Runner, user_id: int) -> list[Record]:
    """Return when somebody works: one entry or none."""
    return await many(runner, working_hours, working_hours.c.user_id == user_id)


async def one_working_hours(runner: Runner, hours_id: UUID) -> Record | None:
    """Return one person's working hours by their own id."""
    return await one(runner, working_hours, working_hours.c.id == hours_id)


# ---------------------------------------------------------------- calendars in and out


async def feeds_of(runner: Runner, schedule_id: UUID) -> list[Record]:
    """Return the calendars elsewhere that are layers of a schedule."""
    alive = and_(feeds.c.schedule_id == schedule_id, feeds.c.deleted_at.is_(None))
    return await many(runner, feeds, alive, feeds.c.position)


async def feed(runner: Runner, feed_id: UUID) -> Record | None:
    """Return one calendar elsewhere."""
    return await one(runner, feeds, and_(feeds.c.id == feed_id, feeds.c.deleted_at.is_(None)))


async def links_of(runner: Runner, where: ColumnElement[bool]) -> list[Record]:
    """Return secret addresses that are not cancelled."""
    alive = and_(where, calendar_links.c.cancelled_at.is_(None))
    return await many(runner, calendar_links, alive, calendar_links.c.created_at)


async def link(runner: Runner, link_id: UUID) -> Record | None:
    """Return one secret address."""
    alive = and_(calendar_links.c.id == link_id, calendar_links.c.cancelled_at.is_(None))
    return await one(runner, calendar_links, alive)


async def links_of_user(runner: Runner, user_id: int) -> list[Record]:
    """Return the secret addresses of a person's calendar."""
    return await links_of(runner, calendar_links.c.user_id == user_id)


async def links_of_nobody(runner: Runner) -> list[Record]:
    """Return the secret addresses that are not a person's: of schedules, and of all."""
    return await links_of(runner, calendar_links.c.kind != "person")
