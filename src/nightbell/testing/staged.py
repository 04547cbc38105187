"""The world of a Stage: the engine itself on a database, a clock that stands still and telephones that never ring."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from nightbell.core.calendar import DAY_LETTERS
from nightbell.core.delivery import Outcome, Purpose, Refused, Retry, Sent, Unsure
from nightbell.core.directory import Target
from nightbell.core.errors import NightbellError
from nightbell.core.journal import SYSTEM, Actor
from nightbell.core.receipt import Receipt
from nightbell.core.receipt import Stage as Progress
from nightbell.engine import bundles, edits
from nightbell.store.db import Row
from nightbell.testing import payloads
from nightbell.testing.cast import Person, Source, Whom
from nightbell.testing.phones import Hang
from nightbell.testing.stage import Stage
from nightbell.testing.world import Alert, Entry, Heard, Needs, Policy, Rejected, Rule, Step

_ANSWERS: dict[str, Outcome] = {
    "fails": Retry(why="the provider is down"),
    "refuses": Refused(why="the provider refused the number"),
    "times out": Unsure(why="the provider took it and did not answer"),
    "accepts": Sent(),
}
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
        self._heartbeats: dict[str, UUID] = {}
        self._policies: dict[str, Target] = {}
        #: The levels of each policy, in order.
        self._levels: dict[str, list[UUID]] = {}
        #: What the source of an alert said last while it fired, and when it was over.
        self._firing: dict[Alert, bytes] = {}
        self._resolved: dict[Alert, bytes] = {}

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
        made = self._policies[name] = await self._policy(policy)
        self._services[name] = await self.stage.cast.service(policy=made)
        self._sources[name] = await self.stage.cast.source(pages=self._services[name])

    async def _policy(self, policy: Policy) -> Target:
        made = await self.stage.cast.policy(repeat=policy.repeat)
        for step in policy.steps:
            await self._level(made, step)
        await self._understood(made, policy)
        return made

    async def _level(self, policy: Target, step: Step) -> None:
        whom = await self._whom(step)
        made = await self.stage.cast.level(policy, whom, int(step.wait), **_settings(step))
        self._levels.setdefault(policy.id, []).append(made)

    async def _whom(self, step: Step) -> list[Whom]:
        people = [self._people[name] for name in step.people]
        if step.schedule:
            return [await self.stage.cast.schedule(*people)]
        if step.team or (not people and step.kind == "page"):
            # A level must name somebody; a team that has nobody is nobody.
            return [await self.stage.cast.team(*people)]
        return list(people)

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
        self._firing[alert] = payloads.body(group.document())
        await self.repeat_firing(alert)

    async def repeat_firing(self, alert: Alert) -> None:
        """Let another peer of the source send the last firing once more."""
        await self.stage.post(self._firing[alert], source=self._sources[alert.service])

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
        if group.firing:
            group.ends(at=self.stage.clock())
            self._resolved[alert] = payloads.body(group.document())
        await self.stage.post(self._resolved[alert], source=self._sources[alert.service])

    def _group(self, alert: Alert) -> payloads.Group:
        return self.stage.group(self._sources[alert.service], alert.key, {"service": alert.service})

    async def act(
        self, what: str, alert: Alert, who: str | None, *, minutes: float = 0, level: int | None = None
    ) -> None:
        """Let somebody acknowledge, resolve, snooze, or escalate: to a level, or the next."""
        more: dict[str, Any] = {"level": level} if level else {}
        more |= {"until": self.stage.clock() + timedelta(minutes=minutes)} if what == "snooze" else {}
        await self._acted(what, alert, who, **more)
        await self.stage.settle()

    async def _acted(self, what: str, alert: Alert, who: str | None, **more: Any) -> None:
        by = self._people[who].actor if who else _SOMEBODY
        row = await self._row(alert)
        try:
            await getattr(self.stage.engine.act, what)(row["id"], by=by, now=self.stage.clock(), **more)
        except NightbellError as error:
            raise Rejected(f"{error.message} {error.hint}".strip()) from error

    async def reply(self, who: str, code: str) -> None:
        """Let somebody answer their last message."""
        last = [h.message for h in self.stage.phones.heard if h.message.recipient == who][-1]
        named = await bundles.alerts_of(self.stage.db, last.notification_id)
        taken = named if code == "aa" else named[:1]
        by, now = self._people[who].actor, self.stage.clock()
        await bundles.acknowledge(self.stage.engine.act, taken, by=by, now=now)
        await self.stage.settle()

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

    async def reassign(self, alert: Alert, to: str) -> None:
        """Let somebody hand an alert to another person."""
        await self._acted("reassign", alert, None, targets=(self._people[to].target,))
        await self.stage.settle()

    async def ask(self, alert: Alert, who: str | None, others: Sequence[str]) -> None:
        """Let somebody ask others to help, beside whoever is paged."""
        targets = tuple(self._people[name].target for name in others)
        await self._acted("respond", alert, who, targets=targets)
        await self.stage.settle()

    async def start_over(self, alert: Alert, who: str | None) -> None:
        """Let somebody start the escalation over, by the policies as they are now."""
        await self._acted("restart", alert, who)
        await self.stage.settle()

    async def holds(self, minutes: int, where: str) -> None:
        """Say how long an acknowledgement holds: for "everything", an "urgency", a "source", or a "policy"."""
        configure, now, said = (
            self.stage.configure,
            self.stage.clock(),
            {"retrigger_timeout_minutes": minutes},
        )
        match where:
            case "urgency":
                for row in await self.stage.db.fetch("SELECT id FROM urgencies"):
                    edit = edits.UrgencyEdit(retrigger_timeout_minutes=minutes)
                    await configure.update_urgency(row["id"], edit, by=SYSTEM, now=now)
            case "source":
                for source in self._sources.values():
                    await self.stage.cast.change(source, settings=said)
            case "policy":
                for row in await self.stage.db.fetch("SELECT id FROM escalation_paths"):
                    await configure.update_path(row["id"], edits.PathEdit(settings=said), by=SYSTEM, now=now)
            case _:
                await configure.set_acknowledge_minutes(minutes, by=SYSTEM, now=now)

    async def change_step(self, service: str, number: int, people: Sequence[str]) -> None:
        """Let a step of a service's policy page others from now on."""
        level = self._levels[self._policies[service].id][number - 1]
        targets = [{"type": "user", "id": str(self._people[name].id)} for name in people]
        edit = edits.LevelEdit(targets=targets)
        await self.stage.configure.update_level(level, edit, by=SYSTEM, now=self.stage.clock())

    async def change_wait(self, service: str, number: int, minutes: int) -> None:
        """Let a step of a service's policy be followed after another time from now on."""
        level, edit = (
            self._levels[self._policies[service].id][number - 1],
            edits.LevelEdit(delay_minutes=minutes),
        )
        await self.stage.configure.update_level(level, edit, by=SYSTEM, now=self.stage.clock())

    async def remove_step(self, service: str, number: int) -> None:
        """Take a step from a service's policy."""
        level = self._levels[self._policies[service].id].pop(number - 1)
        await self.stage.configure.delete_level(level, by=SYSTEM, now=self.stage.clock())

    async def switch_policy(self, service: str, policy: Policy) -> None:
        """Give a service another policy, whatever is paged by the one it had."""
        made = self._policies[service] = await self._policy(policy)
        edit = edits.ServiceEdit(escalation_policy_id=UUID(made.id))
        ident = UUID(self._services[service].id)
        await self.stage.configure.update_service(ident, edit, by=SYSTEM, now=self.stage.clock())

    async def lose_channel(self, name: str, channel: str) -> None:
        """Take a channel from a person, with the rules that use it."""
        sql = "SELECT id FROM contact_methods WHERE user_id = $1 AND kind = $2"
        for row in await self.stage.db.fetch(sql, self._people[name].id, channel):
            await self.stage.configure.delete_contact_method(row["id"], by=SYSTEM, now=self.stage.clock())

    async def leave(self, name: str) -> None:
        """Let a person leave."""
        edit = edits.UserEdit(active=False)
        await self.stage.configure.update_user(self._people[name].id, edit, by=SYSTEM, now=self.stage.clock())

    async def answer(self, how: str, channel: str, times: int) -> None:
        """Let the provider of a channel answer so; after that it accepts again."""
        phones = self.stage.phones.by_kind
        for kind in [channel] if channel else phones:
            phones[kind].forget()
            phones[kind].will(*[_ANSWERS[how]] * (times if how != "accepts" else 0))

    async def report(self, channel: str, *, arrived: bool) -> None:
        """Let the provider of a channel say whether its last message arrived."""
        last = [h.message for h in self.stage.phones.heard if channel in ("", h.kind)][-1]
        stage = Progress.DELIVERED if arrived else Progress.FAILED
        said = Receipt(notification_id=last.notification_id, stage=stage, why="the provider says so")
        await self.stage.engine.receive.receipt(said, self.stage.clock())
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

    async def heartbeat(self, name: str, service: str, minutes: float, *, enabled: bool) -> None:
        """Make a heartbeat whose silence is paged as a service's alerts are."""
        target = self._services[service]
        edit = edits.HeartbeatEdit(
            name=name,
            alert_summary=f"Heartbeat {name} is silent",
            interval_count=int(minutes),
            interval_unit="minutes",
            target={"type": target.type, "id": target.id},
            enabled=enabled,
        )
        now = self.stage.clock()
        self._heartbeats[name] = await self.stage.configure.create_heartbeat(edit, by=SYSTEM, now=now)

    async def beat(self, name: str) -> None:
        """Let a heartbeat beat."""
        await self.stage.engine.heartbeats.ping(self._heartbeats[name], secret=None)
        await self.stage.settle()

    async def switch_heartbeat(self, name: str, *, enabled: bool) -> None:
        """Switch a heartbeat on or off."""
        edit = edits.HeartbeatEdit(enabled=enabled)
        now = self.stage.clock()
        await self.stage.configure.update_heartbeat(self._heartbeats[name], edit, by=SYSTEM, now=now)
        await self.stage.settle()

    async def delete_heartbeat(self, name: str) -> None:
        """Delete a heartbeat."""
        now = self.stage.clock()
        await self.stage.configure.delete_heartbeat(self._heartbeats.pop(name), by=SYSTEM, now=now)
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

    async def lose_node(self) -> None:
        """Kill one of several engines; the others go on."""
        if len(self.stage.engines) < 2:
            raise Needs("another engine: say how many `replicas` there are")
        await self.stage.lose()
        await self.stage.settle()

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
    if step.hours:
        block = {"days": list(DAY_LETTERS), "start_time": step.hours[0], "end_time": step.hours[1]}
        said["window"] = {"time_zone": "Etc/UTC", "blocks": [block]}
    if step.all_must_acknowledge:
        said["require_all_acknowledgements"] = True
    return said


def _spelled(rule: Rule) -> str:
    return f"{rule.channel}+{rule.after:g}" if rule.after else rule.channel
