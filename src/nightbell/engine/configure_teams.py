"""This file changes teams, services and urgencies."""

import re
from datetime import datetime
from typing import Any
from uuid import UUID

from nightbell.core.errors import Stale
from nightbell.core.journal import Actor
from nightbell.engine.changing import Change, Writer, must_exist
from nightbell.engine.checking_paths import check_hold
from nightbell.engine.checks import Checks
from nightbell.engine.configure_incidents import seed_catalogs
from nightbell.engine.edits import ServiceEdit, TeamEdit, UrgencyEdit
from nightbell.engine.ids import new_id
from nightbell.store.db import Db
from nightbell.store.tables import services, teams, urgencies

_COLOR = re.compile(r"#[0-9a-fA-F]{3,8}")
SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
_CHANNEL = re.compile(r"[CG][A-Z0-9]{6,20}")
_NOT_SLUG = re.compile(r"[^a-z0-9]+")
_NOBODY = UUID(int=0)

#: What every installation begins with: name, description, position, color.
_FIRST_URGENCIES = (
    ("High", "Wakes people", 1, "#E02424"),
    ("Medium", "Can wait for the morning", 2, "#F59E0B"),
    ("Low", "For information", 3, "#1C64F2"),
)


async def seed(db: Db, now: datetime) -> None:
    """Fill what an installation cannot be without; does nothing where anything is there already."""
    async with db.tx() as tx:
        empty = not await tx.value("any_urgency")
        for first in _FIRST_URGENCIES:
            await tx.execute("seed_urgency", new_id(now), *first, now, empty)
        await seed_catalogs(tx, now)
        if empty:
            await tx.execute("bump_configuration")


class Teams(Writer):
    """Changes teams, services and urgencies."""

    async def create_team(self, edit: TeamEdit, *, by: Actor, now: datetime) -> UUID:
        """Add a team. Raises: Problems naming the fields."""
        sent = edit.sent()
        checks = Checks(sent)
        checks.required("name")
        fields, members = _checked_team(checks)
        async with self.changing(by, now) as change:
            await _check_policy(change, fields)
            fields["slug"] = fields.get("slug") or await free_slug(change, "team", fields["name"])
            key: UUID = await change.add("team", teams, fields, **members)
            await _fill(change, key, members, {"user_ids": [], "admin_ids": []})
        return key

    async def update_team(self, team_id: UUID, edit: TeamEdit, *, by: Actor, now: datetime) -> None:
        """Change a team; members that were sent replace those there were."""
        fields, members = _checked_team(Checks(edit.sent()))
        async with self.changing(by, now) as change:
            await _check_policy(change, fields)
            await change.change("team", teams, team_id, fields, **members)
            if members:
                now_in = await change.tx.rows("read_team_members", [team_id])
                before = {
                    "user_ids": [m["user_id"] for m in now_in],
                    "admin_ids": [m["user_id"] for m in now_in if m["is_admin"]],
                }
                await _fill(change, team_id, members, before)

    async def delete_team(self, team_id: UUID, *, by: Actor, now: datetime) -> None:
        """Forget a team; its people and services stay."""
        async with self.changing(by, now) as change:
            await change.remove("team", teams, team_id)

    async def create_service(self, edit: ServiceEdit, *, by: Actor, now: datetime) -> UUID:
        """Add a service. Raises: Problems naming the fields."""
        checks = Checks(edit.sent())
        checks.required("name")
        fields, owners = _checked_service(checks)
        async with self.changing(by, now) as change:
            await _check_policy(change, fields)
            fields["slug"] = fields.get("slug") or await free_slug(change, "service", fields["name"])
            key: UUID = await change.add("service", services, fields, **owners)
            await _own(change, key, owners)
        return key

    async def update_service(self, service_id: UUID, edit: ServiceEdit, *, by: Actor, now: datetime) -> None:
        """Change a service; owners that were sent replace those there were."""
        fields, owners = _checked_service(Checks(edit.sent()))
        async with self.changing(by, now) as change:
            await _check_policy(change, fields)
            await change.change("service", services, service_id, fields, **owners)
            await _own(change, service_id, owners)

    async def delete_service(self, service_id: UUID, *, by: Actor, now: datetime) -> None:
        """Forget a service."""
        async with self.changing(by, now) as change:
            await change.remove("service", services, service_id)

    async def create_urgency(self, edit: UrgencyEdit, *, by: Actor, now: datetime) -> UUID:
        """Add an urgency, below those there are unless a position is given."""
        fields = {"description": "", **edit.sent()}
        checks = Checks(fields)
        checks.required("name")
        _checked_urgency(checks)
        async with self.changing(by, now) as change:
            fields.setdefault("position", await change.tx.value("next_urgency_position"))
            key: UUID = await change.add("urgency", urgencies, fields)
        return key

    async def update_urgency(self, urgency_id: UUID, edit: UrgencyEdit, *, by: Actor, now: datetime) -> None:
        """Change an urgency."""
        fields = edit.sent()
        _checked_urgency(Checks(fields))
        async with self.changing(by, now) as change:
            await change.change("urgency", urgencies, urgency_id, fields)

    async def delete_urgency(self, urgency_id: UUID, *, by: Actor, now: datetime) -> None:
        """Forget an urgency. Raises: Stale for the last one: every alert needs one."""
        async with self.changing(by, now) as change:
            await change.remove("urgency", urgencies, urgency_id)
            if not await change.tx.value("any_urgency"):
                raise Stale("This is the last urgency; every alert needs one.")


def _checked_team(checks: Checks) -> tuple[dict[str, Any], dict[str, Any]]:
    _checked_noun(checks)
    if checks.sent.get("incident_broadcast_enabled", False) is None:
        checks.sent["incident_broadcast_enabled"] = False
    checks.that("incident_broadcast_channel", _channel_problem)
    checks.done()
    both = ("user_ids", "admin_ids")
    members: dict[str, Any] = {name: checks.sent.pop(name) or [] for name in both if name in checks.sent}
    return checks.sent, members


def _channel_problem(channel: dict[str, Any]) -> str:
    known = isinstance(channel.get("id"), str) and set(channel) <= {"id", "name"}
    good = known and _CHANNEL.fullmatch(channel["id"]) and isinstance(channel.get("name", ""), str)
    return "" if good else 'A channel of Slack is like {"id": "C0123ABCD", "name": "incidents"}.'


def _checked_service(checks: Checks) -> tuple[dict[str, Any], dict[str, Any]]:
    _checked_noun(checks)
    checks.done()
    owners = (
        {"owner_team_ids": checks.sent.pop("owner_team_ids") or []} if "owner_team_ids" in checks.sent else {}
    )
    return checks.sent, owners


async def _check_policy(change: Change, fields: dict[str, Any]) -> None:
    """Refuse a policy there is not.

    One without levels may be attached: Rootly's Terraform provider makes the levels after the service. Until they are
    there its run reaches no one, which pages the people of last resort and is flagged on every page that names it.
    """
    policy_id = fields.get("escalation_policy_id")
    if policy_id is not None:
        await must_exist(change, "policies", "escalation_policy_id", [policy_id])


def _checked_noun(checks: Checks) -> None:
    checks.text("name")
    checks.text("description", longest=10_000, empty=True)
    if checks.sent.get("slug") == "":
        del checks.sent["slug"]
    checks.that(
        "slug", lambda s: "" if SLUG.fullmatch(s) else "Slug: lower-case letters, digits, - and _ only."
    )
    _checked_color(checks)


def _checked_urgency(checks: Checks) -> None:
    checks.text("name", longest=100)
    checks.text("description", longest=1_000, empty=True)
    if checks.sent.get("description", "") is None:
        checks.sent["description"] = ""
    checks.number("position", 1, 1_000)
    check_hold(checks, checks.sent.get("retrigger_timeout_minutes"))
    _checked_color(checks)
    checks.done()


def _checked_color(checks: Checks) -> None:
    if checks.sent.get("color") == "":
        checks.sent["color"] = None
    checks.that("color", lambda c: "" if _COLOR.fullmatch(c) else "Color must be like #047BF8.")


async def free_slug(change: Change, item: str, name: str) -> str:
    """Return a slug for a name that no other thing of its kind has."""
    base = _NOT_SLUG.sub("-", name.lower()).strip("-")[:80] or item
    for number in range(1, 1_000):
        slug = base if number == 1 else f"{base}-{number}"
        if not await change.tx.value(f"slug_taken_{item}", slug, _NOBODY):
            return slug
    raise Stale(f"A thousand {item}s are called {base}.", place="name")


async def _fill(change: Change, team_id: UUID, members: dict[str, Any], before: dict[str, list[int]]) -> None:
    if not members:
        return
    chosen = {**before, **members}
    # Sending members alone keeps the administrators that are still among them; an administrator is always a member.
    admins = [u for u in chosen["admin_ids"] if "admin_ids" in members or u in chosen["user_ids"]]
    everyone = list(dict.fromkeys([*chosen["user_ids"], *admins]))
    await must_exist(change, "users", "user_ids", everyone)
    await change.tx.execute("clear_team_members", team_id)
    for user_id in everyone:
        await change.tx.execute("add_team_member", team_id, user_id, user_id in admins, change.now)


async def _own(change: Change, service_id: UUID, owners: dict[str, Any]) -> None:
    if not owners:
        return
    await must_exist(change, "teams", "owner_team_ids", owners["owner_team_ids"])
    await change.tx.execute("clear_service_teams", service_id)
    for team_id in dict.fromkeys(owners["owner_team_ids"]):
        await change.tx.execute("add_service_team", service_id, team_id, change.now)
