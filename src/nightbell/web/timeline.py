"""Puts one alert's past and future into one line of time: journal, messages and what the climb does next."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from nightbell.core import paging
from nightbell.core.directory import Directory
from nightbell.core.escalation import Escalation, Phase
from nightbell.store.db import Row
from nightbell.web import future, words
from nightbell.web.times import Times, tiny_span

#: Colour of the dot beside an entry: f fires, g is good, y pages somebody, q is a question.
_DOTS = {
    "alert.created": "f",
    "alert.reopened": "f",
    "alert.repaged": "f",
    "alert.snooze_over": "f",
    "escalation.unpaged": "f",
    "page.unreachable": "f",
    "page.failover": "f",
    "alert.acknowledged": "g",
    "alert.joined": "g",
    "alert.resolved": "g",
    "alert.responders_added": "y",
    "page.created": "y",
    "escalation.fallback": "y",
    "note": "q",
}
_TRACK = {"sent": "g", "refused": "x", "unknown": "u", "retry": "x"}
#: How far a message came, as far as that is news.
_ARRIVED = {
    "failed": "did not arrive",
    "delivered": "delivered",
    "seen": "seen",
    "acknowledged": "answered",
}
_REPEATED = "signal.repeated"


class Mark(Struct, frozen=True, kw_only=True):
    """One state a message went through."""

    text: str
    css: str = ""


class Line(Struct, frozen=True, kw_only=True):
    """One entry; a heading has only a day, and one line says where now is."""

    key: str = ""
    at: datetime | None = None
    dot: str = ""
    text: str = ""
    why: str = ""
    track: tuple[Mark, ...] = ()
    future: bool = False
    #: A message on its way: the page asks again soon.
    moving: bool = False
    day: str = ""
    now: bool = False


class Story(Struct, frozen=True, kw_only=True):
    """What is known of one alert."""

    events: Sequence[Row]
    notifications: Sequence[dict[str, Any]]
    climbs: Sequence[Escalation]
    pages: Sequence[Row]
    directory: Directory


def lines(story: Story, times: Times) -> list[Line]:
    """Return the whole timeline, oldest first."""
    past = [*_entries(story.events), *(_message(n) for n in story.notifications)]
    past.sort(key=_when)
    coming = sorted(_coming(story, times.now), key=_when)
    return [
        *_with_days(past, times),
        *([Line(now=True)] if coming else []),
        *_with_days(coming, times, quiet=True),
    ]


def _when(line: Line) -> datetime:
    if line.at is None:
        raise ValueError("a heading has no place of its own")
    return line.at


def _with_days(entries: Iterable[Line], times: Times, *, quiet: bool = False) -> list[Line]:
    today = times.day(times.now)
    found: list[Line] = []
    current = today if quiet else ""
    for line in entries:
        day = times.day(_when(line))
        if day != current and (current or day != today):
            found.append(Line(day=day))
        current = day
        found.append(line)
    return found


def _entries(events: Sequence[Row]) -> list[Line]:
    """Return the journal; repeats in a row are one entry with a count."""
    found: list[Line] = []
    repeats: list[Row] = []
    for event in reversed(events):
        if event["code"] == _REPEATED:
            repeats.append(event)
            continue
        found += _repeated(repeats)
        repeats = []
        found.append(_entry(event))
    return found + _repeated(repeats)


def _entry(event: Row) -> Line:
    code = event["code"]
    text = event["details"] or code
    if code == "note":
        text = f"{event['user_name'] or event['source']}: {text}"
    return Line(key=str(event["id"]), at=event["created_at"], dot=_DOTS.get(code, ""), text=text)


def _repeated(repeats: list[Row]) -> list[Line]:
    if not repeats:
        return []
    last = repeats[-1]
    text = f"Reported again {words.plural(len(repeats), 'time')}" if len(repeats) > 1 else last["details"]
    why = f"first at {repeats[0]['created_at']:%H:%M:%S} UTC; repeats page nobody" if len(repeats) > 1 else ""
    return [Line(key=str(repeats[0]["id"]), at=last["created_at"], text=text, why=why)]


# ---------------------------------------------------------------- messages


def _message(one: dict[str, Any]) -> Line:
    state = one["state"]
    dot = {"sent": "g", "refused": "f", "unknown": "f"}.get(
        state, "n" if state in ("waiting", "sending") else ""
    )
    return Line(
        key=str(one["id"]),
        at=one["created_at"],
        dot=dot,
        text=_addressed(one),
        track=tuple(_track(one)),
        moving=state in ("waiting", "sending"),
        why=_why(one),
    )


def _why(one: dict[str, Any]) -> str:
    """Return what is to be said of a message beside its track."""
    if one["state"] in ("refused", "canceled") and not one["tries"]:
        return str(one["why"])
    if one["state"] == "waiting" and one["why"].startswith("held back"):
        return str(one["why"])
    others = (one.get("told_with") or 1) - 1
    return f"one message with {words.plural(others, 'other alert')}" if others > 0 else ""


def _addressed(one: dict[str, Any]) -> str:
    person = one["user_name"] or f"user {one['user_id']}"
    if one.get("channel"):
        return f"{words.CHANNEL.get(one['kind'], one['kind'])} to channel {one['channel']}"
    if one["kind"] == "inbox":
        text = f"Rings in {person}'s browser" if one["purpose"] == "page" else f"Shown in {person}'s browser"
    else:
        text = f"{words.CHANNEL.get(one['kind'], one['kind'])} to {person}"
        if one["address"] and one["kind"] == "email":
            text += f" <{one['address']}>"
    return f"{text}: an update" if one["purpose"] == "update" else text


def _track(one: dict[str, Any]) -> Iterable[Mark]:
    for same in _alike(one["tries"]):
        last = same[-1]
        since = tiny_span((last["ended_at"] or last["started_at"]) - one["created_at"])
        outcome = last["outcome"]
        if outcome is None:
            yield Mark(text=f"being sent since {since}")
        elif outcome == "sent":
            yield Mark(text=f"handed over {since}", css="g")
        else:
            word = "no success" if outcome == "retry" else outcome
            often = f" {len(same)} times, last" if len(same) > 1 else ""
            yield Mark(text=f"{word}{often} {since}: {last['why'] or 'no reason given'}", css=_TRACK[outcome])
    yield from _arrived(one)
    if one["state"] == "waiting":
        yield Mark(text="waiting to be sent" if not one["tries"] else "will be tried again")
    elif one["state"] == "canceled":
        yield Mark(text="not needed any more")


def _arrived(one: dict[str, Any]) -> Iterable[Mark]:
    """Yield how far a message is known to have come after it was handed over."""
    word = _ARRIVED.get(one.get("stage") or "")
    if not word:
        return
    since = tiny_span(one["stage_at"] - one["created_at"])
    if one["stage"] == "failed":
        yield Mark(text=f"{word} {since}: {one['why'] or 'no reason given'}", css=_TRACK["refused"])
    else:
        yield Mark(text=f"{word} {since}", css="g")


def _alike(tries: Sequence[Row]) -> list[list[Row]]:
    """Return attempts in order, those in a row that failed for the same reason together."""
    groups: list[list[Row]] = []
    for attempt in tries:
        same = groups and (groups[-1][-1]["outcome"], groups[-1][-1]["why"]) == (
            attempt["outcome"],
            attempt["why"],
        )
        if same and attempt["outcome"] is not None:
            groups[-1].append(attempt)
        else:
            groups.append([attempt])
    return groups


# ---------------------------------------------------------------- what is to come


def _coming(story: Story, now: datetime) -> Iterable[Line]:
    yield from _later_methods(story, now)
    for number, step in enumerate(future.merged(story.climbs, story.directory, now)):
        yield _step(step, number)
    for climb in story.climbs:
        if climb.phase is Phase.HELD and climb.wake_at:
            yield Line(
                key=f"held-{climb.id}", at=max(climb.wake_at, now), dot="n", future=True,
                text=f"Snooze ends: {climb.plan.name} pages again from its first level",
                why="unless it resolves before",
            )  # fmt: skip


def _later_methods(story: Story, now: datetime) -> Iterable[Line]:
    for page in story.pages:
        user = story.directory.users.get(page["user_id"])
        for rule in paging.rules(user, page["loudness"]) if user else ():
            at = page["created_at"] + timedelta(minutes=rule.delay_minutes)
            if user and rule.delay_minutes > page["progress"] and at >= now:
                kind = user.methods[rule.method_id].kind
                text = f"{words.CHANNEL.get(kind, kind)} to {user.name}, still unanswered at level {page['level']}"
                yield Line(key=f"{page['id']}-{rule.method_id}", at=at, dot="n", future=True, text=text)


def _step(step: future.Step, number: int) -> Line:
    again = f"Round {step.round}, level" if step.round > 1 else "Level"
    names = [f"{p.name} {ways(p)}".strip() for p in step.people] + [f"starts {name}" for name in step.spawns]
    names += [f"tells {channel}" for channel in step.posts]
    text = (
        f"{again} {step.level}: {'; '.join(names)}"
        if names
        else f"{again} {step.level} reaches nobody, so it is skipped"
    )
    said = [*step.notes, *step.empty]
    why = "; ".join(said) if said else "unless someone acknowledges" if number == 0 else ""
    return Line(
        key=f"{step.plan}-{step.round}-{step.level}-{number}",
        at=step.at,
        dot="n",
        text=text,
        why=why,
        future=True,
    )


def ways(one: future.Person) -> str:
    """Return how a person would be called: by e-mail, then ntfy after 3 min."""
    first = [words.WAY.get(kind, kind) for minutes, kind in one.ways if minutes == 0]
    later = [f"{words.WAY.get(kind, kind)} after {minutes} min" for minutes, kind in one.ways if minutes]
    parts = [" and ".join(first)] if first else []
    text = ", then ".join(parts + later)
    return f"by {text}" if text else ""
