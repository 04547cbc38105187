"""Why was somebody paged, and why was nobody: one sentence for each page, each level and each person, from what is recorded.

Rule 1: it says what the tables say, never what the rules would say now; what was decided then is not decided again.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

#: How an instant is written: a page uses its reader's zone, the command line UTC.
Clock = Callable[[datetime], str]

#: Entries that say why somebody, or everybody, was not paged.
SILENT = frozenset(
    {
        "escalation.level_skipped", "escalation.target_skipped", "escalation.unpaged", "escalation.no_help",
        "escalation.deferred", "maintenance.muted", "page.same_moment", "page.unreachable", "page.quiet_hours",
        "routing.problem", "routing.nobody", "routing.declared_open", "routing.empty_target", "timer.fault",
        "group.joined",
    }
)  # fmt: skip
#: Entries that say who ended it, or held it.
ENDS = {
    "alert.acknowledged": "acknowledged it",
    "alert.resolved": "resolved it",
    "alert.snoozed": "put it aside",
    "alert.reassigned": "handed it to others",
}


class Said(Struct, frozen=True, kw_only=True):
    """A line of the timeline. `by` is who caused it."""

    at: datetime
    code: str
    details: str
    by: str = ""
    user_id: int | None = None
    level: int | None = None


class Tried(Struct, frozen=True, kw_only=True):
    """One attempt to send; `outcome` None is one whose end nobody saw."""

    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    why: str = ""
    provider_id: str = ""


class Proof(Struct, frozen=True, kw_only=True):
    """What a provider or a person said of a message later: delivered, seen, failed."""

    stage: str
    at: datetime


class Sent(Struct, frozen=True, kw_only=True):
    """One message of a page."""

    kind: str
    state: str
    why: str
    send_at: datetime
    tries: tuple[Tried, ...] = ()
    proofs: tuple[Proof, ...] = ()


class Paged(Struct, frozen=True, kw_only=True):
    """One person's page."""

    id: UUID
    user_id: int
    name: str
    at: datetime
    level: int
    cycle: int
    plan: str
    because: str
    messages: tuple[Sent, ...] = ()


class Climbed(Struct, frozen=True, kw_only=True):
    """One climb: how many levels it has, how far it came, and when it goes on."""

    plan: str
    levels: int
    reached: int
    phase: str
    wake_at: datetime | None


class Case(Struct, frozen=True, kw_only=True):
    """What is recorded of one occurrence of an alert, oldest first."""

    status: str
    #: Why these targets: "the rule's annotation names them"; "" where nobody was named.
    routed: str
    pages: tuple[Paged, ...] = ()
    said: tuple[Said, ...] = ()
    climbs: tuple[Climbed, ...] = ()


class Line(Struct, frozen=True, kw_only=True):
    """One sentence, whom it is about (None: everybody), and whether it is bad news."""

    text: str
    user_id: int | None = None
    level: int | None = None
    bad: bool = False


class Answer(Struct, frozen=True, kw_only=True):
    """The answer: one sentence, and what it rests on."""

    short: str
    lines: tuple[Line, ...]


def why(case: Case, clock: Clock) -> Answer:
    """Return why these people were paged by an alert, or why nobody was."""
    lines = [_page(page, clock) for page in case.pages]
    lines += [_silence(said, clock) for said in case.said if said.code in SILENT]
    lines += _never_reached(case, clock)
    return Answer(short=_short(case, clock), lines=tuple(lines))


def why_not(case: Case, user_id: int, name: str, clock: Clock) -> Answer:
    """Return why one person was paged, or was not."""
    mine = [page for page in case.pages if page.user_id == user_id]
    lines = [_page(page, clock) for page in mine]
    lines += [_silence(s, clock) for s in case.said if s.code in SILENT and s.user_id == user_id]
    if mine:
        many = f"{len(mine)} times" if len(mine) > 1 else "once"
        return Answer(short=f"{name} was paged {many}, first at {clock(mine[0].at)}.", lines=tuple(lines))
    if lines:
        return Answer(short=f"{name} was not paged. {lines[0].text}", lines=tuple(lines))
    if not case.pages:
        return Answer(short=f"{name} was not paged. {_short(case, clock)}", lines=())
    asked = ", ".join(dict.fromkeys(f"level {p.level} of {p.plan}" for p in case.pages))
    stopped = _stopped(case, clock)
    short = f"{name} was not paged: nothing that was reached ({asked}) named {name} at that time"
    return Answer(
        short=f"{short}, and {stopped}." if stopped else f"{short}.", lines=tuple(_never_reached(case, clock))
    )


def _short(case: Case, clock: Clock) -> str:
    if case.pages:
        names = list(dict.fromkeys(page.name for page in case.pages))
        told = f"{_listed(names)} {'were' if len(names) > 1 else 'was'} paged"
        why = f", because {case.routed}" if case.routed else ""
        stopped = _stopped(case, clock)
        return f"{told}, first at {clock(case.pages[0].at)}{why}." + (
            f" {_upper(stopped)}." if stopped else ""
        )
    return f"Nobody was paged: {_nobody(case)}"


def _nobody(case: Case) -> str:
    """Return the reason, the most telling entry first."""
    order = (
        "escalation.unpaged", "routing.declared_open", "group.joined", "maintenance.muted", "escalation.deferred",
        "routing.nobody", "escalation.no_help", "routing.problem", "routing.empty_target", "escalation.level_skipped",
        "timer.fault",
    )  # fmt: skip
    for code in order:
        found = [s.details for s in case.said if s.code == code]
        if found:
            return _lower(found[-1])
    if any(climb.phase == "climbing" for climb in case.climbs):
        return "its escalation has not come to anybody yet."
    if not case.routed:
        return "no annotation, URL, route or default of its source names anybody."
    return "nothing that is recorded says why."


def _page(page: Paged, clock: Clock) -> Line:
    again = f", round {page.cycle}" if page.cycle > 1 else ""
    direct = page.plan == page.name
    through = "directly" if direct else f"by level {page.level} of {page.plan}{again}"
    because = (
        f" ({page.because.rstrip('.')})" if page.because and not direct and page.because != page.name else ""
    )
    told = f"{page.name} was paged {through} at {clock(page.at)}{because}."
    ways = [_message(message, clock) for message in page.messages]
    if not ways:
        return Line(
            text=f"{told} No message was made for it.", user_id=page.user_id, level=page.level, bad=True
        )
    arrived = any(m.state in ("sent", "waiting", "sending", "canceled") for m in page.messages)
    return Line(text=f"{told} {' '.join(ways)}", user_id=page.user_id, level=page.level, bad=not arrived)


def _message(sent: Sent, clock: Clock) -> str:
    kind = _CALLED.get(sent.kind, _upper(sent.kind))
    tries = f" at try {len(sent.tries)}" if len(sent.tries) > 1 else ""
    last = sent.tries[-1] if sent.tries else None
    match sent.state:
        case "sent" if last and last.ended_at:
            ident = f" (id {last.provider_id})" if last.provider_id else ""
            text = f"{kind}: accepted at {clock(last.ended_at)}{tries}{ident}"
        case "refused":
            text = f"{kind}: refused{tries}: {sent.why or 'no reason given'}"
        case "unknown":
            text = f"{kind}: nobody knows whether it arrived{tries}: {sent.why or 'no answer came'}"
        case "canceled":
            text = f"{kind}: called off before it was sent ({sent.why})"
        case "sending":
            text = f"{kind}: being sent"
        case "waiting":
            text = f"{kind}: waits until {clock(sent.send_at)}" + (f" ({sent.why})" if sent.why else "")
        case _:
            text = f"{kind}: {sent.state}"
    proofs = [f"{p.stage.replace('_', ' ')} {clock(p.at)}" for p in sent.proofs if p.stage not in _TOLD]
    return ", ".join([text.rstrip("."), *proofs]) + "."


_TOLD = ("accepted", "handed_over")
_CALLED = {"sms": "SMS", "email": "E-mail", "inbox": "The browser", "voice": "The telephone", "ntfy": "ntfy"}


def _silence(said: Said, clock: Clock) -> Line:
    return Line(text=f"{clock(said.at)}: {said.details}", user_id=said.user_id, level=said.level, bad=True)


def _never_reached(case: Case, clock: Clock) -> Iterable[Line]:
    """Say which levels were still to come, and what kept them from it."""
    stopped = _stopped(case, clock)
    for climb in case.climbs:
        left = climb.levels - climb.reached
        if left <= 0 or climb.plan == "Fallback":
            continue
        which = f"Level {climb.levels}" if left == 1 else f"Levels {climb.reached + 1} to {climb.levels}"
        if climb.phase == "climbing" and climb.wake_at:
            yield Line(text=f"{which} of {climb.plan} would follow from {clock(climb.wake_at)} on.")
        elif stopped:
            were = "was" if left == 1 else "were"
            yield Line(text=f"{which} of {climb.plan} {were} not paged: {stopped}.")


def _stopped(case: Case, clock: Clock) -> str:
    """Return who put an end to it, and when: "Ana acknowledged it at 02:05:00"."""
    ends = [said for said in case.said if said.code in ENDS]
    if case.status not in ("acknowledged", "resolved") or not ends:
        return ""
    last = next((s for s in ends if s.code == "alert.acknowledged"), ends[-1])
    return f"{last.by or 'Nightbell'} {ENDS[last.code]} at {clock(last.at)}"


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:] if text[1:2].islower() else text
