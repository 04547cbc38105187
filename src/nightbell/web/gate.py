"""Who is on call, or will be soon, and may not be reached: what the Now page and a schedule's page warn of."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from nightbell.core import readiness
from nightbell.core.directory import Directory
from nightbell.core.oncall import on_call
from nightbell.core.readiness import Problem
from nightbell.engine.notices import failing_methods
from nightbell.web.site import WebRequest


class Warned(Struct, frozen=True, kw_only=True):
    """A person, a schedule, and what is wrong; `start` is None for whoever serves now."""

    user_id: int
    name: str
    schedule_id: UUID
    schedule: str
    start: datetime | None
    grave: bool
    problems: tuple[Problem, ...]


async def warnings(request: WebRequest, directory: Directory, only: UUID | None = None) -> list[Warned]:
    """Return whom a page may not reach: those on call now, then those whose shift is near."""
    failing = await failing_methods(request.site.db)
    now = request.now
    found = [
        _warned(directory, failing, user, key, None)
        for key, schedule in directory.schedules.items()
        if only in (None, schedule.id)
        for user in sorted(on_call(schedule, now))
    ]
    for row in await request.site.db.rows("coming_unreachable", now):
        if only in (None, row["schedule_id"]):
            key = str(row["schedule_id"])
            found.append(_warned(directory, failing, row["subject_id"], key, row["shift_start"]))
    return [one for one in found if one is not None]


def _warned(
    directory: Directory, failing: Mapping[UUID, str], user_id: int, key: str, start: datetime | None
) -> Warned | None:
    user, schedule = directory.users.get(user_id), directory.schedules.get(key)
    wrong = readiness.problems(user, failing)
    # A missing rule or a lone inbox is said on one's own page; here stands what may cost a page.
    told = tuple(p for p in wrong if p.grave or p.code == "failing")
    if not told or schedule is None:
        return None
    return Warned(
        user_id=user_id,
        name=user.name if user else f"user {user_id}",
        schedule_id=schedule.id,
        schedule=schedule.name,
        start=start,
        grave=any(p.grave for p in told),
        problems=told,
    )
