"""This file reads scenarios of who is paged and when, and lets them happen in a world of their own.

Shape of a case: `setup` (users with their rules, policy, services), `timeline` of lines that say what happens and what
is expected by then; `conventions` in the file says what each means. Only pages count: that something is over is told too.
"""

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg

from nightbell.core.errors import NightbellError
from nightbell.store.db import connect
from nightbell.telemetry import log
from nightbell.testing import expecting
from nightbell.testing.databases import opened_cluster
from nightbell.testing.scenario import Scene
from nightbell.testing.sentences import (
    BEFORE_ANYTHING,
    DURING_A_CALL,
    HOW_IT_FARES,
    SIDE_BY_SIDE,
    Teller,
    Unclear,
    needed,
)
from nightbell.testing.staged import Staged
from nightbell.testing.verdict import Verdict
from nightbell.testing.world import Needs, Policy, Rejected, Rule, Step, World

Case = dict[str, Any]
Line = dict[str, Any]
Opened = Callable[[Case], AbstractAsyncContextManager[World]]

#: What is said to the reader, anywhere, and changes nothing.
_PROSE = frozenset({"note", "comment", "why", "policy_choice", "want_more", "tags", "source", "title"})
#: Words for how many engines there are, and for when the first minute is.
_ENGINES = ("replicas", "engines", "instances", "nodes", "workers")
_BEGINS = ("start", "starts_at", "start_at", "now", "clock")
_SETUP = frozenset(
    {
        "users", "policy", "services", "second_service", "initial_state", "maintenance_until_min", "heartbeats",
        "ack_timeout_min", "ack_timeout_on", "second_policy", "other_policy", "new_policy", *_ENGINES, *_BEGINS,
    }
)  # fmt: skip
_LINE = (
    frozenset({"t_min", "do", "state", "expect_log", "expect_error", "expect_state"})
    | expecting.LOOKS
    | expecting.BOUNDS
)
_HEARTBEAT = frozenset({"name", "timeout_min", "disabled"})
_RULE = frozenset({"channel", "after_min"})
_POLICY = frozenset({"steps", "repeat"})
_SECOND = frozenset({"name", "policy"})
#: Words of cases for lines of our timeline.
_RECORDED = {
    "policy exhausted": "escalation.exhausted",
    "step skipped": "escalation.level_skipped",
    "level skipped": "escalation.level_skipped",
    "empty step": "escalation.level_skipped",
    "maintenance": "maintenance.muted",
}
#: Words of cases for where an alert stands.
_STANDS = {
    "closed": "resolved",
    "firing": "triggered",
    "unacknowledged": "triggered",
    "snoozed": "acknowledged",
}


def run(cases: Sequence[Case]) -> Iterable[Verdict]:
    """Return the verdict on each case, run on a PostgreSQL of its own for the purpose."""
    log.configure(level="warning", style="console")
    return asyncio.run(_run(cases))


async def _run(cases: Sequence[Case]) -> list[Verdict]:
    with tempfile.TemporaryDirectory(prefix="nightbell-cases-") as folder:
        async with opened_cluster(Path(folder)) as cluster:

            @asynccontextmanager
            async def opened(case: Case) -> AsyncIterator[World]:
                async with cluster.fresh() as url:
                    db = await connect(url, 10)
                    scene = Scene(db, nodes=engines_of(case), start=begins_at(case))
                    try:
                        await scene.start()
                        yield Staged(scene)
                    finally:
                        await scene.stop()
                        await db.close()

            return [Verdict(case.get("id", "?"), tuple(await problems(case, opened))) for case in cases]


def engines_of(case: Case) -> int:
    """Return how many engines run side by side: as many as are said, or two where a line speaks of several."""
    said = [line.get("do", "") for line in case["timeline"]]
    several = any(SIDE_BY_SIDE.search(text) for text in said)
    return int(_first(case["setup"], _ENGINES) or (2 if several else 1))


def begins_at(case: Case) -> datetime | None:
    """Return when the first minute is, for cases that depend on the hour."""
    said = _first(case["setup"], _BEGINS)
    if said is None:
        return None
    at = datetime.fromisoformat(f"2027-01-04T{said}" if re.fullmatch(r"\d\d:\d\d", said) else said)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _first(said: dict[str, Any], names: Iterable[str]) -> Any:
    """Return what is said by the first of several names for one thing; None where by none."""
    return next((said[name] for name in names if name in said), None)


async def problems(case: Case, opened: Opened) -> list[str]:
    """Return what happens otherwise than a case expects, or which part it needs that is not there."""
    part = _needed(case)
    if part:
        return [f"needs {part}"]
    try:
        async with opened(case) as world:
            telling = Telling(case, world)
            await telling.set_up()
            return [problem async for problem in telling.wrong()]
    except Needs as part:
        return [f"needs {part}"]
    except Unclear as said:
        return [f"sentence not understood: {said}"]
    except Rejected as said:
        return [f"refused: {said}"]
    except (NightbellError, asyncpg.PostgresError, AssertionError, KeyError, TypeError, ValueError) as fault:
        return [f"cannot be told: {type(fault).__name__}: {fault}"]


def _needed(case: Case) -> str:
    """Return a part that does not exist yet and that some line asks for."""
    said = [text for line in case["timeline"] for text in (line.get("do", ""), *line.get("expect", []))]
    return next((part for text in said if (part := needed(text))), "")


class Telling:
    """One case, happening."""

    def __init__(self, case: Case, world: World) -> None:
        self.setup: dict[str, Any] = case["setup"]
        self.lines: list[Line] = case["timeline"]
        self.world = world
        beats = tuple(h["name"] for h in self.setup.get("heartbeats", ()))
        self.teller = Teller(world, tuple(self.setup.get("users", {})), beats)
        self._looked_at = 0
        #: Lines that have happened already, with the line before them.
        self._ahead: list[Line] = []
        _known(self.setup, _SETUP, "setup")
        for line in self.lines:
            _known(line, _LINE, "timeline")

    async def set_up(self) -> None:
        """Make the people and what pages them; what happened before the first line has happened."""
        for name, rules in self.setup.get("users", {}).items():
            await self.world.person(name, [_rule(said) for said in rules])
        for service in self.setup.get("services", ["s1"]):
            await self.world.service(service, policy(self.setup["policy"]))
        if second := self.setup.get("second_service"):
            _known(second, _SECOND, "second service")
            await self.world.service(second.get("name", "s2"), policy(second["policy"]))
        for beat in self.setup.get("heartbeats", ()):
            _known(beat, _HEARTBEAT, "heartbeat")
            service = next(iter(self.setup.get("services", ["s1"])))
            enabled = not beat.get("disabled", False)
            await self.world.heartbeat(beat["name"], service, beat["timeout_min"], enabled=enabled)
        if minutes := self.setup.get("ack_timeout_min"):
            await self.world.holds(int(minutes), self.setup.get("ack_timeout_on", "everything"))
        if other := _first(self.setup, ("second_policy", "other_policy", "new_policy")):
            self.teller.other_policy = policy(other)
        if minutes := self.setup.get("maintenance_until_min"):
            await self.world.maintain("s1", minutes)
        await self._begin(self.setup.get("initial_state"))

    async def _begin(self, state: str | None) -> None:
        acts = {"triggered": (), "acknowledged": ("someone acknowledges",), "resolved": ("someone resolves",)}
        if state is not None:
            for sentence in ("alert fires", *acts[state]):
                await self.teller.tell(sentence)
            self._looked_at = len(await self.world.heard())

    async def wrong(self) -> AsyncIterator[str]:
        """Let every line happen, and yield what is otherwise than it says."""
        for number, line in enumerate(self.lines):
            following = self.lines[number + 1] if number + 1 < len(self.lines) else {}
            await self.world.until(line["t_min"])
            said = [problem async for problem in self._happen(line, following)]
            said += [problem async for problem in self._look(line)]
            for problem in said:
                yield f"at {line['t_min']} min: {problem}"

    async def _happen(self, line: Line, following: Line) -> AsyncIterator[str]:
        refusal = ""
        if "do" in line:
            await self._prepare(line, following)
        if "do" in line and line not in self._ahead:
            try:
                await self.teller.tell(line["do"])
            except Rejected as rejected:
                refusal = str(rejected)
        if "expect_error" in line and line["expect_error"].lower() not in refusal.lower():
            yield f"expected the refusal {line['expect_error']!r}, got {refusal or 'none'!r}"
        elif "expect_error" not in line and refusal:
            yield f"{line['do']!r} was refused: {refusal}"

    async def _prepare(self, line: Line, following: Line) -> None:
        """Make ready for a line that says in what moment this one is cut short."""
        after = following.get("do", "") if following.get("t_min") == line["t_min"] else ""
        if DURING_A_CALL.search(after):
            await self.world.hang()
        elif HOW_IT_FARES.search(after):
            await self.teller.tell(after)
            self._ahead.append(following)
        elif BEFORE_ANYTHING.search(after):
            await self.world.pause()

    async def _look(self, line: Line) -> AsyncIterator[str]:
        if expecting.LOOKS & line.keys():
            heard = await self.world.heard()
            for problem in expecting.wrong(line, heard[self._looked_at :]):
                yield problem
            self._looked_at = len(heard)
        for problem in [*await self._wrong_state(line), *await self._wrong_log(line)]:
            yield problem

    async def _wrong_state(self, line: Line) -> list[str]:
        found = []
        if "state" in line:
            state, _, recorded = line["state"].partition(",")
            now = await self.world.status(self.teller.alert)
            state = _STANDS.get(state, state)
            found += [f"the alert is {now}, not {state}"] if now != state else []
            found += await self._unrecorded(recorded)
        if "expect_state" in line:
            many, status = _counted(line["expect_state"])
            now_many = await self.world.count(status)
            found += [f"{now_many} alerts are {status}, not {many}"] if now_many != int(many) else []
        return found

    async def _unrecorded(self, recorded: str) -> list[str]:
        """Return what is said to be in the timeline and is not."""
        if not recorded:
            return []
        [text] = re.findall(r"'([^']+)' recorded", recorded)
        entries = await self.world.entries(self.teller.alert)
        code = _RECORDED.get(text, text)
        if any(e.code == code or text.lower() in e.details.lower() for e in entries):
            return []
        return [f"{text!r} is not in the timeline: {', '.join(e.code for e in entries)}"]

    async def _wrong_log(self, line: Line) -> list[str]:
        entries = await self.world.entries(self.teller.alert) if "expect_log" in line else []
        found = {what: sum(e.action == what for e in entries) for what in line.get("expect_log", {})}
        return [
            f"the timeline has {found[what]} {what}, not {many}"
            for what, many in line.get("expect_log", {}).items()
            if found[what] != many
        ]


def _known(said: dict[str, Any], names: frozenset[str], where: str) -> None:
    strange = sorted(said.keys() - names - _PROSE)
    if strange:
        raise Unclear(f"{', '.join(strange)} in the {where}")


# ---------------------------------------------------------------- policies

#: Who a step pages, where there is more than one: "ana, ben", "ana and ben".
_PEOPLE = r"(?P<people>\w+(?:(?:, and |,? and |, ?)\w+)*)"
_NOBODY = r"(?:an? |the )?(?:empty|nobody|none|no ?one|no-one)"
_HOURS = r"(?:from )?(?P<a>\d\d:\d\d)(?: ?[-\u2013] ?| and | to | until )(?P<b>\d\d:\d\d)(?: utc)?"
_STRATEGIES = {"round robin": "alert", "rotate": "alert", "one after another": "cycle"}
_STEPS: tuple[tuple[str, Callable[[re.Match[str]], Step]], ...] = (
    (
        r"wait:? (?P<n>\d+)(?: ?m(?:in)?(?:ute)?s?)?",
        lambda m: Step(kind="wait", wait=float(m["n"])),
    ),
    (
        r"(?:continue|go on|proceed|notify|wait|threshold:?)? ?(?:only )?(?:if|when|once|until|for)?:? ?(?P<how>>|>=|more than|at least|over)? ?(?P<count>\d+)(?: or more| new)? alerts? (?:in|within) (?P<n>\d+) ?m(?:in)?(?:ute)?s?",
        lambda m: Step(kind="threshold", count=_more_than(m), minutes=int(m["n"])),
    ),
    (
        rf"(?P<strategy>round[- ]robin|rotate|cycle|one after another|random)(?::| of| over| through)? ?{_PEOPLE}",
        lambda m: Step(strategy=_strategy(m["strategy"]), people=_people(m["people"])),
    ),
    (
        rf"(?:nobody|no ?one|no-one)(?: on call)?|{_NOBODY} (?:on-call )?(?:schedule|team|rotation|step)|(?:on-call )?(?:schedule|team|rotation)(?: \w+)?(?:: ?| of | with | \(){_NOBODY}\)?(?: on call)?\)?",
        lambda _: Step(),
    ),
    (
        rf"(?:on-call )?schedule(?: of|:)?:? ?{_PEOPLE}|(?:who(?:ever)? is )?on[- ]call: ?(?P<others>\w+(?:, ?\w+)*)",
        lambda m: Step(schedule=True, people=_people(m["people"] or m["others"])),
    ),
    (rf"team(?: of|:) ?{_PEOPLE}", lambda m: Step(team=True, people=_people(m["people"]))),
    (
        rf"(?:continue|go on|proceed|notify|wait|only|if|until|when|for|the|current|local|time|hours?|window|is|are|in|within|between|:|\s)*\b{_HOURS}",
        lambda m: Step(kind="window", hours=(m["a"], m["b"])),
    ),
    (r"(?:(?:notify|page):? )?(?P<name>\w+)", lambda m: Step(people=(m["name"],))),
)


def _more_than(said: re.Match[str]) -> int:
    """Return how many alerts are not enough: ">3" says 3, "at least 4" and "4 alerts" say so, too."""
    return int(said["count"]) - (0 if said["how"] in (">", "more than", "over") else 1)


def _counted(text: str) -> tuple[str, str]:
    """Return how many alerts stand how: "2 alerts are triggered".

    Raises: ValueError for a sentence that says it in another way.
    """
    said = re.fullmatch(r"(\d+) alerts? (?:are |is )?(\w+)", text, re.I)
    if said is None:
        raise ValueError(f"expect_state is not understood: {text}")
    return said[1], said[2]


def _strategy(text: str) -> str:
    plain = text.lower().replace("-", " ")
    return _STRATEGIES.get(plain, plain)


def _people(text: str) -> tuple[str, ...]:
    return tuple(re.split(r",? and |, ?", text))


def _rule(said: dict[str, Any]) -> Rule:
    _known(said, _RULE, "rule")
    return Rule(said["channel"], said.get("after_min", 0))


def policy(said: dict[str, Any]) -> Policy:
    """Return a policy from what a case says of it.

    Raises: Unclear for a target that means nothing, and for a wait of less than a minute.
    """
    _known(said, _POLICY, "policy")
    steps = [_step(step) for step in said["steps"]]
    return Policy(tuple(steps), int(said.get("repeat", 0)))


def _step(said: dict[str, Any]) -> Step:
    _known(said, frozenset({"targets", "then_wait_min", "require_all_acks"}), "step")
    parts = [_target(target) for target in said["targets"]]
    special = [p for p in parts if p.kind != "page" or p.strategy != "default" or p.schedule or p.team]
    if special and len(parts) > 1:
        raise Unclear(f"{said['targets']} in one step")
    if float(said.get("then_wait_min", 0)) % 1:
        raise Unclear(f"a wait of {said['then_wait_min']} min: levels wait whole minutes")
    one = special[0] if special else Step(people=tuple(name for p in parts for name in p.people))
    return Step(
        people=one.people,
        wait=one.wait + float(said.get("then_wait_min", 0)),
        kind=one.kind,
        strategy=one.strategy,
        all_must_acknowledge=bool(said.get("require_all_acks")),
        count=one.count,
        minutes=one.minutes,
        schedule=one.schedule,
        team=one.team,
        hours=one.hours,
    )


def _target(text: str) -> Step:
    for pattern, step in _STEPS:
        found = re.fullmatch(pattern, text.strip(), re.IGNORECASE)
        if found:
            return step(found)
    raise Unclear(f"target {text!r}")
