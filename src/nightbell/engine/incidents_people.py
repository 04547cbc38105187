"""This file says who does what in an incident, and who is told of it.

Rule 1: a role that is given to whoever is on call is given to the person who is on call now; the schedule stays named.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, TypedDict, Unpack
from uuid import UUID

from msgspec.structs import replace

from nightbell.core.calendar import MOMENT
from nightbell.core.errors import Invalid, Unknown
from nightbell.core.incident_timeline import Line
from nightbell.core.journal import Actor
from nightbell.core.oncall import on_call
from nightbell.engine.checks import Problems
from nightbell.engine.incident_checks import existing
from nightbell.engine.incident_work import NOBODY, Cause, IncidentWriter, Work
from nightbell.engine.scheduling import schedule
from nightbell.store.incident_tables import incident_role_assignments, incident_roles, incident_subscribers
from nightbell.store.tables import users
from nightbell.store.write import incidents as rows

_LARGEST_INTEGER = 2**31 - 1
_MOST_SUBSCRIBERS = 500


class Whom(TypedDict, total=False):
    """Who is given a role: a person, or whoever is on call by a schedule."""

    user_id: int
    schedule_id: UUID


class IncidentPeople(IncidentWriter):
    """Gives and takes roles, and subscribes people."""

    async def assign(
        self,
        incident_id: UUID,
        role_id: UUID,
        *,
        by: Actor,
        now: datetime,
        cause: Cause = NOBODY,
        **whom: Unpack[Whom],
    ) -> list[int]:
        """Give a role to a person, or to whoever is on call by a schedule; return who has it now.

        Shape: where only one may hold the role, who had it before has it no more. Who has it already keeps it.
        Raises: Unknown, Invalid naming what there is not, or that nobody is on call.
        """
        async with self.working(incident_id, by=by, now=now, cause=cause) as work:
            role = await _role(work, role_id)
            schedule_id = whom.get("schedule_id")
            people = await _people(work, whom.get("user_id"), schedule_id)
            return await _give(work, role, people, schedule_id)

    async def unassign(
        self, incident_id: UUID, assignment_id: UUID, *, by: Actor, now: datetime, cause: Cause = NOBODY
    ) -> None:
        """Take a role from whom it was given to, by the id of that; one that is taken already is left alone."""
        async with self.working(incident_id, by=by, now=now, cause=cause) as work:
            held = await rows.rows_of(work.tx, incident_role_assignments, incident_id, id=assignment_id)
            for row in held:
                await _take(work, row)

    async def take_role(
        self,
        incident_id: UUID,
        role_id: UUID,
        user_id: int,
        *,
        by: Actor,
        now: datetime,
        cause: Cause = NOBODY,
    ) -> None:
        """Take a role from a person; one who has it not is left alone. Raises: Invalid for a role there is not."""
        async with self.working(incident_id, by=by, now=now, cause=cause) as work:
            await _role(work, role_id)
            held = {"incident_role_id": role_id, "user_id": user_id}
            for row in await rows.rows_of(work.tx, incident_role_assignments, incident_id, **held):
                await _take(work, row)

    async def subscribe(
        self,
        incident_id: UUID,
        user_ids: Collection[int] = (),
        *,
        emails: Collection[str] = (),
        by: Actor,
        now: datetime,
        cause: Cause = NOBODY,
    ) -> None:
        """Let people, or addresses of others, be told of an incident.

        Raises: Unknown, Problems naming who does not exist.
        """
        async with self.working(incident_id, by=by, now=now, cause=cause) as work:
            called = await _existing_people(work, user_ids)
            known = await rows.rows_of(work.tx, incident_subscribers, incident_id)
            if len(known) + len(called) + len(emails) > _MOST_SUBSCRIBERS:
                raise Invalid(f"At most {_MOST_SUBSCRIBERS} can be told of one incident.", place="user_ids")
            there = {row["user_id"] for row in known}
            addresses = {str(row["email"] or "").lower() for row in known}
            new = [one for one in called if one not in there]
            mails = [one for one in dict.fromkeys(map(_address, emails)) if one.lower() not in addresses]
            whom: list[dict[str, Any]] = [{"user_id": one} for one in new]
            for who in (*whom, *({"email": one} for one in mails)):
                row = {"id": work.mint(), "incident_id": incident_id, **who}
                await rows.insert_row(work.tx, incident_subscribers, row, now)
            _subscribers_line(work, "added", [*(called[one] for one in new), *mails])

    async def unsubscribe(
        self, incident_id: UUID, subscription_id: UUID, *, by: Actor, now: datetime, cause: Cause = NOBODY
    ) -> None:
        """Tell somebody no more, by the id of the subscription; one that is gone already is left alone."""
        async with self.working(incident_id, by=by, now=now, cause=cause) as work:
            known = await rows.rows_of(work.tx, incident_subscribers, incident_id, id=subscription_id)
            await _drop(work, known)

    async def drop_subscribers(
        self,
        incident_id: UUID,
        user_ids: Collection[int],
        *,
        by: Actor,
        now: datetime,
        cause: Cause = NOBODY,
    ) -> None:
        """Tell people no more of an incident; who was not told is left alone."""
        async with self.working(incident_id, by=by, now=now, cause=cause) as work:
            known = await rows.rows_of(work.tx, incident_subscribers, incident_id)
            await _drop(work, [row for row in known if row["user_id"] in set(user_ids)])


async def _role(work: Work, role_id: UUID) -> rows.Record:
    role = await rows.row(work.tx, incident_roles, role_id)
    if role is None:
        raise Invalid(f"There is no role {role_id}.", place="incident_role_id", hint="Name one that exists.")
    return role


async def _take(work: Work, row: rows.Record) -> None:
    role = await _role(work, row["incident_role_id"])
    await rows.delete_rows(work.tx, incident_role_assignments, work.incident.id, id=row["id"])
    was = (await rows.names(work.tx, users, [row["user_id"]]))[row["user_id"]]
    work.say(_role_line(role, f"{role['name']}: {was} → nobody", removed=True))


async def _drop(work: Work, known: Sequence[rows.Record]) -> None:
    if known:
        called = await rows.names(work.tx, users, [row["user_id"] for row in known])
        ids = [row["id"] for row in known]
        await rows.delete_rows(work.tx, incident_subscribers, work.incident.id, id=ids)
        who = [called[row["user_id"]] if row["user_id"] else row["email"] for row in known]
        _subscribers_line(work, "removed", who)


async def _people(work: Work, user_id: int | None, schedule_id: UUID | None) -> list[int]:
    if schedule_id is not None:
        return await _on_call(work, schedule_id)
    if user_id is None:
        raise Invalid("Name a person or a schedule.", place="user_id")
    return list(await _existing_people(work, [user_id], "user_id"))


async def _on_call(work: Work, schedule_id: UUID) -> list[int]:
    try:
        found = await schedule(work.tx, schedule_id, start=work.now, end=work.now + MOMENT)
    except Unknown as error:
        raise Invalid(error.message, place="schedule_id") from error
    people = sorted(on_call(found, work.now))
    if not people:
        raise Invalid("Nobody is on call by this schedule now.", place="schedule_id", hint="Name a person.")
    return people


async def _existing_people(work: Work, user_ids: Collection[int], place: str = "user_ids") -> dict[int, str]:
    problems: list[Invalid] = []
    possible = [one for one in user_ids if 0 < one <= _LARGEST_INTEGER]
    if len(possible) < len(user_ids):
        problems.append(Invalid("There is nobody with this id.", place=place))
    found = await existing(work.tx, users, place, possible, problems)
    if problems:
        raise Problems(problems)
    return {one: found[one] for one in dict.fromkeys(possible)}


async def _give(work: Work, role: rows.Record, people: Sequence[int], schedule_id: UUID | None) -> list[int]:
    table, ident = incident_role_assignments, work.incident.id
    wanted = list(people) if role["many"] else list(people)[:1]
    before = [
        row["user_id"] for row in await rows.rows_of(work.tx, table, ident, incident_role_id=role["id"])
    ]
    new = [one for one in wanted if one not in before]
    if not new:
        return before
    if not role["many"]:
        await rows.delete_rows(work.tx, table, ident, incident_role_id=role["id"])
    for one in new:
        row = {
            "id": work.mint(),
            "incident_id": ident,
            "incident_role_id": role["id"],
            "user_id": one,
            "schedule_id": schedule_id,
        }
        await rows.insert_row(work.tx, table, row, work.now)
    called = await rows.names(work.tx, users, [*before, *new])
    after = [*before, *new] if role["many"] else new
    was, is_now = (", ".join(called.get(one, "?") for one in some) or "nobody" for some in (before, after))
    because = {"schedule_id": str(schedule_id)} if schedule_id else {}
    line = _role_line(role, f"{role['name']}: {was} → {is_now}")
    work.say(replace(line, because={**line.because, **because}))
    return after


def _role_line(role: rows.Record, event: str, *, removed: bool = False) -> Line:
    way = "role_assignments_removed" if removed else "role_assignments_added"
    return Line(
        code=f"incident.{'role_taken' if removed else 'role_given'}",
        event=event,
        kinds=("role_assignments_updated", way),
        changed=("roles",),
        because={"role_id": str(role["id"]), "role": role["name"]},
    )


def _subscribers_line(work: Work, way: str, who: Sequence[str]) -> None:
    if who:
        kinds = ("subscribers_updated", f"subscribers_{way}")
        event = f"Subscribers: {way} {', '.join(who)}"
        work.say(
            Line(code="incident.subscribers_changed", event=event, kinds=kinds, changed=("subscribers",))
        )


def _address(text: str) -> str:
    address = text.strip()
    if not 3 <= len(address) <= 320 or "@" not in address[1:-1] or any(c.isspace() for c in address):
        raise Invalid(f"{address[:80]!r} is not an e-mail address.", place="emails")
    return address
