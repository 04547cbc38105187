"""The people of a scenario, and whom their policies page: made through the engine's own configuration, in few words."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct

from nightbell.core.directory import Target
from nightbell.core.journal import SYSTEM, Actor, person
from nightbell.engine import edits
from nightbell.engine.configure import Configure
from nightbell.engine.schedule_edits import RotationEdit, ScheduleEdit, ShadowEdit
from nightbell.store.db import Db


class Person(Struct, frozen=True):
    """Somebody who can be paged."""

    id: int
    name: str

    @property
    def target(self) -> Target:
        """This person as whom an alert is for."""
        return Target(type="User", id=str(self.id))

    @property
    def actor(self) -> Actor:
        """This person as who did something."""
        return person(self.id, self.name)


class Source(Struct, frozen=True):
    """A sender."""

    id: UUID
    name: str


class Channel(Struct, frozen=True):
    """A channel on Slack that a level tells; `name` is its id."""

    name: str

    @property
    def target(self) -> Target:
        """This channel as what a level names."""
        return Target(type="SlackChannel", id=self.name)


Whom = Person | Target
#: What a level may name.
Named = Whom | Channel
#: Whom a level pages, and the minutes before the next one.
Step = tuple[Sequence[Named], int]

_LEVEL_TYPES = {
    "User": "user",
    "Group": "team",
    "Service": "service",
    "Schedule": "schedule",
    "SlackChannel": "slack_channel",
}


class Cast:
    """Makes people, policies, teams, services and sources."""

    def __init__(self, db: Db, configure: Configure, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._configure = configure
        self._clock = clock
        self._made = 0

    async def person(self, name: str, *rules: str, role: str = "user", quiet: tuple[str, ...] = ()) -> Person:
        """Make a person whose rules read "sms" (at once) or "voice+5" (five minutes later); `quiet` likewise."""
        edit = edits.UserEdit(name=name, email=f"{name.lower()}@example.org", role=role)
        user_id = await self._configure.create_user(edit, by=SYSTEM, now=self._clock())
        for row in await self._db.fetch("SELECT id FROM contact_methods WHERE user_id = $1", user_id):
            await self._configure.delete_contact_method(row["id"], by=SYSTEM, now=self._clock())
        made = Person(user_id, name)
        for kind in dict.fromkeys(rule.partition("+")[0] for rule in (*rules, *quiet)):
            await self.method(made, kind)
        for rule in rules:
            await self.rule(made, rule)
        for rule in quiet:
            await self.rule(made, rule, loudness="quiet")
        return made

    async def method(self, who: Person, kind: str, *, verified: bool = True) -> UUID:
        """Give a person a telephone of a kind that no rule uses yet."""
        edit = edits.ContactMethodEdit(kind=kind, name=kind, address=who.name)
        made = await self._configure.create_contact_method(
            who.id, edit, verified=True, by=SYSTEM, now=self._clock()
        )
        rows = await self._db.fetch("SELECT id FROM notification_rules WHERE contact_method_id = $1", made)
        for row in rows:
            await self._configure.delete_notification_rule(row["id"], by=SYSTEM, now=self._clock())
        if not verified:
            await self._db.run("UPDATE contact_methods SET verified_at = NULL WHERE id = $1", made)
            await self._db.execute("bump_configuration")
        return made

    async def rule(self, who: Person, rule: str, *, loudness: str = "audible") -> UUID:
        """Add a personal rule, "voice+5", for a kind of telephone the person has; made if they have none."""
        kind, _, minutes = rule.partition("+")
        sql = "SELECT id FROM contact_methods WHERE user_id = $1 AND kind = $2"
        found = await self._db.fetch(sql, who.id, kind)
        method = found[0]["id"] if found else await self.method(who, kind)
        edit = edits.NotificationRuleEdit(
            contact_method_id=method, loudness=loudness, delay_minutes=int(minutes or 0)
        )
        return await self._configure.create_notification_rule(who.id, edit, by=SYSTEM, now=self._clock())

    async def policy(self, *steps: Step, repeat: int = 0, **path: Any) -> Target:
        """Make a policy; each step is whom it pages and the minutes before the next."""
        now = self._clock()
        edit = edits.PolicyEdit(name=self._name("policy"), repeat_count=repeat)
        policy_id = await self._configure.create_policy(edit, by=SYSTEM, now=now)
        if path:
            default = edits.PathEdit(name="Default", is_default=True, **path)
            await self._configure.create_path(policy_id, default, by=SYSTEM, now=now)
        made = Target(type="EscalationPolicy", id=str(policy_id))
        for whom, wait in steps:
            await self.level(made, whom, wait)
        return made

    async def path(self, policy: Target, *steps: Step, loudness: str = "audible", **settings: Any) -> UUID:
        """Add a path that conditions choose, above the default: `settings` as on the wire."""
        edit = edits.PathEdit(name=self._name("path"), loudness=loudness, settings=settings)
        path_id = await self._configure.create_path(UUID(policy.id), edit, by=SYSTEM, now=self._clock())
        for whom, wait in steps:
            await self.level(policy, whom, wait, path_id=path_id)
        return path_id

    async def level(
        self,
        policy: Target,
        whom: Sequence[Named],
        wait: int,
        *,
        path_id: UUID | None = None,
        **settings: Any,
    ) -> UUID:
        """Add a last level to the default path of a policy, or to another; `settings` as on the wire."""
        level = edits.LevelEdit(delay_minutes=wait, targets=[_named(one) for one in whom], settings=settings)
        return await self._configure.create_level(
            UUID(policy.id), path_id, level, by=SYSTEM, now=self._clock()
        )

    async def hours(self, policy: Target, **business: Any) -> None:
        """Give a policy business hours."""
        edit = edits.PolicyEdit(business_hours=business)
        await self._configure.update_policy(UUID(policy.id), edit, by=SYSTEM, now=self._clock())

    async def urgency(self, name: str, **more: Any) -> UUID:
        """Return the urgency of this name, made or changed by `more`, fields of an UrgencyEdit."""
        rows = await self._db.fetch("SELECT id FROM urgencies WHERE name = $1", name)
        edit = edits.UrgencyEdit(name=name, **more)
        if not rows:
            return await self._configure.create_urgency(edit, by=SYSTEM, now=self._clock())
        await self._configure.update_urgency(rows[0]["id"], edit, by=SYSTEM, now=self._clock())
        found: UUID = rows[0]["id"]
        return found

    async def schedule(self, *serving: Whom, handoff: str = "00:00") -> Target:
        """Make a schedule on which people, or schedules, take a day each, by UTC; the first is on call today."""
        now = self._clock()
        edit = ScheduleEdit(name=self._name("schedule"), time_zone="Etc/UTC")
        made = await self._configure.create_schedule(edit, by=SYSTEM, now=now)
        rotation = RotationEdit(
            name="Daily",
            type="daily",
            handoff_time=handoff,
            time_zone="Etc/UTC",
            members=[_member(one) for one in serving],
        )
        await self._configure.create_rotation(made, rotation, by=SYSTEM, now=now)
        return Target(type="Schedule", id=str(made))

    async def shadow(self, who: Person, schedule: Target, *, of: Person | None = None, days: int = 1) -> UUID:
        """Let somebody listen to what a person, or everybody on call, is told in a schedule, from now on."""
        now = self._clock()
        edit = ShadowEdit(
            user_id=who.id,
            of_user_id=of.id if of else None,
            starts_at=now,
            ends_at=now + timedelta(days=days),
        )
        return await self._configure.create_shadow(UUID(schedule.id), edit, by=SYSTEM, now=now)

    async def maintenance(
        self, *things: Target | Source, minutes: float | None = None, starts: float = 0, **more: Any
    ) -> UUID:
        """Plan work on services and sources, so many minutes from `starts` minutes on."""
        begin = self._clock() + timedelta(minutes=starts)
        edit = edits.MaintenanceEdit(
            name=self._name("maintenance"),
            service_ids=[UUID(one.id) for one in things if isinstance(one, Target)],
            source_ids=[one.id for one in things if isinstance(one, Source)],
            starts_at=begin,
            ends_at=begin + timedelta(minutes=minutes) if minutes is not None else None,
            **more,
        )
        return await self._configure.create_maintenance(edit, by=SYSTEM, now=self._clock())

    async def end_maintenance(self, maintenance_id: UUID) -> None:
        """End planned work now."""
        await self._configure.end_maintenance(maintenance_id, by=SYSTEM, now=self._clock())

    async def team(self, *people: Person, policy: Target | None = None) -> Target:
        """Make a team."""
        edit = edits.TeamEdit(
            name=self._name("team"),
            user_ids=[one.id for one in people],
            escalation_policy_id=UUID(policy.id) if policy else None,
        )
        made = await self._configure.create_team(edit, by=SYSTEM, now=self._clock())
        return Target(type="Group", id=str(made))

    async def service(self, *, policy: Target | None = None, teams: tuple[Target, ...] = ()) -> Target:
        """Make a service."""
        edit = edits.ServiceEdit(
            name=self._name("service"),
            escalation_policy_id=UUID(policy.id) if policy else None,
            owner_team_ids=[UUID(team.id) for team in teams],
        )
        made = await self._configure.create_service(edit, by=SYSTEM, now=self._clock())
        return Target(type="Service", id=str(made))

    async def source(self, *, pages: Whom | None = None, **more: Any) -> Source:
        """Make an Alertmanager source; `pages` is its default target, `more` are fields of a SourceEdit."""
        target = pages.target if isinstance(pages, Person) else pages
        default = {"type": target.type, "id": target.id} if target else None
        edit = edits.SourceEdit(**{"name": self._name("source"), "default_target": default, **more})
        made, _ = await self._configure.create_source(edit, by=SYSTEM, now=self._clock())
        return Source(made, str(edit.name))

    async def change(self, source: Source, **fields: Any) -> None:
        """Change fields of a source."""
        edit = edits.SourceEdit(**fields)
        await self._configure.update_source(source.id, edit, by=SYSTEM, now=self._clock())

    async def route(self, source: Source, *rules: tuple[str, str, Target]) -> UUID:
        """Make a route of rules (JSONPath, value, whom to page); a path "" matches everything."""
        edit = edits.RouteEdit(
            name=self._name("route"), source_ids=[source.id], rules=[_rule(*rule) for rule in rules]
        )
        return await self._configure.create_route(edit, by=SYSTEM, now=self._clock())

    async def grouping(self, *targets: Target, minutes: int = 10, **more: Any) -> UUID:
        """Make a rule that groups alerts for these targets, or for whomever; `more` are fields of a GroupingEdit."""
        edit = edits.GroupingEdit(
            name=self._name("grouping"),
            time_window=minutes,
            targets=[{"target_type": one.type, "target_id": one.id} for one in targets],
            **more,
        )
        return await self._configure.create_grouping(edit, by=SYSTEM, now=self._clock())

    async def fallback(self, *people: Person) -> None:
        """Say who is paged when nobody else could be."""
        await self._db.execute(
            "insert_instance_once", "fallback_user_ids", [one.id for one in people], self._clock()
        )
        await self._db.execute("bump_configuration")

    def _name(self, noun: str) -> str:
        self._made += 1
        return f"{noun} {self._made}"


def _member(one: Whom) -> dict[str, Any]:
    return {"user_id": one.id} if isinstance(one, Person) else {"nested_schedule_id": UUID(one.id)}


def _named(whom: Named) -> dict[str, Any]:
    target = whom.target if isinstance(whom, Person | Channel) else whom
    members = "all" if target.type == "Group" else None
    return {"type": _LEVEL_TYPES[target.type], "id": target.id, "team_members": members}


def _rule(path: str, value: str, target: Target) -> dict[str, Any]:
    condition = {"field_type": "payload", "field_name": path, "operator": "is_one_of", "values": [value]}
    return {
        "name": f"{path or 'everything'} {value}".strip(),
        "fallback": not path,
        "condition_groups": [{"conditions": [condition]}] if path else [],
        "destinations": [{"target_type": target.type, "target_id": target.id}],
    }
