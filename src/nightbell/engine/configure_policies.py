"""This file changes escalation policies and their paths.

Rule 1: a policy has exactly one default path from its first moment to its last (rootly.md 2.1).
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from nightbell.core.errors import Invalid
from nightbell.core.journal import Actor
from nightbell.engine import windows
from nightbell.engine.changing import Change, Writer, must_exist
from nightbell.engine.checking_settings import check_settings
from nightbell.engine.checks import Checks
from nightbell.engine.configure_contacts import LONGEST_DELAY, LOUDNESS
from nightbell.engine.configure_levels import fill, merged
from nightbell.engine.edits import PathEdit, PolicyEdit
from nightbell.store.read.policies import default_path, levels_of_path
from nightbell.store.tables import escalation_levels, escalation_paths, escalation_policies

#: -1 goes round until somebody acknowledges (core/escalation.FOREVER).
REPEATS = (-1, 9)


class Policies(Writer):
    """Changes policies and paths."""

    async def create_policy(self, edit: PolicyEdit, *, by: Actor, now: datetime) -> UUID:
        """Add a policy and its default path, which has no levels yet. Raises: Problems naming the fields."""
        checks = Checks(edit.sent())
        checks.required("name")
        fields, links = _checked_policy(checks)
        async with self.changing(by, now) as change:
            key: UUID = await change.add(
                "escalation_policy", escalation_policies, {**fields, "created_by": by.user_id}, **links
            )
            await change.add("escalation_path", escalation_paths, _default_path(key))
            await _link(change, key, links)
        return key

    async def update_policy(self, policy_id: UUID, edit: PolicyEdit, *, by: Actor, now: datetime) -> None:
        """Change a policy. A climb under way keeps the copy it began with."""
        fields, links = _checked_policy(Checks(edit.sent()))
        async with self.changing(by, now) as change:
            await change.change("escalation_policy", escalation_policies, policy_id, fields, **links)
            await _link(change, policy_id, links)

    async def delete_policy(self, policy_id: UUID, *, by: Actor, now: datetime) -> None:
        """Forget a policy with its paths and levels; teams and services then have none."""
        async with self.changing(by, now) as change:
            await change.remove("escalation_policy", escalation_policies, policy_id)

    # ------------------------------------------------------------ paths

    async def create_path(self, policy_id: UUID, edit: PathEdit, *, by: Actor, now: datetime) -> UUID:
        """Add a path. A default one takes the place of the untouched default that came with the policy.

        Raises: Problems naming the fields; also when the default path has levels already (rootly.md 4c).
        """
        fields = edit.sent()
        checks = Checks(fields)
        checks.required("name")
        _checked_path(checks)
        async with self.changing(by, now) as change:
            policy = await change.locked("escalation_policy", escalation_policies, policy_id)
            await check_settings(change, policy, fields.get("settings", {}), fields.get("is_default", False))
            if fields.get("is_default"):
                return await _adopt(change, policy_id, fields)
            following = await change.tx.value("next_path_position", policy_id)
            path = {"position": following, **fields, "policy_id": policy_id}
            key: UUID = await change.add("escalation_path", escalation_paths, path)
        return key

    async def update_path(self, path_id: UUID, edit: PathEdit, *, by: Actor, now: datetime) -> None:
        """Change a path. Which one is the default is settled when the policy is made."""
        fields = edit.sent()
        _checked_path(Checks(fields))
        async with self.changing(by, now) as change:
            before = await change.locked("escalation_path", escalation_paths, path_id)
            fields = merged(before, fields)
            if "settings" in fields:
                policy = await change.locked("escalation_policy", escalation_policies, before["policy_id"])
                await check_settings(change, policy, fields["settings"], before["is_default"], own=path_id)
            if fields.get("is_default", before["is_default"]) != before["is_default"]:
                raise Invalid(
                    "The default path of a policy cannot be changed for another.", place="is_default"
                )
            await change.change("escalation_path", escalation_paths, path_id, fields)

    async def delete_path(self, path_id: UUID, *, by: Actor, now: datetime) -> None:
        """Forget a path and its levels. The default path stays as long as its policy: emptied instead."""
        async with self.changing(by, now) as change:
            before = await change.locked("escalation_path", escalation_paths, path_id)
            if not before["is_default"]:
                await change.remove("escalation_path", escalation_paths, path_id)
                return
            for level in await levels_of_path(change.tx, path_id):
                await change.remove("escalation_level", escalation_levels, level["id"])


def _default_path(policy_id: UUID) -> dict[str, Any]:
    return {"policy_id": policy_id, "name": "Default", "is_default": True, "settings": {}}


def _checked_policy(checks: Checks) -> tuple[dict[str, Any], dict[str, Any]]:
    checks.text("name")
    checks.text("description", longest=10_000, empty=True)
    checks.number("repeat_count", *REPEATS)
    windows.business(checks, "business_hours", checks.sent.get("business_hours"))
    checks.done()
    both = ("team_ids", "service_ids")
    links: dict[str, Any] = {name: checks.sent.pop(name) for name in both if name in checks.sent}
    if checks.sent.get("repeat_count", 0) is None:
        checks.sent["repeat_count"] = 0
    return checks.sent, links


async def _link(change: Change, policy_id: UUID, links: dict[str, Any]) -> None:
    for field, kind, name in (
        ("team_ids", "teams", "link_teams"),
        ("service_ids", "services", "link_services"),
    ):
        if field in links:
            await must_exist(change, kind, field, links[field])
            await change.tx.execute(name, policy_id, links[field] or [], change.now)


def _checked_path(checks: Checks) -> None:
    checks.text("name")
    checks.choice("loudness", LOUDNESS)
    checks.number("position", 1, 1_000)
    checks.number("repeat_count", *REPEATS)
    checks.number("initial_delay_minutes", 0, LONGEST_DELAY)
    checks.done()
    fill(checks.sent, "initial_delay_minutes", 0)
    fill(checks.sent, "settings", {})


async def _adopt(change: Change, policy_id: UUID, fields: dict[str, Any]) -> UUID:
    """Turn the default path that came with the policy into the one that was asked for."""
    existing = await default_path(change.tx, policy_id)
    if existing is None:
        key: UUID = await change.add("escalation_path", escalation_paths, {**fields, "policy_id": policy_id})
        return key
    if await levels_of_path(change.tx, existing["id"]):
        raise Invalid("The policy has a default path with levels already.", place="is_default")
    found: UUID = existing["id"]
    await change.change("escalation_path", escalation_paths, found, merged(existing, fields))
    return found
