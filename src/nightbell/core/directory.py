"""The configuration as one frozen value: who can be paged, how, and which rules say so.

A Directory is a snapshot: a decision reads one from beginning to end, so an edit in between changes nothing.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct

from nightbell.core.calendar import Hours, Span, instant, reached, zone
from nightbell.core.labels import Matcher
from nightbell.core.schedule import Schedule
from nightbell.core.throttling import Throttle

#: A compiled JSONPath: a document in, the values found out. Compiled outside the core, which imports no parser.
Find = Callable[[Any], list[Any]]


#: Places that a level may tell beside its people: the type of the target, the kind of delivery. Its id is an address.
CHANNELS = {"slack_channel": "slack"}


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
    #: The hours in which they want no quiet page, and no audible one either where `quiet_audible` (ADR 0024).
    quiet: "Windows | None" = None
    quiet_audible: bool = False
    #: An IANA name: where they live.
    time_zone: str = "Etc/UTC"
    #: Of alerts they were paged for they are told: all, resolved, none.
    updates: str = "all"


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
    """Whom a level pages: {"type": "user", "id": "27854"}; `team_members` is all, admins or escalate.

    Shape: a channel (see CHANNELS) is told and is nobody: {"type": "slack_channel", "id": "C06Q2JK7RQW"}.
    """

    type: str
    id: str
    team_members: str | None = None


class Windows(Struct, frozen=True, kw_only=True):
    """Hours of the week on the wall clock of a place. `zone` is an IANA name, because a frozen plan is stored."""

    hours: Hours
    zone: str

    def holds(self, now: datetime) -> bool:
        """Return whether an instant lies inside."""
        return self.hours.cover(reached(now, zone(self.zone)))

    def end(self, now: datetime) -> datetime | None:
        """Return when the window that holds an instant is over; None outside of any."""
        local, place = self._local(now)
        return next((instant(s.end, place) for s in self._spans(local) if s.start <= local < s.end), None)

    def next_start(self, now: datetime) -> datetime | None:
        """Return when the next window begins; `now` inside of one; None when no window ever does."""
        local, place = self._local(now)
        return next((max(now, instant(s.start, place)) for s in self._spans(local) if s.end > local), None)

    def _local(self, now: datetime) -> tuple[datetime, ZoneInfo]:
        # A window that is over stays over: in the hour that is lived twice the wall clock would open it again.
        place = zone(self.zone)
        return reached(now, place), place

    def _spans(self, local: datetime) -> list[Span]:
        return self.hours.spans(local, local + timedelta(days=8))


class Level(Struct, frozen=True, kw_only=True):
    """One rung. `delay_minutes` is the wait before the *next* level (rootly.md 5.1.3).

    Shape: `kind` page calls people; wait passes its delay and calls nobody; threshold waits until more than `count`
    members began within `minutes`; window waits until `windows` holds.
    """

    position: int
    delay_minutes: int
    targets: tuple[LevelTarget, ...]
    #: Names the round-robin pointer; None for a level nobody stored.
    id: UUID | None = None
    kind: str = "page"
    #: default (all at once), alert (the next person for each alert), cycle (one after another), random.
    strategy: str = "default"
    #: A schedule stands for everybody in it, not only for whoever is on call.
    everyone: bool = False
    #: Everybody called must acknowledge; one person's does not silence the others.
    all_must_acknowledge: bool = False
    #: Of a cycle: so many people at a time; so many times round, or with `exactly` so many people in all.
    at_a_time: int = 1
    repeats: int = 1
    exactly: bool = False
    count: int = 0
    minutes: int = 0
    windows: Windows | None = None


class PathRule(Struct, frozen=True, kw_only=True):
    """A condition of a path: a `rule_type` of the wire. Any other kind is one that was read wrong and never holds.

    Shape: `ids` for alert_urgency and service; `operator` and `values` for source; with `find`, for json_path and
    field; `windows` for deferral_window.
    """

    kind: str
    ids: frozenset[str] = frozenset()
    find: Find | None = None
    operator: str = "is"
    values: tuple[str, ...] = ()
    #: working_hour: inside the policy's business hours, or outside.
    within: bool = True
    windows: Windows | None = None


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
    #: "deferral": while it matches nobody is paged, and then `after` says what.
    kind: str = "escalation"
    match_any: bool = False
    rules: tuple[PathRule, ...] = ()
    #: The path only applies inside these; None always.
    windows: Windows | None = None
    after: str = "re_evaluate"
    after_path_id: UUID | None = None
    #: How long an acknowledgement holds before it pages again; None leaves it to the urgency, -1 never.
    acknowledge_minutes: int | None = None


class Policy(Struct, frozen=True, kw_only=True):
    """Who hears of an alert, in which order."""

    id: UUID
    name: str
    repeat_count: int
    #: By position, the default last.
    paths: tuple[Path, ...]
    business: Windows | None = None


class UrgencyRule(Struct, frozen=True, kw_only=True):
    """Sets an urgency from the payload."""

    find: Find
    operator: str
    value: str
    urgency_id: UUID


class Condition(Struct, frozen=True, kw_only=True):
    """One comparison of a route rule. `find` is None for attributes, which are looked up by name.

    Shape: with `matchers` they alone count, and with `urgency_ids` the urgency must be one of those as well.
    """

    find: Find | None
    name: str
    operator: str
    values: tuple[str, ...]
    urgency_ids: tuple[str, ...] = ()
    matchers: tuple[Matcher, ...] = ()


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


#: Fills in a template of a source: the second value is when the alert began. "" where it fails or has nothing to say.
Fill = Callable[[Mapping[str, Any], datetime | None], str]


#: Where the settings of a source keep its templates, as Rootly calls it.
TEMPLATES = "alert_template_attributes"


class Wording(Struct, frozen=True, kw_only=True):
    """A source's own words for its alerts: what fills in each of them, None where there is no template."""

    title: Fill | None = None
    description: Fill | None = None
    external_url: Fill | None = None


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
    #: How long an acknowledgement holds; None leaves it to the urgency, -1 never ends.
    acknowledge_minutes: int | None = None
    wording: Wording | None = None


class Beat(Struct, frozen=True, kw_only=True):
    """A heartbeat as ingest must know it: an alert whose labels match, or that names it, is a beat and pages nobody."""

    id: UUID
    name: str
    matchers: tuple[Matcher, ...]


class Maintenance(Struct, frozen=True, kw_only=True):
    """Planned work on services or sources, once or in windows that come back."""

    id: UUID
    name: str
    service_ids: frozenset[str]
    source_ids: frozenset[UUID]
    starts_at: datetime
    #: None: for as long as its windows come back.
    ends_at: datetime | None
    windows: Windows | None

    def until(self, now: datetime) -> datetime | None:
        """Return when the work that goes on now is over; None when none does."""
        if now < self.starts_at or (self.ends_at is not None and now >= self.ends_at):
            return None
        if self.windows is None:
            return self.ends_at
        end = self.windows.end(now)
        return min(end, self.ends_at) if end and self.ends_at else end


class Grouping(Struct, frozen=True, kw_only=True):
    """A rule that says which alerts are one problem (core/grouping.py).

    Shape: `paths` and what else is asked for must be equal; of `conditions`, those that match an existing alert too.
    """

    id: UUID
    name: str
    #: How long after the last of a group another may still join it.
    window: timedelta
    match_any: bool
    by_title: bool
    by_urgency: bool
    #: Only alerts for one of these; nothing is for whomever.
    targets: frozenset[Target]
    paths: tuple[tuple[str, Find], ...]
    conditions: tuple[Condition, ...]


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
    #: They were chosen, so they are paged for targets that do not exist too; owners by default are not.
    fallback_is_chosen: bool = False
    #: By id.
    schedules: dict[str, Schedule] = {}
    maintenances: tuple[Maintenance, ...] = ()
    #: How many messages of a kind may go out in a while.
    throttles: tuple[Throttle, ...] = ()
    #: In order: the first that takes an alert groups it.
    groupings: tuple[Grouping, ...] = ()
    #: By the text of their id.
    heartbeats: dict[str, Beat] = {}
    #: How long an acknowledgement holds before it pages again, by urgency; None and -1 are for ever.
    acknowledge_minutes: dict[UUID, int] = {}
    #: The same where neither path, source nor urgency says anything.
    acknowledge_default: int | None = None
    #: Kinds of CHANNELS whose service is set up.
    speaks: frozenset[str] = frozenset()
    #: Whether any level goes round by alert, so that pointers have to be read.
    goes_round: bool = False
    #: Kinds of happenings (core/happening.py) that a workflow, a webhook or a room wants to hear of.
    listeners: frozenset[str] = frozenset()

    def policy_of_team(self, team: Team) -> Policy | None:
        """Return the policy a team is paged by."""
        return self.policies.get(str(team.policy_id)) if team.policy_id else None
