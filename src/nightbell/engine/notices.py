"""Says what people should know of their shifts: once each, whatever restarts and however many nodes there are.

Rule 1: the row of `noticing` is the turn to look, and a notice is a row with a key; what is said twice is not said.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from nightbell.core import noticing, readiness
from nightbell.core.calendar import wall, zone
from nightbell.core.directory import ContactMethod, Directory, User
from nightbell.core.noticing import Notice, Wishes
from nightbell.core.oncall import on_call
from nightbell.engine import begun, swap_notices
from nightbell.engine.directory import Directories
from nightbell.engine.ids import minter
from nightbell.store.db import Db, Runner, Tx
from nightbell.store.write import notices
from nightbell.telemetry import metrics

#: What is wrong with an address comes without an edit, and a shift may lie beyond what is looked at: so often again.
AGAIN = timedelta(minutes=1)
KEPT = timedelta(days=90)
_ADMINS = ("owner", "admin")


class Looked(Struct, frozen=True, kw_only=True):
    """What a look came to: how many notices were queued, how many of those on call cannot be reached."""

    said: int
    unreachable: int


async def look(db: Db, directories: Directories, now: datetime) -> Looked | None:
    """Say what is due; None where nothing is, or another node looks."""

    async def work(tx: Tx) -> Looked | None:
        turn = await notices.lock(tx)
        if turn is None:
            return None
        directory = await directories.current(tx)
        fresh = turn["version"] == directory.version and turn["looked_at"] is not None
        waits = turn["next_at"] is None or turn["next_at"] > now
        if fresh and waits and now - turn["looked_at"] < AGAIN:
            return None
        looked = await _looked(tx, directory, now)
        await begun.tell(tx, directory, since=turn["looked_at"], now=now)
        return looked

    looked = await db.in_tx(work)
    if looked is not None:
        metrics.UNREACHABLE_ON_CALL.set(looked.unreachable)
    return looked


async def _looked(tx: Tx, directory: Directory, now: datetime) -> Looked:
    wishes = {
        r["id"]: Wishes(hours=tuple(r["notice_hours"]), handoffs=r["handoff_notices"])
        for r in await tx.rows("notice_wishes")
    }
    failing = await failing_methods(tx)
    found = [d for s in directory.schedules.values() for d in noticing.duties(s, now)]
    due, following = noticing.due(found, wishes, now)
    said = sum([await _say(tx, one, directory, failing, now) for one in due])
    changed = await tx.rows("swaps_lately", now - noticing.LATE, now)
    for to, one, text in swap_notices.news(changed, directory, now):
        said += await _queue(tx, one, to, text, ways(to, failing), now)
    await notices.looked(tx, following, now, directory.version)
    await tx.execute("forget_notices", now - KEPT)
    serving = {user for s in directory.schedules.values() for user in on_call(s, now)}
    lost = sum(not readiness.ready(directory.users.get(user), failing) for user in serving)
    return Looked(said=said, unreachable=lost)


async def failing_methods(runner: Runner) -> dict[UUID, str]:
    """Return what was said when the last message to an address did not arrive, by contact method."""
    return {r["id"]: r["failing_why"] for r in await runner.rows("failing_methods")}


async def _say(
    tx: Tx, notice: Notice, directory: Directory, failing: Mapping[UUID, str], now: datetime
) -> int:
    user = directory.users.get(notice.duty.user_id)
    wrong = readiness.problems(user, failing)
    queued = 0
    for one in _recipients(notice, user, directory, grave=any(p.grave for p in wrong), wrong=bool(wrong)):
        said = _sentence(notice, user, one, directory, wrong)
        queued += await _queue(tx, notice, one, said, ways(one, failing), now)
    return queued


async def _queue(
    tx: Tx, notice: Notice, to: User, said: str, methods: list[ContactMethod], now: datetime
) -> int:
    """Write a notice down and queue its messages; return how many, none where it was said already."""
    mint = minter(now)
    ident = mint()
    if not await notices.add(tx, ident, notice, user_id=to.id, said=said, now=now):
        return 0
    for method in methods:
        await notices.send(tx, ident, mint(), to.id, method, now)
    return len(methods)


def _recipients(
    notice: Notice, user: User | None, directory: Directory, *, grave: bool, wrong: bool
) -> Iterator[User]:
    if notice.kind == noticing.ALARM:
        admins = (u for u in directory.users.values() if u.active and u.role in _ADMINS)
        yield from admins if grave else ()
    elif user is not None and user.active and (wrong or notice.kind != noticing.UNREACHABLE):
        yield user


def ways(user: User, failing: Mapping[UUID, str]) -> list[ContactMethod]:
    """Return how a notice reaches somebody: as a quiet page would, by what still works, else by anything there is."""
    quiet = [r.method_id for r in user.rules if r.loudness == "quiet" and r.delay_minutes == 0]
    order = ["email", *(m.kind for m in user.methods.values() if m.kind not in ("voice", "inbox", "email"))]
    usable = [m for m in user.methods.values() if m.verified and m.id not in failing and m.kind != "voice"]
    chosen = [m for m in usable if m.id in quiet and m.kind != "inbox"]
    if chosen:
        return chosen
    by_kind = sorted(usable, key=lambda m: order.index(m.kind) if m.kind in order else len(order))
    # Somebody nobody can reach is told wherever they may look, verified or not.
    return by_kind[:1] or [m for m in user.methods.values() if m.kind in ("email", "inbox")]


def _sentence(
    notice: Notice, user: User | None, to: User, directory: Directory, wrong: tuple[readiness.Problem, ...]
) -> str:
    duty = notice.duty
    schedule = directory.schedules.get(str(duty.schedule_id))
    name = schedule.name if schedule else "a schedule"
    start, end = _clock(duty.start, to), _clock(duty.end, to)
    details = " ".join(p.details for p in wrong)
    match notice.kind:
        case noticing.UPCOMING:
            return f"You are on call for {name} from {start} to {end}."
        case noticing.BEGINS:
            return f"You are on call for {name} now, until {end}."
        case noticing.ENDS:
            after = _after(notice, directory)
            return f"Your time on call for {name} is over; {after}."
        case noticing.UNREACHABLE:
            return f"You are on call for {name} from {start}, and a page may not reach you. {details}"
        case _:
            who = user.name if user else f"user {duty.user_id}"
            return f"{who} is on call for {name} until {end} and cannot be reached. {details}"


def _after(notice: Notice, directory: Directory) -> str:
    schedule = directory.schedules.get(str(notice.duty.schedule_id))
    people = on_call(schedule, notice.duty.end) if schedule else frozenset()
    names = sorted(directory.users[u].name for u in people if u in directory.users)
    return f"{', '.join(names)} took over" if names else "nobody is on call after you"


def _clock(at: datetime, to: User) -> str:
    local = wall(at, zone(to.time_zone))
    return f"{local:%a %d %b %H:%M} ({to.time_zone})"
