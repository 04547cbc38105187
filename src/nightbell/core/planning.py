"""What a target starts: the plans of its policies, frozen as they are now, so that an edit disturbs no climb."""

from uuid import UUID

from nightbell.core.choosing import Choice, Circumstances, choose
from nightbell.core.directory import Directory, Level, LevelTarget, Path, Policy, Target
from nightbell.core.escalation import FOREVER, Deferral, Plan, Rung

#: What a target starts: an origin, which tells climbs apart, a plan, and the choice of path behind it.
Planned = tuple[str, Plan, Choice | None]


def plans(
    target: Target, directory: Directory, seen: Circumstances | None = None, *, path_id: UUID | None = None
) -> tuple[list[Planned], str]:
    """Return everything a target starts, or nothing and the reason.

    Shape: without circumstances, and for `path_id`, no path is chosen: the default, or the one named, is taken.
    """
    if target.type == "User":
        user = directory.users[int(target.id)]
        return [(f"user:{user.id}", direct(user.name, LevelTarget(type="user", id=target.id)), None)], ""
    if target.type == "EscalationPolicy":
        return [_of_policy(directory.policies[target.id], seen, path_id)], ""
    if target.type == "Group":
        return _of_team(target.id, directory, seen)
    return _of_service(target.id, directory, seen)


def _of_policy(policy: Policy, seen: Circumstances | None, path_id: UUID | None = None) -> Planned:
    origin = f"policy:{policy.id}"
    named = next((path for path in policy.paths if path.id == path_id), None)
    if seen is None or named is not None:
        return origin, frozen(policy, named or default_path(policy)), None
    choice = choose(policy, seen)
    plan = deferring(policy, choice.path) if choice.deferred_until else frozen(policy, choice.path)
    return origin, plan, choice


def _of_team(ident: str, directory: Directory, seen: Circumstances | None) -> tuple[list[Planned], str]:
    team = directory.teams[ident]
    policy = directory.policy_of_team(team)
    if policy:
        return [_of_policy(policy, seen)], ""
    if not team.member_ids:
        return [], f"team {team.name} has neither an escalation policy nor members"
    plan = direct(team.name, LevelTarget(type="team", id=ident, team_members="all"))
    return [(f"team:{team.id}", plan, None)], ""


def _of_service(ident: str, directory: Directory, seen: Circumstances | None) -> tuple[list[Planned], str]:
    service = directory.services[ident]
    policy = directory.policies.get(str(service.policy_id)) if service.policy_id else None
    if policy:
        return [_of_policy(policy, seen)], ""
    found = [plan for team in service.team_ids for plan in _of_team(str(team), directory, seen)[0]]
    why = f"service {service.name} has neither an escalation policy nor a team that has one"
    return found, "" if found else why


def default_path(policy: Policy) -> Path:
    """Return the path every policy has."""
    return next(path for path in policy.paths if path.is_default)


def frozen(policy: Policy, path: Path) -> Plan:
    """Return the plan of a policy's path: rounds are 1 + repeat_count (DESIGN 6)."""
    count = policy.repeat_count if path.repeat is None or path.repeat_count is None else path.repeat_count
    repeats = 0 if path.repeat is False else count
    return Plan(
        name=policy.name if path.is_default else f"{policy.name}, {path.name}",
        policy_id=policy.id,
        path_id=path.id,
        loudness=path.loudness,
        initial_delay=path.initial_delay_minutes * 60,
        rounds=FOREVER if repeats == FOREVER else 1 + repeats,
        rungs=tuple(_rung(n, level) for n, level in enumerate(path.levels, start=1)),
        acknowledge_minutes=path.acknowledge_minutes,
    )


def _rung(position: int, level: Level) -> Rung:
    return Rung(
        position=position,
        wait=level.delay_minutes * 60,
        targets=level.targets,
        level_id=level.id,
        kind=level.kind,
        strategy=level.strategy,
        everyone=level.everyone,
        all_must_acknowledge=level.all_must_acknowledge,
        at_a_time=level.at_a_time,
        repeats=level.repeats,
        exactly=level.exactly,
        count=level.count,
        minutes=level.minutes,
        windows=level.windows,
    )


def deferring(policy: Policy, path: Path) -> Plan:
    """Return the plan that only waits for a deferral to be over."""
    target = Target(type="EscalationPolicy", id=str(policy.id))
    return Plan(
        name=f"{policy.name}, {path.name}",
        policy_id=policy.id,
        path_id=path.id,
        loudness=path.loudness,
        initial_delay=0,
        rounds=1,
        rungs=(),
        deferral=Deferral(target=target, after=path.after, path_id=path.after_path_id),
    )


def direct(name: str, *targets: LevelTarget) -> Plan:
    """Return the plan that pages people without a policy: one rung, once."""
    return Plan(
        name=name,
        policy_id=None,
        path_id=None,
        loudness="audible",
        initial_delay=0,
        rounds=1,
        rungs=(Rung(position=1, wait=0, targets=targets),),
    )
