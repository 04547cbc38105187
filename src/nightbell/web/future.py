"""Says what happens next if nobody does anything: the engine's own climb, played forward without writing anything."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from nightbell.core import paging, quiet
from nightbell.core.ascent import Climb, Luck, climb, place
from nightbell.core.directory import CHANNELS, Directory, LevelTarget
from nightbell.core.escalation import Escalation, Phase, Plan, Rise, Rung
from nightbell.store.db import Row

#: Rungs shown of what is to come; a policy of 20 levels and 10 rounds would fill the page.
MOST_STEPS = 12
#: A plan that only waits is looked at this often, and no more.
_MOST_LOOKS = 200
#: More members than any level asks for: what follows a level that counts is shown as if they had come.
_ENOUGH = 1_000_000
_IN_TURN = {"alert": "one of them for each alert, in turn", "random": "one of them, at random"}


class Person(Struct, frozen=True, kw_only=True):
    """Somebody a rung calls: by what, and after how many minutes."""

    user_id: int
    name: str
    because: str
    #: (minutes after the page, kind of channel)
    ways: tuple[tuple[int, str], ...]


class Step(Struct, frozen=True, kw_only=True):
    """One rung still to come."""

    at: datetime
    plan: str
    level: int
    round: int
    people: tuple[Person, ...]
    #: Other policies that this rung starts.
    spawns: tuple[str, ...]
    #: Why targets of it reach nobody.
    empty: tuple[str, ...]
    #: What else is to be known of it: who of them is called, what it waited for.
    notes: tuple[str, ...] = ()
    #: Channels that are told beside them.
    posts: tuple[str, ...] = ()


def escalation(row: Row) -> Escalation:
    """Return a stored climb."""
    stored = set(row.keys())
    values = {name: row[name] for name in Escalation.__struct_fields__ if name in stored}
    if "acknowledged" in values:
        values["acknowledged"] = tuple(values["acknowledged"])
    plan = msgspec.convert(values.pop("plan"), Plan)
    return Escalation(plan=plan, phase=Phase(values.pop("phase")), **values)


def _luck(directory: Directory, loudness: str, at: datetime) -> Luck:
    def asleep(user_id: int) -> bool:
        return quiet.asleep(directory.users.get(user_id), loudness, at)

    return Luck(begun=lambda since: _ENOUGH, asleep=asleep)


def steps(climbing: Escalation, directory: Directory, now: datetime) -> list[Step]:
    """Return the next rungs of a climb, the first of them soonest; none when it is held or over."""
    found: list[Step] = []
    state = replace(climbing, plan=_all_named(climbing.plan))
    loudness = climbing.plan.loudness

    def reachable(user_id: int) -> bool:
        return paging.reachable(directory.users.get(user_id), loudness)

    for _ in range(_MOST_LOOKS):
        if state.phase is not Phase.CLIMBING or state.wake_at is None or len(found) >= MOST_STEPS:
            break
        at = max(state.wake_at, now)
        climbed = climb(state, directory, reachable, at, _luck(directory, loudness, at))
        found += [_step(rise, climbed, climbing.plan, directory, at) for rise in climbed.rises]
        if not climbed.rises and climbed.escalation.wake_at == state.wake_at:
            break
        state = climbed.escalation
    return found


def _all_named(plan: Plan) -> Plan:
    """Return a plan that calls all of whom one would be chosen: who that is, only the day will show."""
    rungs = (replace(r, strategy="default") if r.strategy in _IN_TURN else r for r in plan.rungs)
    return replace(plan, rungs=tuple(rungs))


def _step(rise: Rise, climbed: Climb, plan: Plan, directory: Directory, at: datetime) -> Step:
    return Step(
        at=at,
        plan=plan.name,
        level=rise.level,
        round=max(1, climbed.escalation.round),
        people=tuple(person(call.user_id, call.because, plan.loudness, directory) for call in rise.calls),
        spawns=tuple(named(t.type, t.id, directory) for t in rise.spawns),
        empty=rise.empty,
        notes=tuple(_notes(plan.rungs, rise)),
        posts=tuple(place(target) for target in rise.posts),
    )


def _notes(rungs: Sequence[Rung], rise: Rise) -> Iterator[str]:
    rung = rungs[rise.level - 1]
    before = rungs[rise.level - 2] if rise.level > 1 else None
    if before is not None and before.kind == "threshold":
        yield f"only once more than {before.count} of its members began within {before.minutes} min"
    if len(rise.calls) > 1 and rung.strategy in _IN_TURN:
        yield _IN_TURN[rung.strategy]
    if len(rise.calls) > 1 and rung.all_must_acknowledge:
        yield "each of them must acknowledge"


def person(user_id: int, because: str, loudness: str, directory: Directory) -> Person:
    """Return somebody who would be called, with the channels that would be used."""
    user = directory.users[user_id]
    ways = ((rule.delay_minutes, user.methods[rule.method_id].kind) for rule in paging.rules(user, loudness))
    return Person(user_id=user_id, name=user.name, because=because, ways=tuple(dict.fromkeys(ways)))


def named(kind: str, ident: str, directory: Directory) -> str:
    """Return the name of a target, whatever it is called on the wire."""
    if kind.lower() == "user":
        user = directory.users.get(int(ident)) if ident.isdecimal() else None
        return user.name if user else f"user {ident}"
    if kind in CHANNELS:
        return place(LevelTarget(type=kind, id=ident))
    word, known = kind.lower(), str(ident)
    if word in ("group", "team") and known in directory.teams:
        return f"everyone in {directory.teams[known].name}"
    if word == "service" and known in directory.services:
        return directory.services[known].name
    return directory.policies[known].name if known in directory.policies else f"{kind} {known}"


def merged(climbs: Sequence[Escalation], directory: Directory, now: datetime) -> list[Step]:
    """Return the next rungs of several climbs together, in time."""
    together = [step for one in climbs for step in steps(one, directory, now)]
    return sorted(together, key=lambda step: step.at)[:MOST_STEPS]


def minutes(start: datetime, at: datetime) -> int:
    """Return how many minutes after the start something comes."""
    return int((at - start) / timedelta(minutes=1))
