"""What the public may read of incidents: components and their states, and what was published of each incident.

Rule 1: everything follows from what somebody chose to publish. An alert, or an incident nobody published, changes nothing.
"""

from base64 import urlsafe_b64encode
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import IntEnum
from hashlib import sha256
from hmac import digest
from uuid import UUID

from msgspec import Struct

#: How long what is over stays in the list of the past.
HISTORY = timedelta(days=90)
#: What is over and younger than this stands on the page itself.
RECENT = timedelta(days=14)
#: Statuses of an incident, and of planned work, in the order in which they usually come.
INCIDENT = ("investigating", "identified", "monitoring", "resolved")
PLANNED = ("scheduled", "in_progress", "verifying", "completed")
STATUSES = INCIDENT + PLANNED
_OVER = frozenset({"resolved", "completed"})
#: Planned work touches its services only while somebody works.
_WORKING = frozenset({"in_progress", "verifying"})
SECTIONS = ("maintenance", "system_status", "incidents")


class State(IntEnum):
    """How a component is, from well to worst."""

    OPERATIONAL = 0
    MAINTENANCE = 1
    DEGRADED = 2
    PARTIAL_OUTAGE = 3
    MAJOR_OUTAGE = 4

    @property
    def wire(self) -> str:
        """Return the word of the wire and of the database."""
        return self.name.lower()

    @property
    def words(self) -> str:
        """Return how a page says it."""
        return _WORDS[self]


_WORDS = {
    State.OPERATIONAL: "Operational",
    State.MAINTENANCE: "Under maintenance",
    State.DEGRADED: "Degraded performance",
    State.PARTIAL_OUTAGE: "Partial outage",
    State.MAJOR_OUTAGE: "Major outage",
}
STATES = {state.wire: state for state in State}
#: What an incident does to its services where its publisher said nothing, by the level of its severity.
_BY_SEVERITY = {"critical": State.MAJOR_OUTAGE, "high": State.PARTIAL_OUTAGE}
_SAYS = {
    State.OPERATIONAL: "All systems operational",
    State.MAINTENANCE: "Maintenance is under way",
    State.DEGRADED: "Some systems are degraded",
    State.PARTIAL_OUTAGE: "Some systems are down",
    State.MAJOR_OUTAGE: "A major outage",
}


class Said(Struct, frozen=True, kw_only=True):
    """One thing that was published: plain text."""

    id: UUID
    at: datetime
    updated_at: datetime
    status: str
    text: str
    impact: str | None = None


class Published(Struct, frozen=True, kw_only=True):
    """An incident as the public knows it. `said` is in the order of time and never empty."""

    id: UUID
    title: str
    planned: bool
    #: critical, high, medium or low; None without a severity.
    severity: str | None
    service_ids: frozenset[UUID]
    said: tuple[Said, ...]
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    @property
    def status(self) -> str:
        """Return what was said last."""
        return self.said[-1].status

    @property
    def over(self) -> bool:
        """Whether it was said to be over."""
        return self.status in _OVER

    @property
    def began(self) -> datetime:
        """Return since when the public knows of it, or when planned work begins."""
        return self.starts_at if self.planned and self.starts_at else self.said[0].at

    @property
    def updated_at(self) -> datetime:
        """Return when anything of it was said or changed last."""
        return max(max(one.at, one.updated_at) for one in self.said)

    @property
    def impact(self) -> State:
        """Return what it does to its services now."""
        if self.over or (self.planned and self.status not in _WORKING):
            return State.OPERATIONAL
        told = next((one.impact for one in reversed(self.said) if one.impact), None)
        if told is not None:
            return STATES[told]
        return State.MAINTENANCE if self.planned else _BY_SEVERITY.get(self.severity or "", State.DEGRADED)


class Component(Struct, frozen=True, kw_only=True):
    """A service as the public knows it."""

    id: UUID
    name: str
    state: State


class Face(Struct, frozen=True, kw_only=True):
    """What a page says of itself. Texts are plain text; `token` is "" for one that everybody may read."""

    id: UUID
    slug: str
    title: str
    description: str
    success: str
    failure: str
    footer: str
    website_url: str
    support_url: str
    privacy_url: str
    sections: tuple[str, ...]
    time_zone: str
    indexed: bool
    token: str


class Board(Struct, frozen=True, kw_only=True):
    """Everything a page shows, as of one moment. Incidents: what began last comes first."""

    face: Face
    components: tuple[Component, ...]
    incidents: tuple[Published, ...]

    @property
    def state(self) -> State:
        """Return how it is altogether: as the worst incident that goes on, also one that names no component."""
        return max((one.impact for one in self.incidents), default=State.OPERATIONAL)

    @property
    def says(self) -> str:
        """Return the one sentence at the top."""
        own = self.face.success if self.state is State.OPERATIONAL else self.face.failure
        return own or _SAYS[self.state]

    @property
    def going(self) -> tuple[Published, ...]:
        """Return the incidents that go on."""
        return tuple(one for one in self.incidents if not one.planned and not one.over)

    @property
    def work(self) -> tuple[Published, ...]:
        """Return planned work that goes on or comes, the next first."""
        return tuple(sorted((i for i in self.incidents if i.planned and not i.over), key=lambda i: i.began))

    def past(self, since: datetime) -> tuple[Published, ...]:
        """Return what is over and was spoken of since then."""
        return tuple(one for one in self.incidents if one.over and one.updated_at >= since)

    def incident(self, ident: UUID) -> Published | None:
        """Return a published incident."""
        return next((one for one in self.incidents if one.id == ident), None)

    def names(self, incident: Published) -> tuple[str, ...]:
        """Return the names of the components an incident touches, of those this page shows."""
        return tuple(one.name for one in self.components if one.id in incident.service_ids)


def board(face: Face, services: Iterable[tuple[UUID, str]], incidents: Iterable[Published]) -> Board:
    """Return what a page shows; each component is as bad as the worst that is said of it."""
    known = tuple(sorted(incidents, key=lambda one: one.began, reverse=True))
    components = tuple(Component(id=ident, name=name, state=_state(ident, known)) for ident, name in services)
    return Board(face=face, components=components, incidents=known)


def _state(service_id: UUID, incidents: Iterable[Published]) -> State:
    touching = (one.impact for one in incidents if service_id in one.service_ids)
    return max(touching, default=State.OPERATIONAL)


def statuses(*, planned: bool) -> tuple[str, ...]:
    """Return which statuses may be published of an incident of this kind."""
    return PLANNED if planned else INCIDENT


def suggested(incident_status: str, *, planned: bool) -> str:
    """Return the status that fits what the incident itself says, for a form to begin with."""
    return _SUGGESTED.get(incident_status, "scheduled" if planned else "investigating")


_SUGGESTED = {
    "mitigated": "monitoring",
    "resolved": "resolved",
    "closed": "resolved",
    "cancelled": "resolved",
    "in_progress": "in_progress",
    "completed": "completed",
}


def token(key: bytes, page_id: UUID, round_: int) -> str:
    """Return what opens a page that is not for everybody; another one in each round, so that the old one can be ended."""
    said = digest(key, b"nightbell status page\0" + page_id.bytes + round_.to_bytes(4), sha256)
    return urlsafe_b64encode(said[:16]).rstrip(b"=").decode()
