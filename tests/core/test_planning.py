"""What a target starts: which path, how long before its first level, how often round."""

from uuid import UUID

from msgspec.structs import replace

from nightbell.core.choosing import Circumstances
from nightbell.core.directory import Level, LevelTarget, Path, PathRule, Policy, Target
from nightbell.core.escalation import FOREVER
from nightbell.core.planning import deferring, frozen, plans
from support.pure import NOW, directory, on, policy, service, team, user

BASE = policy(0x10, ([on(1)], 5), ([on(2)], 0), repeat=2, delay=3)
NIGHT = Path(
    id=UUID(int=0x99),
    name="Night",
    is_default=False,
    loudness="quiet",
    repeat=None,
    repeat_count=None,
    initial_delay_minutes=0,
    levels=(Level(position=1, delay_minutes=1, targets=(on(2),)),),
    rules=(PathRule(kind="alert_urgency", ids=frozenset({str(UUID(int=0xA))})),),
)
#: The path for some alerts stands before the one for the others.
BOTH: Policy = replace(BASE, paths=(NIGHT, *BASE.paths))
TARGET = Target(type="EscalationPolicy", id=str(BOTH.id))
HOUSE = directory(
    user(1), user(2), BOTH, team(0x20, 1, 2), team(0x21, 1, policy_id=0x10), team(0x22),
    service(0x30, policy_id=0x10), service(0x31, teams=(0x20,)), service(0x32, teams=(0x22,)),
)  # fmt: skip


def seen(urgency: int) -> Circumstances:
    return Circumstances(
        now=NOW, urgency_id=UUID(int=urgency), source="api", service_ids=frozenset(), payload={}
    )


def started(target: Target, **more):
    found, why = plans(target, HOUSE, **more)
    return [(origin, plan.name) for origin, plan, _ in found], why


def test_without_circumstances_the_default_path_is_taken_wherever_it_stands():
    [(_, plan, choice)], _ = plans(TARGET, HOUSE)
    assert (plan.path_id, plan.name, choice) == (BASE.paths[0].id, "policy 16", None)


def test_circumstances_choose_a_path_and_a_path_that_is_named_is_taken_whatever_they_are():
    [(_, night, choice)], _ = plans(TARGET, HOUSE, seen(0xA))
    assert (night.path_id, night.name) == (NIGHT.id, "policy 16, Night")
    assert choice is not None and choice.path == NIGHT
    [(_, day, _)], _ = plans(TARGET, HOUSE, seen(0xB))
    assert day.path_id == BASE.paths[0].id
    [(_, named, choice)], _ = plans(TARGET, HOUSE, seen(0xB), path_id=NIGHT.id)
    assert (named.path_id, choice) == (NIGHT.id, None)
    [(_, unknown, _)], _ = plans(TARGET, HOUSE, seen(0xB), path_id=UUID(int=0x1234))
    assert unknown.path_id == BASE.paths[0].id, "a path that is gone leaves the choice to the rules"


def test_a_frozen_plan_counts_seconds_and_rounds():
    plan = frozen(BASE, BASE.paths[0])
    assert (plan.initial_delay, plan.rounds, [rung.wait for rung in plan.rungs]) == (180, 3, [300, 0])
    assert [rung.position for rung in plan.rungs] == [1, 2]
    assert frozen(BASE, replace(BASE.paths[0], repeat=False)).rounds == 1
    assert frozen(BASE, replace(BASE.paths[0], repeat=True, repeat_count=5)).rounds == 6
    assert frozen(BASE, replace(BASE.paths[0], repeat=True)).rounds == 3, "its own count was never said"
    assert frozen(BASE, replace(BASE.paths[0], repeat_count=FOREVER, repeat=True)).rounds == FOREVER


def test_a_person_or_a_team_without_a_policy_is_paged_at_once_and_once():
    for target in (Target(type="User", id="1"), Target(type="Group", id=str(UUID(int=0x20)))):
        [(_, plan, choice)], why = plans(target, HOUSE)
        [rung] = plan.rungs
        assert (plan.initial_delay, plan.rounds, rung.position, rung.wait) == (0, 1, 1, 0)
        assert (choice, why, plan.policy_id) == (None, "", None)
    assert rung.targets == (LevelTarget(type="team", id=str(UUID(int=0x20)), team_members="all"),)


def test_a_plan_that_waits_for_a_deferral_has_no_rungs_and_one_round():
    plan = deferring(BASE, NIGHT)
    assert (plan.initial_delay, plan.rounds, plan.rungs) == (0, 1, ())
    assert plan.deferral is not None and plan.deferral.target == TARGET


def test_teams_and_services_start_what_they_have_or_say_what_they_lack():
    team_policy = ([(f"policy:{BOTH.id}", "policy 16")], "")
    assert started(Target(type="Group", id=str(UUID(int=0x21)))) == team_policy
    assert started(Target(type="Service", id=str(UUID(int=0x30)))) == team_policy
    direct, why = started(Target(type="Service", id=str(UUID(int=0x31))))
    assert (direct, why) == ([(f"team:{UUID(int=0x20)}", "team 32")], "")
    nobody, why = started(Target(type="Group", id=str(UUID(int=0x22))))
    assert nobody == [] and why == "team team 34 has neither an escalation policy nor members"
    nobody, why = started(Target(type="Service", id=str(UUID(int=0x32))))
    assert nobody == [] and "neither an escalation policy nor a team" in why


def test_minus_one_repeats_go_round_for_ever():
    endless = replace(BASE, paths=(replace(BASE.paths[0], repeat=True, repeat_count=-1),))
    assert frozen(endless, endless.paths[0]).rounds == FOREVER == -1
