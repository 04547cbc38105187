"""The pure core in tests: a small directory, and a World that applies decisions to values instead of rows."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from nightbell.core import identity
from nightbell.core.alert import Alert
from nightbell.core.decision import decide
from nightbell.core.directory import (
    ContactMethod,
    Directory,
    Level,
    LevelTarget,
    NotificationRule,
    Path,
    Policy,
    Service,
    Source,
    Target,
    Team,
    User,
)
from nightbell.core.draft import Decision, Facts
from nightbell.core.events import Due, Event, Failed, Report
from nightbell.core.labels import common, fingerprint
from nightbell.core.signal import Envelope, Signal, State

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOLD = timedelta(seconds=60)
SOURCE = UUID(int=0x5)


def minter(seed: int = 0):
    """Return a mint that gives the same ids again for the same seed."""
    chance = random.Random(seed)
    return lambda: UUID(int=chance.getrandbits(128))


def user(ident: int, *rules: tuple[str, int], methods: tuple[str, ...] = (), **more: Any) -> User:
    """Return a person with rules (kind, minutes); each kind is a verified method, `methods` are without rules."""
    kinds = dict.fromkeys([kind for kind, _ in rules] + list(methods))
    known = {kind: UUID(int=ident * 1000 + n) for n, kind in enumerate(kinds)}
    values: dict[str, Any] = {
        "id": ident,
        "name": f"user {ident}",
        "role": "user",
        "active": True,
        "methods": {m: ContactMethod(id=m, kind=kind, verified=True) for kind, m in known.items()},
        "rules": tuple(
            NotificationRule(method_id=known[kind], loudness="audible", delay_minutes=minutes)
            for kind, minutes in sorted(rules, key=lambda rule: rule[1])
        ),
    }
    return User(**{**values, **more})


def on(ident: int) -> LevelTarget:
    """Return a person as the target of a level."""
    return LevelTarget(type="user", id=str(ident))


def policy(ident: int, *levels: tuple[list[LevelTarget], int], repeat: int = 0, delay: int = 0) -> Policy:
    """Return a policy of levels (targets, minutes before the next)."""
    path = Path(
        id=UUID(int=ident + 500),
        name="Default",
        is_default=True,
        loudness="audible",
        repeat=None,
        repeat_count=None,
        initial_delay_minutes=delay,
        levels=tuple(
            Level(position=n, delay_minutes=wait, targets=tuple(targets))
            for n, (targets, wait) in enumerate(levels, start=1)
        ),
    )
    return Policy(id=UUID(int=ident), name=f"policy {ident}", repeat_count=repeat, paths=(path,))


def team(ident: int, *people: int, policy_id: int | None = None) -> Team:
    """Return a team."""
    return Team(
        id=UUID(int=ident),
        name=f"team {ident}",
        member_ids=people,
        admin_ids=people[:1],
        policy_id=UUID(int=policy_id) if policy_id else None,
    )


def service(ident: int, *, policy_id: int | None = None, teams: tuple[int, ...] = ()) -> Service:
    """Return a service."""
    return Service(
        id=UUID(int=ident),
        name=f"service {ident}",
        policy_id=UUID(int=policy_id) if policy_id else None,
        team_ids=tuple(UUID(int=t) for t in teams),
        urgency_id=None,
    )


def source(**more: Any) -> Source:
    """Return a source."""
    values: dict[str, Any] = {
        "id": SOURCE,
        "name": "prod",
        "type": "alertmanager",
        "enabled": True,
        "identity": "group",
        "dedup_find": None,
        "dedup_regexp": None,
        "urgency_id": None,
        "urgency_rules": (),
        "default_target": None,
        "repage_new_members": True,
    }
    return Source(**{**values, **more})


def directory(*things: User | Policy | Team | Service | Source, **more: Any) -> Directory:
    """Return a directory of these things."""
    values: dict[str, Any] = {
        "version": 1,
        "users": {t.id: t for t in things if isinstance(t, User)},
        "teams": {str(t.id): t for t in things if isinstance(t, Team)},
        "services": {str(t.id): t for t in things if isinstance(t, Service)},
        "policies": {str(t.id): t for t in things if isinstance(t, Policy)},
        "sources": {t.id: t for t in things if isinstance(t, Source)},
        "routes": (),
        "urgencies": (UUID(int=0xA),),
        "fallback_user_ids": (),
    }
    return Directory(**{**values, **more})


def at(minutes: float) -> datetime:
    """Return an instant some minutes into the night."""
    return NOW + timedelta(minutes=minutes)


def signal(host: str = "a", *, starts: float = 0, ends: float | None = None, **more: Any) -> Signal:
    """Return what a source says of a host; resolved when it has an end."""
    labels = {"alertname": "DiskFull", "instance": host, **more.pop("labels", {})}
    values: dict[str, Any] = {
        "fingerprint": fingerprint(labels),
        "state": State.FIRING if ends is None else State.RESOLVED,
        "labels": labels,
        "annotations": {},
        "starts_at": at(starts),
        "ends_at": None if ends is None else at(ends),
        "generator_url": "",
        "place": "alerts[0]",
    }
    return Signal(**{**values, **more})


def envelope(*signals: Signal, **more: Any) -> Envelope:
    """Return a request of one group."""
    firing = any(s.state is State.FIRING for s in signals)
    values: dict[str, Any] = {
        "receiver": "nightbell",
        "group_key": '{}:{alertname="DiskFull"}',
        "group_labels": {"alertname": "DiskFull"},
        "common_labels": common(s.labels for s in signals),
        "common_annotations": common(s.annotations for s in signals),
        "external_url": "",
        "status": "firing" if firing else "resolved",
        "truncated": 0,
        "declared_status": None,
        "rootly": None,
        "signals": signals,
        "quarantined": (),
        "warnings": (),
    }
    return Envelope(**{**values, **more})


def report(
    *signals: Signal, of: Source | None = None, url: tuple[str, str] | None = None, **more: Any
) -> Report:
    """Return a delivery about one alert."""
    sender = of or source()
    sent = envelope(*signals, **more)
    (unit,) = identity.units(sent, sender)
    return Report(
        unit=unit,
        envelope=sent,
        source=sender,
        url_target=url,
        delivery_id=UUID(int=0xD),
        number=1000,
        hold_down=HOLD,
    )


def to(kind: str, ident: int) -> Target:
    """Return whom an alert is for; an id of a person is shown as a number."""
    return Target(type=kind, id=str(ident) if kind == "User" else str(UUID(int=ident)))


class World:
    """One alert through time: decides, keeps the facts as the rows would be, and delivers every message at once."""

    def __init__(self, things: Directory, *, seed: int = 0) -> None:
        self.facts = Facts(directory=things)
        self.now = NOW
        self.decisions: list[Decision] = []
        #: (minutes into the night, person, kind of method) of every page message.
        self.paged: list[tuple[float, int, str]] = []
        self._mint = minter(seed)

    @property
    def alert(self) -> Alert:
        """The alert."""
        assert self.facts.alert is not None
        return self.facts.alert

    @property
    def codes(self) -> list[str]:
        """What the journal says, in order."""
        return [entry.code for decision in self.decisions for entry in decision.entries]

    def happens(self, event: Event, *, minutes: float | None = None) -> Decision | None:
        """Let something happen, at an instant or now; messages are handed over afterwards."""
        self.now = self.now if minutes is None else at(minutes)
        decided = decide(self.facts, event, self.now, self._mint)
        if decided is None:
            return None
        decision, after = decided
        sent = tuple(replace(s, state="sent") if s.state == "waiting" else s for s in after.sent)
        climbs = tuple(e for e in after.escalations if e.phase != "ended")
        self.facts = replace(after, sent=sent, escalations=climbs)
        self.decisions.append(decision)
        passed = (self.now - NOW) / MINUTE
        self.paged += [(passed, n.user_id, n.kind) for n in decision.notifications if n.purpose == "page"]
        return decision

    def reported(self, *signals: Signal, minutes: float | None = None, **more: Any) -> Decision | None:
        """Let a delivery arrive."""
        sender = next(iter(self.facts.directory.sources.values()), None)
        return self.happens(report(*signals, of=sender, **more), minutes=minutes)

    def failed(self, user_id: int, *, state: str = "refused") -> None:
        """Let the last message to a person fail."""
        last = max(i for i, s in enumerate(self.facts.sent) if s.user_id == user_id)
        sent = list(self.facts.sent)
        sent[last] = replace(sent[last], state=state)
        self.facts = replace(self.facts, sent=tuple(sent))
        page_id = sent[last].page_id
        assert page_id is not None
        self.happens(Failed(page_id=page_id, why="Sms: no.", doubtful=state == "unknown"))

    def next_wake(self) -> datetime | None:
        """Return when time must look at the alert again."""
        wakes = [e.wake_at for e in self.facts.escalations] + [p.wake_at for p in self.facts.pages]
        return min((w for w in [*wakes, self.alert.wake_at] if w), default=None)

    def left_alone(self, *, until: float = 10**6, steps: int = 5_000) -> int:
        """Let time pass until nothing is due any more; return how often something was.

        Raises: AssertionError when there is no end to it, or when a wake-up changes nothing.
        """
        for step in range(steps):
            wake = self.next_wake()
            if wake is None or wake > at(until):
                return step
            self.now = max(wake, self.now)
            self.happens(Due())
            following = self.next_wake()
            assert following is None or following > self.now, "woken at one instant for ever"
        raise AssertionError("time has no end")
