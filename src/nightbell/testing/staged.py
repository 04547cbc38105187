"""The world of a Stage: the engine itself on a database, a clock that stands still and telephones that never ring."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from nightbell.core.delivery import Purpose
from nightbell.core.directory import Target
from nightbell.core.errors import Invalid, NightbellError
from nightbell.core.journal import SYSTEM, Actor
from nightbell.engine import edits
from nightbell.store.db import Row
from nightbell.testing import payloads
from nightbell.testing.cast import Person, Source
from nightbell.testing.phones import Hang
from nightbell.testing.stage import Stage
from nightbell.testing.world import Alert, Entry, Heard, Needs, Policy, Rejected, Rule, Step

_SOMEBODY = Actor(kind="user", name="Somebody")


class Staged:
    """A world whose engine is driven by hand."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._start = stage.clock()
        self._people: dict[str, Person] = {}
        self._sources: dict[str, Source] = {}
        self._services: dict[str, Target] = {}
        self._maintenances: list[UUID] = []

    # ------------------------------------------------------------ who is there

    async def person(self, name: str, rules: Sequence[Rule]) -> None:
        """Make a person who is paged by these rules."""
        self._people[name] = await self.stage.cast.person(name, *map(_spelled, rules))

    async def add_rules(self, name: str, rules: Sequence[Rule]) -> None:
        """Add rules to a person who may be paged right now."""
        for rule in rules:
            await self.stage.cast.rule(self._people[name], _spelled(rule))
        await self.stage.settle()

    async def service(self, name: str, policy: Policy) -> None:
        """Make a service whose alerts are paged by a policy, and a source that sends them."""
        if any(step.kind.startswith("schedule") for step in policy.steps):
            raise Needs("schedules as targets of a case")
        made = await self.stage.cast.policy(repeat=policy.repeat)
        for step in policy.steps:
            await self._level(made, step)
        await self._understood(made, policy)
        self._services[name] = await self.stage.cast.service(policy=made)
        self._sources[name] = await self.stage.cast.source(pages=self._services[name])

    async def _level(self, policy: Target, step: Step) -> None:
        edit = edits.LevelEdit(
            delay_minutes=int(step.wait),
            targets=[{"type": "user", "id": str(self._people[name].id)} for name in step.people],
            settings=_settings(step),
        )
        now = self.stage.clock()
        try:
            await self.stage.configure.create_level(UUID(policy.id), None, edit, by=SYSTEM, now=now)
        except Invalid as refused:
            raise Needs(f"levels that {step.kind}: {refused.message}") from refused

    async def _understood(self, made: Target, policy: Policy) -> None:
        """Raise Needs when the configuration cannot say yet what a step is."""
        directory = await self.stage.engine.directories.current(self.stage.db)
        levels = directory.policies[made.id].paths[-1].levels
        for level, step in zip(levels, policy.steps, strict=True):
            for name in ("kind", "strategy", "all_must_acknowledge", "count", "minutes"):
                if getattr(level, name) != getattr(step, name):
                    raise Needs(f"levels whose {name.replace('_', ' ')} is {getattr(step, name)}")

    # ------------------------------------------------------------ what happens

    async def fire(self, alert: Alert, hosts: Sequence[str]) -> None:
        """Let an alert fire on hosts beside those it fires on."""
        group = self._group(alert)
        group.fires(*hosts, at=self.stage.clock())
        await self.stage.post(payloads.body(group.document()), source=self._sources[alert.service])

    async def fire_together(self, alerts: Sequence[Alert]) -> None:
        """Let several new alerts fire before anybody looks at the first."""
        awake, self.stage.awake = self.stage.awake, False
        for alert in alerts:
            await self.fire(alert, ["host-1"])
        self.stage.awake = awake
        await self.stage.settle()

    async def resolve(self, alert: Alert) -> None:
        """Let the source say that an alert is over."""
        group = self._group(alert)
        group.ends(at=self.stage.clock())
        await self.stage.post(payloads.body(group.document()), source=self._sources[alert.service])

    def _group(self, alert: Alert) -> payloads.Group:
        return self.stage.group(self._sources[alert.service], alert.key, {"service": alert.service})

    async def act(self, what: str, alert: Alert, who: str | None, *, minutes: float = 0) -> None:
        """Let somebody acknowledge, resolve, escalate or snooze."""
        more = {"until": self.stage.clock() + timedelta(minutes=minutes)} if what == "snooze" else {}
        await self._acted(what, alert, who, **more)
        await self.stage.settle()

    async def _acted(self, what: str, alert: Alert, who: str | None, **more: Any) -> None:
        by = self._people[who].actor if who else _SOMEBODY
        row = await self._row(alert)
        try:
            await getattr(self.stage.engine.act, what)(row["id"], by=by, now=self.stage.clock(), **more)
        except NightbellError as error:
            raise Rejected(f"{error.message} {error.hint}".strip()) from error

    async def escalate_together(self, alert: Alert, times: int) -> None:
        """Let several people answer the same page with Escalate."""
        row = await self._row(alert)
        sql = "SELECT max(cycle) FROM pages WHERE alert_id = $1"
        cycle = (await self.stage.db.fetch(sql, row["id"]))[0][0]
        await asyncio.gather(*(self._acted("escalate", alert, None, as_of=cycle) for _ in range(times)))
        await self.stage.settle()

    async def acknowledge_together(self, alert: Alert, people: Sequence[str | None]) -> None:
        """Let people acknowledge at the same moment. Every channel ends in the same act."""
        await asyncio.gather(*(self._acted("acknowledge", alert, who) for who in people))
        await self.stage.settle()

    async def maintain(self, service: str, minutes: float) -> None:
        """Begin planned work on a service."""
        on = self._services[service]
        self._maintenances.append(await self.stage.cast.maintenance(on, minutes=int(minutes)))

    async def end_maintenance(self) -> None:
        """End all planned work now."""
        for maintenance in self._maintenances:
            await self.stage.cast.end_maintenance(maintenance)
        self._maintenances.clear()
        await self.stage.settle()

    # ------------------------------------------------------------ machines and time

    async def pause(self) -> None:
        """Take in what comes and do nothing about it."""
        self.stage.awake = False

    async def sleep(self) -> None:
        """Stop time and delivery; requests are still taken in."""
        self.stage.awake = False

    async def hang(self) -> None:
        """Let providers take the next messages and never answer."""
        for phone in self.stage.phones.by_kind.values():
            phone.will(Hang())

    async def kill(self) -> None:
        """End every node; nothing runs until it is woken."""
        self.stage.awake = False
        await self.stage.stop()
        for phone in self.stage.phones.by_kind.values():
            phone.forget()

    async def wake(self) -> None:
        """Start new nodes in the place of those that ran."""
        await self.stage.restart()
        self.stage.awake = True
        await self.stage.settle()

    async def until(self, minute: float) -> None:
        """Let time pass, everything due on the way done when it was due."""
        await self.stage.go(self._start + timedelta(minutes=minute), strict=False)

    # ------------------------------------------------------------ what can be seen

    async def heard(self) -> list[Heard]:
        """Return all pages so far."""
        return [
            Heard(
                who=one.message.recipient,
                channel=one.kind,
                text=f"{one.message.title}\n{one.message.body}",
                labels=one.message.labels,
            )
            for one in self.stage.phones.heard
            if one.message.purpose is Purpose.PAGE
        ]

    async def status(self, alert: Alert) -> str:
        """Return where an alert stands."""
        return str((await self._row(alert))["status"])

    async def entries(self, alert: Alert) -> list[Entry]:
        """Return the timeline of an alert."""
        row = await self._row(alert)
        sql = "SELECT action, code, details FROM alert_events WHERE alert_id = $1 ORDER BY id"
        return [Entry(*r.values()) for r in await self.stage.db.fetch(sql, row["id"])]

    async def count(self, status: str) -> int:
        """Return how many alerts stand there."""
        sql = "SELECT count(*) FROM alerts WHERE status = $1"
        return int((await self.stage.db.fetch(sql, status))[0][0])

    async def _row(self, alert: Alert) -> Row:
        sql = "SELECT * FROM alerts WHERE alertname = $1 AND source_id = $2 ORDER BY id DESC LIMIT 1"
        rows = await self.stage.db.fetch(sql, alert.key, self._sources[alert.service].id)
        if not rows:
            raise Rejected(f"there is no {alert.key} on {alert.service}")
        return rows[0]


def _settings(step: Step) -> dict[str, Any]:
    """Return what a level is beside its targets and its delay, in the words of the wire."""
    said: dict[str, Any] = {"paging_strategy_configuration_strategy": step.strategy}
    if step.kind != "page":
        said["level_type"] = step.kind
    if step.kind == "threshold":
        said |= {"threshold_count": step.count, "threshold_minutes": step.minutes}
    if step.all_must_acknowledge:
        said["require_all_acknowledgements"] = True
    return said


def _spelled(rule: Rule) -> str:
    return f"{rule.channel}+{rule.after:g}" if rule.after else rule.channel
