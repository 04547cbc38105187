"""What a person does to an alert: one way in for button, API, link, SMS and chat.

Every act loads the alert under lock, decides, applies and commits; the rules stand in core/acting.py.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct, json
from msgspec.structs import replace

from nightbell.core import events, routing
from nightbell.core import journal as said
from nightbell.core.alert import Alert, Status
from nightbell.core.decision import decide
from nightbell.core.directory import Directory, Source, Target
from nightbell.core.draft import Decision, Facts
from nightbell.core.errors import Invalid, Unknown
from nightbell.core.identity import units
from nightbell.core.labels import clean, fingerprint
from nightbell.core.signal import Envelope, Signal, State
from nightbell.engine.apply import apply
from nightbell.engine.directory import Directories
from nightbell.engine.ids import minter
from nightbell.engine.ingest import Committed, Numbers, packed
from nightbell.engine.leaders import leaders
from nightbell.store.db import Db, Tx
from nightbell.store.write import facts

#: Called after a commit.
Woken = Callable[[Committed], None]
#: The id that stands for "made through the API" where a source's id is asked for; no row has it.
NO_SOURCE = UUID(int=0)


class NewAlert(Struct, frozen=True, kw_only=True):
    """An alert somebody makes by hand or by API. `targets` name whom to page; nobody is a valid answer.

    Shape: `attached` are services and teams that it concerns and nobody is paged through. One whose `ended_at` has come
    pages nobody; one whose has not is over by then, unless it is sent again.
    """

    summary: str
    description: str | None = None
    external_id: str | None = None
    external_url: str | None = None
    deduplication_key: str | None = None
    status: str | None = None
    labels: dict[str, str] = {}
    targets: tuple[Target, ...] = ()
    attached: tuple[Target, ...] = ()
    urgency_id: UUID | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    data: dict[str, Any] | None = None

    def over(self, now: datetime) -> bool:
        """Return whether it is over before it is known."""
        return self.ended_at is not None and self.ended_at <= now


class Act:
    """The acts of people."""

    def __init__(self, db: Db, directories: Directories, woken: Woken) -> None:
        self._db = db
        self._directories = directories
        self._woken = woken
        self._numbers = Numbers()

    async def acknowledge(self, alert_id: UUID, *, by: said.Actor, now: datetime) -> Decision:
        """Take an alert; taking it twice is one acknowledgement.

        Raises: Unknown, or Stale when it pages nobody.
        """
        return await self.change(alert_id, events.Acknowledge(by=by), now)

    async def resolve(self, alert_id: UUID, *, by: said.Actor, now: datetime) -> Decision:
        """Resolve an alert; resolving it twice changes nothing."""
        return await self.change(alert_id, events.Resolve(by=by), now)

    async def resolve_within(
        self, tx: Tx, alert_ids: Iterable[UUID], *, by: said.Actor, now: datetime
    ) -> list[Committed]:
        """Resolve alerts in the caller's transaction: with an incident. What is resolved already stays as it is.

        Shape: the caller says `woken` of each once it has committed.
        """
        directory = await self._directories.current(tx)
        # Locked in one order first, then read one by one: the leader of a group takes its followers along.
        locked = await facts.by_id(tx, sorted(set(alert_ids)), directory)
        came: list[Committed] = []
        for ident in [known.alert.id for known in locked if known.alert]:
            (known,) = await facts.by_id(tx, [ident], directory)
            if known.alert and known.alert.status is not Status.RESOLVED:
                came.append(await _settle(tx, known, events.Resolve(by=by), now))
        return came

    async def snooze(self, alert_id: UUID, *, until: datetime, by: said.Actor, now: datetime) -> Decision:
        """Keep an alert quiet until an instant, then page again.

        Raises: Invalid for an instant in the past, Stale when it pages nobody.
        """
        return await self.change(alert_id, events.Snooze(by=by, until=until), now)

    async def escalate(
        self,
        alert_id: UUID,
        *,
        by: said.Actor,
        now: datetime,
        policy: UUID | str | None = None,
        level: int | None = None,
        as_of: int | None = None,
    ) -> Decision:
        """Page the next level now, or a level, or another policy.

        Raises: Invalid for a level there is not, Unknown for a policy, Stale when nobody is paged.
        """
        target = Target(type="EscalationPolicy", id=str(policy)) if policy is not None else None
        return await self.change(
            alert_id, events.Escalate(by=by, policy=target, level=level, as_of=as_of), now
        )

    async def reassign(
        self, alert_id: UUID, targets: tuple[Target, ...], *, by: said.Actor, now: datetime
    ) -> Decision:
        """End every climb and page these instead."""
        return await self.change(alert_id, events.Reassign(by=by, targets=targets), now)

    async def respond(
        self, alert_id: UUID, targets: tuple[Target, ...], *, by: said.Actor, now: datetime
    ) -> Decision:
        """Page these at once beside whoever is paged; an acknowledged alert stays acknowledged.

        Raises: Unknown for a target there is not, Invalid for one that cannot be paged, Stale when it is over.
        """
        return await self.change(alert_id, events.Respond(by=by, targets=targets), now)

    async def restart(self, alert_id: UUID, *, by: said.Actor, now: datetime) -> Decision:
        """Climb from the first level again, by the policies as they are now: the one edit that reaches a climb.

        Raises: Stale when it is over, or nobody is paged for it.
        """
        return await self.change(alert_id, events.Restart(by=by), now)

    async def note(self, alert_id: UUID, text: str, *, by: said.Actor, now: datetime) -> Decision:
        """Write a remark into the timeline.

        Raises: Invalid when it is empty.
        """
        if not text.strip():
            raise Invalid("A note needs a text.", place="details")
        return await self.change(alert_id, events.Note(by=by, text=clean(text.strip())), now)

    async def change(self, alert_id: UUID, event: events.Act, now: datetime) -> Decision:
        """Carry out one act in a transaction of its own.

        Raises: Unknown when there is no such alert or target, Stale and Invalid from the rules.
        """

        async def work(tx: Tx) -> Committed:
            directory = await self._directories.current(tx)
            loaded = await facts.by_id(tx, [alert_id], directory)
            if not loaded:
                raise Unknown("There is no such alert.", place="id")
            asked = await _filled(tx, alert_id, event)
            return await _settle(tx, loaded[0], _checked(asked, directory), now)

        committed = await self._db.in_tx(work)
        self._woken(committed)
        return committed.decisions[0]

    async def create(self, new: NewAlert, *, by: said.Actor, now: datetime) -> Alert:
        """Make an alert, or report again the one with the same deduplication key.

        Raises: Invalid when it has no summary or ends before it starts, Unknown when a target does not exist.
        """
        if not new.summary.strip():
            raise Invalid("An alert needs a summary.", place="summary")
        if new.ended_at and new.started_at and new.ended_at < new.started_at:
            raise Invalid("It cannot end before it starts.", place="ended_at")

        async def work(tx: Tx) -> Committed:
            directory = await self._directories.current(tx)
            targets = tuple(_existing(t, directory) for t in new.targets)
            attached = tuple(_existing(t, directory, f"attached {t.type}") for t in new.attached)
            await self._numbers.reserve(tx, 1)
            mint = minter(now)
            report = _report(replace(new, targets=targets, attached=attached), by, mint(), now)
            loaded = await facts.by_identity(tx, [report.unit.identity], directory)
            known = loaded[0] if loaded else await facts.nothing(tx, directory)
            if directory.groupings:
                asking = [(report.unit, report.envelope, report.source, None)]
                known = replace(known, leaders=await leaders(tx, asking, directory))
            if new.data:
                await tx.execute("keep_payload", report.delivery_id, packed(json.encode(new.data)), now)
            made = await _settle(tx, known, replace(report, number=self._numbers.take()), now)
            return await _ended(tx, made, directory, now) if new.over(now) else made

        committed = await self._db.in_tx(work)
        self._woken(committed)
        decided = [d.alert for d in committed.decisions]
        return next(alert for alert in reversed(decided) if alert.id == decided[0].id)


async def _settle(tx: Tx, known: Facts, event: events.Event, now: datetime) -> Committed:
    mint = minter(now)
    decided = decide(known, event, now, mint)
    if decided is None:
        raise Invalid("Nothing fires in this alert.", place="status")
    made = await apply(tx, [decided[0]], now, mint)
    return Committed(outcomes=(), pages=any(d.notifications for d in made), decisions=tuple(made))


async def _ended(tx: Tx, made: Committed, directory: Directory, now: datetime) -> Committed:
    """Let time end what was over before it was made; as made as everything else is."""
    (known,) = await facts.by_id(tx, [made.decisions[0].alert.id], directory)
    if known.alert is None or known.alert.status is Status.RESOLVED:
        return made
    ended = await _settle(tx, known, events.Due(), now)
    return replace(made, pages=made.pages or ended.pages, decisions=(*made.decisions, *ended.decisions))


async def _filled(tx: Tx, alert_id: UUID, event: events.Act) -> events.Act:
    """Tell an event that starts over whom the alert is for."""
    if not isinstance(event, events.Restart):
        return event
    stored = await tx.value("targets_of", alert_id)
    return replace(event, targets=tuple(Target(type=t["type"], id=str(t["id"])) for t in stored or ()))


def _checked(event: events.Act, directory: Directory) -> events.Act:
    match event:
        case events.Escalate(policy=Target() as policy):
            return replace(event, policy=_existing(policy, directory))
        case events.Reassign() | events.Respond():
            return replace(event, targets=tuple(_existing(t, directory) for t in event.targets))
        case events.Restart():
            # A target that was deleted since is left out; what remains is paged.
            found = (routing.existing(t.type, t.id, directory)[0] for t in event.targets)
            return replace(event, targets=tuple(t for t in found if t is not None))
        case _:
            return event


def _existing(target: Target, directory: Directory, place: str = "target") -> Target:
    found, why = routing.existing(target.type, target.id, directory)
    if found is None:
        raise Unknown(f"This cannot be {'paged' if place == 'target' else 'attached'}: {why}", place=place)
    return found


def _report(new: NewAlert, by: said.Actor, ident: UUID, now: datetime) -> events.Report:
    # What makes it the same alert again; without a key every one is an alert of its own.
    key = new.deduplication_key or str(ident)
    labels = new.labels
    signal = Signal(
        fingerprint=fingerprint({"key": key}),
        state=State.FIRING,
        labels={clean(k): clean(v) for k, v in labels.items()},
        annotations=_annotations(new),
        starts_at=new.started_at or (new.ended_at if new.over(now) else None),
        ends_at=None,
        expires_at=new.ended_at,
        generator_url=new.external_url or "",
        place="",
    )
    envelope = Envelope(
        receiver="api",
        group_key=key,
        group_labels={},
        common_labels={},
        title=clean(new.summary),
        common_annotations={},
        external_url="",
        status="firing",
        truncated=None,
        declared_status="open" if new.status == "open" or new.over(now) else None,
        rootly=None,
        signals=(signal,),
        quarantined=(),
        warnings=(),
        data=new.data,
    )
    source = Source(
        id=NO_SOURCE,
        name=by.name,
        type="api",
        enabled=True,
        identity="group",
        dedup_find=None,
        dedup_regexp=None,
        urgency_id=new.urgency_id,
        urgency_rules=(),
        default_target=None,
        repage_new_members=False,
    )
    unit = replace(units(envelope, source)[0], alertname=clean(new.external_id or new.summary))
    return events.Report(
        unit=unit,
        envelope=envelope,
        source=source,
        url_target=None,
        delivery_id=ident,
        number=0,
        hold_down=timedelta(),
        attached=new.attached,
    )


def _annotations(new: NewAlert) -> dict[str, str]:
    out: dict[str, Any] = {}
    if new.description:
        out["description"] = clean(new.description)
    if new.targets:
        targets = [{"type": t.type, "id": t.id} for t in new.targets]
        out["rootly"] = json.encode({"alerting_targets": targets}).decode()
    return out
