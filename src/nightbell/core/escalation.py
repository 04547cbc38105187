"""One alert's climb of one policy: a frozen plan, a phase and the instant it must be looked at again.

Rule 1: a climb that is left alone always has a wake time, or has ended and said why.

    climbing --acknowledged--> held --retriggered--> climbing --nobody left--> exhausted
    any      --resolved, replaced--> ended
"""

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from nightbell.core.directory import LevelTarget, Target, Windows

#: A policy whose delays are all 0 must not go round without a breath (rootly.md 5.1.3).
BREATH = timedelta(minutes=1)
#: `repeat_count` -1: until somebody acknowledges.
FOREVER = -1


class Phase(StrEnum):
    """Where a climb stands."""

    CLIMBING = "climbing"
    HELD = "held"
    EXHAUSTED = "exhausted"
    ENDED = "ended"


class Rung(Struct, frozen=True, kw_only=True):
    """A level as it was when the climb began; `wait` seconds pass before the next one. See directory.Level."""

    position: int
    wait: int
    targets: tuple[LevelTarget, ...]
    level_id: UUID | None = None
    kind: str = "page"
    strategy: str = "default"
    everyone: bool = False
    all_must_acknowledge: bool = False
    at_a_time: int = 1
    repeats: int = 1
    exactly: bool = False
    count: int = 0
    minutes: int = 0
    windows: Windows | None = None


class Deferral(Struct, frozen=True, kw_only=True):
    """What follows when a deferral is over: choose anew ("re_evaluate"), or take this path ("execute_path")."""

    target: Target
    after: str
    path_id: UUID | None


class Plan(Struct, frozen=True, kw_only=True):
    """The policy as it was when the climb began. `rounds` counts the first one; FOREVER never ends."""

    name: str
    policy_id: UUID | None
    path_id: UUID | None
    loudness: str
    initial_delay: int
    rounds: int
    rungs: tuple[Rung, ...]
    #: How long an acknowledgement holds, in minutes; None leaves it to the urgency, -1 never ends.
    acknowledge_minutes: int | None = None
    #: Set on a climb that only waits for the end of a deferral.
    deferral: Deferral | None = None


#: The origin of a climb that somebody asked for beside the alert's own begins so; so do those that it starts.
BESIDE = "beside "


class Escalation(Struct, frozen=True, kw_only=True):
    """One alert's climb."""

    id: UUID
    alert_id: UUID
    occurrence: int
    origin: str
    plan: Plan
    phase: Phase
    #: Position of the last rung fired; 0 before the first.
    level: int
    round: int
    #: Rungs fired so far, by any road: what "as of this page" compares.
    fired: int
    #: Pages made so far.
    reached: int
    token: UUID
    wake_at: datetime | None
    created_at: datetime
    #: Whose turn it is on a rung that calls one after another; 1 where the climb has come to a rung that waits.
    turn: int = 0
    #: Who has acknowledged, where everybody must.
    acknowledged: tuple[int, ...] = ()
    #: The maintenance that holds it.
    muted_by: UUID | None = None

    @property
    def rung(self) -> Rung | None:
        """The rung last fired; None before the first."""
        return self.plan.rungs[self.level - 1] if 0 < self.level <= len(self.plan.rungs) else None

    @property
    def beside(self) -> bool:
        """Whether somebody asked for it beside the alert's own: it goes on though the alert is acknowledged."""
        return self.origin.startswith(BESIDE)


class Call(Struct, frozen=True, kw_only=True):
    """A person a rung wants, and what names them."""

    user_id: int
    because: str
    #: Who listens to what they are told.
    shadows: tuple[int, ...] = ()


class Rise(Struct, frozen=True, kw_only=True):
    """One rung fired: whom it calls, which other climbs it starts, and what made it empty."""

    level: int
    calls: tuple[Call, ...]
    spawns: tuple[Target, ...]
    #: Why targets of this rung gave nobody.
    empty: tuple[str, ...]
    #: The round-robin pointer that was turned.
    turned: UUID | None = None
    #: More people of this rung are called after its wait.
    more: bool = False
    #: Channels that are told, once for each time the rung is reached.
    posts: tuple[LevelTarget, ...] = ()


def due(escalation: Escalation, now: datetime) -> bool:
    """Return whether a climb must be looked at."""
    return escalation.wake_at is not None and now >= escalation.wake_at
