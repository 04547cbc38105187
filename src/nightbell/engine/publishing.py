"""This file opens secret addresses: a person's or a schedule's calendar, or who is on call, as text.

Rule 1: a token that is not known, and one that was cancelled, are answered alike; nobody learns which it was.
"""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, NamedTuple

from msgspec import Struct

from nightbell.core.calendar import Span
from nightbell.core.directory import Directory
from nightbell.core.errors import Unknown
from nightbell.core.shift import Shift
from nightbell.engine.configure_calendars import hashed
from nightbell.engine.published import AHEAD, BEHIND, Event, Link, event, name_of
from nightbell.engine.scheduling import Now, now_on_call, shifts_between
from nightbell.store.db import Runner
from nightbell.store.read.listing import Record
from nightbell.store.read.people import users_by_id
from nightbell.store.read.schedules import schedules_by_id


class Published(NamedTuple):
    """A calendar, ready to be sent."""

    name: str
    body: bytes


async def opened(runner: Runner, token: str, *kinds: str) -> Link:
    """Return the secret address that a token opens.

    Raises: Unknown when there is none of these kinds, or it was cancelled.
    """
    row = await runner.row("link_by_token", hashed(token)) if token else None
    if row is None or row["kind"] not in kinds:
        raise Unknown(
            "There is no such calendar.", hint="Its address may have been cancelled; ask for a new one."
        )
    return Link(**dict(row.items()))


async def calendar(runner: Runner, directory: Directory, token: str, now: datetime) -> Published:
    """Return the calendar that a token opens: a month back and half a year ahead.

    Raises: Unknown.
    """
    link = await opened(runner, token, "person", "schedule")
    span = Span(now - BEHIND, now + AHEAD)
    schedules = None if link.schedule_id is None else [link.schedule_id]
    people = () if link.user_id is None else (link.user_id,)
    found = await shifts_between(runner, span, schedule_ids=schedules, user_ids=people)
    names = await _names(runner, found, link)
    name = _title(link, directory, names)
    # An hour's grain, so that a client that asks twice gets the same bytes.
    stamped = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    whose = link.kind == "schedule"
    events = [
        event(shift, names.get(shift.schedule_id, ""), directory.users, whose=whose, stamped=stamped)
        for shift in found
    ]
    return Published(name, await _written(name, events))


async def _names(runner: Runner, found: Iterable[Shift], link: Link) -> Mapping[Any, str]:
    ids = {shift.schedule_id for shift in found} | ({link.schedule_id} if link.schedule_id else set())
    rows = await schedules_by_id(runner, sorted(ids))
    return {key: str(row["name"]) for key, row in rows.items()}


def _title(link: Link, directory: Directory, names: Mapping[Any, str]) -> str:
    if link.user_id is not None:
        return f"On call: {name_of(directory.users, link.user_id)}"
    return names.get(link.schedule_id, "On call")


async def _written(name: str, events: list[Event]) -> bytes:
    writer: Any = await asyncio.to_thread(import_module, "nightbell.engine.ical")
    body: bytes = await asyncio.to_thread(writer.written, name, events)
    return body


async def on_call_text(runner: Runner, now: datetime, link: Link | None = None) -> str:
    """Return who is on call, one line for each schedule: for scripts, wall screens and curl."""
    found = await _serving(runner, now, link)
    people = await users_by_id(runner, sorted({user for one in found for user in one.people}))
    lines = [_line(one, people) for one in found]
    return "".join(f"{line}\n" for line in [f"# {_stamp(now)}", *lines])


async def _serving(runner: Runner, now: datetime, link: Link | None) -> list[Now]:
    """Return who is on call in the schedules of an address that were not deleted since, in their order."""
    chosen = [] if link is None else [link.schedule_id] if link.schedule_id else link.schedule_ids
    if not chosen:
        return await now_on_call(runner, now)
    rows = await schedules_by_id(runner, chosen)
    kept = [key for key in chosen if key in rows and rows[key]["deleted_at"] is None]
    found = {one.id: one for one in await now_on_call(runner, now, kept)}
    return [found[key] for key in kept if key in found]


class Post(Struct, frozen=True, kw_only=True):
    """One schedule of a board: who is on call, until when, and who follows. Names and nothing else of anybody."""

    name: str
    time_zone: str
    people: tuple[str, ...]
    until: datetime | None
    following: tuple[str, ...]


class Board(Struct, frozen=True, kw_only=True):
    """What anybody may see who has the address."""

    name: str
    posts: tuple[Post, ...]


async def board(runner: Runner, directory: Directory, token: str, now: datetime) -> Board:
    """Return who is on call now and next, for a page that needs no account.

    Raises: Unknown.
    """
    link = await opened(runner, token, "board")
    found = await _serving(runner, now, link)
    rows = await schedules_by_id(runner, [one.id for one in found])

    def named(users: Iterable[int]) -> tuple[str, ...]:
        return tuple(name_of(directory.users, user) for user in users)

    posts = tuple(
        Post(
            name=one.name,
            time_zone=rows[one.id]["time_zone"],
            people=named(one.people),
            until=one.until,
            following=named(one.following),
        )
        for one in found
    )
    return Board(name=link.name or "On call", posts=posts)


def _line(one: Now, people: Mapping[int, Record]) -> str:
    named = ", ".join(_person(user, people) for user in one.people) or "nobody"
    until = f" until {_stamp(one.until)}" if one.until else ""
    return f"{_plain(one.name)}: {named}{until}"


def _person(user: int, people: Mapping[int, Record]) -> str:
    row = people.get(user)
    return f"{_plain(row['name'])} <{row['email']}>" if row else f"User {user}"


def _plain(text: str) -> str:
    """Return a text on one line, whatever somebody called themselves."""
    return " ".join(text.split())


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
