"""What can happen to an alert: a report, a person's act, time, a message that could not be delivered."""

from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from nightbell.core.directory import Source, Target
from nightbell.core.identity import Unit
from nightbell.core.journal import Actor
from nightbell.core.signal import Envelope


class Report(Struct, frozen=True, kw_only=True, gc=False):
    """A delivery says something about one alert. `number` is used only if the alert is new."""

    unit: Unit
    envelope: Envelope
    source: Source
    url_target: tuple[str, str] | None
    delivery_id: UUID
    number: int
    #: How long a firing that may be stale is held before it pages (DESIGN 6).
    hold_down: timedelta


class GroupOver(Struct, frozen=True, kw_only=True):
    """A delivery says that a whole group is over; this alert has members in it and was not named."""

    group_hash: bytes
    ended_at: datetime
    delivery_id: UUID
    source: Source


class Acknowledge(Struct, frozen=True, kw_only=True):
    """Somebody takes it."""

    by: Actor


class Resolve(Struct, frozen=True, kw_only=True):
    """Somebody says it is over."""

    by: Actor


class Snooze(Struct, frozen=True, kw_only=True):
    """Quiet until an instant, then page again."""

    by: Actor
    until: datetime


class Escalate(Struct, frozen=True, kw_only=True):
    """Page the next level now, or a level, or another policy.

    `as_of` is the number of rungs fired when the request was made: a second click on one message does nothing.
    """

    by: Actor
    policy: Target | None = None
    level: int | None = None
    as_of: int | None = None


class Reassign(Struct, frozen=True, kw_only=True):
    """End every climb and page these instead."""

    by: Actor
    targets: tuple[Target, ...]


class Respond(Struct, frozen=True, kw_only=True):
    """Page these beside whoever is paged already: somebody wants help."""

    by: Actor
    targets: tuple[Target, ...]


class Restart(Struct, frozen=True, kw_only=True):
    """Climb from the first level again, by the policies as they are now.

    `targets` is whom the alert is for; the engine fills it in, because no decision reads it otherwise.
    """

    by: Actor
    targets: tuple[Target, ...] = ()


class Note(Struct, frozen=True, kw_only=True):
    """A remark in the timeline."""

    by: Actor
    text: str


class Due(Struct, frozen=True, kw_only=True):
    """Time has come for something of this alert; what, the facts say."""


class Failed(Struct, frozen=True, kw_only=True):
    """A message of a page was refused, or nobody knows whether it arrived: the next method is used at once."""

    page_id: UUID
    why: str
    doubtful: bool


Act = Acknowledge | Resolve | Snooze | Escalate | Reassign | Respond | Restart | Note
Event = Report | GroupOver | Act | Due | Failed
