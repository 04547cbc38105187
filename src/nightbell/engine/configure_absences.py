"""This file changes when people are away: time off, and whose public holidays count for them."""

import asyncio
from datetime import datetime
from importlib import import_module
from typing import Any
from uuid import UUID

from nightbell.core.errors import Stale
from nightbell.core.journal import Actor
from nightbell.engine.changing import Writer, must_exist
from nightbell.engine.checking_rotations import checked_week
from nightbell.engine.checks import Checks
from nightbell.engine.revising import end_early
from nightbell.engine.schedule_edits import HolidayEdit, TimeOffEdit, WorkingHoursEdit
from nightbell.store.schedule_tables import holiday_calendars, time_off, working_hours


class Absences(Writer):
    """Changes time off and holiday calendars. What an absence does is said by each schedule."""

    async def create_time_off(self, user_id: int, edit: TimeOffEdit, *, by: Actor, now: datetime) -> UUID:
        """Note that somebody is away. Raises: Problems naming the fields."""
        fields = {"reason": "", **edit.sent()}
        checks = Checks(fields)
        checks.required("starts_at", "ends_at")
        _check_time_off(checks, now)
        async with self.changing(by, now) as change:
            await must_exist(change, "users", "user_id", [user_id])
            # Who served until now served: an absence found out too late begins now.
            values = {**fields, "starts_at": max(fields["starts_at"], now), "user_id": user_id}
            key: UUID = await change.add("time_off", time_off, values)
        return key

    async def update_time_off(
        self, time_off_id: UUID, edit: TimeOffEdit, *, by: Actor, now: datetime
    ) -> None:
        """Change when somebody is away; of what has begun, only the end and the reason."""
        async with self.changing(by, now) as change:
            before = await change.locked("time_off", time_off, time_off_id)
            if before["ends_at"] <= now:
                raise Stale("This time off is over.", hint="The past stays as it was.")
            fields = edit.sent()
            if before["starts_at"] <= now:
                fields["starts_at"] = before["starts_at"]
            elif "starts_at" in fields:
                fields["starts_at"] = max(fields["starts_at"], now)
            checks = Checks({**before, **fields})
            _check_time_off(checks, now)
            await change.change("time_off", time_off, time_off_id, fields)

    async def delete_time_off(self, time_off_id: UUID, *, by: Actor, now: datetime) -> None:
        """Let somebody be back: what has begun ends now."""
        async with self.changing(by, now) as change:
            before = await change.locked("time_off", time_off, time_off_id)
            if before["ends_at"] <= now:
                raise Stale("This time off is over.", hint="The past stays as it was.")
            await end_early(change, "time_off", time_off, before)

    async def create_holiday_calendar(
        self, user_id: int, edit: HolidayEdit, *, by: Actor, now: datetime
    ) -> UUID:
        """Say whose public holidays count for somebody, who has one calendar at most."""
        fields = {"subdivision": None, **edit.sent()}
        checks = Checks(fields)
        await _check_country(checks)
        async with self.changing(by, now) as change:
            await must_exist(change, "users", "user_id", [user_id])
            values = {**fields, "user_id": user_id}
            key: UUID = await change.add("holiday_calendar", holiday_calendars, values)
        return key

    async def update_holiday_calendar(
        self, calendar_id: UUID, edit: HolidayEdit, *, by: Actor, now: datetime
    ) -> None:
        """Change whose public holidays count."""
        async with self.changing(by, now) as change:
            before = await change.locked("holiday_calendar", holiday_calendars, calendar_id)
            kept = {"country": before["country"], "subdivision": before["subdivision"]}
            checks = Checks({**kept, **edit.sent()})
            await _check_country(checks)
            await change.change("holiday_calendar", holiday_calendars, calendar_id, checks.sent)

    async def delete_holiday_calendar(self, calendar_id: UUID, *, by: Actor, now: datetime) -> None:
        """Let no public holidays count for somebody."""
        async with self.changing(by, now) as change:
            await change.remove("holiday_calendar", holiday_calendars, calendar_id)

    # ------------------------------------------------------------ working hours

    async def create_working_hours(
        self, user_id: int, edit: WorkingHoursEdit, *, by: Actor, now: datetime
    ) -> UUID:
        """Say when somebody works, where they live."""
        fields = checked_week({"days": list("MTWRF"), "windows": [], **edit.sent()})
        async with self.changing(by, now) as change:
            await must_exist(change, "users", "user_id", [user_id])
            values = {**fields, "user_id": user_id}
            key: UUID = await change.add("working_hours", working_hours, values)
        return key

    async def update_working_hours(
        self, hours_id: UUID, edit: WorkingHoursEdit, *, by: Actor, now: datetime
    ) -> None:
        """Change when somebody works."""
        async with self.changing(by, now) as change:
            before = await change.locked("working_hours", working_hours, hours_id)
            kept = {"days": before["days"], "windows": before["windows"]}
            fields = checked_week({**kept, **edit.sent()})
            await change.change("working_hours", working_hours, hours_id, fields)

    async def delete_working_hours(self, hours_id: UUID, *, by: Actor, now: datetime) -> None:
        """Forget when somebody works; then Monday to Friday, 9 to 17, are taken to be meant."""
        async with self.changing(by, now) as change:
            await change.remove("working_hours", working_hours, hours_id)


def _check_time_off(checks: Checks, now: datetime) -> None:
    checks.text("reason", longest=255, empty=True)
    start, end = checks.sent.get("starts_at"), checks.sent.get("ends_at")
    if start is not None and end is not None:
        if end <= start:
            checks.wrong("ends_at", "It ends before it begins", "An instant after starts_at.")
        elif end <= now:
            checks.wrong("ends_at", "It would be over already", f"Later than {now.isoformat()}.")
    checks.done()


async def _check_country(checks: Checks) -> None:
    for name in ("country", "subdivision"):
        checks.sent[name] = (checks.sent.get(name) or "").strip() or None
    checks.required("country")
    checks.done()
    library: Any = await asyncio.to_thread(import_module, "nightbell.engine.public_holidays")
    known = library.countries()
    country = checks.sent["country"] = checks.sent["country"].upper()
    if country not in known:
        checks.wrong(
            "country", f"There are no holidays of {country[:20]!r}", "An ISO 3166 code such as DE or US."
        )
    elif checks.sent["subdivision"] and checks.sent["subdivision"] not in known[country]:
        hint = f"One of: {', '.join(known[country][:80])}." if known[country] else "Leave it empty."
        checks.wrong("subdivision", f"{country} has no part {checks.sent['subdivision'][:20]!r}", hint)
    checks.done()
