"""This file changes schedules, their rotations, and the members and days of those.

Rule 1: whatever changes a rotation ends in `revise`, so that the past stays and nobody on call is dropped unasked.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from nightbell.core.errors import Invalid
from nightbell.core.journal import Actor
from nightbell.engine.changing import Change, Writer, must_exist
from nightbell.engine.checking_rotations import checked_day, checked_days, checked_rotation, is_zone
from nightbell.engine.checks import Checks
from nightbell.engine.revising import revise, skip_member
from nightbell.engine.schedule_edits import ActiveDayEdit, MemberEdit, RotationEdit, ScheduleEdit
from nightbell.store.read.listing import Record
from nightbell.store.schedule_tables import active_days, members, rotations, schedules

MOST_MEMBERS = 200
ABSENCE_RULES = ("ignore", "show", "exchange")
#: What a rotation is where nobody says otherwise.
NEW_ROTATION: dict[str, Any] = {
    "handoff_day": None,
    "length": None,
    "length_unit": None,
    "advance": None,
    "turn_minutes": None,
    "all_week": True,
    "days": list("SMTWRFU"),
    "hours": "all_day",
    "windows": [],
    "starts_at": None,
    "ends_at": None,
}


class Schedules(Writer):
    """Changes schedules, rotations, members and active days."""

    async def create_schedule(self, edit: ScheduleEdit, *, by: Actor, now: datetime) -> UUID:
        """Add a schedule, which has no rotation yet. Raises: Problems naming the fields."""
        checks = Checks({"owner_user_id": by.user_id, "settings": {}, **edit.sent()})
        checks.required("name")
        fields = _checked_schedule(checks)
        async with self.changing(by, now) as change:
            await _check_owners(change, fields)
            key: UUID = await change.add("schedule", schedules, fields)
        return key

    async def update_schedule(
        self, schedule_id: UUID, edit: ScheduleEdit, *, by: Actor, now: datetime
    ) -> None:
        """Change a schedule; settings are merged key by key."""
        fields = _checked_schedule(Checks(edit.sent()))
        async with self.changing(by, now) as change:
            before = await living(change, "schedule", schedules, schedule_id)
            await _check_owners(change, fields)
            if "settings" in fields:
                fields["settings"] = {**before["settings"], **fields["settings"]}
            await change.change("schedule", schedules, schedule_id, fields)

    async def delete_schedule(self, schedule_id: UUID, *, by: Actor, now: datetime) -> None:
        """Take a schedule out of use. Who was on call stays provable; where it was nested it is skipped from now on."""
        async with self.changing(by, now) as change:
            before = await living(change, "schedule", schedules, schedule_id)
            await change.change("schedule", schedules, schedule_id, {"deleted_at": now})
            await skip_member(change, None, schedule_id, f"the schedule {before['name']} was deleted")

    # ------------------------------------------------------------ rotations

    async def create_rotation(
        self, schedule_id: UUID, edit: RotationEdit, *, by: Actor, now: datetime
    ) -> UUID:
        """Add a rotation to a schedule, above all others unless a position is named; its first member is on at once.

        Raises: Problems naming the fields.
        """
        sent = edit.sent()
        async with self.changing(by, now) as change:
            schedule = await living(change, "schedule", schedules, schedule_id)
            fields = {**NEW_ROTATION, "time_zone": schedule["time_zone"], **sent}
            fields.setdefault("position", await change.tx.value("next_rotation_position", schedule_id))
            given, hours = fields.pop("members", None) or [], fields.pop("day_hours", None)
            fields = checked_rotation(fields)
            key: UUID = await change.add(
                "schedule_rotation", rotations, {**fields, "schedule_id": schedule_id}
            )
            row = await change.locked("schedule_rotation", rotations, key)
            await _fill(change, row, given)
            await _fill_days(change, row, hours)
            await revise(change, row)
        return key

    async def update_rotation(
        self, rotation_id: UUID, edit: RotationEdit, *, by: Actor, now: datetime
    ) -> None:
        """Change a rotation from now on; whoever is on call stays until the next hand-off, unless taken out."""
        fields = edit.sent()
        async with self.changing(by, now) as change:
            before = await self.rotation_locked(change, rotation_id)
            given, hours = fields.pop("members", None), fields.pop("day_hours", None)
            whole = checked_rotation({**described_columns(before), **fields})
            changed = {name: whole[name] for name in fields}
            await change.change("schedule_rotation", rotations, rotation_id, changed)
            row = {**before, **changed}
            if given is not None:
                await change.tx.execute("clear_members", rotation_id)
                await _fill(change, row, given)
            await _fill_days(change, row, hours)
            await revise(change, row, before=before)

    async def delete_rotation(self, rotation_id: UUID, *, by: Actor, now: datetime) -> None:
        """End a rotation now; what it said before stays."""
        async with self.changing(by, now) as change:
            before = await self.rotation_locked(change, rotation_id)
            await change.change("schedule_rotation", rotations, rotation_id, {"deleted_at": now})
            await revise(change, {**before, "deleted_at": now})

    # ------------------------------------------------------------ members and days

    async def create_member(self, rotation_id: UUID, edit: MemberEdit, *, by: Actor, now: datetime) -> UUID:
        """Add somebody, or a schedule, to a rotation, behind the others unless a position is named."""
        fields = {"user_id": None, "nested_schedule_id": None, **edit.sent()}
        async with self.changing(by, now) as change:
            row = await self.rotation_locked(change, rotation_id)
            fields.setdefault("position", await change.tx.value("next_member_position", rotation_id))
            await _check_members(change, row, [fields], "")
            values = {**fields, "rotation_id": rotation_id}
            key: UUID = await change.add("schedule_member", members, values)
            await revise(change, row, before=row)
        return key

    async def update_member(self, member_id: UUID, edit: MemberEdit, *, by: Actor, now: datetime) -> None:
        """Put another in a member's place, or the member in another place."""
        fields = edit.sent()
        async with self.changing(by, now) as change:
            before = await change.locked("schedule_member", members, member_id)
            _check_position(fields.get("position", 1), "")
            row = await self.rotation_locked(change, before["rotation_id"])
            if {"user_id", "nested_schedule_id"} & fields.keys():
                fields = {
                    "user_id": None,
                    "nested_schedule_id": None,
                    **fields,
                    "skipped_at": None,
                    "skipped_why": None,
                }
                await _check_members(change, row, [{**before, **fields}], "")
            await change.change("schedule_member", members, member_id, fields)
            await revise(change, row, before=row)

    async def delete_member(self, member_id: UUID, *, by: Actor, now: datetime) -> None:
        """Take somebody out; if the turn is theirs, the next in order has the rest of it."""
        async with self.changing(by, now) as change:
            before = await change.remove("schedule_member", members, member_id)
            row = await self.rotation_locked(change, before["rotation_id"])
            await revise(change, row, before=row)

    async def create_active_day(
        self, rotation_id: UUID, edit: ActiveDayEdit, *, by: Actor, now: datetime
    ) -> UUID:
        """Give one day of a rotation hours of its own; they count while its hours are `custom`."""
        fields = checked_day(edit.sent(), required=True)
        async with self.changing(by, now) as change:
            row = await self.rotation_locked(change, rotation_id)
            values = {**fields, "rotation_id": rotation_id}
            key: UUID = await change.add("schedule_active_day", active_days, values)
            await revise(change, row, before=row)
        return key

    async def update_active_day(self, day_id: UUID, edit: ActiveDayEdit, *, by: Actor, now: datetime) -> None:
        """Change the hours of one day."""
        fields = checked_day(edit.sent(), required=False)
        async with self.changing(by, now) as change:
            before = await change.locked("schedule_active_day", active_days, day_id)
            row = await self.rotation_locked(change, before["rotation_id"])
            await change.change("schedule_active_day", active_days, day_id, fields)
            await revise(change, row, before=row)

    async def delete_active_day(self, day_id: UUID, *, by: Actor, now: datetime) -> None:
        """Take the hours of one day away."""
        async with self.changing(by, now) as change:
            before = await change.remove("schedule_active_day", active_days, day_id)
            row = await self.rotation_locked(change, before["rotation_id"])
            await revise(change, row, before=row)

    async def rotation_locked(self, change: Change, rotation_id: UUID) -> Record:
        """Return a rotation that is in use, with its schedule locked: all changes of one schedule come in turn.

        Raises: Unknown.
        """
        row = await living(change, "schedule_rotation", rotations, rotation_id)
        await living(change, "schedule", schedules, row["schedule_id"])
        return row


async def living(change: Change, item: str, table: Any, key: UUID) -> Record:
    """Return a row, locked, that was not deleted.

    Raises: Unknown.
    """
    row = await change.locked(item, table, key)
    return row if row["deleted_at"] is None else await change.locked(item, table, UUID(int=0))


def _checked_schedule(checks: Checks) -> dict[str, Any]:
    checks.text("name")
    checks.text("description", longest=10_000, empty=True)
    checks.that("time_zone", is_zone)
    checks.choice("time_off", ABSENCE_RULES)
    checks.choice("holidays", ABSENCE_RULES)
    checks.done()
    fields = checks.sent
    for name, value in (("owner_team_ids", []), ("all_time_coverage", False), ("settings", {})):
        if name in fields and fields[name] is None:
            fields[name] = value
    return fields


async def _check_owners(change: Change, fields: dict[str, Any]) -> None:
    owner = fields.get("owner_user_id")
    await must_exist(change, "users", "owner_user_id", [] if owner is None else [owner])
    await must_exist(change, "teams", "owner_team_ids", fields.get("owner_team_ids"))


def described_columns(row: Record) -> dict[str, Any]:
    """Return the columns of a rotation that people describe."""
    return {
        name: row[name] for name in ("name", "position", "type", "time_zone", "handoff_time", *NEW_ROTATION)
    }


async def _fill(change: Change, row: Record, given: list[dict[str, Any]]) -> None:
    """Write the members of a rotation that has none."""
    if len(given) > MOST_MEMBERS:
        raise Invalid(f"A rotation has at most {MOST_MEMBERS} members.", place="members")
    plain = placed(given)
    await _check_members(change, row, plain, "members")
    for member in plain:
        await change.add("schedule_member", members, {**member, "rotation_id": row["id"]})


async def _fill_days(change: Change, row: Record, given: list[dict[str, Any]] | None) -> None:
    """Write the hours of single days anew, where they were given."""
    if given is None:
        return
    days = checked_days(row, given)
    await change.tx.execute("clear_active_days", row["id"])
    for day in days:
        await change.add("schedule_active_day", active_days, {**day, "rotation_id": row["id"]})


def placed(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return members with the position of each: one that names none comes after the one before it."""
    last = 0
    plain = []
    for member in given:
        last = last + 1 if member.get("position") is None else member["position"]
        who = {name: member.get(name) for name in ("user_id", "nested_schedule_id")}
        plain.append({**who, "position": last})
    return plain


async def _check_members(change: Change, row: Record, given: list[dict[str, Any]], field: str) -> None:
    """Refuse members that are nobody, or schedules that would hold themselves.

    Raises: Invalid naming the place.
    """
    for index, member in enumerate(given):
        place = f"{field}[{index}]." if field else ""
        user, nested = member["user_id"], member["nested_schedule_id"]
        _check_position(member["position"], place)
        if (user is None) == (nested is None):
            raise Invalid("A member is a person or a schedule.", place=f"{place}member_id", hint="Name one.")
        if user is not None:
            await must_exist(change, "users", f"{place}member_id" if field else "user_id", [user])
        else:
            await _check_nesting(change, row["schedule_id"], nested, f"{place}member_id")


async def _check_nesting(change: Change, schedule_id: UUID, nested: UUID, place: str) -> None:
    await change.tx.value("hold_configuration")
    await must_exist(change, "schedules", place, [nested])
    if await change.tx.value("schedule_reaches", [nested], schedule_id):
        hint = "Choose one in which this schedule is not nested."
        raise Invalid("This schedule would hold itself.", place=place, hint=hint)


def _check_position(position: int, place: str) -> None:
    if not 1 <= position <= 1000:
        raise Invalid("Position must be from 1 to 1000", place=f"{place}position")
