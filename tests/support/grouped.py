"""Several alerts and the groups they form, in values: what engine/apply.py and engine/relay.py do in rows."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from nightbell.core import leading
from nightbell.core.alert import Alert
from nightbell.core.decision import decide
from nightbell.core.directory import Directory, Grouping, Target
from nightbell.core.draft import Decision, Facts
from nightbell.core.events import Due, Event, Report, Tell
from nightbell.core.labels import fingerprint
from nightbell.engine.jsonpath import compiled
from support.pure import NOW, at, minter, report, signal

MINUTE = timedelta(minutes=1)


def rule(ident: int = 0x70, *, minutes: int = 10, paths: tuple[str, ...] = (), **more: Any) -> Grouping:
    """Return a grouping rule; without more it takes whatever pages."""
    values: dict[str, Any] = {
        "id": UUID(int=ident),
        "name": f"rule {ident}",
        "window": timedelta(minutes=minutes),
        "match_any": False,
        "by_title": False,
        "by_urgency": False,
        "targets": frozenset(),
        "paths": tuple((path, compiled(path)) for path in paths),
        "conditions": (),
    }
    return Grouping(**{**values, **more})


def told(name: str, host: str = "a", *, starts: float = 0, ends: float | None = None, **more: Any) -> Report:
    """Return a delivery about the alert of a name; `labels` are added to its own."""
    labels = {"alertname": name, **more.pop("labels", {})}
    ident = fingerprint({**labels, "instance": host})
    one = signal(host, starts=starts, ends=ends, labels=labels, fingerprint=ident)
    key = f'{{}}:{{alertname="{name}"}}'
    return report(one, group_key=key, group_labels={"alertname": name}, **more)


@dataclass
class Night:
    """Alerts by name; every message arrives at once."""

    directory: Directory
    now: datetime = NOW
    facts: dict[UUID, Facts] = field(default_factory=dict)
    ids: dict[str, UUID] = field(default_factory=dict)
    #: (minutes into the night, alert, person) of every page message.
    paged: list[tuple[float, str, int]] = field(default_factory=list)
    codes: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._mint = minter()

    def alert(self, name: str) -> Alert:
        """Return the alert of a name."""
        found = self.facts[self.ids[name]].alert
        assert found is not None
        return found

    def leader(self, name: str) -> str | None:
        """Return the name of the alert that one follows."""
        group = self.alert(name).group
        return self.name(group.leader_id) if group and group.leader_id else None

    def name(self, ident: UUID) -> str:
        """Return the name of an alert."""
        return next(name for name, known in self.ids.items() if known == ident)

    def heard(self, name: str, sent: Report) -> None:
        """Let a delivery arrive."""
        known = self.facts.get(self.ids[name]) if name in self.ids else None
        before = replace(known or Facts(directory=self.directory), leaders=self._leaders())
        self._decided([(before, replace(sent, source=self._source(), number=len(self.ids)))])

    def fires(self, name: str, host: str = "a", **more: Any) -> None:
        """Let an alert fire now."""
        since = (self.now - NOW) / MINUTE
        self.heard(name, told(name, host, starts=more.pop("starts", since), **more))

    def ends(self, name: str, host: str = "a", **more: Any) -> None:
        """Let an alert be over now."""
        until = (self.now - NOW) / MINUTE
        self.heard(name, told(name, host, ends=until, **more))

    def happens(self, name: str, event: Event) -> None:
        """Let something happen to the alert of a name."""
        self._decided([(self._known(self.ids[name]), event)])

    def passes(self, minutes: float) -> None:
        """Let time pass, doing whatever is due on the way."""
        until = self.now + timedelta(minutes=minutes)
        for _ in range(10_000):
            wakes = [(w, i) for i, f in self.facts.items() for w in _wakes(f)]
            first = min(wakes, default=None)
            if first is None or first[0] > until:
                self.now = until
                return
            self.now = max(self.now, first[0])
            self._decided([(self._known(first[1]), Due())])
        raise AssertionError("time has no end")

    # ------------------------------------------------------------ what the engine does

    def _source(self) -> Any:
        return next(iter(self.directory.sources.values()))

    def _known(self, ident: UUID) -> Facts:
        return replace(self.facts[ident], directory=self.directory)

    def _leaders(self) -> dict[bytes, Facts]:
        found = ((f.alert.group.bucket, f) for f in self.facts.values() if f.alert and f.alert.group)
        return {bucket: one for bucket, one in found if bucket}

    def _decided(self, todo: list[tuple[Facts, Event]]) -> None:
        """Decide, then in rounds what others hear of it: as the engine does, after all of a round is written."""
        tells = self._round(todo)
        while tells:
            following: list[Tell] = []
            for tell in tells:
                following += self._round(self._told(tell))
            tells = following

    def _round(self, todo: list[tuple[Facts, Event]]) -> list[Tell]:
        tells: list[Tell] = []
        for before, event in todo:
            made = decide(before, event, self.now, self._mint)
            if made:
                self._apply(*made)
                tells += made[0].tells
        return tells

    def _apply(self, decision: Decision, after: Facts) -> None:
        alert = decision.alert
        if decision.supersedes:
            old = self.facts[decision.supersedes]
            assert old.alert
            assert old.alert.group
            freed = replace(old.alert, group=replace(old.alert.group, bucket=None))
            self.facts[old.alert.id] = replace(old, alert=freed)
        self.ids.setdefault(alert.alertname, alert.id)
        sent = tuple(replace(s, state="sent") if s.state == "waiting" else s for s in after.sent)
        climbs = tuple(
            e for e in after.escalations if e.phase != "ended" and e.occurrence == alert.occurrence
        )
        self.facts[alert.id] = replace(after, sent=sent, escalations=climbs, leaders=None)
        passed = (self.now - NOW) / MINUTE
        self.paged += [
            (passed, alert.alertname, n.user_id) for n in decision.notifications if n.purpose == "page"
        ]
        self.codes += [(alert.alertname, e.code) for e in decision.entries]

    def _told(self, tell: Tell) -> list[tuple[Facts, Event]]:
        if tell.to is not None:
            return [(self._known(tell.to), tell.event)]  # type: ignore[list-item]  # never an Over
        following = [self._known(i) for i, f in self.facts.items() if _follows(f, tell.followers_of)]
        return list(leading.shared(tell.event, following))


def _wakes(known: Facts) -> list[datetime]:
    wakes = [e.wake_at for e in known.escalations] + [p.wake_at for p in known.pages]
    return [w for w in [*wakes, known.alert.wake_at if known.alert else None] if w]


def _follows(known: Facts, leader_id: UUID | None) -> bool:
    alert = known.alert
    return bool(alert and alert.is_open and alert.group and alert.group.leader_id == leader_id)


def whom(*targets: Target) -> frozenset[Target]:
    """Return targets of a rule."""
    return frozenset(targets)


__all__ = ["MINUTE", "Night", "at", "rule", "told", "whom"]
