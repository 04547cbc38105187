"""One alert's climb of one policy: a frozen plan, a phase and the instant it must be looked at again.

Rule 1: a climb that is left alone always has a wake time, or has ended and said why.

    climbing --acknowledged--> held --retriggered--> climbing --nobody left--> exhausted
    any      --resolved, replaced--> ended
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from nightbell.core.directory import Directory, LevelTarget, Path, Policy, Target

#: A policy whose delays are all 0 must not go round without a breath (rootly.md 5.1.3).
BREATH = timedelta(minutes=1)
#: `repeat_count` -1: until somebody acknowledges.
FOREVER = -1


class Phase(StrEnum):
    """Where a climb stands."""

    CLIMBING = "climbing"
    HELD = "held"
    EXHAUSTED = "exhausted"
    ENDED = "ended"


class Rung(Struct, frozen=True, kw_only=True):
    """A level as it was when the climb began; `wait` seconds pass before the next one."""

    position: int
    wait: int
    targets: tuple[LevelTarget, ...]


class Plan(Struct, frozen=True, kw_only=True):
    """The policy as it was when the climb began. `rounds` counts the first one; FOREVER never ends."""

    name: str
    policy_id: UUID | None
    path_id: UUID | None
    loudness: str
    initial_delay: int
    rounds: int
    rungs: tuple[Rung, ...]


class Escalation(Struct, frozen=True, kw_only=True):
    """One alert's climb."""

    id: UUID
    alert_id: UUID
    occurrence: int
    origin: str
    plan: Plan
    phase: Phase
    #: Position of the last rung fired; 0 before the first.
    level: int
    round: int
    #: Rungs fired so far, by any road: what "as of this page" compares.
    fired: int
    #: Pages made so far.
    reached: int
    token: UUID
    wake_at: datetime | None
    created_at: datetime


class Call(Struct, frozen=True, kw_only=True):
    """A person a rung wants, and what names them."""

    user_id: int
    because: str


class Rise(Struct, frozen=True, kw_only=True):
    """One rung fired: whom it calls, which other climbs it starts, and what made it empty."""

    level: int
    calls: tuple[Call, ...]
    spawns: tuple[Target, ...]
    #: Why targets of this rung gave nobody.
    empty: tuple[str, ...]


Reachable = Callable[[int], bool]


# ---------------------------------------------------------------- plans


def plans(target: Target, directory: Directory) -> tuple[list[tuple[str, Plan]], str]:
    """Return (origin, plan) for everything a target starts, or none and the reason."""
    if target.type == "User":
        user = directory.users[int(target.id)]
        return [(f"user:{user.id}", _direct(user.name, LevelTarget(type="user", id=target.id)))], ""
    if target.type == "EscalationPolicy":
        return [_of_policy(directory.policies[target.id])], ""
    if target.type == "Group":
        return _of_team(target.id, directory)
    return _of_service(target.id, directory)


def _of_policy(policy: Policy) -> tuple[str, Plan]:
    return f"policy:{policy.id}", frozen(policy, default_path(policy))


def _of_team(ident: str, directory: Directory) -> tuple[list[tuple[str, Plan]], str]:
    team = directory.teams[ident]
    policy = directory.policy_of_team(team)
    if policy:
        return [_of_policy(policy)], ""
    if not team.member_ids:
        return [], f"team {team.name} has neither an escalation policy nor members"
    return [
        (f"team:{team.id}", _direct(team.name, LevelTarget(type="team", id=ident, team_members="all")))
    ], ""


def _of_service(ident: str, directory: Directory) -> tuple[list[tuple[str, Plan]], str]:
    service = directory.services[ident]
    policy = directory.policies.get(str(service.policy_id)) if service.policy_id else None
    if policy:
        return [_of_policy(policy)], ""
    found = [plan for team in service.team_ids for plan in _of_team(str(team), directory)[0]]
    return (
        found,
        "" if found else f"service {service.name} has neither an escalation policy nor a team that has one",
    )


def default_path(policy: Policy) -> Path:
    """Return the path every policy has; conditional paths come before it (issue of schedules)."""
    return next(path for path in policy.paths if path.is_default)


def frozen(policy: Policy, path: Path) -> Plan:
    """Return the plan of a policy's path: rounds are 1 + repeat_count (DESIGN 6)."""
    count = policy.repeat_count if path.repeat is None or path.repeat_count is None else path.repeat_count
    repeats = 0 if path.repeat is False else count
    return Plan(
        name=policy.name,
        policy_id=policy.id,
        path_id=path.id,
        loudness=path.loudness,
        initial_delay=path.initial_delay_minutes * 60,
        rounds=FOREVER if repeats == FOREVER else 1 + repeats,
        rungs=tuple(
            Rung(position=n, wait=level.delay_minutes * 60, targets=level.targets)
            for n, level in enumerate(path.levels, start=1)
        ),
    )


def _direct(name: str, target: LevelTarget) -> Plan:
    rung = Rung(position=1, wait=0, targets=(target,))
    return Plan(
        name=name, policy_id=None, path_id=None, loudness="audible", initial_delay=0, rounds=1, rungs=(rung,)
    )


# ---------------------------------------------------------------- climbing


class Climb(Struct, frozen=True, kw_only=True):
    """What became of a climb when time looked at it."""

    escalation: Escalation
    rises: tuple[Rise, ...]
    #: Every rung of a whole round was empty.
    reached_nobody: bool = False
    #: The last rung of the last round has had its time.
    exhausted: bool = False


def due(escalation: Escalation, now: datetime) -> bool:
    """Return whether a climb must be looked at."""
    return escalation.wake_at is not None and now >= escalation.wake_at


def climb(escalation: Escalation, directory: Directory, reachable: Reachable, now: datetime) -> Climb:
    """Fire the next rung, and those after it that need no waiting: an empty rung is left at once."""
    state = replace(escalation, phase=Phase.CLIMBING)
    rises: list[Rise] = []
    while True:
        onward = _onward(state, rises, now)
        if onward is None:
            return _over(state, tuple(rises))
        if onward.wake_at is not None:
            return Climb(escalation=onward, rises=tuple(rises))
        rung = onward.plan.rungs[onward.level - 1]
        rise = fire(rung, directory, reachable)
        rises.append(rise)
        wait = timedelta(seconds=rung.wait)
        state = replace(
            onward, fired=onward.fired + 1, reached=onward.reached + len(rise.calls) + len(rise.spawns)
        )
        if (rise.calls or rise.spawns) and wait:
            return Climb(escalation=replace(state, wake_at=now + wait), rises=tuple(rises))


def _onward(state: Escalation, rises: list[Rise], now: datetime) -> Escalation | None:
    """Return the climb on its next rung, or waiting for its next round, or None where there is neither."""
    if state.level < len(state.plan.rungs):
        return replace(state, level=state.level + 1, wake_at=None)
    more = state.plan.rounds == FOREVER or state.round < state.plan.rounds
    if not more or (state.reached == 0 and state.fired > 0) or not state.plan.rungs:
        return None
    if rises and state.level > 0:
        return replace(state, level=0, round=state.round + 1, wake_at=now + BREATH)
    return replace(state, level=1, round=state.round + 1, wake_at=None)


def _over(state: Escalation, rises: tuple[Rise, ...]) -> Climb:
    nobody = state.reached == 0
    over = replace(state, phase=Phase.EXHAUSTED, wake_at=None)
    return Climb(escalation=over, rises=rises, reached_nobody=nobody, exhausted=not nobody)


def fire(rung: Rung, directory: Directory, reachable: Reachable) -> Rise:
    """Return whom a rung calls; each person once, whatever names them."""
    calls: dict[int, Call] = {}
    spawns: list[Target] = []
    empty: list[str] = []
    for target in rung.targets:
        people, spawned, why = _resolved(target, directory)
        spawns += spawned
        found = [p for p in people if reachable(p)]
        for user_id in found:
            calls.setdefault(user_id, Call(user_id=user_id, because=why))
        if not found and not spawned:
            empty.append(f"{why}: nobody who can be reached" if people else f"{why}: nobody")
    return Rise(
        level=rung.position,
        calls=tuple(calls.values()),
        spawns=tuple(spawns),
        empty=tuple(empty) or (() if calls or spawns else ("the level has no targets",)),
    )


def _resolved(target: LevelTarget, directory: Directory) -> tuple[tuple[int, ...], list[Target], str]:
    """Return (people, climbs to start beside this one, how to call the target)."""
    if target.type == "user":
        user = directory.users.get(int(target.id)) if target.id.isdecimal() else None
        return ((user.id,), [], user.name) if user and user.active else ((), [], f"user {target.id}")
    if target.type == "team":
        return _team(target, directory)
    if target.type == "service" and target.id in directory.services:
        named = Target(type="Service", id=target.id)
        return (
            (),
            [named] if plans(named, directory)[0] else [],
            f"service {directory.services[target.id].name}",
        )
    return (), [], f"{target.type} {target.id}"


def _team(target: LevelTarget, directory: Directory) -> tuple[tuple[int, ...], list[Target], str]:
    team = directory.teams.get(target.id)
    if team is None:
        return (), [], f"team {target.id}"
    if target.team_members == "escalate":
        named = Target(type="Group", id=target.id)
        return (), [named] if plans(named, directory)[0] else [], f"team {team.name}"
    people = team.admin_ids if target.team_members == "admins" else team.member_ids
    return people, [], f"{'admins of ' if target.team_members == 'admins' else ''}team {team.name}"
