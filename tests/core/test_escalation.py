"""A climb, rung by rung: who is called when, what is skipped, how it ends."""

from datetime import timedelta
from uuid import UUID

import msgspec
import pytest
from msgspec.structs import replace

from nightbell.core import ascent, planning
from nightbell.core import escalation as ladder
from nightbell.core.directory import LevelTarget, Target
from nightbell.core.escalation import FOREVER, Escalation, Phase
from support.pure import MINUTE, NOW, directory, minter, on, policy, service, team, to, user

HOUSE = directory(
    user(1), user(2), user(3), user(4, active=False),
    policy(0x10, ([on(1)], 5)), policy(0x11),
    team(0x20, 1, 2), team(0x21, 3, policy_id=0x10), team(0x22),
    service(0x30, policy_id=0x10), service(0x31, teams=(0x21, 0x20)), service(0x32), service(0x33, teams=(0x22,)),
)  # fmt: skip


def begun(*levels, repeat=0):
    one = policy(0x99, *levels, repeat=repeat)
    return Escalation(
        id=UUID(int=1),
        alert_id=UUID(int=2),
        occurrence=1,
        origin="policy:x",
        plan=planning.frozen(one, one.paths[0]),
        phase=Phase.CLIMBING,
        level=0,
        round=1,
        fired=0,
        reached=0,
        token=minter()(),
        wake_at=NOW,
        created_at=NOW,
    )


def climbed(climb, *, reachable=lambda u: True, most=200):
    """Return [(minute, level, people)] of a climb that is left alone, and how it ended."""
    fired, now = [], NOW
    for _ in range(most):
        result = ascent.climb(climb, HOUSE, reachable, now)
        fired += [((now - NOW) / MINUTE, r.level, [c.user_id for c in r.calls]) for r in result.rises]
        climb = result.escalation
        if climb.wake_at is None:
            return fired, result
        now = climb.wake_at
    return fired, None


def test_a_delay_is_the_wait_before_the_next_level():
    fired, over = climbed(begun(([on(1)], 5), ([on(2)], 10), ([on(3)], 0)))
    assert fired == [(0, 1, [1]), (5, 2, [2]), (15, 3, [3])]
    assert over.exhausted and not over.reached_nobody


def test_the_last_delay_passes_before_the_climb_is_over_or_comes_round():
    fired, _ = climbed(begun(([on(1)], 5), ([on(2)], 10), repeat=1))
    assert fired == [(0, 1, [1]), (5, 2, [2]), (15, 1, [1]), (20, 2, [2])]


@pytest.mark.parametrize("repeat", [0, 1, 2, 9])
def test_rounds_are_one_and_the_repeats(repeat):
    fired, over = climbed(begun(([on(1)], 5), repeat=repeat))
    assert len(fired) == 1 + repeat
    assert over.escalation.phase is Phase.EXHAUSTED
    assert over.escalation.fired == over.escalation.reached == 1 + repeat


def test_levels_without_delay_fire_together():
    fired, _ = climbed(begun(([on(1)], 0), ([on(2)], 0), ([on(3)], 5)))
    assert fired == [(0, 1, [1]), (0, 2, [2]), (0, 3, [3])]


def test_a_policy_without_any_delay_takes_a_breath_between_rounds():
    fired, _ = climbed(begun(([on(1)], 0), repeat=2))
    assert [minute for minute, _, _ in fired] == [0, 1, 2]


def test_a_level_with_nobody_is_left_at_once():
    fired, _ = climbed(begun(([on(4)], 30), ([], 30), ([on(2)], 5), ([on(3)], 5)))
    assert fired == [(0, 1, []), (0, 2, []), (0, 3, [2]), (5, 4, [3])]


def test_a_climb_in_which_nobody_can_be_reached_ends_after_its_first_round():
    fired, over = climbed(begun(([on(1)], 5), ([on(2)], 5), repeat=9), reachable=lambda u: False)
    assert [level for _, level, _ in fired] == [1, 2]
    assert over.reached_nobody


def test_a_policy_without_levels_reaches_nobody():
    fired, over = climbed(begun())
    assert fired == [] and over.reached_nobody


def test_a_climb_for_ever_goes_on():
    climb = begun(([on(1)], 5))
    fired, over = climbed(replace(climb, plan=replace(climb.plan, rounds=FOREVER)), most=50)
    assert len(fired) == 50 and over is None


@pytest.mark.parametrize(
    ("target", "people", "spawns", "empty"),
    [
        (on(1), [1], [], 0),
        (on(4), [], [], 1),
        (on(77), [], [], 1),
        (LevelTarget(type="user", id="x"), [], [], 1),
        (LevelTarget(type="team", id=str(UUID(int=0x20)), team_members="all"), [1, 2], [], 0),
        (LevelTarget(type="team", id=str(UUID(int=0x20))), [1, 2], [], 0),
        (LevelTarget(type="team", id=str(UUID(int=0x20)), team_members="admins"), [1], [], 0),
        (
            LevelTarget(type="team", id=str(UUID(int=0x21)), team_members="escalate"),
            [],
            [to("Group", 0x21)],
            0,
        ),
        (LevelTarget(type="team", id=str(UUID(int=0x22)), team_members="escalate"), [], [], 1),
        (LevelTarget(type="team", id=str(UUID(int=0x77)), team_members="all"), [], [], 1),
        (LevelTarget(type="service", id=str(UUID(int=0x30))), [], [to("Service", 0x30)], 0),
        (LevelTarget(type="service", id=str(UUID(int=0x32))), [], [], 1),
        (LevelTarget(type="service", id=str(UUID(int=0x77))), [], [], 1),
        (LevelTarget(type="slack_channel", id="C1"), [], [], 1),
    ],
)
def test_whom_a_target_of_a_level_stands_for(target, people, spawns, empty):
    rise = ascent.fire(ladder.Rung(position=1, wait=0, targets=(target,)), HOUSE, lambda u: True)
    assert [c.user_id for c in rise.calls] == people
    assert list(rise.spawns) == spawns
    assert len(rise.empty) == empty


def test_a_person_named_twice_is_called_once_and_the_first_reason_counts():
    both = (on(1), LevelTarget(type="team", id=str(UUID(int=0x20)), team_members="all"))
    rise = ascent.fire(ladder.Rung(position=1, wait=0, targets=both), HOUSE, lambda u: True)
    assert [(c.user_id, c.because) for c in rise.calls] == [(1, "user 1"), (2, "team team 32")]


def test_an_empty_level_says_why():
    rise = ascent.fire(ladder.Rung(position=1, wait=0, targets=()), HOUSE, lambda u: True)
    assert rise.empty == ("the level has no targets",)
    rise = ascent.fire(ladder.Rung(position=1, wait=0, targets=(on(1),)), HOUSE, lambda u: False)
    assert rise.empty == ("user 1: nobody who can be reached",)


@pytest.mark.parametrize(
    ("target", "origins"),
    [
        (to("User", 1), ["user:1"]),
        (to("EscalationPolicy", 0x10), [f"policy:{UUID(int=0x10)}"]),
        (to("Group", 0x21), [f"policy:{UUID(int=0x10)}"]),
        (to("Group", 0x20), [f"team:{UUID(int=0x20)}"]),
        (to("Group", 0x22), []),
        (to("Service", 0x30), [f"policy:{UUID(int=0x10)}"]),
        (to("Service", 0x31), [f"policy:{UUID(int=0x10)}", f"team:{UUID(int=0x20)}"]),
        (to("Service", 0x32), []),
        (to("Service", 0x33), []),
    ],
)
def test_what_a_target_starts(target: Target, origins):
    found, why = planning.plans(target, HOUSE)
    assert [origin for origin, *_ in found] == origins
    assert bool(why) == (not origins)


# path.repeat, path.repeat_count, policy.repeat_count    rounds
@pytest.mark.parametrize(
    ("repeat", "count", "own", "rounds"),
    [
        (None, None, 0, 1), (None, None, 3, 4), (None, 5, 3, 4), (True, 2, 5, 3), (True, None, 5, 6),
        (False, 2, 5, 1), (False, None, 5, 1), (None, None, FOREVER, FOREVER), (True, FOREVER, 0, FOREVER),
    ],
)  # fmt: skip
def test_how_often_a_policy_is_climbed(repeat, count, own, rounds):
    one = policy(1, ([on(1)], 5), repeat=own)
    path = replace(one.paths[0], repeat=repeat, repeat_count=count)
    assert planning.frozen(one, path).rounds == rounds


@pytest.mark.parametrize(("wake", "due"), [(None, False), (0, True), (-1, True), (1, False)])
def test_when_a_climb_is_due(wake, due):
    climb = replace(begun(([on(1)], 5)), wake_at=None if wake is None else NOW + timedelta(seconds=wake))
    assert ladder.due(climb, NOW) is due


def test_a_rung_that_was_frozen_by_an_older_program_pages_everybody_once():
    """Climbs outlive an upgrade: what a stored plan does not say is what there was before it could be said."""
    stored = b'{"position":1,"wait":300,"targets":[]}'
    assert msgspec.json.decode(stored, type=ladder.Rung) == ladder.Rung(
        position=1, wait=300, targets=(), level_id=None, kind="page", strategy="default", everyone=False,
        all_must_acknowledge=False, at_a_time=1, repeats=1, exactly=False, count=0, minutes=0, windows=None,
    )  # fmt: skip
    decoded = msgspec.json.decode(stored, type=ladder.Rung)
    assert decoded.all_must_acknowledge is False and (decoded.count, decoded.minutes) == (0, 0)
