"""What a scenario of escalations needs of the system it is told to: people, services, time, and what the phones heard.

There is more than one world: the engine itself (staged.py), and whatever answers over HTTP. A case knows none of them.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from msgspec import Struct


class Needs(Exception):
    """A case asks for a part that is not there yet; the text is what it is."""


class Rejected(Exception):
    """The system refused what somebody asked of it; the text is what it said."""


class Rule(NamedTuple):
    """A personal rule: this channel, so many minutes after the page."""

    channel: str
    after: float


class Step(Struct, frozen=True, kw_only=True):
    """A level of a policy; see core/directory.Level for the kinds and strategies. Units: minutes."""

    people: tuple[str, ...] = ()
    wait: float = 0
    kind: str = "page"
    strategy: str = "default"
    all_must_acknowledge: bool = False
    count: int = 0
    minutes: int = 0
    #: The people are a team, all of whom are paged.
    team: bool = False
    #: The people take turns in a schedule, a day each, and whoever is on call is paged.
    schedule: bool = False
    #: A level that waits for hours: "09:00" to "17:00", every day, in UTC.
    hours: tuple[str, str] | None = None


class Policy(Struct, frozen=True):
    """Steps, and how often all of them are done again: -1 until somebody acknowledges."""

    steps: tuple[Step, ...]
    repeat: int = 0


class Heard(Struct, frozen=True, kw_only=True):
    """A page that arrived at somebody's phone. `labels` are those of its alert."""

    who: str
    channel: str
    text: str
    labels: dict[str, str]

    def __str__(self) -> str:
        """Return it as a case writes it."""
        return f"{self.who}:{self.channel}"


class Entry(NamedTuple):
    """A line of an alert's timeline: the word of the wire, our own, and the sentence."""

    action: str
    code: str
    details: str


class Alert(NamedTuple):
    """An alert as a case names it: the service it is on, and a key that is its own there."""

    service: str
    key: str


class World(Protocol):
    """A system with people on call. Acts raise Rejected when they are refused."""

    async def person(self, name: str, rules: Sequence[Rule]) -> None:
        """Make a person who is paged by these rules."""

    async def add_rules(self, name: str, rules: Sequence[Rule]) -> None:
        """Add rules to a person who may be paged right now."""

    async def service(self, name: str, policy: Policy) -> None:
        """Make a service whose alerts are paged by a policy."""

    async def fire(self, alert: Alert, hosts: Sequence[str]) -> None:
        """Let an alert fire on hosts beside those it fires on; with none new it is a repeat."""

    async def fire_together(self, alerts: Sequence[Alert]) -> None:
        """Let several new alerts fire before anybody looks at the first."""

    async def resolve(self, alert: Alert) -> None:
        """Let the source say that an alert is over."""

    async def repeat_firing(self, alert: Alert) -> None:
        """Let another peer of the source send the last firing once more, word for word."""

    async def act(
        self, what: str, alert: Alert, who: str | None, *, minutes: float = 0, level: int | None = None
    ) -> None:
        """Let somebody acknowledge, resolve, snooze, or escalate: to a level, or the next."""

    async def reply(self, who: str, code: str) -> None:
        """Let somebody answer their last message: "a" takes its alert, "aa" every alert it named."""

    async def escalate_together(self, alert: Alert, times: int) -> None:
        """Let several people answer the same page with Escalate."""

    async def acknowledge_together(self, alert: Alert, people: Sequence[str | None]) -> None:
        """Let people acknowledge at the same moment, each another way."""

    async def reassign(self, alert: Alert, to: str) -> None:
        """Let somebody hand an alert to another person."""

    async def ask(self, alert: Alert, who: str | None, others: Sequence[str]) -> None:
        """Let somebody ask others to help, beside whoever is paged."""

    async def start_over(self, alert: Alert, who: str | None) -> None:
        """Let somebody start the escalation over, by the policies as they are now."""

    async def holds(self, minutes: int, where: str) -> None:
        """Say how long an acknowledgement holds: for "everything", an "urgency", a "source", or a "policy"."""

    async def change_step(self, service: str, number: int, people: Sequence[str]) -> None:
        """Let a step of a service's policy page others from now on; nobody removes the step."""

    async def change_wait(self, service: str, number: int, minutes: int) -> None:
        """Let a step of a service's policy be followed after another time from now on."""

    async def remove_step(self, service: str, number: int) -> None:
        """Take a step from a service's policy."""

    async def switch_policy(self, service: str, policy: Policy) -> None:
        """Give a service another policy, whatever is paged by the one it had."""

    async def lose_channel(self, name: str, channel: str) -> None:
        """Take a channel from a person, with the rules that use it."""

    async def leave(self, name: str) -> None:
        """Let a person leave."""

    async def answer(self, how: str, channel: str, times: int) -> None:
        """Let the provider of a channel, "" for all, answer: "fails", "refuses", "times out" or "accepts"."""

    async def report(self, channel: str, *, arrived: bool) -> None:
        """Let the provider of a channel, "" for any, say whether its last message arrived."""

    async def maintain(self, service: str, minutes: float) -> None:
        """Begin planned work on a service."""

    async def end_maintenance(self) -> None:
        """End all planned work now."""

    async def heartbeat(self, name: str, service: str, minutes: float, *, enabled: bool) -> None:
        """Make a heartbeat whose silence is paged as a service's alerts are."""

    async def beat(self, name: str) -> None:
        """Let a heartbeat beat."""

    async def switch_heartbeat(self, name: str, *, enabled: bool) -> None:
        """Switch a heartbeat on or off."""

    async def delete_heartbeat(self, name: str) -> None:
        """Delete a heartbeat."""

    async def pause(self) -> None:
        """Take in what comes and do nothing about it, in a world that can; to be killed or woken."""

    async def sleep(self) -> None:
        """Stop the engine in good order; nothing runs until it is woken."""

    async def lose_node(self) -> None:
        """Kill one of several engines; the others go on."""

    async def wake(self) -> None:
        """Start an engine that was stopped or killed."""

    async def hang(self) -> None:
        """Let providers take the next messages and never answer."""

    async def kill(self) -> None:
        """End every process without a warning; nothing runs until it is woken."""

    async def until(self, minute: float) -> None:
        """Let time pass, everything due on the way done when it was due."""

    async def heard(self) -> list[Heard]:
        """Return all pages so far, in the order they came."""

    async def status(self, alert: Alert) -> str:
        """Return where an alert stands."""

    async def entries(self, alert: Alert) -> list[Entry]:
        """Return the timeline of an alert."""

    async def count(self, status: str) -> int:
        """Return how many alerts stand there."""
