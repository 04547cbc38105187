"""This file changes escalation policies, their paths and their levels.

Rule 1: a policy has exactly one default path from its first moment to its last (rootly.md 2.1).
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from nightbell.core.errors import Invalid
from nightbell.core.journal import Actor
from nightbell.engine.changing import Change, Checks, Writer, missing, must_exist, unknown
from nightbell.engine.configure_people import LONGEST_DELAY, LOUDNESS
from nightbell.engine.edits import LevelEdit, PathEdit, PolicyEdit
from nightbell.store.read.listing import Record, as_uuid
from nightbell.store.read.policies import default_path, levels_of_path
from nightbell.store.tables import escalation_levels, escalation_paths, escalation_policies

MOST_LEVELS = 20
MOST_TARGETS = 25
MOST_REPEATS = 9
TEAM_MEMBERS = ("all", "admins", "escalate")
#: What a level may page now, and the query that says which of them do not exist.
_TARGETS = {"user": "users", "team": "teams", "service": "services"}
_LATER = ("schedule", "slack_channel", "microsoft_teams_channel")


class Policies(Writer):
    """Changes policies, paths and levels."""

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
            await change.locked("escalation_policy", escalation_policies, policy_id)
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
            if fields.get("is_default", before["is_default"]) != before["is_default"]:
                raise Invalid(
                    "The default path of a policy cannot be changed for another.", place="is_default"
                )
            await change.change("escalation_path", escalation_paths, path_id, _merged(before, fields))

    async def delete_path(self, path_id: UUID, *, by: Actor, now: datetime) -> None:
        """Forget a path and its levels. The default path stays as long as its policy: emptied instead."""
        async with self.changing(by, now) as change:
            before = await change.locked("escalation_path", escalation_paths, path_id)
            if not before["is_default"]:
                await change.remove("escalation_path", escalation_paths, path_id)
                return
            for level in await levels_of_path(change.tx, path_id):
                await change.remove("escalation_level", escalation_levels, level["id"])

    # ------------------------------------------------------------ levels

    async def create_level(
        self, policy_id: UUID | None, path_id: UUID | None, edit: LevelEdit, *, by: Actor, now: datetime
    ) -> UUID:
        """Add a level to a path, or to the default path of a policy; a taken position moves the others down.

        Raises: Problems naming the fields.
        """
        fields = {"targets": [], **edit.sent()}
        checks = Checks(fields)
        checks.required("targets")
        _checked_level(checks)
        async with self.changing(by, now) as change:
            path = await _path(change, policy_id, path_id)
            await _check_targets(change, fields["targets"])
            count = len(await levels_of_path(change.tx, path["id"]))
            if count >= MOST_LEVELS:
                raise Invalid(f"A path has at most {MOST_LEVELS} levels.", place="position")
            fields.setdefault("position", await change.tx.value("next_level_position", path["id"]))
            await _make_room(change, path["id"], fields["position"], UUID(int=0))
            key: UUID = await change.add(
                "escalation_level", escalation_levels, {**fields, "path_id": path["id"]}
            )
        return key

    async def update_level(self, level_id: UUID, edit: LevelEdit, *, by: Actor, now: datetime) -> None:
        """Change a level; a taken position moves the others down."""
        fields = edit.sent()
        _checked_level(Checks(fields))
        async with self.changing(by, now) as change:
            before = await change.locked("escalation_level", escalation_levels, level_id)
            await _check_targets(change, fields.get("targets") or [])
            if fields.get("position", before["position"]) != before["position"]:
                await _make_room(change, before["path_id"], fields["position"], level_id)
            await change.change("escalation_level", escalation_levels, level_id, _merged(before, fields))

    async def delete_level(self, level_id: UUID, *, by: Actor, now: datetime) -> None:
        """Forget a level; those behind it move up."""
        async with self.changing(by, now) as change:
            before = await change.remove("escalation_level", escalation_levels, level_id)
            await change.tx.execute("close_gap_of_level", before["path_id"], before["position"], now)


def _default_path(policy_id: UUID) -> dict[str, Any]:
    return {"policy_id": policy_id, "name": "Default", "is_default": True, "settings": {}}


def _checked_policy(checks: Checks) -> tuple[dict[str, Any], dict[str, Any]]:
    checks.text("name")
    checks.text("description", longest=10_000, empty=True)
    checks.number("repeat_count", 0, MOST_REPEATS)
    checks.done()
    links = {name: checks.sent.pop(name) for name in ("team_ids", "service_ids") if name in checks.sent}
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
    checks.number("repeat_count", 0, MOST_REPEATS)
    checks.number("initial_delay_minutes", 0, LONGEST_DELAY)
    checks.done()
    _empty(checks.sent, "initial_delay_minutes", 0)
    _empty(checks.sent, "settings", {})


def _checked_level(checks: Checks) -> None:
    checks.number("position", 1, MOST_LEVELS)
    checks.number("delay_minutes", 0, LONGEST_DELAY)
    targets = checks.sent.get("targets") or []
    if len(targets) > MOST_TARGETS:
        checks.wrong("targets", f"A level pages at most {MOST_TARGETS} targets.")
    for index, target in enumerate(targets):
        _check_target(checks, f"targets[{index}]", target)
    checks.done()
    _empty(checks.sent, "delay_minutes", 0)
    _empty(checks.sent, "settings", {})
    if "targets" in checks.sent:
        checks.sent["targets"] = [_plain_target(target) for target in targets]


def _empty(fields: dict[str, Any], name: str, value: Any) -> None:
    if name in fields and fields[name] is None:
        fields[name] = value


def _check_target(checks: Checks, place: str, target: dict[str, Any]) -> None:
    kind = target.get("type")
    if kind in _LATER:
        checks.wrong(f"{place}.type", f"There is no {str(kind).replace('_', ' ')} {target.get('id')}.")
    elif kind not in _TARGETS:
        checks.wrong(f"{place}.type", f"Type must be one of: {', '.join(_TARGETS)}")
    if target.get("team_members") not in (None, "", *TEAM_MEMBERS):
        checks.wrong(f"{place}.team_members", f"Team members must be one of: {', '.join(TEAM_MEMBERS)}")
    if _target_key(target) is None and kind in _TARGETS:
        checks.wrong(f"{place}.id", f"There is no {kind} {target.get('id')}.")


def _target_key(target: dict[str, Any]) -> UUID | int | None:
    text = str(target.get("id", ""))
    if target.get("type") == "user":
        return int(text) if text.isdecimal() and len(text) < 10 else None
    return as_uuid(text)


def _plain_target(target: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": target["type"],
        "id": str(_target_key(target)),
        "team_members": target.get("team_members") or None,
    }


async def _check_targets(change: Change, targets: list[dict[str, Any]]) -> None:
    for kind, query in _TARGETS.items():
        asked = [_target_key(target) for target in targets if target["type"] == kind]
        absent = await missing(change, query, asked)
        if absent:
            place = next(
                i for i, t in enumerate(targets) if t["type"] == kind and _target_key(t) == absent[0]
            )
            raise Invalid(f"There is no {kind} {absent[0]}.", place=f"targets[{place}].id")


async def _adopt(change: Change, policy_id: UUID, fields: dict[str, Any]) -> UUID:
    """Turn the default path that came with the policy into the one that was asked for."""
    existing = await default_path(change.tx, policy_id)
    if existing is None:
        key: UUID = await change.add("escalation_path", escalation_paths, {**fields, "policy_id": policy_id})
        return key
    if await levels_of_path(change.tx, existing["id"]):
        raise Invalid("The policy has a default path with levels already.", place="is_default")
    found: UUID = existing["id"]
    await change.change("escalation_path", escalation_paths, found, _merged(existing, fields))
    return found


def _merged(before: Record, fields: dict[str, Any]) -> dict[str, Any]:
    """Keep the settings that were not sent."""
    if "settings" not in fields:
        return fields
    return {**fields, "settings": {**before["settings"], **fields["settings"]}}


async def _path(change: Change, policy_id: UUID | None, path_id: UUID | None) -> Record:
    if path_id is None and policy_id is not None:
        default = await default_path(change.tx, policy_id)
        path_id = default["id"] if default else unknown("escalation_policy", policy_id)
    path = await change.locked("escalation_path", escalation_paths, path_id or UUID(int=0))
    if policy_id is not None and path["policy_id"] != policy_id:
        raise Invalid("The path belongs to another policy.", place="path_id")
    return path


async def _make_room(change: Change, path_id: UUID, position: int, own: UUID) -> None:
    await change.tx.execute("make_room_for_level", path_id, position, own, change.now)
