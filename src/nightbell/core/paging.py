"""A request for one person's attention, and which of their contact methods it uses next.

Rules are read as they are now, not as they were when the page began: a rule added meanwhile counts if its time is
still to come.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from msgspec import Struct
from msgspec.structs import replace

from nightbell.core.delivery import Purpose
from nightbell.core.directory import ContactMethod, NotificationRule, User

#: What a message is about that is about no service and no source.
NOTHING = UUID(int=0)
#: Whose message it is that is posted to a channel.
NOBODY = 0
#: Ids of channels are made of this.
_CHANNELS = UUID("5b0f6f5e-3d5c-5f0a-9a44-6e6967687462")


class Page(Struct, frozen=True, kw_only=True):
    """A request for one person's attention; `progress` is the delay in minutes of the last rule done, -1 none."""

    id: UUID
    alert_id: UUID
    escalation_id: UUID
    user_id: int
    occurrence: int
    level: int
    cycle: int
    loudness: str
    ended: bool
    progress: int
    wake_at: datetime | None
    created_at: datetime
    #: Whom they listen to: nothing is expected of whoever only shadows, and nothing waits for them.
    shadows_user_id: int | None = None


class Notification(Struct, frozen=True, kw_only=True):
    """One message to one contact method, or to a channel, still to be sent."""

    id: UUID
    alert_id: UUID | None
    page_id: UUID | None
    user_id: int
    contact_method_id: UUID
    kind: str
    purpose: Purpose
    occurrence: int
    level: int | None
    send_at: datetime
    idempotency_key: str
    because: dict[str, str]
    #: The service its alert is on, else the source: messages about one thing may be told as one.
    about: UUID = NOTHING
    #: Of a channel; None where the contact method has it. Such a message is NOBODY's and of no page.
    address: str | None = None


def channel_id(kind: str, address: str) -> UUID:
    """Return what stands for a channel where a contact method's id stands for an address: the same for the same one."""
    return uuid5(_CHANNELS, f"{kind}:{address}")


def key(page_id: UUID, method_id: UUID, ident: UUID) -> str:
    """Return the idempotency key of a page's message: the same however often it is sent."""
    return f"{page_id}/{method_id}/{ident}"


class Sent(Struct, frozen=True, kw_only=True):
    """A page message that went out, or may have: for updates, failover and not paging twice."""

    page_id: UUID | None
    user_id: int
    contact_method_id: UUID
    kind: str
    state: str
    created_at: datetime
    #: Of a shadow's page: they only listen.
    listens: bool = False


def rules(user: User, loudness: str) -> tuple[NotificationRule, ...]:
    """Return the rules that apply, verified methods only.

    Where a person has no usable rule of this loudness, every verified method of theirs is used at once: a page must
    not fail on a form half filled in.
    """
    usable = tuple(r for r in user.rules if r.loudness == loudness and _verified(user, r.method_id))
    if usable:
        return usable
    return tuple(
        NotificationRule(method_id=m.id, loudness=loudness, delay_minutes=0)
        for m in user.methods.values()
        if m.verified
    )


def _verified(user: User, method_id: UUID) -> bool:
    method = user.methods.get(method_id)
    return method is not None and method.verified


def reachable(user: User | None, loudness: str) -> bool:
    """Return whether a page could reach this person at all."""
    return user is not None and user.active and bool(rules(user, loudness))


class Step(Struct, frozen=True, kw_only=True):
    """A page after time looked at it, and the methods to use now."""

    page: Page
    methods: tuple[ContactMethod, ...]


def step(page: Page, user: User, sent: Iterable[Sent], now: datetime) -> Step:
    """Return what a page does now: rules whose time has come since the last look, each method once.

    Two rules for one method that fell due together (the engine was down) are one message; so are two pages of one
    alert that come to the same method within a minute by later rules (E05, E15).
    """
    usable = rules(user, page.loudness)
    passed = int((now - page.created_at) / timedelta(minutes=1))
    due = [r for r in usable if page.progress < r.delay_minutes <= passed]
    later = [r.delay_minutes for r in usable if r.delay_minutes > max(passed, page.progress)]
    recent = {s.contact_method_id for s in sent if now - s.created_at < timedelta(minutes=1)}
    used = dict.fromkeys(r.method_id for r in due if r.delay_minutes == 0 or r.method_id not in recent)
    progress = max([page.progress, *(r.delay_minutes for r in due)])
    wake = page.created_at + timedelta(minutes=min(later)) if later else None
    return Step(
        page=replace(page, progress=progress, wake_at=wake),
        methods=tuple(user.methods[m] for m in used),
    )


def next_method(user: User, loudness: str, tried: set[UUID]) -> ContactMethod | None:
    """Return the person's next method after those tried: rules first, then any other verified one."""
    ordered = [r.method_id for r in rules(user, loudness)]
    # A browser wakes nobody, so it comes last.
    ordered += [m.id for m in sorted(user.methods.values(), key=lambda m: m.kind == "inbox") if m.verified]
    return next((user.methods[m] for m in ordered if m not in tried), None)
