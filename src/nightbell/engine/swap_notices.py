"""Whom a swap concerns, and what they are told: who is asked, who is answered, and whose yes was in vain."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from nightbell.core import noticing
from nightbell.core.calendar import wall, zone
from nightbell.core.directory import Directory, User
from nightbell.core.noticing import Duty, Notice
from nightbell.core.schedule import Schedule
from nightbell.core.shifts import shifts
from nightbell.store.db import Row

#: Where nobody is asked by name: whoever serves in the weeks to come may say yes.
AHEAD = timedelta(days=28)


def news(rows: Iterable[Row], directory: Directory, now: datetime) -> Iterator[tuple[User, Notice, str]]:
    """Yield what changed of swaps lately: who is told, the notice, and its words."""
    for row in rows:
        schedule = directory.schedules.get(str(row["schedule_id"]))
        if schedule is None:
            continue
        kind, about, recipients = _told(row, schedule, now)
        duty = Duty(schedule_id=row["schedule_id"], user_id=about, start=row["starts_at"], end=row["ends_at"])
        for key in sorted(recipients - {about}):
            user = directory.users.get(key)
            if user is not None and user.active:
                notice = Notice(kind=kind, duty=duty, cause=row["id"])
                yield user, notice, _sentence(notice, row, user, directory)


def _told(row: Row, schedule: Schedule, now: datetime) -> tuple[str, int, set[int]]:
    """Return what happened to a swap, who did it, and whom that concerns."""
    asker, asked = row["user_id"], row["asked_user_id"]
    askers = {asker, row["created_by"] or asker}
    match row["state"]:
        case "open":
            everybody = {s.user for s in shifts(schedule, start=now, end=now + AHEAD)}
            return noticing.SWAP_ASKED, asker, {asked} if asked is not None else everybody
        case "accepted":
            return noticing.SWAP_ACCEPTED, row["taken_by_user_id"], askers
        case "declined":
            return noticing.SWAP_DECLINED, asked, askers
        case _:
            return noticing.SWAP_WITHDRAWN, asker, {row["taker"]} if row["taker"] is not None else set()


def _sentence(notice: Notice, row: Row, to: User, directory: Directory) -> str:
    schedule = directory.schedules[str(row["schedule_id"])].name
    who = _name(notice.duty.user_id, directory)
    time = f"{schedule} from {_clock(row['starts_at'], to)} to {_clock(row['ends_at'], to)}"
    match notice.kind:
        case noticing.SWAP_ASKED:
            reason = f" Reason given: {row['reason']}." if row["reason"] else ""
            back = _in_return(row, to)
            return f"{who} asks you to take {time}{back}. Answer under Schedules; until then nothing changes.{reason}"
        case noticing.SWAP_ACCEPTED:
            whose = (
                "your shift"
                if to.id == row["user_id"]
                else f"the shift of {_name(row['user_id'], directory)}"
            )
            return f"{who} takes {whose}: {time}{_in_return(row, to)}."
        case noticing.SWAP_DECLINED:
            return f"{who} declined to take {time}. The shift stays whose it was."
        case _:
            return f"The swap is off: {who} is on call again for {time}."


def _in_return(row: Row, to: User) -> str:
    if row["return_starts_at"] is None:
        return ""
    start, end = _clock(row["return_starts_at"], to), _clock(row["return_ends_at"], to)
    return (
        f", and to be relieved from {start} to {end}"
        if row["state"] == "open"
        else f", against {start} to {end}"
    )


def _name(user_id: int, directory: Directory) -> str:
    user = directory.users.get(user_id)
    return user.name if user else f"user {user_id}"


def _clock(at: datetime, to: User) -> str:
    return f"{wall(at, zone(to.time_zone)):%a %d %b %H:%M} ({to.time_zone})"
