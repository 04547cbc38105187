"""A policy while somebody edits it: levels as sentences, and the clock they would lead to, before anything is saved."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from nightbell.core.ascent import place
from nightbell.core.directory import CHANNELS, Directory, Level, LevelTarget, Path, Policy, Windows
from nightbell.core.errors import Invalid
from nightbell.core.escalation import Escalation, Phase
from nightbell.core.planning import frozen
from nightbell.engine import windows
from nightbell.engine.checking_levels import check_channel, check_level
from nightbell.engine.checks import Checks
from nightbell.engine.edits import LevelEdit
from nightbell.engine.policies import AT_A_TIME, REPEATS, REPEATS_MODE, SCHEDULE_STRATEGY, STRATEGY
from nightbell.web.forms import Form, whole
from nightbell.web.future import Step, steps

MOST_LEVELS = 20
_LONGEST_DELAY = 10_080
_MOST_AROUND = 100
_MOST_AT_A_TIME = 25
_MOST_COUNTED = 10_000
_NOBODY = UUID(int=0)
OFFICE = {"days": list("MTWRF"), "start_time": "09:00", "end_time": "17:00"}
KINDS = (
    ("page", "page"),
    ("wait", "wait, whatever comes"),
    ("threshold", "wait for more members"),
    ("window", "wait for hours of the week"),
)
STRATEGIES = (
    ("default", "all of them at once"),
    ("alert", "one of them for each alert, in turn"),
    ("cycle", "one after another"),
    ("random", "one of them, at random"),
)
ROUNDS = (
    ("0", "no more"),
    *((str(n), f"{n} more {'time' if n == 1 else 'times'}") for n in range(1, 10)),
    ("-1", "again and again, until somebody acknowledges"),
)
AROUND = (("all", "times round the list"), ("users", "people in all"))
_TYPES = ("user", "team", "service", "schedule", *CHANNELS)
_MEMBERS = ("all", "admins", "escalate")


class Rung(Struct, frozen=True, kw_only=True):
    """One level in the form; the fields are those of core/directory.Level.

    Shape: targets are "user/1001", "team/<id>/all", "service/<id>", "schedule/<id>", "slack_channel/C06Q2JK7RQW".
    """

    targets: tuple[str, ...]
    #: Minutes before the next level.
    delay: int
    kind: str = "page"
    strategy: str = "default"
    everyone: bool = False
    all_must_acknowledge: bool = False
    #: Of a cycle: so many at a time; how often round, or with `exactly` how many people in all.
    at_a_time: int = 1
    repeats: int = 1
    exactly: bool = False
    count: int = 2
    minutes: int = 5
    #: As it is stored; None where none was given.
    window: dict[str, Any] | None = None

    @property
    def block(self) -> dict[str, Any]:
        """The one stretch of hours that the form can show."""
        blocks = (self.window or {}).get("blocks") or [OFFICE]
        return {**OFFICE, **blocks[0]}

    @property
    def simple(self) -> bool:
        """Whether the form can show the hours: one stretch, not all day."""
        blocks = (self.window or {}).get("blocks") or [OFFICE]
        return len(blocks) == 1 and not blocks[0].get("all_day")


class Draft(Struct, frozen=True, kw_only=True):
    """The name, the levels and the rounds in the form; -1 goes round until somebody acknowledges."""

    name: str
    repeat_count: int
    rungs: tuple[Rung, ...]


def from_rows(policy: dict[str, Any], levels: list[dict[str, Any]]) -> Draft:
    """Return the form of a stored policy; a new one begins with one empty level."""
    rungs = tuple(_rung(level, tuple(_written(target) for target in level["targets"])) for level in levels)
    return Draft(
        name=policy["name"], repeat_count=policy["repeat_count"], rungs=rungs or (Rung(targets=(), delay=5),)
    )


def _rung(row: dict[str, Any], targets: tuple[str, ...]) -> Rung:
    said = row["settings"]
    return Rung(
        targets=targets,
        delay=row["delay_minutes"],
        kind=said.get("level_type") or "page",
        strategy=said.get(STRATEGY) or "default",
        everyone=said.get(SCHEDULE_STRATEGY) == "everyone",
        all_must_acknowledge=bool(said.get("require_all_acknowledgements")),
        at_a_time=said.get(AT_A_TIME) or 1,
        repeats=said.get(REPEATS) or 1,
        exactly=said.get(REPEATS_MODE) == "users",
        count=said.get("threshold_count") or 2,
        minutes=said.get("threshold_minutes") or 5,
        window=said.get("window"),
    )


def _written(target: dict[str, Any]) -> str:
    text = f"{target['type']}/{target['id']}"
    return f"{text}/{target.get('team_members') or 'all'}" if target["type"] == "team" else text


def from_form(form: Form) -> Draft:
    """Return what the form holds, the target just chosen in a level's picker added to it.

    Raises: Invalid naming the field.
    """
    delays = form.aligned("delay")[:MOST_LEVELS]
    rungs = [_read_rung(form, number, delay) for number, delay in enumerate(delays)]
    rounds = form.choice("repeat_count", [value for value, _ in ROUNDS], "0")
    return Draft(name=form.text("name"), repeat_count=int(rounds), rungs=tuple(rungs))


def _read_rung(form: Form, number: int, delay: str) -> Rung:
    posts = [f"slack_channel/{ident}" for ident in form.many(f"channel-{number}")]
    chosen = [*form.many(f"target-{number}"), *form.many(f"add-{number}"), *posts]
    kind = form.choice(f"kind-{number}", [value for value, _ in KINDS], "page")
    return Rung(
        targets=tuple(dict.fromkeys(chosen)),
        delay=whole(delay, "delay", least=0, most=_LONGEST_DELAY, default=0),
        kind=kind,
        strategy=form.choice(f"strategy-{number}", [value for value, _ in STRATEGIES], "default"),
        everyone=form.raw(f"schedule-{number}") == "everyone",
        all_must_acknowledge=form.raw(f"acknowledge-{number}") == "all",
        at_a_time=form.number(f"at-a-time-{number}", least=1, most=_MOST_AT_A_TIME, default=1),
        repeats=form.number(f"around-{number}", least=1, most=_MOST_AROUND, default=1),
        exactly=form.raw(f"around-what-{number}") == "users",
        count=form.number(f"count-{number}", least=1, most=_MOST_COUNTED, default=2),
        minutes=form.number(f"minutes-{number}", least=1, most=_LONGEST_DELAY, default=5),
        window=_read_window(form, number) if kind == "window" else None,
    )


def _read_window(form: Form, number: int) -> dict[str, Any]:
    """Return hours as they are stored; those the form cannot show come back as they went."""
    kept = form.raw(f"window-{number}")
    if kept:
        try:
            found = msgspec.json.decode(kept, type=dict[str, Any])
        except msgspec.DecodeError:
            raise Invalid("These hours cannot be read.", place="window") from None
        return found
    block = {
        "days": form.many(f"day-{number}"),
        "start_time": form.text(f"from-{number}") or OFFICE["start_time"],
        "end_time": form.text(f"to-{number}") or OFFICE["end_time"],
    }
    days = block["days"] or (OFFICE["days"] if f"from-{number}" not in form else [])
    return {"time_zone": form.text(f"zone-{number}") or "Etc/UTC", "blocks": [{**block, "days": days}]}


def edit_of(rung: Rung) -> LevelEdit:
    """Return the edit that a level of the form stands for.

    Raises: Invalid naming what is wrong with it.
    """
    settings = {
        "level_type": rung.kind,
        STRATEGY: rung.strategy,
        SCHEDULE_STRATEGY: "everyone" if rung.everyone else "on_call_only",
        "require_all_acknowledgements": rung.all_must_acknowledge,
        **_cycle(rung),
        "threshold_count": rung.count if rung.kind == "threshold" else None,
        "threshold_minutes": rung.minutes if rung.kind == "threshold" else None,
        "window": rung.window,
    }
    if rung.kind == "page" and not rung.targets:
        raise Invalid("A level without anybody is skipped; name somebody or remove it.", place="targets")
    checks = Checks({})
    targets = targets_of(rung) if rung.kind == "page" else []
    for target in (one for one in targets if one["type"] in CHANNELS):
        check_channel(checks, "targets", target)
    check_level(checks, {"targets": targets, "delay_minutes": rung.delay, "settings": settings})
    checks.done()
    return LevelEdit(targets=targets, delay_minutes=rung.delay, settings=settings)


def _cycle(rung: Rung) -> dict[str, Any]:
    """Return how a cycle goes round; nothing of it where the level is none."""
    if rung.strategy != "cycle":
        return {AT_A_TIME: None, REPEATS: None, REPEATS_MODE: None}
    said = rung.exactly or rung.repeats > 1
    return {
        AT_A_TIME: rung.at_a_time if rung.at_a_time > 1 else None,
        REPEATS: rung.repeats if said else None,
        REPEATS_MODE: "users" if rung.exactly else None,
    }


def edited(draft: Draft, what: str) -> Draft:
    """Return the draft after one of the form's own buttons: add, drop:2, up:2, down:2, untarget:0:user/1001."""
    verb, _, rest = what.partition(":")
    place, _, target = rest.partition(":")
    rungs = list(draft.rungs)
    if verb == "add" and len(rungs) < MOST_LEVELS:
        rungs.append(Rung(targets=(), delay=5))
    at = int(place) if place.isdecimal() and int(place) < len(rungs) else None
    if at is not None:
        rungs = _moved(rungs, verb, at, target)
    return replace(draft, rungs=tuple(rungs))


def _moved(rungs: list[Rung], verb: str, at: int, target: str) -> list[Rung]:
    if verb == "drop":
        return [*rungs[:at], *rungs[at + 1 :]]
    if verb == "untarget":
        rungs[at] = replace(rungs[at], targets=tuple(t for t in rungs[at].targets if t != target))
    other = {"up": at - 1, "down": at + 1}.get(verb, at)
    if 0 <= other < len(rungs):
        rungs[at], rungs[other] = rungs[other], rungs[at]
    return rungs


def targets_of(rung: Rung) -> list[dict[str, Any]]:
    """Return a level's targets as they are stored.

    Raises: Invalid for what no picker offers.
    """
    return [_read(text) for text in rung.targets]


def _read(text: str) -> dict[str, Any]:
    kind, _, rest = text.partition("/")
    ident, _, members = rest.partition("/")
    if kind not in _TYPES or not ident or (members and members not in _MEMBERS):
        raise Invalid("Choose people, teams, schedules or services from the list.", place="targets")
    return {"type": kind, "id": ident, "team_members": (members or "all") if kind == "team" else None}


def named(text: str, directory: Directory) -> str:
    """Return how a target reads in a sentence."""
    target = _read(text)
    if target["type"] == "user":
        user = directory.users.get(int(target["id"])) if target["id"].isdecimal() else None
        return user.name if user else f"user {target['id']}"
    if target["type"] in CHANNELS:
        return place(LevelTarget(**target))
    if target["type"] == "service":
        service = directory.services.get(target["id"])
        return f"service {service.name}" if service else f"service {target['id']}"
    if target["type"] == "schedule":
        schedule = directory.schedules.get(target["id"])
        return f"schedule {schedule.name if schedule else target['id']}"
    team = directory.teams.get(target["id"])
    how = {"all": "everyone in", "admins": "administrators of", "escalate": "the policy of"}[
        target["team_members"]
    ]
    return f"{how} {team.name if team else target['id']}"


def options(directory: Directory) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return what a level can page, for its picker."""
    people = [(f"user/{u.id}", u.name) for u in directory.users.values() if u.active]
    teams = {t.id: t for t in directory.teams.values()}.values()
    services = {s.id: s for s in directory.services.values()}.values()
    groups = [
        ("Schedules", [(f"schedule/{s.id}", s.name) for s in directory.schedules.values()]),
        ("People", people),
        ("Everyone in a team", [(f"team/{t.id}/all", t.name) for t in teams]),
        ("A team's administrators", [(f"team/{t.id}/admins", t.name) for t in teams]),
        (
            "A team's own policy, beside this one",
            [(f"team/{t.id}/escalate", t.name) for t in teams if t.policy_id],
        ),
        (
            "A service's policy, beside this one",
            [(f"service/{s.id}", s.name) for s in services if s.policy_id],
        ),
    ]
    return [(heading, sorted(things, key=lambda t: t[1].lower())) for heading, things in groups if things]


def levels_of(draft: Draft) -> tuple[Level, ...]:
    """Return the levels of the form as a climb would freeze them."""
    return tuple(
        Level(
            position=number,
            delay_minutes=rung.delay,
            targets=tuple(LevelTarget(**target) for target in targets_of(rung)),
            kind=rung.kind,
            strategy=rung.strategy,
            everyone=rung.everyone,
            all_must_acknowledge=rung.all_must_acknowledge,
            at_a_time=rung.at_a_time,
            repeats=rung.repeats,
            exactly=rung.exactly,
            count=rung.count,
            minutes=rung.minutes,
            windows=_windows(rung),
        )
        for number, rung in enumerate(draft.rungs, start=1)
    )


def played(draft: Draft, directory: Directory, start: datetime) -> list[Step]:
    """Return what a page by this draft would do from `start` on, if nobody answered."""
    path = Path(
        id=_NOBODY, name="Default", is_default=True, loudness="audible", repeat=None, repeat_count=None,
        initial_delay_minutes=0, levels=levels_of(draft),
    )  # fmt: skip
    policy = Policy(
        id=_NOBODY, name=draft.name or "This policy", repeat_count=draft.repeat_count, paths=(path,)
    )
    return play(policy, path, directory, start)


def play(policy: Policy, path: Path, directory: Directory, start: datetime) -> list[Step]:
    """Return what a page by a path would do from `start` on, if nobody answered."""
    plan = frozen(policy, path)
    climb = Escalation(
        id=_NOBODY, alert_id=_NOBODY, occurrence=1, origin="", plan=plan, phase=Phase.CLIMBING, level=0, round=1,
        fired=0, reached=0, token=_NOBODY, wake_at=start + timedelta(seconds=plan.initial_delay), created_at=start,
    )  # fmt: skip
    return steps(climb, directory, start)


def _windows(rung: Rung) -> Windows | None:
    return windows.blocks(Checks({}), "window", rung.window) if rung.window else None


def after(step: Step, start: datetime) -> str:
    """Return when a step comes: T+0, T+5."""
    return f"T+{int((step.at - start) / timedelta(minutes=1))}"
