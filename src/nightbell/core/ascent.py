"""How a climb goes up: fire the next rung, and those after it that need no waiting. Pure; core/climbing.py acts on it.

Rule 1: an empty rung is left at once, and a rung that waits says until when.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from nightbell.core.directory import CHANNELS, Directory, LevelTarget, Target
from nightbell.core.escalation import BREATH, FOREVER, Call, Escalation, Phase, Rise, Rung
from nightbell.core.oncall import on_call, shadows_of
from nightbell.core.planning import plans
from nightbell.core.serving import everybody

Reachable = Callable[[int], bool]


class Luck(Struct, frozen=True, kw_only=True):
    """What a rung may ask beside the directory: whose turn it is, how many members began, what a coin shows."""

    turn: Callable[[UUID], int] = lambda level: 0
    begun: Callable[[datetime], int] = lambda since: 0
    coin: int = 0
    #: Who keeps quiet hours, and is passed over where others are left.
    asleep: Reachable = lambda user_id: False

    def waking(self, reachable: Reachable) -> Reachable:
        """Return who can be reached without waking those who keep quiet hours."""
        return lambda user_id: reachable(user_id) and not self.asleep(user_id)


class Climb(Struct, frozen=True, kw_only=True):
    """What became of a climb when time looked at it."""

    escalation: Escalation
    rises: tuple[Rise, ...]
    #: Every rung of a whole round was empty.
    reached_nobody: bool = False
    #: The last rung of the last round has had its time.
    exhausted: bool = False


def climb(
    escalation: Escalation,
    directory: Directory,
    reachable: Reachable,
    now: datetime,
    luck: Luck | None = None,
) -> Climb:
    """Fire what is due of a climb."""
    luck = luck or Luck(coin=escalation.token.int)
    state = replace(escalation, phase=Phase.CLIMBING)
    rises: list[Rise] = []
    while True:
        onward = _onward(state, rises, now)
        if onward is None:
            return _over(state, tuple(rises))
        waiting = onward.wake_at or _gate(onward, luck, now)
        if waiting:
            held = (
                onward if onward.wake_at else replace(onward, level=onward.level - 1, wake_at=waiting, turn=1)
            )
            return Climb(escalation=held, rises=tuple(rises))
        rung = onward.plan.rungs[onward.level - 1]
        if rung.kind == "page":
            able = reachable if _last(onward) else luck.waking(reachable)
            rise = fire(rung, directory, able, now=now, luck=luck, turn=onward.turn)
            rises.append(rise)
            state = _after(onward, rise)
            stays = bool(rise.calls or rise.spawns)
        else:
            state, stays = replace(onward, turn=0), rung.kind == "wait"
        if stays and rung.wait:
            return Climb(
                escalation=replace(state, wake_at=now + timedelta(seconds=rung.wait)), rises=tuple(rises)
            )


def _last(state: Escalation) -> bool:
    """Return whether nobody is left above this rung: whoever keeps quiet hours is called all the same."""
    return not any(rung.kind == "page" for rung in state.plan.rungs[state.level :])


def _after(state: Escalation, rise: Rise) -> Escalation:
    return replace(
        state,
        fired=state.fired + 1,
        reached=state.reached + len(rise.calls) + len(rise.spawns),
        # A rung that calls its people one after another is not left before the last of them.
        level=state.level - 1 if rise.more else state.level,
        turn=state.turn + 1 if rise.more else 0,
        acknowledged=(),
    )


def _gate(state: Escalation, luck: Luck, now: datetime) -> datetime | None:
    """Return when to look again at a rung that waits for something; None when the way is free."""
    rung = state.plan.rungs[state.level - 1]
    if rung.kind == "threshold":
        span = timedelta(minutes=max(rung.minutes, 1))
        return None if luck.begun(now - span) > rung.count else now + span
    if rung.kind == "window" and rung.windows is not None and not rung.windows.holds(now):
        return rung.windows.next_start(now)
    return None


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


# ---------------------------------------------------------------- one rung


def fire(
    rung: Rung,
    directory: Directory,
    reachable: Reachable,
    *,
    now: datetime | None = None,
    luck: Luck | None = None,
    turn: int = 0,
) -> Rise:
    """Return whom a rung calls; each person once, whatever names them."""
    calls: dict[int, Call] = {}
    spawns: list[Target] = []
    posts, empty = _told(rung, directory, turn)
    for target in (t for t in rung.targets if t.type not in CHANNELS):
        people, spawned, why = _resolved(target, rung, directory, now)
        spawns += spawned
        found = [p for p in people if reachable(p)]
        for user_id in found:
            calls.setdefault(user_id, Call(user_id=user_id, because=why))
        if not found and not spawned:
            empty.append(f"{why}: nobody who can be reached" if people else f"{why}: nobody")
    chosen, turned, more = _chosen(rung, list(calls.values()), luck or Luck(), turn)
    chosen = [_heard(call, rung, directory, now) for call in chosen]
    return Rise(
        level=rung.position,
        calls=tuple(chosen),
        spawns=tuple(spawns),
        empty=tuple(empty) or (() if calls or spawns else (_nobody(posts),)),
        turned=turned,
        more=more,
        posts=posts,
    )


def _told(rung: Rung, directory: Directory, turn: int) -> tuple[tuple[LevelTarget, ...], list[str]]:
    """Return the channels a rung tells, and why it tells the others of its channels nothing."""
    if turn:
        # A cycle comes to its rung again for everybody in turn; a channel heard it the first time.
        return (), []
    named = dict.fromkeys(target for target in rung.targets if target.type in CHANNELS)
    posts = tuple(target for target in named if CHANNELS[target.type] in directory.speaks)
    deaf = [f"{place(t)}: {CHANNELS[t.type].capitalize()} is not set up" for t in named if t not in posts]
    return posts, deaf


def place(target: LevelTarget) -> str:
    """Return how a channel is called in a sentence."""
    return f"{CHANNELS[target.type].capitalize()} channel {target.id}"


def _nobody(posts: tuple[LevelTarget, ...]) -> str:
    return "only channels are told, and a channel is nobody" if posts else "the level has no targets"


def _heard(call: Call, rung: Rung, directory: Directory, now: datetime | None) -> Call:
    """Return a call with those who shadow it, in the schedules of its rung."""
    if now is None:
        return call
    named = (directory.schedules.get(target.id) for target in rung.targets if target.type == "schedule")
    every = (shadows_of(one, call.user_id, now, everyone=rung.everyone) for one in named if one is not None)
    shadows = sorted(frozenset[int]().union(*every))
    return replace(call, shadows=tuple(shadows)) if shadows else call


def _chosen(rung: Rung, calls: list[Call], luck: Luck, turn: int) -> tuple[list[Call], UUID | None, bool]:
    """Return who is called now by the rung's strategy, the pointer that moved, and whether more are to come."""
    if not calls or rung.strategy == "default":
        return calls, None, False
    if rung.strategy == "alert" and rung.level_id is not None:
        return [calls[luck.turn(rung.level_id) % len(calls)]], rung.level_id, False
    if rung.strategy == "cycle":
        return _cycled(rung, calls, turn)
    return [calls[luck.coin % len(calls)]], None, False


def _cycled(rung: Rung, calls: list[Call], turn: int) -> tuple[list[Call], UUID | None, bool]:
    """Return whose turn it is of those called one after another: so many at a time, round and round."""
    size = max(rung.at_a_time, 1)
    total = rung.repeats if rung.exactly else len(calls) * rung.repeats
    # Who could be reached may have become fewer since the last turn.
    first = min(turn * size, max(total, 1) - 1)
    chosen = [calls[n % len(calls)] for n in range(first, min(first + size, max(total, 1)))]
    return list(dict.fromkeys(chosen)), None, first + size < total


def _resolved(
    target: LevelTarget, rung: Rung, directory: Directory, now: datetime | None
) -> tuple[tuple[int, ...], list[Target], str]:
    """Return (people, climbs to start beside this one, how to call the target)."""
    match target.type:
        case "user":
            user = directory.users.get(int(target.id)) if _number(target.id) else None
            return ((user.id,), [], user.name) if user and user.active else ((), [], f"user {target.id}")
        case "team":
            return _team(target, directory)
        case "schedule":
            return _schedule(target, rung, directory, now)
        case "service" if target.id in directory.services:
            named = Target(type="Service", id=target.id)
            spawned = [named] if plans(named, directory)[0] else []
            return (), spawned, f"service {directory.services[target.id].name}"
        case _:
            return (), [], f"{target.type} {target.id}"


def _number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


def _schedule(
    target: LevelTarget, rung: Rung, directory: Directory, now: datetime | None
) -> tuple[tuple[int, ...], list[Target], str]:
    schedule = directory.schedules.get(target.id)
    if schedule is None or now is None:
        return (), [], f"schedule {target.id}"
    people = everybody(schedule) if rung.everyone else on_call(schedule, now)
    how = "everyone in" if rung.everyone else "on call in"
    return tuple(sorted(people)), [], f"{how} schedule {schedule.name}"


def _team(target: LevelTarget, directory: Directory) -> tuple[tuple[int, ...], list[Target], str]:
    team = directory.teams.get(target.id)
    if team is None:
        return (), [], f"team {target.id}"
    if target.team_members == "escalate":
        named = Target(type="Group", id=target.id)
        return (), [named] if plans(named, directory)[0] else [], f"team {team.name}"
    people = team.admin_ids if target.team_members == "admins" else team.member_ids
    return people, [], f"{'admins of ' if target.team_members == 'admins' else ''}team {team.name}"
