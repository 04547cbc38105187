"""Says who is on call now, for each schedule and each team, and until when. It reads one Directory and nothing else."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from nightbell.core import paging
from nightbell.core.directory import Directory, LevelTarget, Team
from nightbell.core.handover import outlook
from nightbell.core.planning import default_path
from nightbell.core.schedule import Schedule
from nightbell.core.shift import Shift

#: How long what was found of a schedule is shown, where nobody takes over meanwhile.
KEPT = timedelta(minutes=1)


class Someone(Struct, frozen=True, kw_only=True):
    """A person on call."""

    id: int
    name: str
    reachable: bool
    why: str = ""


class Post(Struct, frozen=True, kw_only=True):
    """A schedule at an instant."""

    id: UUID
    name: str
    people: tuple[Someone, ...]
    #: When somebody else, or somebody at all, is on call; None when not within 35 days.
    until: datetime | None
    #: When, within a week, nobody is on call next; None for no gap.
    gap: datetime | None
    #: Policies that page it.
    policies: tuple[str, ...]


class Duty(Struct, frozen=True, kw_only=True):
    """A team, and who its policy pages first."""

    id: UUID
    name: str
    policy: str
    people: tuple[Someone, ...]
    until: datetime | None
    #: Why somebody of the first level is missing.
    empty: tuple[str, ...]


class Roster:
    """Remembers for a minute what it found of each schedule, so that a page that many look at is computed once.

    Shape: what is remembered counts for one version of the configuration, and never past the next change.
    """

    def __init__(self) -> None:
        self._version = 0
        self._posts: dict[UUID, tuple[datetime, Post]] = {}

    def posts(self, directory: Directory, now: datetime) -> list[Post]:
        """Return every schedule, by name."""
        if directory.version != self._version:
            self._version, self._posts = directory.version, {}
        paging = _policies(directory)
        for one in directory.schedules.values():
            if not self._holds(one.id, now):
                self._posts[one.id] = (now, _post(one, directory, now, paging))
        found = [self._posts[one.id][1] for one in directory.schedules.values()]
        return sorted(found, key=lambda post: (post.name.lower(), post.id))

    def _holds(self, key: UUID, now: datetime) -> bool:
        made, post = self._posts.get(key, (None, None))
        if made is None or post is None:
            return False
        return made <= now < made + KEPT and (post.until is None or now < post.until)


def posts(directory: Directory, now: datetime) -> list[Post]:
    """Return every schedule, by name, computed anew."""
    return Roster().posts(directory, now)


def _post(one: Schedule, directory: Directory, now: datetime, paging: Mapping[str, list[str]]) -> Post:
    ahead = outlook(one, now)
    serving = {shift.user: shift for shift in ahead.serving}
    return Post(
        id=one.id,
        name=one.name,
        people=tuple(_of_shift(s, directory) for s in serving.values()),
        until=ahead.until,
        gap=ahead.gap,
        policies=tuple(paging.get(str(one.id), ())),
    )


def _policies(directory: Directory) -> dict[str, list[str]]:
    """Return the names of the policies that page each schedule."""
    found: dict[str, list[str]] = {}
    for policy in directory.policies.values():
        levels = (level for path in policy.paths for level in path.levels)
        named = {target.id for level in levels for target in level.targets if target.type == "schedule"}
        for schedule_id in named:
            found.setdefault(schedule_id, []).append(policy.name)
    return found


def _of_shift(shift: Shift, directory: Directory) -> Someone:
    return someone(shift.user, directory, shift.why.sentence(lambda user: name_of(user, directory)))


def someone(user_id: int, directory: Directory, why: str = "") -> Someone:
    """Return a person as a page shows them."""
    able = paging.reachable(directory.users.get(user_id), "audible")
    return Someone(id=user_id, name=name_of(user_id, directory), reachable=able, why=why)


def name_of(user_id: int, directory: Directory) -> str:
    """Return what somebody is called, whoever they were."""
    user = directory.users.get(user_id)
    return user.name if user else f"user {user_id}"


def duties(directory: Directory, known: Iterable[Post]) -> list[Duty]:
    """Return every team that has a policy, by name; `known` is what `posts` says of the same moment."""
    by_id = {str(post.id): post for post in known}
    teams = {team.id: team for team in directory.teams.values()}.values()
    found = [duty for team in teams if (duty := _duty(team, directory, by_id)) is not None]
    return sorted(found, key=lambda duty: (duty.name.lower(), duty.id))


def _duty(team: Team, directory: Directory, known: Mapping[str, Post]) -> Duty | None:
    policy = directory.policy_of_team(team)
    if policy is None:
        return None
    levels = [level for level in default_path(policy).levels if level.kind == "page"]
    targets = levels[0].targets if levels else ()
    people: dict[int, Someone] = {}
    ends, empty = [], []
    for target in targets:
        own, end, why = _at_target(target, directory, known)
        people |= {one.id: one for one in own}
        ends += [end] if end else []
        empty += [why] if why else []
    return Duty(
        id=team.id,
        name=team.name,
        policy=policy.name,
        people=tuple(people.values()),
        until=min(ends, default=None),
        empty=tuple(empty) if targets else ("its policy has no level that pages",),
    )


def _at_target(
    target: LevelTarget, directory: Directory, known: Mapping[str, Post]
) -> tuple[tuple[Someone, ...], datetime | None, str]:
    """Return whom a target pages now, until when, and why nobody."""
    if target.type == "user" and target.id.isdecimal():
        return (someone(int(target.id), directory),), None, ""
    if target.type == "team" and target.id in directory.teams:
        team = directory.teams[target.id]
        ids = {"admins": team.admin_ids, "escalate": ()}.get(target.team_members or "all", team.member_ids)
        return tuple(someone(user, directory) for user in ids), None, ""
    post = known.get(target.id)
    if target.type == "schedule" and post is not None:
        return post.people, post.until, "" if post.people else f"nobody is on call in {post.name}"
    return (), None, ""
