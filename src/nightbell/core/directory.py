"""The configuration as one frozen value: who can be paged, how, and which rules say so.

A Directory is a snapshot: a decision reads one from beginning to end, so an edit in between changes nothing.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from msgspec import Struct

#: A compiled JSONPath: a document in, the values found out. Compiled outside the core, which imports no parser.
Find = Callable[[Any], list[Any]]


class ContactMethod(Struct, frozen=True, kw_only=True):
    """An address of a person on one channel."""

    id: UUID
    kind: str
    verified: bool


class NotificationRule(Struct, frozen=True, kw_only=True):
    """When, after a page, which contact method is used."""

    method_id: UUID
    loudness: str
    delay_minutes: int


class User(Struct, frozen=True, kw_only=True):
    """A person. Rules are sorted by delay, then position."""

    id: int
    name: str
    role: str
    active: bool
    methods: dict[UUID, ContactMethod]
    rules: tuple[NotificationRule, ...]


class Team(Struct, frozen=True, kw_only=True):
    """People who own services together."""

    id: UUID
    name: str
    member_ids: tuple[int, ...]
    admin_ids: tuple[int, ...]
    policy_id: UUID | None


class Service(Struct, frozen=True, kw_only=True):
    """Something that breaks and whose breaking somebody owns."""

    id: UUID
    name: str
    policy_id: UUID | None
    team_ids: tuple[UUID, ...]
    urgency_id: UUID | None


class LevelTarget(Struct, frozen=True, kw_only=True):
    """Whom a level pages: {"type": "user", "id": "27854"}; `team_members` is all, admins or escalate."""

    type: str
    id: str
    team_members: str | None = None


class Level(Struct, frozen=True, kw_only=True):
    """One rung. `delay_minutes` is the wait before the *next* level (rootly.md 5.1.3)."""

    position: int
    delay_minutes: int
    targets: tuple[LevelTarget, ...]


class Path(Struct, frozen=True, kw_only=True):
    """A variant of a policy. `repeat` None leaves the number of rounds to the policy."""

    id: UUID
    name: str
    is_default: bool
    loudness: str
    repeat: bool | None
    repeat_count: int | None
    initial_delay_minutes: int
    levels: tuple[Level, ...]


class Policy(Struct, frozen=True, kw_only=True):
    """Who hears of an alert, in which order."""

    id: UUID
    name: str
    repeat_count: int
    paths: tuple[Path, ...]


class UrgencyRule(Struct, frozen=True, kw_only=True):
    """Sets an urgency from the payload."""

    find: Find
    operator: str
    value: str
    urgency_id: UUID


class Condition(Struct, frozen=True, kw_only=True):
    """One comparison of a route rule. `find` is None for attributes, which are looked up by name."""

    find: Find | None
    name: str
    operator: str
    values: tuple[str, ...]
    urgency_ids: tuple[str, ...] = ()


class Target(Struct, frozen=True, kw_only=True):
    """Whom an alert is for, as on the wire: User, Group, EscalationPolicy, Service."""

    type: str
    id: str


class RouteRule(Struct, frozen=True, kw_only=True):
    """Conditions inside a group must all hold; one group is enough; no group at all matches everything."""

    id: str
    name: str
    groups: tuple[tuple[Condition, ...], ...]
    destinations: tuple[Target, ...]
    fallback: bool = False


class Route(Struct, frozen=True, kw_only=True):
    """Rules in order, first match wins; other routes still run (rootly.md 1.9)."""

    id: UUID
    name: str
    source_ids: frozenset[UUID]
    rules: tuple[RouteRule, ...]


class Source(Struct, frozen=True, kw_only=True):
    """Who sends signals, and how its alerts are told apart."""

    id: UUID
    name: str
    type: str
    enabled: bool
    identity: str
    dedup_find: Find | None
    dedup_regexp: str | None
    urgency_id: UUID | None
    urgency_rules: tuple[UrgencyRule, ...]
    default_target: Target | None
    repage_new_members: bool


class Directory(Struct, frozen=True, kw_only=True):
    """Everything a decision may look up."""

    version: int
    users: dict[int, User]
    teams: dict[str, Team]
    services: dict[str, Service]
    policies: dict[str, Policy]
    sources: dict[UUID, Source]
    routes: tuple[Route, ...]
    #: By position: the first is the loudest.
    urgencies: tuple[UUID, ...]
    #: People paged when a climb reached no one.
    fallback_user_ids: tuple[int, ...]

    def policy_of_team(self, team: Team) -> Policy | None:
        """Return the policy a team is paged by."""
        return self.policies.get(str(team.policy_id)) if team.policy_id else None
