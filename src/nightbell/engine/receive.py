"""What comes back from a message: its provider's reports, and what people answer by text, key or button.

Rule 1: everything may come late, twice or out of order. A report is a join (core/receipt.py), an answer is carried out
once for each reference of its provider, and both end where every other act ends: engine/act.py.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from msgspec import Struct
from msgspec.structs import replace

from nightbell.core import reply as replies
from nightbell.core import shortid
from nightbell.core.access import Permission, may
from nightbell.core.decision import decide
from nightbell.core.delivery import Purpose
from nightbell.core.draft import Decision
from nightbell.core.errors import Invalid, NightbellError
from nightbell.core.events import Failed
from nightbell.core.journal import Actor, person
from nightbell.core.receipt import Progress, Receipt, Stage, after, state_after
from nightbell.engine import bundles
from nightbell.engine.act import Act, Woken
from nightbell.engine.apply import apply
from nightbell.engine.directory import Directories
from nightbell.engine.ids import minter, new_id
from nightbell.engine.ingest import Committed
from nightbell.store.db import Db, Row, Tx
from nightbell.store.write import facts, heard
from nightbell.store.write.heard import Move, Reply
from nightbell.telemetry import metrics

SNOOZE = timedelta(minutes=30)
#: Kinds at whose addresses the same person answers: a number that is called may write, too.
FAMILIES = {"sms": ("sms", "voice"), "voice": ("sms", "voice")}
#: What can be asked of alerts that stand so.
_TRIGGERED = ("triggered",)
_OPEN = ("open", "triggered", "acknowledged", "deferred")
_MOST_NAMED = 4
#: After so many in an hour an address is told nothing more: a machine may be answering us, and each word costs.
_MOST_UNANSWERABLE = 5
_HOUR = timedelta(hours=1)
#: What is done to a message that names several alerts is done to all; to climb and to wait are decided one by one.
_FOR_ALL = ("acknowledge", "resolve")
#: What somebody hears whose account elsewhere belongs to nobody here.
STRANGER = (
    "Nightbell does not know who you are here. Add this account under Me → Contact methods and verify it."
)
_DONE = {
    "acknowledge": "Acknowledged",
    "resolve": "Resolved",
    "snooze": "Snoozed for 30 minutes",
    "escalate": "Escalated",
}
_ALREADY = {
    "already_acknowledged": "Somebody had acknowledged it already",
    "already_resolved": "It was resolved already",
    "already_escalated": "It had moved to the next level already",
}
_log = structlog.get_logger(__name__)


class Written(Struct, frozen=True, kw_only=True):
    """A text that somebody sent. `reference` is its provider's own id; `addresses` are those of the sender."""

    kind: str
    reference: str
    addresses: tuple[str, ...]
    text: str


class Pressed(Struct, frozen=True, kw_only=True):
    """A button or key that somebody pressed, of one message. `action` is acknowledge, resolve, escalate or snooze.

    Shape: `addresses` are those of whoever pressed; empty where only the addressee can have, as on a telephone.
    """

    kind: str
    reference: str
    addresses: tuple[str, ...]
    action: str
    notification_id: UUID


class Answer(Struct, frozen=True, kw_only=True):
    """What to tell whoever answered. `verdict` is done, refused, unclear or stranger."""

    text: str
    verdict: str
    alert_id: UUID | None = None
    user_id: int | None = None
    notification_id: UUID | None = None


class _One(Struct, frozen=True, kw_only=True):
    """An alert that somebody answers about."""

    alert_id: UUID
    user_id: int
    name: str = ""


class Receive:
    """The one writer of what comes back."""

    def __init__(self, db: Db, directories: Directories, act: Act, woken: Woken) -> None:
        self._db = db
        self._directories = directories
        self._act = act
        self._woken = woken

    # ------------------------------------------------------------ reports

    async def receipt(self, one: Receipt, now: datetime) -> bool:
        """Take a report of what became of a message, and of all that was told with it.

        Shape: False when there is no such message or it is no news.
        """

        async def work(tx: Tx) -> Committed | None:
            ids = [r["id"] for r in await tx.rows("told_as_one", one.notification_id)]
            moved = [await self._moved(tx, replace(one, notification_id=ident), now) for ident in ids]
            news = [decisions for decisions in moved if decisions is not None]
            decisions = tuple(d for some in news for d in some)
            pages = any(d.notifications for d in decisions)
            return Committed(outcomes=(), pages=pages, decisions=decisions, shows=True) if news else None

        committed = await self._db.in_tx(work)
        if committed is None:
            return False
        _log.info(
            "notification.receipt", notification=str(one.notification_id), stage=str(one.stage), why=one.why
        )
        self._woken(committed)
        return True

    async def _moved(self, tx: Tx, one: Receipt, now: datetime) -> tuple[Decision, ...] | None:
        """Take a report of one message; None when it is no news."""
        row = await heard.message(tx, one.notification_id)
        if row is None or not await heard.receipt(tx, new_id(now), one, now):
            return None
        progress = after(Stage(row["stage"]), one.stage)
        doubt = row["state"] == "unknown" and one.stage is not Stage.HANDED_OVER
        if not progress.moved and not doubt:
            return None
        to = Move(
            id=row["id"],
            stage=progress.stage,
            state=state_after(row["state"], progress.stage),
            why=one.why if progress.stage is Stage.FAILED else "",
            provider_id=one.provider_id,
        )
        await heard.move(tx, to, now)
        metrics.RECEIPTS.labels(channel=row["kind"], stage=str(progress.stage)).inc()
        await _mark(tx, row, progress, one.why, now)
        return await self._fail_over(tx, row, one, now) if progress.newly_failed else ()

    async def _fail_over(self, tx: Tx, row: Row, one: Receipt, now: datetime) -> tuple[Decision, ...]:
        """Use the next method of a page whose message is now known not to have arrived."""
        if row["page_id"] is None or row["purpose"] != Purpose.PAGE:
            return ()
        if row["state"] == "unknown" and await tx.value("others_under_way", row["page_id"], row["id"]):
            # The next method was used when the doubt arose, and nothing speaks against it.
            return ()
        why = f"{row['kind'].capitalize()}: {one.why or 'not delivered'}".rstrip(".") + "."
        event = Failed(page_id=row["page_id"], why=why, doubtful=False)
        directory = await self._directories.current(tx)
        mint = minter(now)
        for known in await facts.by_id(tx, [row["alert_id"]], directory):
            if decided := decide(known, event, now, mint):
                await apply(tx, [decided[0]], now, mint)
                return (decided[0],)
        return ()

    async def answered(self, notification_id: UUID, verb: str, kind: str, now: datetime) -> None:
        """Note that somebody answered a message, which proves more than any report of its provider.

        Shape: whoever hands an alert on has seen it and not taken it.
        """
        stage = Stage.SEEN if verb == "escalate" else Stage.ACKNOWLEDGED
        report = Receipt(notification_id=notification_id, stage=stage, why=f"{verb} by {kind}")
        await self.receipt(report, now)

    # ------------------------------------------------------------ answers

    async def written(self, one: Written, now: datetime) -> Answer:
        """Carry out what a text asks for, once, and say what became of it."""
        one = replace(one, **_storable(one), text=one.text.replace("\0", ""))
        if before := await self._heard(one.kind, one.reference):
            return before
        answer = await self._understood(one, now)
        if answer.verdict in ("stranger", "unclear"):
            asked = (one.kind, one.addresses[0][:200], now - _HOUR)
            if await self._db.value("unanswerable", *asked) >= _MOST_UNANSWERABLE:
                answer = replace(answer, text="")
        await self._kept(one.kind, one.reference, (one.addresses[0], one.text), answer, now)
        return answer

    async def pressed(self, one: Pressed, now: datetime) -> Answer:
        """Carry out what a button or key says, once, and say what became of it."""
        one = replace(one, **_storable(one))
        if before := await self._heard(one.kind, one.reference):
            return before
        answer = await self._button(one, now)
        who = one.addresses[0] if one.addresses else ""
        await self._kept(one.kind, one.reference, (who, one.action), answer, now)
        return answer

    async def _heard(self, kind: str, reference: str) -> Answer | None:
        row = await self._db.row("reply_heard", kind, reference)
        return Answer(text=row["answer"], verdict=row["verdict"], alert_id=row["alert_id"]) if row else None

    async def _kept(
        self, kind: str, reference: str, said: tuple[str, str], answer: Answer, now: datetime
    ) -> None:
        address, text = said
        line = Reply(
            id=new_id(now),
            kind=kind,
            reference=reference,
            address=address,
            user_id=answer.user_id,
            notification_id=answer.notification_id,
            alert_id=answer.alert_id,
            said=text,
            verdict=answer.verdict,
            answer=answer.text,
        )
        await self._db.in_tx(lambda tx: heard.reply(tx, line, now))
        metrics.REPLIES.labels(channel=kind, verdict=answer.verdict).inc()
        _log.info("reply." + answer.verdict, kind=kind, alert=str(answer.alert_id or ""), user=answer.user_id)

    async def _understood(self, one: Written, now: datetime) -> Answer:
        people = await self._people(one.kind, one.addresses)
        if not people:
            return Answer(
                text="Nobody at Nightbell has this address as a verified contact method.", verdict="stranger"
            )
        command = replies.parse(one.text)
        if command is None or command.verb == "help":
            return Answer(text=_usage(), verdict="unclear", user_id=people[0]["user_id"])
        found = await self._meant(command, people, now)
        if isinstance(found, Answer):
            return found
        if command.code and command.verb in _FOR_ALL:
            found = await self._told_together(found[0])
        done = [await self._acted(one.kind, command.verb, alert, now) for alert in found]
        return done[0] if len(done) == 1 else _together(done)

    async def _meant(self, command: replies.Command, people: list[Row], now: datetime) -> list[_One] | Answer:
        """Return which alerts an answer is about, or what to ask."""
        ids = [row["user_id"] for row in people]
        since = now - replies.LIFE
        if command.code:
            row = await self._db.row("alert_by_code", ids, command.code, since)
            if row is None:
                return Answer(
                    text=f"No alert has the code {command.code}.", verdict="unclear", user_id=ids[0]
                )
            return [_One(alert_id=row["alert_id"], user_id=row["user_id"])]
        states = _TRIGGERED if command.verb in ("acknowledge", "escalate") else _OPEN
        rows = await self._db.rows("alerts_paging", ids, since, list(states))
        found = [_One(alert_id=r["alert_id"], user_id=r["user_id"], name=r["summary"]) for r in rows]
        if len(found) == 1 or (found and command.everything):
            return found
        if not found:
            return Answer(text="No alert waits for you.", verdict="refused", user_id=ids[0])
        return Answer(text=_which(rows), verdict="unclear", user_id=ids[0])

    async def _told_together(self, one: _One) -> list[_One]:
        """Return the alerts that the message somebody answers named: all of a bundle."""
        named = await bundles.told_with(self._db, one.user_id, one.alert_id)
        return [_One(alert_id=alert, user_id=one.user_id) for alert in named] or [one]

    async def _button(self, one: Pressed, now: datetime) -> Answer:
        row = await self._db.row("message_pressed", one.notification_id)
        if row is None or row["alert_id"] is None:
            return Answer(text="This message is not known here any more.", verdict="unclear")
        user_id = row["user_id"]
        if one.addresses:
            people = await self._people(one.kind, one.addresses)
            if not people:
                return Answer(text=STRANGER, verdict="stranger", alert_id=row["alert_id"])
            ids = [person["user_id"] for person in people]
            user_id = user_id if user_id in ids else ids[0]
        alerts = await bundles.alerts_of(self._db, row["id"]) if one.action in _FOR_ALL else []
        found = [_One(alert_id=alert, user_id=user_id) for alert in alerts or [row["alert_id"]]]
        done = [await self._acted(one.kind, one.action, alert, now, message=row) for alert in found]
        return done[0] if len(done) == 1 else _together(done)

    async def _people(self, kind: str, addresses: tuple[str, ...]) -> list[Row]:
        kinds = FAMILIES.get(kind, (kind,))
        return await self._db.rows("people_at", list(kinds), [a.lower() for a in addresses])

    async def _acted(
        self, kind: str, verb: str, one: _One, now: datetime, *, message: Row | None = None
    ) -> Answer:
        directory = await self._directories.configuration(self._db)
        user = directory.directory.users.get(one.user_id)
        kinds = list(FAMILIES.get(kind, (kind,)))
        row = message or await self._db.row("message_to_answer", one.alert_id, one.user_id, kinds)
        ident = row["id"] if row and (message is None or row["user_id"] == one.user_id) else None
        about = Answer(
            text="", verdict="done", alert_id=one.alert_id, user_id=one.user_id, notification_id=ident
        )
        if user is None or not user.active or not may(user.role, Permission.RESPOND):
            return _said(about, "Your role may look, not act.", "refused")
        by = person(user.id, user.name)
        try:
            text = await self._carried_out(verb, one.alert_id, by, row["cycle"] if row else None, now)
        except NightbellError as refusal:
            return _said(about, f"{refusal.message} {refusal.hint}".strip(), "refused")
        if ident is not None:
            await self.answered(ident, verb, kind, now)
        return _said(about, text, "done")

    async def _carried_out(
        self, verb: str, alert_id: UUID, by: Actor, as_of: int | None, now: datetime
    ) -> str:
        match verb:
            case "acknowledge":
                decision = await self._act.acknowledge(alert_id, by=by, now=now)
            case "resolve":
                decision = await self._act.resolve(alert_id, by=by, now=now)
            case "snooze":
                decision = await self._act.snooze(alert_id, until=now + SNOOZE, by=by, now=now)
            case "escalate":
                decision = await self._act.escalate(alert_id, by=by, now=now, as_of=as_of)
            case _:
                raise Invalid(f"There is no act called {verb}.", place="action")
        short = shortid.encode(decision.alert.number)
        name = f"{decision.alert.summary[:80]} ({short})"
        return f"{_ALREADY.get(decision.what) or _DONE[verb]}: {name}."


async def _mark(tx: Tx, row: Row, progress: Progress, why: str, now: datetime) -> None:
    """Mark an address at which nothing arrives, and take the mark off where something does.

    Somebody who does not pick up can be called tomorrow; a number that takes no text cannot be written to.
    """
    method_id = row["contact_method_id"]
    if method_id is None or not progress.moved:
        return
    if progress.stage is Stage.FAILED and row["kind"] != "voice":
        await tx.execute("method_fails", [method_id], [why or "not delivered"], now)
    elif progress.stage in (Stage.DELIVERED, Stage.SEEN, Stage.ACKNOWLEDGED):
        await tx.execute("method_works", [method_id], now)


def _said(about: Answer, text: str, verdict: str) -> Answer:
    return replace(about, text=text, verdict=verdict)


def _together(done: list[Answer]) -> Answer:
    """Return one answer for several alerts."""
    well = [one for one in done if one.verdict == "done"]
    rest = f" {len(done) - len(well)} could not be changed." if len(well) < len(done) else ""
    verdict = "done" if well else "refused"
    return replace(done[0], text=f"Done for {len(well)} alerts.{rest}", verdict=verdict)


def _storable(one: Written | Pressed) -> dict[str, Any]:
    """Return what names an answer and its sender without NUL, which PostgreSQL keeps nowhere."""
    addresses = tuple(address.replace("\0", "") for address in one.addresses)
    return {"reference": one.reference.replace("\0", ""), "addresses": addresses}


def _usage() -> str:
    return "Answer ACK, RES, ESC or SNOOZE with the code of the message, like ACK 4F. ACK ALL takes all."


def _which(rows: list[Row]) -> str:
    """Return a question back, where several alerts wait and the answer named none."""
    named = ", ".join(f"ACK {r['code']} {r['summary'][:30]}" for r in rows[:_MOST_NAMED] if r["code"])
    more = f" and {len(rows) - _MOST_NAMED} more" if len(rows) > _MOST_NAMED else ""
    return f"{len(rows)} alerts wait for you. Answer {named}{more}, or ACK ALL."
