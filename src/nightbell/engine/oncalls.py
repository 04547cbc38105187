"""This file says who is on call by escalation policy, path and level: the shape in which Rootly asks it."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import blake2b
from uuid import UUID

from msgspec import Struct

from nightbell.core.calendar import MOMENT, Span
from nightbell.core.directory import Directory, Level, LevelTarget, Path, Policy
from nightbell.core.schedule import Schedule
from nightbell.core.serving import everybody
from nightbell.core.shifts import shifts, shifts_at
from nightbell.core.uuids import as_uuid
from nightbell.engine.timetable import schedules
from nightbell.store.db import Runner

#: Somebody a level names directly is always on call; shown is the time asked about, or a day of it.
_ALWAYS = timedelta(days=1)


class Question(Struct, frozen=True, kw_only=True):
    """Whose on-calls are asked for; an empty set asks for all."""

    since: datetime
    until: datetime
    earliest: bool = False
    policies: frozenset[str] = frozenset()
    schedules: frozenset[str] = frozenset()
    users: frozenset[int] = frozenset()
    services: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    loudness: frozenset[str] = frozenset()


class OnCall(Struct, frozen=True, kw_only=True):
    """Somebody would be paged at a level of a path of a policy, from start to end."""

    policy: Policy
    path: Path
    level: int
    #: None: named directly, or through a team.
    schedule_id: UUID | None
    schedule_name: str | None
    user: int
    start: datetime
    end: datetime

    @property
    def id(self) -> UUID:
        """The same for the same place, person and start."""
        made_by = f"{self.policy.id} {self.path.id} {self.level} {self.schedule_id} {self.user} {self.start.isoformat()}"
        return UUID(bytes=blake2b(made_by.encode(), digest_size=16).digest(), version=5)


async def on_calls(runner: Runner, directory: Directory, asked: Question) -> list[OnCall]:
    """Return who is on call, by policy, path, level and time; audible paths first where loudness was asked for."""
    levels = [place for policy in _policies(directory, asked) for place in _places(policy, asked)]
    ids = {key for _, _, level in levels for target in level.targets if (key := _schedule_id(target))}
    found = await schedules(
        runner, ids, start=asked.since, end=max(asked.until, asked.since + MOMENT), conflicts=False
    )
    named = {str(key): one for key, one in found.items()}
    every = (one for place in levels for one in _at(place, named, directory, asked))
    wanted = [one for one in every if _wanted(one, asked)]
    if asked.loudness:
        wanted.sort(key=lambda one: one.path.loudness != "audible")
    return list(_earliest(wanted)) if asked.earliest else wanted


def _policies(directory: Directory, asked: Question) -> list[Policy]:
    owned = {
        str(thing.policy_id)
        for names, things in ((asked.services, directory.services), (asked.teams, directory.teams))
        for key, thing in things.items()
        if key in names and thing.policy_id
    }
    narrowed = bool(asked.services or asked.teams)
    found = [
        policy
        for key, policy in directory.policies.items()
        if (not asked.policies or key in asked.policies) and (not narrowed or key in owned)
    ]
    return sorted(found, key=lambda policy: (policy.name.lower(), policy.id))


def _places(policy: Policy, asked: Question) -> Iterator[tuple[Policy, Path, Level]]:
    """Yield the levels of the paths that page; a deferral pages nobody."""
    for path in policy.paths:
        if path.kind != "deferral" and (not asked.loudness or path.loudness in asked.loudness):
            yield from ((policy, path, level) for level in path.levels)


def _schedule_id(target: LevelTarget) -> UUID | None:
    return as_uuid(target.id) if target.type == "schedule" else None


def _at(
    place: tuple[Policy, Path, Level], found: Mapping[str, Schedule], directory: Directory, asked: Question
) -> Iterator[OnCall]:
    policy, path, level = place
    for target in level.targets:
        one = found.get(target.id) if target.type == "schedule" else None
        for user, start, end in _people(target, level, one, directory, asked):
            yield OnCall(
                policy=policy,
                path=path,
                level=level.position,
                schedule_id=one.id if one else None,
                schedule_name=one.name if one else None,
                user=user,
                start=start,
                end=end,
            )


def _people(
    target: LevelTarget, level: Level, one: Schedule | None, directory: Directory, asked: Question
) -> Iterable[tuple[int, datetime, datetime]]:
    if one is not None and not level.everyone:
        point = asked.until <= asked.since
        serving = shifts_at(one, asked.since) if point else shifts(one, start=asked.since, end=asked.until)
        return [(shift.user, shift.start, shift.end) for shift in serving]
    span = Span(asked.since, asked.until if asked.until > asked.since else asked.since + _ALWAYS)
    return [(user, *span) for user in _always(target, one, directory)]


def _always(target: LevelTarget, one: Schedule | None, directory: Directory) -> Iterable[int]:
    """Return whom a target pages whenever it is."""
    if one is not None:
        return sorted(everybody(one))
    if target.type == "user" and target.id.isdecimal():
        return [int(target.id)]
    team = directory.teams.get(target.id) if target.type == "team" else None
    if team is None or target.team_members == "escalate":
        return []
    return team.admin_ids if target.team_members == "admins" else team.member_ids


def _wanted(one: OnCall, asked: Question) -> bool:
    in_schedule = not asked.schedules or str(one.schedule_id) in asked.schedules
    return in_schedule and (not asked.users or one.user in asked.users)


def _earliest(found: Iterable[OnCall]) -> Iterator[OnCall]:
    seen = set()
    for one in sorted(found, key=lambda one: one.start):
        place = (one.path.id, one.level)
        if place not in seen:
            seen.add(place)
            yield one
