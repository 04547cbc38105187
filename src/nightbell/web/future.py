"""Says what happens next if nobody does anything: the engine's own climb, played forward without writing anything."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from nightbell.core import paging
from nightbell.core.ascent import climb
from nightbell.core.directory import Directory
from nightbell.core.escalation import Escalation, Phase, Plan
from nightbell.store.db import Row

#: Rungs shown of what is to come; a policy of 20 levels and 10 rounds would fill the page.
MOST_STEPS = 12


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


def escalation(row: Row) -> Escalation:
    """Return a stored climb."""
    stored = set(row.keys())
    values = {name: row[name] for name in Escalation.__struct_fields__ if name in stored}
    if "acknowledged" in values:
        values["acknowledged"] = tuple(values["acknowledged"])
    plan = msgspec.convert(values.pop("plan"), Plan)
    return Escalation(plan=plan, phase=Phase(values.pop("phase")), **values)


def steps(climbing: Escalation, directory: Directory, now: datetime) -> list[Step]:
    """Return the next rungs of a climb, the first of them soonest; none when it is held or over."""
    found: list[Step] = []
    state = climbing
    loudness = climbing.plan.loudness

    def reachable(user_id: int) -> bool:
        return paging.reachable(directory.users.get(user_id), loudness)

    while state.phase is Phase.CLIMBING and state.wake_at is not None and len(found) < MOST_STEPS:
        at = max(state.wake_at, now)
        climbed = climb(state, directory, reachable, at)
        round_now = max(1, climbed.escalation.round)
        for rise in climbed.rises:
            people = tuple(person(call.user_id, call.because, loudness, directory) for call in rise.calls)
            spawns = tuple(named(t.type, t.id, directory) for t in rise.spawns)
            found.append(
                Step(
                    at=at, plan=state.plan.name, level=rise.level, round=round_now,
                    people=people, spawns=spawns, empty=rise.empty,
                )
            )  # fmt: skip
        if not climbed.rises and climbed.escalation.wake_at == state.wake_at:
            break
        state = climbed.escalation
    return found


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
