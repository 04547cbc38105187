"""How one message to one contact method fares: what a channel is, what it can answer, what follows from the answer."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, runtime_checkable
from uuid import UUID

from msgspec import Struct

from nightbell.core.bundling import Told
from nightbell.core.receipt import Stage


class Purpose(StrEnum):
    """Why a notification is sent."""

    PAGE = "page"
    UPDATE = "update"
    TEST = "test"
    #: A code that proves an address.
    VERIFY = "verify"
    #: What somebody should know of a shift of theirs.
    NOTICE = "notice"


class Message(Struct, frozen=True, kw_only=True):
    """Everything a channel may need to render one notification. All text is data: never a template.

    Links are absolute, signed, expiring and work for this one alert only; "" where there is none (a test).
    """

    notification_id: UUID
    #: Sent along where the provider knows such a thing, the same on every attempt.
    idempotency_key: str
    purpose: Purpose
    #: Where it goes: an e-mail address, a URL, a topic. Decrypted, only in memory.
    address: str
    #: Channel-specific settings of the contact method, secrets decrypted.
    settings: dict[str, str]
    recipient: str
    sent_at: datetime
    #: One line: "HighErrorRate (3 firing)".
    title: str
    #: Plain text, several lines.
    body: str
    status: str
    urgency: str
    short_id: str
    labels: dict[str, str]
    annotations: dict[str, str]
    started_at: datetime | None
    #: 1-based escalation level that paged, None for updates and tests.
    level: int | None
    alert_url: str
    acknowledge_url: str
    escalate_url: str
    snooze_url: str
    #: Every alert it names, where it stands for several; the link to acknowledge then takes exactly these.
    bundle: tuple[Told, ...] = ()
    #: What the operator set for the service behind this kind (core/providers.py), secrets decrypted.
    provider: dict[str, str] = {}
    #: What a person answers with to mean this alert: "4F"; "" where answers are not read.
    reply_code: str = ""
    #: Where the provider reports what became of the message, with a token of its own; "" for nowhere.
    callback_url: str = ""
    #: The provider's id of the first message about this occurrence at this address, for threads.
    earlier: str = ""


class Sent(Struct, frozen=True, kw_only=True):
    """The provider accepted the message."""

    provider_id: str = ""
    detail: str = ""


class Retry(Struct, frozen=True, kw_only=True):
    """It certainly was not accepted; the same message may be later. `after` is the provider's own wish."""

    why: str
    after: timedelta | None = None


class Refused(Struct, frozen=True, kw_only=True):
    """It certainly was not accepted and never will be."""

    why: str
    #: The address itself is dead: its person must give another.
    gone: bool = False


class Unsure(Struct, frozen=True, kw_only=True):
    """Nobody can say: the provider may have accepted it. Called `Unknown` in the ledger (ADR 0010)."""

    why: str


Outcome = Sent | Retry | Refused | Unsure


class Found(Struct, frozen=True, kw_only=True):
    """The provider knows the message, and what became of it so far."""

    provider_id: str
    stage: Stage
    why: str = ""


class Absent(Struct, frozen=True, kw_only=True):
    """The provider certainly never had the message."""

    why: str


class NotSaid(Struct, frozen=True, kw_only=True):
    """The provider did not say; ask again later."""

    why: str


Traced = Found | Absent | NotSaid


class Channel(Protocol):
    """A kind of delivery. `send` never raises for what a provider or a network does: that is an Outcome."""

    @property
    def kind(self) -> str:
        """The name in contact methods: "email", "webhook"."""
        ...

    def check(self, address: str, settings: dict[str, str]) -> None:
        """Raise Invalid naming the field, if this address could never work."""
        ...

    async def send(self, message: Message) -> Outcome:
        """Hand the message to the provider and report what is known."""
        ...


@runtime_checkable
class Traceable(Protocol):
    """A channel whose provider can be asked later what became of a message."""

    async def trace(self, message: Message, provider_id: str, known: frozenset[str]) -> Traced:
        """Ask for a message by its id, or, where none is known, look for it among what was sent.

        Shape: `known` holds ids that belong to other messages.
        """
        ...


@runtime_checkable
class Editing(Protocol):
    """A channel whose messages can be changed where they stand, so that old news does not stay on a screen."""

    async def edit(self, message: Message, provider_id: str) -> Outcome:
        """Make a message that was sent say what is true now."""
        ...
