"""This file changes people: who they are and what they may do."""

from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from nightbell.core.access import Role, may_grant
from nightbell.core.errors import Forbidden, Invalid, Stale
from nightbell.core.journal import Actor
from nightbell.core.noticing import MOST_HOURS
from nightbell.engine.changing import Change, Writer
from nightbell.engine.checks import Checks
from nightbell.engine.configure_contacts import add_default_methods
from nightbell.engine.edits import UserEdit
from nightbell.engine.identity import check_email
from nightbell.engine.revising import leave_schedules
from nightbell.engine.windows import blocks, never_ends
from nightbell.store.db import Tx
from nightbell.store.tables import users

UPDATES = ("all", "resolved", "none")
_MOST_REMINDERS = 5


async def welcome(tx: Tx, user_id: int, email: str, by: Actor, now: datetime) -> None:
    """Do what `add_default_methods` does inside somebody else's transaction, and bump the version."""
    await add_default_methods(Change(tx, by, now), user_id, email, verified=True)
    await tx.execute("bump_configuration")


class People(Writer):
    """Changes users."""

    async def create_user(self, edit: UserEdit, *, by: Actor, now: datetime) -> int:
        """Add a person, with an inbox and their e-mail as verified contact methods and rules for both.

        Raises: Problems naming the fields; Forbidden for a role above the actor's.
        """
        values = {"role": Role.USER.value, "time_zone": "Etc/UTC", "active": True, "password_hash": None}
        checks = Checks({**values, **edit.sent()})
        checks.required("email", "name", "role")
        fields = _checked_user(checks)
        async with self.changing(by, now) as change:
            await _check_rank(change, Role(fields["role"]))
            user_id: int = await change.add("user", users, fields)
            await add_default_methods(change, user_id, fields["email"], verified=True)
        return user_id

    async def update_user(self, user_id: int, edit: UserEdit, *, by: Actor, now: datetime) -> None:
        """Change a person. Nobody takes the last owner away, themselves included."""
        fields = _checked_user(Checks(edit.sent()))
        async with self.changing(by, now) as change:
            before = await change.locked("user", users, user_id)
            touched = {before["role"], fields.get("role", before["role"])}
            if by.user_id != user_id or fields.get("role", before["role"]) != before["role"]:
                for role in touched:
                    await _check_rank(change, Role(role))
            after = {**before, **fields}
            if before["role"] == Role.OWNER and not (after["role"] == Role.OWNER and after["active"]):
                await _keep_an_owner(change, user_id)
            await change.change("user", users, user_id, fields)
            if not after["active"]:
                await _shut_out(change, user_id)
                await leave_schedules(change, user_id, before["name"])

    async def delete_user(self, user_id: int, *, by: Actor, now: datetime) -> None:
        """Let a person go: no log-in, no token, in no team, never paged. Their name stays in old timelines."""
        await self.update_user(user_id, UserEdit(active=False), by=by, now=now)


def _checked_user(checks: Checks) -> dict[str, Any]:
    checks.text("name", longest=100)
    checks.text("email", longest=255)
    checks.choice("role", [role.value for role in Role])
    checks.that(
        "time_zone",
        lambda zone: "" if zone in available_timezones() else f"There is no time zone {zone[:60]!r}.",
    )
    checks.that("email", _email_problem)
    checks.choice("updates", UPDATES)
    checks.that("notice_hours", _hours_problem)
    _check_quiet_hours(checks)
    checks.done()
    return checks.sent


def _check_quiet_hours(checks: Checks) -> None:
    """Note what is wrong with quiet hours; their zone is the person's own."""
    asked = checks.sent.get("quiet_hours")
    if asked is None:
        checks.sent.pop("quiet_hours", None)
    elif not asked.get("blocks"):
        checks.sent["quiet_hours"] = {}
    else:
        hours = blocks(checks, "quiet_hours", {"time_zone": "Etc/UTC", "blocks": asked["blocks"]})
        if hours is not None and never_ends(hours):
            checks.wrong("quiet_hours", "These hours never end.", "Leave some of the week out.")
        checks.sent["quiet_hours"] = {"blocks": asked["blocks"], "audible": bool(asked.get("audible"))}


def _hours_problem(hours: list[int]) -> str:
    if len(hours) > _MOST_REMINDERS or len(set(hours)) < len(hours):
        return f"At most {_MOST_REMINDERS} reminders, each once."
    fine = all(isinstance(h, int) and not isinstance(h, bool) and 1 <= h <= MOST_HOURS for h in hours)
    return "" if fine else f"A reminder comes 1 to {MOST_HOURS} hours before a shift."


def _email_problem(address: str) -> str:
    try:
        check_email(address)
    except Invalid as error:
        return error.message
    return ""


async def _check_rank(change: Change, role: Role) -> None:
    """Raise Forbidden when a person touches a role above their own; the engine and the CLI may."""
    if change.by.user_id is None:
        return
    asker = await change.locked("user", users, change.by.user_id)
    if not may_grant(asker["role"], role):
        raise Forbidden(f"Only somebody who is {role} may do this to an {role}.", place="role")


async def _keep_an_owner(change: Change, user_id: int) -> None:
    if not await change.tx.value("count_owners", user_id):
        raise Stale("This is the last owner; make somebody else an owner first.", place="role")


async def _shut_out(change: Change, user_id: int) -> None:
    for name in ("end_sessions_of_user", "end_tokens_of_user", "leave_all_teams"):
        await change.tx.execute(name, user_id)
