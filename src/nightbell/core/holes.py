"""What of a policy would page nobody, as the configuration is now: seen before the night, not in it.

Rule 1: this only looks. A climb that meets such a hole skips it at once, records it and pages the fallback people.
"""

from collections.abc import Iterator
from uuid import UUID

from msgspec import Struct

from nightbell.core import paging
from nightbell.core.ascent import place
from nightbell.core.directory import CHANNELS, Directory, Level, LevelTarget, Path, PathRule, Policy
from nightbell.core.serving import everybody


class Hole(Struct, frozen=True, kw_only=True):
    """One thing that would page nobody.

    Shape: `code` is no_levels (a path without a level that pages), nobody (a level that no one can be reached by),
    no_provider (a channel of a service that is not set up) or never_matches (a path whose rules ask for what was
    deleted).
    """

    code: str
    details: str
    path_id: UUID
    #: Position of the level; None for the whole path.
    level: int | None = None


def holes(policy: Policy, directory: Directory) -> tuple[Hole, ...]:
    """Return what of a policy would page nobody."""
    return tuple(hole for path in policy.paths for hole in _of_path(path, policy, directory))


def without_levels(directory: Directory) -> list[Policy]:
    """Return the policies that something is paged by and whose default path has no level that pages."""
    used = in_use(directory)
    return [
        policy for policy in directory.policies.values() if policy.id in used and not _pages(policy.paths[-1])
    ]


def in_use(directory: Directory) -> frozenset[UUID]:
    """Return the policies that a team, a service, a route or a source's default names."""
    owned = {team.policy_id for team in directory.teams.values()}
    owned |= {service.policy_id for service in directory.services.values()}
    targets = [
        *(source.default_target for source in directory.sources.values()),
        *(target for route in directory.routes for rule in route.rules for target in rule.destinations),
    ]
    named = {t.id for t in targets if t is not None and t.type == "EscalationPolicy"}
    found = (policy.id for key, policy in directory.policies.items() if key in named)
    return frozenset(ident for ident in owned if ident) | frozenset(found)


def _pages(path: Path) -> bool:
    return any(level.kind == "page" for level in path.levels)


def _of_path(path: Path, policy: Policy, directory: Directory) -> Iterator[Hole]:
    name = "The default path" if path.is_default else f"Path {path.name}"
    if not path.is_default and _never(path, policy, directory):
        why = f"{name} can never match any more: what its rules ask for was deleted."
        yield Hole(code="never_matches", details=why, path_id=path.id)
    if path.kind == "deferral":
        return
    if not _pages(path):
        why = f"{name} has no level that pages; its alerts go to the fallback people at once."
        yield Hole(code="no_levels", details=why, path_id=path.id)
    for level in path.levels:
        if level.kind == "page" and not _reaches(level, path, directory):
            why = f"{name}, level {level.position}: nobody can be reached; it is skipped at once."
            yield Hole(code="nobody", details=why, path_id=path.id, level=level.position)
        for deaf in _deaf(level, directory):
            why = f"{name}, level {level.position}: {place(deaf)} is told nothing, its service is not set up."
            yield Hole(code="no_provider", details=why, path_id=path.id, level=level.position)


def _deaf(level: Level, directory: Directory) -> list[LevelTarget]:
    """Return the channels of a level that cannot be told."""
    return [t for t in level.targets if t.type in CHANNELS and CHANNELS[t.type] not in directory.speaks]


def _reaches(level: Level, path: Path, directory: Directory) -> bool:
    return any(_reachable(target, level, path.loudness, directory) for target in level.targets)


def _reachable(target: LevelTarget, level: Level, loudness: str, directory: Directory) -> bool:
    """Return whether a target may stand for somebody at some time; the hours of a schedule are its own page's."""
    people: tuple[int, ...] | frozenset[int] = ()
    match target.type:
        case "user":
            people = (int(target.id),) if target.id.isascii() and target.id.isdecimal() else ()
        case "team" if team := directory.teams.get(target.id):
            if target.team_members == "escalate":
                return bool(team.policy_id or team.member_ids)
            people = team.admin_ids if target.team_members == "admins" else team.member_ids
        case "schedule" if schedule := directory.schedules.get(target.id):
            people = everybody(schedule)
        case "service" if service := directory.services.get(target.id):
            return bool(service.policy_id or service.team_ids)
        case _:
            pass
    return any(paging.reachable(directory.users.get(one), loudness) for one in people)


def _never(path: Path, policy: Policy, directory: Directory) -> bool:
    dead = [_dead(rule, policy, directory) for rule in path.rules]
    return bool(dead) and (all(dead) if path.match_any else any(dead))


def _dead(rule: PathRule, policy: Policy, directory: Directory) -> bool:
    match rule.kind:
        case "alert_urgency":
            return rule.ids.isdisjoint(map(str, directory.urgencies))
        case "service":
            return not any(ident in directory.services for ident in rule.ids)
        case "working_hour":
            return policy.business is None
        case kind:
            return kind == "unreadable"
