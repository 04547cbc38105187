"""This file changes who stands in: overrides, swaps that two people agree on, and shadows.

Rule 1: the past does not change. What has begun keeps what it did; taking it back ends it now.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from nightbell.core.errors import Invalid, Stale
from nightbell.core.journal import Actor
from nightbell.core.override_checks import (
    GRACE,
    collide,
    errors_in_change,
    errors_in_override,
    from_now,
)
from nightbell.core.schedule import Override, Schedule
from nightbell.core.shift import Shift
from nightbell.core.shifts import shifts
from nightbell.engine.changing import Change, Writer, must_exist
from nightbell.engine.checks import Checks, Problems
from nightbell.engine.configure_schedules import living
from nightbell.engine.ids import new_id
from nightbell.engine.revising import end_early
from nightbell.engine.schedule_edits import OverrideEdit, ShadowEdit, SwapEdit
from nightbell.engine.timetable import override_of, schedules, swapped
from nightbell.store.read.listing import Record
from nightbell.store.schedule_tables import overrides, shadows, swaps
from nightbell.store.schedule_tables import schedules as schedules_table

KINDS = ("cover", "add", "replace", "remove")
#: What the core calls the fields, and what an edit does.
_FIELDS = {"kind": "change"}


class Overrides(Writer):
    """Changes overrides, swaps and shadows."""

    async def create_override(
        self, schedule_id: UUID, edit: OverrideEdit, *, by: Actor, now: datetime
    ) -> UUID:
        """Change who is on call for a while. Raises: Problems naming the fields, an overlap with its time."""
        fields = {"change": "cover", "user_id": None, "replaces_user_id": None, "reason": "", **edit.sent()}
        checks = Checks(fields)
        checks.required("starts_at", "ends_at")
        if fields["change"] == "cover":
            checks.required("user_id")
        _checked(checks)
        async with self.changing(by, now) as change:
            await living(change, "schedule", schedules_table, schedule_id)
            await _check_people(change, fields, ("user_id", "replaces_user_id"))
            made = override_of({**fields, "id": new_id(now)})
            schedule = await _around(change, schedule_id, made)
            _refuse(errors_in_override(schedule, made, now=now))
            values = {
                **fields, "starts_at": from_now(made, now).start, "schedule_id": schedule_id, "created_by": by.user_id
            }  # fmt: skip
            key: UUID = await change.add("override", overrides, values)
        return key

    async def update_override(
        self, override_id: UUID, edit: OverrideEdit, *, by: Actor, now: datetime
    ) -> None:
        """Change an override; of one that has begun only the end."""
        fields = edit.sent()
        _checked(Checks(fields))
        async with self.changing(by, now) as change:
            before = await change.locked("override", overrides, override_id)
            await living(change, "schedule", schedules_table, before["schedule_id"])
            await _check_people(change, fields, ("user_id", "replaces_user_id"))
            after = override_of({**before, **fields})
            schedule = await _around(change, before["schedule_id"], after)
            _refuse(errors_in_change(schedule, override_of(before), after, now=now))
            if before["starts_at"] > now and "starts_at" in fields:
                fields["starts_at"] = from_now(after, now).start
            await change.change("override", overrides, override_id, fields)

    async def delete_override(self, override_id: UUID, *, by: Actor, now: datetime) -> None:
        """Take an override back: one that has begun ends now.

        Raises: Stale for one that is over.
        """
        async with self.changing(by, now) as change:
            before = await change.locked("override", overrides, override_id)
            _still_to_come(before, now, "This override is over.")
            await end_early(change, "override", overrides, before)

    # ------------------------------------------------------------ swaps

    async def ask_for_swap(self, schedule_id: UUID, edit: SwapEdit, *, by: Actor, now: datetime) -> UUID:
        """Ask to be relieved. Nothing changes until somebody says yes.

        Shape: without `user_id`, everybody who has a shift then is asked for; the first request is returned.
        Raises: Problems naming the fields, and when nobody has a shift then.
        """
        fields = {
            "user_id": None, "asked_user_id": None, "return_starts_at": None, "return_ends_at": None, "reason": "",
            **edit.sent(),
        }  # fmt: skip
        checks = Checks(fields)
        checks.required("starts_at", "ends_at")
        _check_swap(checks, now)
        async with self.changing(by, now) as change:
            await living(change, "schedule", schedules_table, schedule_id)
            await _check_people(change, fields, ("user_id", "asked_user_id"))
            fields["starts_at"] = max(fields["starts_at"], now)
            await _check_return(change, schedule_id, fields)
            keys = []
            for shift in await _relieved(change, schedule_id, fields):
                values = {**fields, "user_id": shift.user, "shift_id": shift.id, "schedule_id": schedule_id}
                keys.append(await change.add("swap", swaps, {**values, "created_by": by.user_id}))
        first: UUID = keys[0]
        return first

    async def accept_swap(self, swap_id: UUID, *, user_id: int, by: Actor, now: datetime) -> None:
        """Say yes: from now on this person serves instead, and perhaps the other in return.

        Raises: Invalid when somebody else was asked, Stale when it was answered or is over.
        """
        async with self.changing(by, now) as change:
            before = await _open_swap(change, swap_id, now)
            _check_taker(before, user_id)
            yes = {
                "state": "accepted", "taken_by_user_id": user_id, "answered_at": now,
                "starts_at": max(before["starts_at"], now),
            }  # fmt: skip
            if before["return_starts_at"] is not None:
                yes["return_starts_at"] = max(before["return_starts_at"], now)
            await _check_collisions(change, {**before, **yes})
            await change.change("swap", swaps, swap_id, yes)

    async def decline_swap(self, swap_id: UUID, *, user_id: int, by: Actor, now: datetime) -> None:
        """Say no; only who was asked by name can."""
        async with self.changing(by, now) as change:
            before = await _open_swap(change, swap_id, now)
            if before["asked_user_id"] != user_id:
                raise Invalid("Only the person who was asked can decline.", place="asked_user_id")
            await change.change("swap", swaps, swap_id, {"state": "declined", "answered_at": now})

    async def withdraw_swap(self, swap_id: UUID, *, by: Actor, now: datetime) -> None:
        """Take a request back, or what is still to come of an agreed swap."""
        async with self.changing(by, now) as change:
            before = await change.locked("swap", swaps, swap_id)
            await living(change, "schedule", schedules_table, before["schedule_id"])
            if before["state"] == "accepted":
                _still_to_come({"ends_at": _last(before)}, now, "This swap is over.")
                await change.change("swap", swaps, swap_id, _cut(before, now))
            elif before["state"] == "open":
                await change.change("swap", swaps, swap_id, {"state": "withdrawn", "answered_at": now})

    # ------------------------------------------------------------ shadows

    async def create_shadow(self, schedule_id: UUID, edit: ShadowEdit, *, by: Actor, now: datetime) -> UUID:
        """Let somebody listen to what a person, or the whole schedule, is told. They are never responsible."""
        fields = {"of_user_id": None, **edit.sent()}
        checks = Checks(fields)
        checks.required("user_id", "starts_at", "ends_at")
        _check_shadow(checks, fields, now)
        async with self.changing(by, now) as change:
            await living(change, "schedule", schedules_table, schedule_id)
            await _check_people(change, fields, ("user_id", "of_user_id"))
            values = {**fields, "starts_at": max(fields["starts_at"], now), "schedule_id": schedule_id}
            key: UUID = await change.add("shadow", shadows, values)
        return key

    async def update_shadow(self, shadow_id: UUID, edit: ShadowEdit, *, by: Actor, now: datetime) -> None:
        """Change who listens, to whom and until when; of one that has begun only the end."""
        fields = edit.sent()
        async with self.changing(by, now) as change:
            before = await change.locked("shadow", shadows, shadow_id)
            _still_to_come(before, now, "This shadow is over.")
            if before["starts_at"] <= now and any(fields[n] != before[n] for n in fields if n != "ends_at"):
                raise Invalid("It has begun, so only its end can change.", place=next(iter(fields)))
            checks = Checks({**before, **fields})
            _check_shadow(checks, checks.sent, now, begun=before["starts_at"] <= now)
            await _check_people(change, fields, ("user_id", "of_user_id"))
            await change.change("shadow", shadows, shadow_id, fields)

    async def delete_shadow(self, shadow_id: UUID, *, by: Actor, now: datetime) -> None:
        """Let somebody listen no longer."""
        async with self.changing(by, now) as change:
            before = await change.locked("shadow", shadows, shadow_id)
            _still_to_come(before, now, "This shadow is over.")
            await end_early(change, "shadow", shadows, before)


def _checked(checks: Checks) -> None:
    checks.choice("change", KINDS)
    checks.text("reason", longest=1000, empty=True)
    checks.done()


def _refuse(errors: tuple[Invalid, ...]) -> None:
    """Raise what the core says of an override, by the names of the edit."""
    if errors:
        raise Problems(
            Invalid(error.message, place=_FIELDS.get(error.place, error.place), hint=error.hint)
            for error in errors
        )


async def _check_people(change: Change, fields: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        if fields.get(name) is not None:
            await must_exist(change, "users", name, [fields[name]])


async def _around(change: Change, schedule_id: UUID, made: Override) -> Schedule:
    """Return the schedule with the overrides that touch the time of one."""
    start, end = sorted((made.start, made.end))
    found = await schedules(change.tx, [schedule_id], start=start, end=end, conflicts=False)
    return found[schedule_id]


def _still_to_come(row: dict[str, Any], now: datetime, message: str) -> None:
    if row["ends_at"] <= now:
        raise Stale(message, hint="The past stays as it was.")


# ---------------------------------------------------------------- swaps


def _check_swap(checks: Checks, now: datetime) -> None:
    checks.text("reason", longest=1000, empty=True)
    _check_span(checks, "starts_at", "ends_at", now)
    if checks.sent["return_starts_at"] is not None or checks.sent["return_ends_at"] is not None:
        checks.required("return_starts_at", "return_ends_at", "asked_user_id")
        _check_span(checks, "return_starts_at", "return_ends_at", now)
    if checks.sent["asked_user_id"] is not None and checks.sent["asked_user_id"] == checks.sent["user_id"]:
        checks.wrong("asked_user_id", "Nobody can relieve themselves", "Another person.")
    checks.done()


def _check_span(checks: Checks, first: str, last: str, now: datetime, *, begun: bool = False) -> None:
    start, end = checks.sent.get(first), checks.sent.get(last)
    if start is not None and end is not None and end <= start:
        checks.wrong(last, "It ends before it begins", f"An instant after {first}.")
    if start is not None and not begun and start < now - GRACE:
        checks.wrong(first, "It begins in the past", f"{now.isoformat()} or later.")
    if end is not None and end <= now:
        checks.wrong(last, "It would be over already", f"Later than {now.isoformat()}.")


async def _relieved(change: Change, schedule_id: UUID, fields: dict[str, Any]) -> list[Shift]:
    """Return the first shift, in the time asked about, of each person who is to be relieved.

    Raises: Invalid when there is none.
    """
    span = {"start": fields["starts_at"], "end": fields["ends_at"]}
    found = await schedules(change.tx, [schedule_id], **span)
    serving: dict[int, Shift] = {}
    for shift in shifts(found[schedule_id], **span):
        serving.setdefault(shift.user, shift)
    chosen = [shift for user, shift in serving.items() if fields["user_id"] in (None, user)]
    if not chosen:
        who = "nobody is" if fields["user_id"] is None else "this person is not"
        raise Invalid(
            f"Then {who} on call here.", place="starts_at", hint="Choose a time in which there is a shift."
        )
    return chosen


async def _check_return(change: Change, schedule_id: UUID, fields: dict[str, Any]) -> None:
    """Refuse to take in return what the other does not have."""
    if fields["return_starts_at"] is None:
        return
    fields["return_starts_at"] = max(fields["return_starts_at"], change.now)
    span = {"start": fields["return_starts_at"], "end": fields["return_ends_at"]}
    found = await schedules(change.tx, [schedule_id], **span)
    if not any(shift.user == fields["asked_user_id"] for shift in shifts(found[schedule_id], **span)):
        hint = "Choose a time in which they have a shift."
        raise Invalid("Then the other is not on call here.", place="return_starts_at", hint=hint)


async def _open_swap(change: Change, swap_id: UUID, now: datetime) -> Record:
    row = await change.locked("swap", swaps, swap_id)
    await living(change, "schedule", schedules_table, row["schedule_id"])
    if row["state"] != "open":
        raise Stale(f"This request is {row['state']} already.")
    _still_to_come(row, now, "This request is over.")
    if row["return_ends_at"] is not None and row["return_ends_at"] <= now:
        raise Stale("What was offered in return is over.", hint="Decline it, and agree on another time.")
    return row


def _check_taker(row: Record, user_id: int) -> None:
    if row["asked_user_id"] not in (None, user_id):
        raise Invalid("Somebody else was asked.", place="asked_user_id", hint="Only they can accept.")
    if row["user_id"] == user_id:
        raise Invalid(
            "Nobody can relieve themselves.", place="asked_user_id", hint="Another person must accept."
        )


async def _check_collisions(change: Change, row: Record) -> None:
    """Refuse a swap of which one half would touch another agreed swap of the same people."""
    for half in swapped(row):
        schedule = await _around(change, row["schedule_id"], half)
        others = (other for other in schedule.swaps if other.id != half.id)
        if taken := next((other for other in others if collide(half, other)), None):
            raise Stale(
                f"Another swap of these people covers {taken.start.isoformat()} to {taken.end.isoformat()}.",
                hint="Withdraw that one first.",
            )


def _last(row: Record) -> datetime:
    ends: list[datetime | None] = [row["ends_at"], row["return_ends_at"]]
    return max(end for end in ends if end is not None)


def _cut(row: Record, now: datetime) -> dict[str, Any]:
    """Return what an agreed swap becomes when it is taken back: what was served stays, the rest falls back."""
    first_begun = row["starts_at"] < now
    back_begun = row["return_starts_at"] is not None and row["return_starts_at"] < now
    if not first_begun and not back_begun:
        return {"state": "withdrawn", "taken_by_user_id": None}
    if not first_begun:
        # Only the return was served: it becomes the swap, the other way round.
        return {
            "starts_at": row["return_starts_at"], "ends_at": min(row["return_ends_at"], now),
            "user_id": row["taken_by_user_id"], "taken_by_user_id": row["user_id"],
            "return_starts_at": None, "return_ends_at": None,
        }  # fmt: skip
    kept = {"ends_at": min(row["ends_at"], now)}
    if row["return_starts_at"] is None:
        return kept
    back = {"return_starts_at": row["return_starts_at"], "return_ends_at": min(row["return_ends_at"], now)}
    return {**kept, **(back if back_begun else {"return_starts_at": None, "return_ends_at": None})}


def _check_shadow(checks: Checks, fields: dict[str, Any], now: datetime, *, begun: bool = False) -> None:
    _check_span(checks, "starts_at", "ends_at", now, begun=begun)
    if fields.get("user_id") is not None and fields["user_id"] == fields["of_user_id"]:
        checks.wrong("user_id", "Nobody can shadow themselves", "Another person.")
    checks.done()
