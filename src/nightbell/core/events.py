"""What can happen to an alert: a report, a person's act, time, a message that could not be delivered."""

from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from nightbell.core.alert import Status
from nightbell.core.directory import Directory, Source, Target
from nightbell.core.escalation import Escalation
from nightbell.core.group import Group, Named
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
    #: Services and teams that it concerns beside those it pages.
    attached: tuple[Target, ...] = ()


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


class Joined(Struct, frozen=True, kw_only=True):
    """Another alert follows this one from now on. `targets` are those of its own that this one does not page yet."""

    alert: Named
    until: datetime
    targets: tuple[Target, ...]


class Left(Struct, frozen=True, kw_only=True):
    """An alert that followed this one pages by itself again."""

    alert: Named


class Led(Struct, frozen=True, kw_only=True):
    """The leader of this alert was taken, or pages again, or a person said that it is over: so it is here."""

    leader: Named
    status: Status
    by: Actor


class Promoted(Struct, frozen=True, kw_only=True):
    """The leader of this alert pages no more, and this one leads from now on: it goes on with the leader's climbs."""

    leader: Named
    why: str
    group: Group
    climbs: tuple[Escalation, ...]
    snoozed_until: datetime | None


class Handed(Struct, frozen=True, kw_only=True):
    """Another alert leads this one from now on."""

    leader: Named


class Over(Struct, frozen=True, kw_only=True):
    """A leader pages no more though others follow it; core/leading.py says which of them leads on.

    Shape: `resolved` where it is over, and not only kept from paging for a while; `held_by` is the planned work that
    keeps it, which keeps some of the others too.
    """

    leader: Named
    why: str
    group: Group
    climbs: tuple[Escalation, ...]
    snoozed_until: datetime | None
    at: datetime
    resolved: bool
    held_by: UUID | None


Act = Acknowledge | Resolve | Snooze | Escalate | Reassign | Respond | Restart | Note
Heard = Joined | Left | Led | Promoted | Handed
Event = Report | GroupOver | Act | Due | Failed | Heard


class Tell(Struct, frozen=True, kw_only=True):
    """What an alert that was decided must make known to others, in the same transaction.

    Shape: to one alert, or to all open ones that follow another. They are decided by the same directory.
    """

    event: Heard | Over
    directory: Directory
    to: UUID | None = None
    followers_of: UUID | None = None
