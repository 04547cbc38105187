"""This file reads people: users, their contact methods and their notification rules. Never a password hash."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_

from nightbell.store.db import Runner
from nightbell.store.read.listing import Found, Listing, Record, Shelf, by_names, found, many, one
from nightbell.store.tables import contact_methods as methods
from nightbell.store.tables import users as people

USERS = Shelf(
    table=people,
    filters=by_names(people, "email", "name", "role", "active", "created_at"),
    search=(people.c.name, people.c.email),
    folded=frozenset({"email"}),
    orders=by_names(people, "id", "name", "email", "created_at", "updated_at"),
    default="id",
)
CONTACT_METHODS = Shelf(
    table=methods,
    filters=by_names(methods, "kind", "address", "name", "created_at"),
    search=(methods.c.name, methods.c.address),
    orders=by_names(methods, "id", "name", "kind", "created_at"),
    default="id",
)
#: The largest number that the column of ids holds.
_LARGEST = 2**31 - 1
#: Kinds that ring a telephone: what Rootly calls phone numbers.
PHONES = ("sms", "voice")


async def users(runner: Runner, listing: Listing, *, with_former: bool = False) -> Found:
    """Return people; those who left only when asked for."""
    within = [] if with_former else [people.c.active.is_(True)]
    page = await found(runner, USERS, listing, *within)
    await _complete(runner, page.rows)
    return page


async def user(runner: Runner, user_id: int) -> Record | None:
    """Return one person, also one who left; None for a number that nobody can have."""
    row = await one(runner, people, people.c.id == user_id) if 0 < user_id <= _LARGEST else None
    await _complete(runner, [row] if row else [])
    return row


async def users_by_id(runner: Runner, ids: Sequence[int]) -> dict[int, Record]:
    """Return these people by id, those who left included; unknown ids are absent."""
    rows = await many(runner, people, people.c.id.in_(sorted(set(ids)))) if ids else []
    return {row["id"]: _without_password(row) for row in rows}


def _without_password(row: Record) -> Record:
    row.pop("password_hash", None)
    return row


async def _complete(runner: Runner, rows: list[Record]) -> None:
    ids = [row["id"] for row in rows]
    teams = (
        {row["user_id"]: row["team_ids"] for row in await runner.rows("read_people_teams", ids)}
        if ids
        else {}
    )
    own: dict[int, list[Any]] = defaultdict(list)
    for method in await runner.rows("read_people_methods", ids) if ids else []:
        own[method["user_id"]].append(method)
    for row in rows:
        _without_password(row)["team_ids"] = teams.get(row["id"], [])
        row["email_address_ids"] = [m["id"] for m in own[row["id"]] if m["kind"] == "email"]
        phones = {m["address"]: m["id"] for m in reversed(own[row["id"]]) if m["kind"] in PHONES}
        row["phone_number_ids"] = sorted(phones.values())


async def contact_methods(
    runner: Runner, user_id: int, listing: Listing, *, kinds: tuple[str, ...] = ()
) -> Found:
    """Return the contact methods of one person, of these kinds only when any are named."""
    within = [methods.c.kind.in_(kinds)] if kinds else []
    return await found(runner, CONTACT_METHODS, listing, methods.c.user_id == user_id, *within)


async def all_contact_methods(runner: Runner, user_id: int) -> list[Record]:
    """Return every contact method of one person, primary ones first."""
    order = (methods.c.is_primary.desc(), methods.c.kind, methods.c.id)
    return await many(runner, methods, methods.c.user_id == user_id, *order)


async def contact_method(runner: Runner, method_id: UUID) -> Record | None:
    """Return one contact method; its settings as they are stored, secrets sealed."""
    return await one(runner, methods, methods.c.id == method_id)


async def phones(runner: Runner, user_id: int, since: datetime) -> list[Record]:
    """Return a person's telephone numbers; `attempts` counts the codes sent since an instant."""
    return [dict(row) for row in await runner.rows("read_phones", user_id, since)]


async def phone(runner: Runner, method_id: UUID, since: datetime) -> Record | None:
    """Return the telephone number that a contact method is."""
    row = await runner.row("read_phone", method_id, since)
    return dict(row) if row else None


async def ways_of_phone(runner: Runner, method_id: UUID) -> dict[str, UUID]:
    """Return the contact methods that a telephone number is, by kind."""
    return {row["kind"]: row["id"] for row in await runner.rows("read_ways_of_phone", method_id)}


async def verifications(runner: Runner, user_id: int, now: datetime) -> list[Record]:
    """Return what is known of the codes of a person's contact methods; `waits` where one can be entered."""
    return [dict(row) for row in await runner.rows("read_verifications", user_id, now)]


async def notification_rules(runner: Runner, user_id: int) -> list[Record]:
    """Return the notification rules of one person, loudness by loudness, in the order they act."""
    return [dict(row) for row in await runner.rows("read_rules_of_user", user_id)]


async def notification_rule(runner: Runner, rule_id: UUID) -> Record | None:
    """Return one notification rule."""
    row = await runner.row("read_rule", rule_id)
    return dict(row) if row else None


async def named(runner: Runner, text: str, *, limit: int = 20) -> list[Record]:
    """Return active people whose name or address contains the text: for pickers."""
    wanted = people.c.active.is_(True) & or_(*(c.icontains(text, autoescape=True) for c in USERS.search))
    return [_without_password(row) for row in (await many(runner, people, wanted, people.c.name))[:limit]]
