"""What a decision gathers while it is being made, and the Decision it becomes.

Only core/decision.py and its steps write a Draft; engine/apply.py reads the Decision and nothing else.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from nightbell.core.alert import Alert, Change, Member, Text
from nightbell.core.delivery import Purpose
from nightbell.core.directory import ContactMethod, Directory, Target
from nightbell.core.escalation import Escalation
from nightbell.core.events import Tell
from nightbell.core.happening import ALERT_CREATED, ALERT_STATUS_UPDATED, Happening, told
from nightbell.core.identity import Unit
from nightbell.core.journal import SYSTEM, Actor, Entry, Kind
from nightbell.core.paging import NOTHING, Notification, Page, Sent, key
from nightbell.core.routing import Routing
from nightbell.core.signal import Envelope

_NONE: frozenset[UUID] = frozenset()

#: Returns a new UUIDv7, later ones greater.
Mint = Callable[[], UUID]


class Facts(Struct, frozen=True, kw_only=True):
    """Everything a decision may know. `sent` holds the page messages of the current occurrence."""

    directory: Directory
    alert: Alert | None = None
    escalations: tuple[Escalation, ...] = ()
    pages: tuple[Page, ...] = ()
    sent: tuple[Sent, ...] = ()
    #: What is stored of the alert's text, for paths that are chosen without a delivery at hand.
    labels: dict[str, str] = {}
    service_ids: frozenset[str] = frozenset()
    #: Whom it is for, as last stored.
    targets: tuple[Target, ...] = ()
    #: Whose turn it is, by level; locked while it is read.
    turns: dict[UUID, int] = {}
    #: Who leads each bucket that the alert may fall in; None where nobody looked, and then it pages by itself.
    leaders: "dict[bytes, Facts] | None" = None


class Shown(Struct, frozen=True, kw_only=True):
    """What a delivery changes of the wide part of an alert. `routing` is None where nobody was routed."""

    text: Text
    unit: Unit
    envelope: Envelope
    routing: Routing | None


class Occurrence(Struct, frozen=True, kw_only=True):
    """An occurrence that is over, for the history."""

    number: int
    started_at: datetime
    ended_at: datetime
    acknowledged_at: datetime | None


class Decision(Struct, frozen=True, kw_only=True):
    """What should be. Nothing has happened yet: engine/apply.py makes it so, all or nothing."""

    alert: Alert
    is_new: bool
    #: What became of the alert, for the answer and the delivery log: "created", "repeated", "resolved"…
    what: str
    changes: tuple[Change, ...]
    shown: Shown | None
    entries: tuple[Entry, ...]
    escalations: tuple[Escalation, ...]
    #: Which of them begin now.
    begun: frozenset[UUID]
    pages: tuple[Page, ...]
    notifications: tuple[Notification, ...]
    #: Nothing but the counters of the alert moved.
    touch: bool
    #: The alert's own row says what it said before; its climbs, pages or timeline may not.
    same: bool
    #: Waiting page messages of this alert are not to be sent any more.
    cancel: bool
    #: Pages that ended one by one; their waiting messages are called off.
    ended_pages: tuple[UUID, ...]
    #: Whom the alert is for from now on, where a person said so.
    routing: Routing | None
    #: By how many turns each round-robin pointer moved.
    turned: dict[UUID, int]
    past: Occurrence | None
    #: For metrics: "paged" or "nobody" when a run reached no one, "" otherwise.
    fallback: str
    #: Its place in a group changed.
    grouped: bool = False
    #: It takes others in from now on, and this alert does not any more.
    supersedes: UUID | None = None
    #: What other alerts must hear in the same transaction.
    tells: tuple[Tell, ...] = ()
    #: What of it somebody wants to hear of.
    happened: tuple[Happening, ...] = ()


class Draft:
    """A decision in the making. It only gathers; the rules stand in decision.py."""

    def __init__(self, facts: Facts, now: datetime, mint: Mint) -> None:
        self.facts = facts
        self.directory = facts.directory
        self.now = now
        self.mint = mint
        self.is_new = facts.alert is None
        self.what = ""
        self.changes: list[Change] = []
        self.shown: Shown | None = None
        self.entries: list[Entry] = []
        self.escalations = {e.id: e for e in facts.escalations}
        self.pages = {p.id: p for p in facts.pages}
        self.notifications: list[Notification] = []
        self.sent = list(facts.sent)
        self.cancel = False
        self.past: Occurrence | None = None
        self.fallback = ""
        self.turned: dict[UUID, int] = {}
        self.routing: Routing | None = None
        self.tells: list[Tell] = []
        self.supersedes: UUID | None = None
        #: The delivery as JSONPath sees it; None where no delivery is at hand.
        self.payload: dict[str, Any] | None = None
        self.service_ids = facts.service_ids
        self._alert = facts.alert

    @property
    def moved(self) -> bool:
        """Whether a member says something that its row does not say yet."""
        known = self.facts.alert.members if self.facts.alert else {}
        return any(_tells(known.get(c.member.fingerprint), c.member) for c in self.changes)

    @property
    def alert(self) -> Alert:
        """The alert as decided so far."""
        if self._alert is None:
            raise LookupError("a step ran before the alert existed")
        return self._alert

    @property
    def about(self) -> UUID:
        """What messages of this alert are about: the first service it is on, else its source."""
        known = self.directory.services
        services = [known[s].id for s in self.service_ids if s in known]
        return min(services, default=None) or self.alert.source_id or NOTHING

    def turn(self, level_id: UUID) -> int:
        """Return whose turn it is at a level."""
        return self.facts.turns.get(level_id, 0) + self.turned.get(level_id, 0)

    def becomes(self, alert: Alert) -> None:
        """Take a new state of the alert."""
        self._alert = alert

    def note(
        self,
        code: str,
        details: str,
        *,
        kind: Kind = Kind.STATUS_UPDATE,
        action: str,
        by: Actor = SYSTEM,
        user_id: int | None = None,
        **more: Any,
    ) -> None:
        """Write a line of the journal, about who did it unless said otherwise. `more` holds level and what is behind it."""
        level = more.pop("level", None)
        self.entries.append(
            Entry(
                id=self.mint(),
                alert_id=self.alert.id,
                at=self.now,
                kind=kind,
                action=action,
                code=code,
                by=by,
                details=details,
                because=more,
                level=level,
                user_id=by.user_id if user_id is None else user_id,
            )
        )

    def notify(self, page: Page, methods: Iterable[ContactMethod], because: str) -> None:
        """Queue one message of a page to each method."""
        for method in methods:
            ident = self.mint()
            self.notifications.append(
                Notification(
                    id=ident,
                    alert_id=self.alert.id,
                    page_id=page.id,
                    user_id=page.user_id,
                    contact_method_id=method.id,
                    kind=method.kind,
                    purpose=Purpose.PAGE,
                    occurrence=page.occurrence,
                    level=page.level,
                    send_at=self.now,
                    idempotency_key=key(page.id, method.id, ident),
                    because={"rule": because},
                    about=self.about,
                )
            )
            self.sent.append(
                Sent(
                    page_id=page.id,
                    user_id=page.user_id,
                    contact_method_id=method.id,
                    kind=method.kind,
                    state="waiting",
                    created_at=self.now,
                    listens=page.shadows_user_id is not None,
                )
            )

    def _climbs(self) -> tuple[tuple[Escalation, ...], frozenset[UUID]]:
        """Return the climbs that changed, and which of them begin now."""
        if not self.escalations:
            return (), _NONE
        old = {e.id: e for e in self.facts.escalations}
        climbs = tuple(e for e in self.escalations.values() if old.get(e.id) is not e)
        return climbs, frozenset(e.id for e in climbs if e.id not in old)

    def _pages(self) -> tuple[tuple[Page, ...], tuple[UUID, ...]]:
        """Return the pages that changed, and which known ones ended."""
        if not self.pages:
            return (), ()
        old = {p.id: p for p in self.facts.pages}
        pages = tuple(p for p in self.pages.values() if old.get(p.id) is not p)
        return pages, tuple(p.id for p in pages if p.ended and p.id in old)

    def _happened(self) -> tuple[Happening, ...]:
        """Return what became of the alert, where somebody listens."""
        was, alert = self.facts.alert, self.alert
        if was is not None and was.status is alert.status and was.occurrence == alert.occurrence:
            return ()
        kind = ALERT_STATUS_UPDATED if was else ALERT_CREATED
        if kind not in self.directory.listeners:
            return ()
        by = self._doer()
        happening = Happening(
            id=self.mint(),
            kind=kind,
            at=self.now,
            alert_id=alert.id,
            occurrence=alert.occurrence,
            data={
                "status": alert.status.value,
                "previous": was.status.value if was else None,
                "by": told(by),
            },
            cause_run_id=by.run_id,
            depth=by.depth,
        )
        return (happening,)

    def _doer(self) -> Actor:
        """Return who brought the alert where it stands: whoever its status is said of, else who did anything to it."""
        said = [e.by for e in self.entries if e.kind is Kind.STATUS_UPDATE]
        did = [e.by for e in self.entries if e.by.kind != SYSTEM.kind]
        return next(iter(said + did), SYSTEM)

    def decision(self) -> Decision:
        """Return what was gathered; climbs and pages only where they changed."""
        climbs, begun = self._climbs()
        pages, ended = self._pages()
        grouped = self.alert.group is not (self.facts.alert.group if self.facts.alert else None)
        says = bool(self.is_new or self.shown or self.entries or self.moved or grouped)
        return Decision(
            alert=self.alert,
            is_new=self.is_new,
            what=self.what,
            changes=tuple(self.changes),
            shown=self.shown,
            entries=tuple(self.entries),
            escalations=climbs,
            begun=begun,
            pages=pages,
            notifications=tuple(self.notifications),
            touch=not (says or climbs or pages or self.notifications),
            same=self._alert is self.facts.alert and not (self.changes or self.shown),
            cancel=self.cancel,
            ended_pages=() if self.cancel else ended,
            routing=self.routing,
            turned=dict(self.turned),
            past=self.past,
            fallback=self.fallback,
            grouped=grouped,
            supersedes=self.supersedes,
            tells=tuple(self.tells),
            happened=self._happened() if self.directory.listeners else (),
        )


def _tells(old: Member | None, new: Member) -> bool:
    """Return whether a member differs in more than when it was last seen."""
    return old is None or replace(old, last_seen_at=new.last_seen_at) != new
