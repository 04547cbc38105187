"""A batch of deliveries becomes one transaction: load what they speak of, decide each in order, apply, answer.

Rule 1: deciding is pure, so a batch that lost a race is simply decided again from the same bytes.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from isal import isal_zlib
from msgspec import Struct
from msgspec.structs import replace

from nightbell.core import identity, shortid
from nightbell.core.alert import ended_with
from nightbell.core.alike import Repeat
from nightbell.core.decision import decide
from nightbell.core.directory import Directory, Source
from nightbell.core.draft import Decision, Facts, Mint
from nightbell.core.events import Event, GroupOver, Report
from nightbell.core.identity import Unit
from nightbell.core.leasing import Lease
from nightbell.core.signal import Envelope, State
from nightbell.engine import feeding
from nightbell.engine.apply import apply
from nightbell.engine.beating import beat
from nightbell.engine.ids import minter
from nightbell.engine.leaders import asks, keep, leaders
from nightbell.engine.leasing import Leased, Leasing
from nightbell.store.db import Tx
from nightbell.store.write import deliveries, facts
from nightbell.store.write.deliveries import Delivery
from nightbell.store.write.together import Together

#: A group with ten thousand members is one alert with this many lines in its delivery's record.
MOST_RESULTS = 1_000
#: And this many sentences on what is wrong with what its sender asked for.
MOST_PROBLEMS = 20
_PROBLEMS = ("routing.problem", "signal.bad_status")
_ALERTMANAGER = "alertmanager"


class Incoming(Struct, frozen=True, kw_only=True, gc=False):
    """A request at the door, decoded: what the sender said, and what is kept of how it came."""

    id: UUID
    received_at: datetime
    source_id: UUID
    path: str
    remote_ip: str
    user_agent: str
    size: int
    #: zlib-compressed, as it will be stored.
    packed: bytes
    envelope: Envelope
    url_target: tuple[str, str] | None


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of a delivery, for the answer and the log."""

    outcome: str
    reason: str
    results: list[dict[str, Any]]


class Committed(Struct, frozen=True, kw_only=True):
    """What a batch came to."""

    outcomes: tuple[Outcome, ...]
    #: Somebody is to be notified now, by messages that are still to be claimed.
    pages: bool
    decisions: tuple[Decision, ...]
    #: Something that pages show moved, though nothing was decided: a message was handed over.
    shows: bool = False
    #: Decisions that time made of many alerts at once, beside those in `decisions`.
    repeats: tuple[Repeat, ...] = ()
    #: How each beat of a heartbeat came: "http", "email", "alertmanager".
    beats: tuple[str, ...] = ()
    #: Deliveries set aside because of a defect of ours.
    faults: int = 0
    #: Messages that were leased to a node as they were decided: it is to send them now.
    leased: tuple[Leased, ...] = ()

    @property
    def decided(self) -> int:
        """How many alerts were decided."""
        return len(self.decisions) + sum(one.times for one in self.repeats)


def packed(body: bytes) -> bytes:
    """Return a body as it is stored, in zlib's format: an eighth of the size for 1 us a kilobyte."""
    return isal_zlib.compress(body, 1)


class Numbers:
    """Alert numbers, a thousand at a time, so that none costs a round trip."""

    def __init__(self) -> None:
        self._free: list[range] = []

    async def reserve(self, tx: Tx, wanted: int) -> None:
        """Make sure that `wanted` numbers can be taken without waiting."""
        while sum(map(len, self._free)) < wanted:
            first = int(await tx.value("alert_number_block"))
            self._free.append(range(first, first + 1000))

    def take(self) -> int:
        """Return a number nobody has had."""
        block = self._free[0]
        self._free[0] = block[1:]
        if len(block) == 1:
            del self._free[0]
        return block[0]


class Known:
    """The facts of a batch: what was loaded, and what decisions of the batch have made of it since."""

    def __init__(self, nothing: Facts) -> None:
        self.nothing = nothing
        self.directory = nothing.directory
        self.turns = nothing.turns
        #: Who leads which group; None where no rule groups anything.
        self.leaders: dict[bytes, Facts] | None = None
        self._facts: dict[UUID, Facts] = {}
        self._by_identity: dict[bytes, UUID] = {}
        self._by_member: dict[tuple[str, UUID, str], UUID] = {}

    def put(self, known: Facts) -> None:
        """Keep the newest facts of an alert."""
        alert = known.alert
        self.turns = known.turns
        if alert:
            if self.leaders is not None:
                keep(self.leaders, self._facts.get(alert.id), known)
            self._facts[alert.id] = known
            self._by_identity[alert.identity] = alert.id

    def named(self, fingerprint: str, source_id: UUID, receiver: str, alert_id: UUID) -> None:
        """Remember that an alert holds a firing member."""
        self._by_member[fingerprint, source_id, receiver] = alert_id
        self._by_member.setdefault((fingerprint, source_id, ""), alert_id)

    def of(self, unit: Unit, source_id: UUID, receiver: str) -> Facts:
        """Return the facts for a unit: by its key, else by a member it holds (rootly.md 1.6), else none."""
        found = self._by_identity.get(unit.identity) or self._by_members(unit, source_id, receiver)
        known = self._facts[found] if found in self._facts else self.nothing
        if self.leaders is not None:
            known = replace(known, leaders=self.leaders)
        return replace(known, turns=self.turns) if self.turns else known

    def _by_members(self, unit: Unit, source_id: UUID, receiver: str) -> UUID | None:
        if not self._by_member:
            return None
        for signal in unit.signals:
            # A resolve finds its alert whatever the receiver; a firing only under the receiver that reported it.
            where = "" if signal.state is State.RESOLVED else receiver[:1000]
            found = self._by_member.get((signal.fingerprint, source_id, where))
            if found:
                return found
        return None

    def in_group(self, group: bytes, over_at: datetime) -> list[Facts]:
        """Return the facts of alerts with members that are over when their group is."""
        return [f for f in self._facts.values() if f.alert and ended_with(f.alert, group, over_at)]


async def ingest(
    tx: Tx,
    batch: list[Incoming],
    directory: Directory,
    numbers: Numbers,
    *,
    hold_down: timedelta,
    lease: Lease | None = None,
) -> Committed:
    """Decide and apply a batch in the caller's transaction.

    Shape: one outcome per delivery, in order. What is due at once is leased by `lease`, where there is one.
    """
    now = batch[-1].received_at
    mint = minter(now)
    units = [_units(one, directory) for one in batch]
    beats = _beats(batch, units, directory) if directory.heartbeats else []
    known = await _known(tx, batch, units, directory)
    await numbers.reserve(tx, sum(map(len, units)))
    decisions: list[Decision] = []
    outcomes: list[Outcome] = []
    for one, parts in zip(batch, units, strict=True):
        made = _decided(one, parts, known, numbers, hold_down=hold_down, mint=mint)
        decisions += made
        outcomes.append(_outcome(one, parts, made, directory))
    if any(beats):
        outcomes = [_with_beats(o, b) for o, b in zip(outcomes, beats, strict=True)]
    rows = Together()
    deliveries.insert(rows, [_row(one, o) for one, o in zip(batch, outcomes, strict=True)])
    deliveries.touch_sources(rows, {one.source_id for one in batch}, now)
    leasing = Leasing(lease, directory.throttles)
    decisions = await apply(tx, decisions, now, mint, rows, leasing)
    beaten = {b.id for each in beats for b in each}
    if beaten:
        decisions += await beat(tx, beaten, _ALERTMANAGER, directory, now)
    leased = await leasing.leased(tx)
    return Committed(
        outcomes=tuple(outcomes),
        pages=sum(len(d.notifications) for d in decisions) > len(leased),
        decisions=tuple(decisions),
        beats=(_ALERTMANAGER,) * len(beaten),
        leased=leased,
    )


def _source(one: Incoming, directory: Directory) -> Source | None:
    source = directory.sources.get(one.source_id)
    return source if source and source.enabled else None


def _units(one: Incoming, directory: Directory) -> tuple[Unit, ...]:
    source = _source(one, directory)
    return identity.units(one.envelope, source) if source else ()


def _beats(batch: list[Incoming], units: list[tuple[Unit, ...]], directory: Directory) -> list[feeding.Beats]:
    """Return whose beats came with each delivery, and leave what is no beat in `units`."""
    found: list[feeding.Beats] = []
    for at, one in enumerate(batch):
        units[at], beats = feeding.taken_out(units[at], one.envelope, one.url_target, directory)
        found.append(beats)
    return found


def _with_beats(outcome: Outcome, beats: feeding.Beats) -> Outcome:
    """Return an outcome that says what was a beat; a delivery of nothing else was of use all the same."""
    if not beats:
        return outcome
    results = [*feeding.results(beats), *outcome.results]
    if outcome.outcome == "ignored":
        return Outcome(outcome="accepted", reason="", results=results)
    return replace(outcome, results=results)


async def _known(tx: Tx, batch: list[Incoming], units: list[tuple[Unit, ...]], directory: Directory) -> Known:
    known = Known(await facts.nothing(tx, directory))
    keys = {u.identity for parts in units for u in parts}
    loaded = await facts.by_identity(tx, keys, directory) if keys else []
    missing = keys - {f.alert.identity for f in loaded if f.alert}
    more = await _by_members(tx, batch, units, missing, known)
    more |= await _by_groups(tx, batch, directory)
    more -= {f.alert.id for f in loaded if f.alert}
    if more:
        loaded += await facts.by_id(tx, more, directory)
    for one in loaded:
        known.put(one)
    if directory.groupings:
        await _lead(tx, batch, units, known)
    return known


async def _lead(tx: Tx, batch: list[Incoming], units: list[tuple[Unit, ...]], known: Known) -> None:
    """Find who leads the groups that the units of a batch may join."""
    asking = [
        (unit, one.envelope, source, one.url_target)
        for one, parts in zip(batch, units, strict=True)
        if (source := _source(one, known.directory))
        for unit in parts
        if asks(unit, known.of(unit, source.id, one.envelope.receiver))
    ]
    known.leaders = await leaders(tx, asking, known.directory)


async def _by_members(
    tx: Tx, batch: list[Incoming], units: list[tuple[Unit, ...]], missing: set[bytes], known: Known
) -> set[UUID]:
    """Find alerts of units whose key is not known: the group key of an alert changes with the routing tree."""
    fingerprints = {
        signal.fingerprint
        for parts in units
        for unit in parts
        if unit.identity in missing and unit.rule != "fingerprint"
        for signal in unit.signals
    }
    if not fingerprints:
        return set()
    rows = await facts.by_fingerprint(tx, fingerprints)
    for row in rows:
        known.named(row["fingerprint"], row["source_id"], row["receiver"], row["alert_id"])
    return {row["alert_id"] for row in rows}


async def _by_groups(tx: Tx, batch: list[Incoming], directory: Directory) -> set[UUID]:
    """Find alerts with members in groups that are over."""
    groups = {
        identity.group_hash(one.source_id, one.envelope)
        for one in batch
        if one.envelope.closes_group and _source(one, directory)
    }
    return {alert for alert, _ in await facts.by_group(tx, groups)} if groups else set()


def _decided(
    one: Incoming,
    parts: tuple[Unit, ...],
    known: Known,
    numbers: Numbers,
    *,
    hold_down: timedelta,
    mint: Mint,
) -> list[Decision]:
    source = _source(one, known.directory)
    if source is None:
        return []
    made: list[Decision] = []
    for unit in parts:
        before = known.of(unit, source.id, one.envelope.receiver)
        report = Report(
            unit=unit,
            envelope=one.envelope,
            source=source,
            url_target=one.url_target,
            delivery_id=one.id,
            number=0 if before.alert else numbers.take(),
            hold_down=hold_down,
        )
        made += _decide(before, report, one.received_at, known, mint)
    if one.envelope.closes_group:
        made += _group_over(one, source, known, mint)
    return made


def _decide(before: Facts, event: Event, now: datetime, known: Known, mint: Mint) -> list[Decision]:
    decided = decide(before, event, now, mint)
    if decided is None:
        return []
    decision, after = decided
    known.put(after)
    return [decision]


def _group_over(one: Incoming, source: Source, known: Known, mint: Mint) -> list[Decision]:
    group = identity.group_hash(source.id, one.envelope)
    ended = one.envelope.last_end(one.received_at)
    event = GroupOver(group_hash=group, ended_at=ended, delivery_id=one.id, source=source)
    return [
        d
        for before in known.in_group(group, ended)
        for d in _decide(before, event, one.received_at, known, mint)
    ]


# ---------------------------------------------------------------- what became of it


def _outcome(one: Incoming, parts: tuple[Unit, ...], made: list[Decision], directory: Directory) -> Outcome:
    envelope = one.envelope
    results = [result(d) for d in made[:MOST_RESULTS]]
    results += [{"place": q.place, "reason": q.reason} for q in envelope.quarantined[:MOST_RESULTS]]
    if _source(one, directory) is None:
        return Outcome(outcome="ignored", reason="source_disabled", results=[])
    if envelope.ignored:
        return Outcome(outcome="ignored", reason=envelope.ignored, results=results)
    if envelope.quarantined:
        wrong = len(envelope.quarantined)
        reason = f"{wrong} {'alert' if wrong == 1 else 'alerts'} could not be used; the others were"
        return Outcome(outcome="quarantined", reason=reason, results=results)
    if not made:
        return Outcome(outcome="ignored", reason="resolve_without_alert", results=results)
    unmatched = len(parts) - len({d.alert.id for d in made})
    reason = f"{unmatched} resolved that were not known (resolve_without_alert)" if unmatched > 0 else ""
    reasons = filter(None, [reason, *envelope.warnings, *_problems(made)])
    return Outcome(outcome="accepted", reason="; ".join(reasons), results=results)


def _problems(made: list[Decision]) -> list[str]:
    """Return what the timelines say was wrong with what was sent: who looks after a sender reads the log."""
    told = dict.fromkeys(e.details for d in made for e in d.entries if e.code in _PROBLEMS)
    return list(told)[:MOST_PROBLEMS]


def result(decision: Decision) -> dict[str, Any]:
    """Return what became of one alert, as the answer to the sender says it."""
    alert = decision.alert
    return {
        "id": str(alert.id),
        "short_id": shortid.encode(alert.number),
        "status": alert.status.value,
        "what": decision.what,
    }


def _row(one: Incoming, outcome: Outcome) -> Delivery:
    return Delivery(
        id=one.id,
        received_at=one.received_at,
        source_id=one.source_id,
        path=one.path,
        remote_ip=one.remote_ip,
        user_agent=one.user_agent,
        status_code=200,
        outcome=outcome.outcome,
        reason=outcome.reason,
        size=one.size,
        alert_count=len(one.envelope.signals) + len(one.envelope.quarantined),
        body=one.packed,
        results=outcome.results,
    )


async def set_aside(tx: Tx, one: Incoming, why: str) -> Outcome:
    """Keep a delivery that a defect of ours could not digest: the bytes are safe, the operator is told."""
    outcome = Outcome(outcome="quarantined", reason=f"internal fault: {why}", results=[])
    rows = Together()
    deliveries.insert(rows, [_row(one, outcome)])
    await rows.run(tx)
    return outcome


class Rejected(Struct, frozen=True, kw_only=True):
    """A request that was turned away at the door. A stranger's body is not kept."""

    id: UUID
    at: datetime
    source_id: UUID | None
    path: str
    remote_ip: str
    user_agent: str
    status: int
    reason: str
    body: bytes


async def reject(tx: Tx, some: Iterable[Rejected]) -> None:
    """Keep requests that were turned away."""
    rows = [
        Delivery(
            id=one.id,
            received_at=one.at,
            source_id=one.source_id,
            path=one.path,
            remote_ip=one.remote_ip,
            user_agent=one.user_agent,
            status_code=one.status,
            outcome="rejected",
            reason=one.reason,
            size=len(one.body),
            alert_count=0,
            body=packed(one.body),
            results=[],
        )
        for one in some
    ]
    kept = Together()
    deliveries.insert(kept, rows)
    await kept.run(tx)
