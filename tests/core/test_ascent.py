"""How a climb goes up, rung by rung, by tables: whom a rung calls, what it waits for, when a round is over."""

from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from nightbell.core.ascent import Luck, climb, fire
from nightbell.core.calendar import Window, hours
from nightbell.core.directory import LevelTarget, Windows
from nightbell.core.escalation import BREATH, FOREVER, Escalation, Phase, Plan, Rung
from nightbell.core.schedule import Schedule, Shadow
from support.pure import directory, on, policy, service, team, user
from support.schedules import at, rotation, schedule

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LEVEL = UUID(int=0x77)
HOUSE = directory(user(1), user(2), user(3), user(4, active=False), team(0x20, 1, 2), service(0x30))
EVERYBODY = (on(1), on(2), on(3))


def rung(*targets, position=1, wait=5, **more):
    """A rung whose wait is in minutes."""
    return Rung(position=position, wait=wait * 60, targets=targets, **more)


def planned(*rungs, rounds=1):
    """A climb before its first rung."""
    numbered = tuple(replace(one, position=n) for n, one in enumerate(rungs, start=1))
    plan = Plan(
        name="plan", policy_id=None, path_id=None, loudness="audible", initial_delay=0, rounds=rounds,
        rungs=numbered,
    )  # fmt: skip
    return Escalation(
        id=UUID(int=1), alert_id=UUID(int=2), occurrence=1, origin="policy:x", plan=plan, phase=Phase.CLIMBING,
        level=0, round=1, fired=0, reached=0, token=UUID(int=3), wake_at=NOW, created_at=NOW,
    )  # fmt: skip


def anybody(user_id):
    """Everybody can be reached."""
    return True


def called(rises):
    """Whom each rise calls."""
    return [[call.user_id for call in rise.calls] for rise in rises]


def lived(escalation, *, luck=None, minutes=600, reachable=anybody):
    """The minutes at which a climb called whom, until it is over or the time is."""
    at, told = NOW, []
    while escalation.wake_at is not None and escalation.wake_at <= NOW + minutes * MINUTE:
        at = max(at, escalation.wake_at)
        done = climb(escalation, HOUSE, reachable, at, luck)
        told += [(int((at - NOW) / MINUTE), people) for people in called(done.rises)]
        escalation = done.escalation
    return told, escalation


@pytest.mark.parametrize(
    ("strategy", "turn", "luck", "people", "turned", "more"),
    [
        ("default", 0, Luck(), [1, 2, 3], None, False),
        ("alert", 0, Luck(turn=lambda level: 0), [1], LEVEL, False),
        ("alert", 0, Luck(turn=lambda level: 4), [2], LEVEL, False),
        ("cycle", 0, Luck(), [1], None, True),
        ("cycle", 2, Luck(), [3], None, False),
        ("cycle", 9, Luck(), [3], None, False),
        ("random", 0, Luck(coin=0), [1], None, False),
        ("random", 0, Luck(coin=5), [3], None, False),
    ],
)
def test_whom_a_strategy_calls(strategy, turn, luck, people, turned, more):
    one = rung(*EVERYBODY, strategy=strategy, level_id=LEVEL)
    rise = fire(one, HOUSE, anybody, now=NOW, luck=luck, turn=turn)
    assert ([c.user_id for c in rise.calls], rise.turned, rise.more) == (people, turned, more)


def whose(turn):
    """Luck that gives a turn."""
    return Luck(turn=lambda level: turn)


def test_turns_are_among_those_who_can_be_reached():
    one = rung(*EVERYBODY, on(4), strategy="alert", level_id=LEVEL)
    turns = [fire(one, HOUSE, lambda u: u != 2, luck=whose(n)) for n in range(3)]
    assert called(turns) == [[1], [3], [1]]


def test_a_level_nobody_stored_takes_no_turns():
    rise = fire(rung(*EVERYBODY, strategy="alert"), HOUSE, anybody, luck=Luck(coin=1))
    assert (called([rise]), rise.turned) == ([[2]], None)


def test_a_strategy_without_anybody_is_an_empty_level():
    for strategy in ("alert", "cycle", "random"):
        rise = fire(rung(on(4), strategy=strategy, level_id=LEVEL), HOUSE, anybody)
        assert (rise.calls, rise.turned, rise.more) == ((), None, False)
        assert rise.empty


@pytest.mark.parametrize(
    "target",
    [
        LevelTarget(type="schedule", id="gone"),
        LevelTarget(type="schedule", id=str(UUID(int=0x40))),
        LevelTarget(type="service", id="gone"),
        LevelTarget(type="service", id=str(UUID(int=0x30))),
        LevelTarget(type="team", id="gone"),
        LevelTarget(type="slack_channel", id="C1"),
        LevelTarget(type="user", id="4"),
        LevelTarget(type="user", id="4711"),
        LevelTarget(type="user", id="x"),
    ],
)
def test_a_target_that_gives_nobody_is_named(target):
    empty = Schedule(id=UUID(int=0x40), name="Empty")
    rise = fire(rung(target), replace(HOUSE, schedules={str(UUID(int=0x40)): empty}), anybody, now=NOW)
    assert (rise.calls, rise.spawns) == ((), ())
    assert len(rise.empty) == 1


def test_a_cycle_waits_between_its_people_and_begins_anew_in_each_round():
    told, over = lived(planned(rung(on(1), on(2), strategy="cycle"), rung(on(3), wait=10), rounds=2))
    assert told == [(0, [1]), (5, [2]), (10, [3]), (20, [1]), (25, [2]), (30, [3])]
    assert over.phase is Phase.EXHAUSTED


def test_a_cycle_without_a_wait_calls_all_at_once():
    told, _ = lived(planned(rung(on(1), on(2), strategy="cycle", wait=0)))
    assert told == [(0, [1]), (0, [2])]


def test_a_wait_calls_nobody_and_is_passed_once():
    told, over = lived(planned(rung(kind="wait", wait=15), rung(on(1))))
    assert told == [(15, [1])]
    assert over.fired == 1


def test_a_threshold_looks_again_until_enough_began():
    first = planned(rung(kind="threshold", count=3, minutes=2, wait=0), rung(on(1)))
    few = climb(first, HOUSE, anybody, NOW, Luck(begun=lambda since: 3))
    assert (few.rises, few.escalation.wake_at, few.escalation.level) == ((), NOW + 2 * MINUTE, 0)
    assert few.escalation.turn == 1, "it stands at the threshold"
    enough = climb(few.escalation, HOUSE, anybody, NOW + MINUTE, Luck(begun=lambda since: 4))
    assert called(enough.rises) == [[1]]
    assert enough.escalation.turn == 0


def test_a_threshold_counts_what_began_within_its_minutes():
    asked = []

    def begun(since):
        asked.append(since)
        return 0

    at_once = planned(rung(kind="threshold", count=1, minutes=5), rung(on(1)))
    climb(at_once, HOUSE, anybody, NOW, Luck(begun=begun))
    assert asked == [NOW - 5 * MINUTE]


def test_a_window_is_waited_for_and_one_that_is_open_is_not():
    made = hours([Window(start=time(2), end=time(3))])
    assert made is not None
    window = Windows(hours=made, zone="Europe/Berlin")
    told, _ = lived(planned(rung(kind="window", windows=window, wait=0), rung(on(1))), minutes=48 * 60)
    assert told == [(23 * 60, [1])]
    open_now = replace(window, zone="Etc/UTC")
    told, _ = lived(planned(rung(kind="window", windows=open_now, wait=0), rung(on(1))))
    assert told == [(0, [1])]


@pytest.mark.parametrize(
    ("rungs", "rounds", "told"),
    [
        ((rung(on(4)), rung(on(1))), 1, [(0, []), (0, [1])]),
        ((rung(on(1), wait=0), rung(on(2), wait=0)), 1, [(0, [1]), (0, [2])]),
        ((rung(on(1), wait=0),), 3, [(0, [1]), (1, [1]), (2, [1])]),
        ((rung(on(1)),), 2, [(0, [1]), (5, [1])]),
        ((rung(on(4)), rung(on(4))), 5, [(0, []), (0, [])]),
        ((), 5, []),
    ],
)
def test_when_rungs_fire(rungs, rounds, told):
    assert lived(planned(*rungs, rounds=rounds))[0] == told


def test_a_policy_that_repeats_for_ever_takes_a_breath_and_stops_for_nobody():
    told, going = lived(planned(rung(on(1), wait=0), rounds=FOREVER), minutes=10)
    assert told == [(n, [1]) for n in range(11)]
    assert going.wake_at == NOW + 10 * MINUTE + BREATH
    told, over = lived(planned(rung(on(4), wait=0), rounds=FOREVER), minutes=10)
    assert (told, over.phase) == ([(0, [])], Phase.EXHAUSTED)


@pytest.mark.parametrize("rungs", [(rung(kind="wait"),), (rung(on(4)),), ()])
def test_a_run_that_reached_no_one_says_so(rungs):
    at, escalation = NOW, planned(*rungs)
    done = climb(escalation, HOUSE, anybody, at)
    while done.escalation.wake_at:
        done = climb(done.escalation, HOUSE, anybody, done.escalation.wake_at)
    assert (done.reached_nobody, done.exhausted) == (True, False)


OPS, WEB = (
    LevelTarget(type="slack_channel", id="C0OPS0001"),
    LevelTarget(type="slack_channel", id="C0WEB0001"),
)
TALKING = replace(HOUSE, speaks=frozenset({"slack"}))


@pytest.mark.parametrize(
    ("targets", "turn", "house", "people", "posts", "empty"),
    [
        ((OPS, on(1)), 0, TALKING, [1], [OPS], ()),
        ((OPS, WEB, OPS), 0, TALKING, [], [OPS, WEB], ("only channels are told, and a channel is nobody",)),
        ((OPS, on(4)), 0, TALKING, [], [OPS], ("user 4: nobody",)),
        ((OPS,), 0, HOUSE, [], [], ("Slack channel C0OPS0001: Slack is not set up",)),
        ((OPS, on(1)), 0, HOUSE, [1], [], ("Slack channel C0OPS0001: Slack is not set up",)),
        ((OPS, on(1), on(2)), 1, TALKING, [2], [], ()),
        ((OPS, on(1), on(2)), 1, HOUSE, [2], [], ()),
    ],
    ids=["beside people", "channels only", "nobody there", "not set up", "not set up beside", "heard it before", "said it before"],
)  # fmt: skip
def test_a_rung_tells_its_channels_and_calls_its_people(targets, turn, house, people, posts, empty):
    rise = fire(rung(*targets, strategy="cycle"), house, anybody, now=NOW, turn=turn)
    assert ([call.user_id for call in rise.calls], list(rise.posts), rise.empty) == (people, posts, empty)


def test_a_rung_of_channels_is_left_at_once_and_a_run_of_them_reached_nobody():
    done = climb(planned(rung(OPS), rung(OPS, on(1)), rung(WEB)), TALKING, anybody, NOW)
    assert [(r.level, len(r.posts), called([r])[0]) for r in done.rises] == [(1, 1, []), (2, 1, [1])]
    assert done.escalation.reached == 1 and done.escalation.wake_at == NOW + 5 * MINUTE
    silent = climb(planned(rung(OPS), rung(WEB), rounds=3), TALKING, anybody, NOW)
    assert [len(r.posts) for r in silent.rises] == [1, 1] and silent.reached_nobody


# ---------------------------------------------------------------- schedules on a rung, and who listens


def rota(*users, shadows=()):
    """A schedule of daily turns, and who shadows whom in it."""
    return schedule(rotation(*users), shadows=shadows)


def test_a_schedule_calls_who_is_on_call_or_everyone_it_knows():
    house = directory(user(1), user(2), schedules={str(UUID(int=1)): rota(1, 2)})
    target = LevelTarget(type="schedule", id=str(UUID(int=1)))
    when = at("2027-06-08T12:00")
    found = fire(rung(target), house, anybody, now=when)
    assert [(call.user_id, call.because) for call in found.calls] == [(2, "on call in schedule Payments")]
    found = fire(rung(target, everyone=True), house, anybody, now=when)
    assert [(call.user_id, call.because) for call in found.calls] == [
        (1, "everyone in schedule Payments"), (2, "everyone in schedule Payments"),
    ]  # fmt: skip
    assert fire(rung(target), house, anybody).calls == (), "without a time nobody is on call"


def test_who_shadows_somebody_hears_only_what_that_person_is_called_for():
    listens = Shadow(id=UUID(int=5), user=3, of=2, start=at("2027-06-01T00:00"), end=at("2027-07-01T00:00"))
    shadowed, other = UUID(int=1), UUID(int=2)
    house = directory(
        user(1), user(2), user(3),
        schedules={str(shadowed): rota(1, 2, shadows=(listens,)), str(other): replace(rota(2), id=other)},
    )  # fmt: skip

    def heard(when, *idents):
        targets = [LevelTarget(type="schedule", id=str(ident)) for ident in idents]
        return [
            (c.user_id, c.shadows) for c in fire(rung(*targets, on(1)), house, anybody, now=at(when)).calls
        ]

    assert heard("2027-06-08T12:00", shadowed) == [(2, (3,)), (1, ())]
    assert heard("2027-06-07T12:00", shadowed) == [(1, ())], "whom nobody shadows is heard by nobody else"
    assert heard("2027-06-08T12:00", other) == [(2, ()), (1, ())], "in another schedule nobody listens"


# ---------------------------------------------------------------- cycles, quiet hours, counts


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, [[1], [2], [3]]),
        ({"at_a_time": 2}, [[1, 2], [3]]),
        ({"repeats": 2}, [[1], [2], [3], [1], [2], [3]]),
        ({"repeats": 2, "at_a_time": 2}, [[1, 2], [3, 1], [2, 3]]),
        ({"exactly": True, "repeats": 4}, [[1], [2], [3], [1]]),
        ({"exactly": True, "repeats": 3, "at_a_time": 2}, [[1, 2], [3]]),
        # More at a time than there are: each is called once and not twice in one breath.
        ({"at_a_time": 5, "repeats": 2}, [[1, 2, 3], [3]]),
        ({"at_a_time": 0}, [[1], [2], [3]]),
    ],
)  # fmt: skip
def test_whom_a_cycle_calls_turn_by_turn(more, told):
    one, turn, heard = rung(*EVERYBODY, strategy="cycle", **more), 0, []
    while True:
        rise = fire(one, HOUSE, anybody, now=NOW, turn=turn)
        heard.append([call.user_id for call in rise.calls])
        if not rise.more or turn > 10:
            break
        turn += 1
    assert heard == told


def test_a_cycle_of_which_fewer_are_left_calls_the_last_of_them():
    one = rung(*EVERYBODY, strategy="cycle")
    rise = fire(one, HOUSE, lambda user_id: user_id == 2, now=NOW, turn=2)
    assert ([call.user_id for call in rise.calls], rise.more) == ([2], False)


def test_whoever_keeps_quiet_hours_is_passed_over_while_others_are_left():
    luck = Luck(asleep=lambda user_id: user_id == 1)
    told, _ = lived(planned(rung(on(1), on(2)), rung(on(1)), rung(wait=3, kind="wait")), luck=luck)
    assert told == [(0, [2]), (5, [1])], (
        "the last rung that pages wakes everybody; a wait behind it pages nobody"
    )


def test_a_climb_counts_whom_it_reached_and_knows_the_rung_it_stands_on():
    service_that_pages = directory(
        user(1), user(2), policy(0x10, ([on(2)], 0)), service(0x31, policy_id=0x10)
    )
    named = LevelTarget(type="service", id=str(UUID(int=0x31)))
    done = climb(planned(rung(on(1), on(2), named), rung(on(1))), service_that_pages, anybody, NOW).escalation
    assert (done.reached, done.fired, done.level) == (3, 1, 1), "two people, and a climb beside this one"
    assert done.rung == done.plan.rungs[0]
    assert [replace(done, level=n).rung for n in (0, 1, 2, 3)] == [None, *done.plan.rungs, None]


def test_a_round_that_only_waits_is_no_end():
    told, over = lived(planned(rung(wait=4, kind="wait"), rung(on(1)), rounds=2))
    assert told == [(4, [1]), (13, [1])] and over.phase is Phase.EXHAUSTED


@pytest.mark.parametrize(("ident", "found"), [("1", 1), ("0000000001", 0), ("²", 0), ("x", 0)])
def test_what_is_no_number_of_a_person_is_nobody(ident, found):
    assert len(fire(rung(LevelTarget(type="user", id=ident)), HOUSE, anybody, now=NOW).calls) == found


@pytest.mark.parametrize("strategy", ["alert", "cycle", "random"])
def test_without_luck_a_rung_begins_with_its_first_person(strategy):
    rise = fire(rung(*EVERYBODY, strategy=strategy, level_id=LEVEL), HOUSE, anybody)
    assert called([rise]) == [[1]]
