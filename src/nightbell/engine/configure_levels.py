"""This file changes the levels of escalation paths: whom each pages, and how long the next one waits."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from nightbell.core.directory import CHANNELS
from nightbell.core.errors import Invalid
from nightbell.core.journal import Actor
from nightbell.core.uuids import as_uuid
from nightbell.engine.changing import Change, Writer, missing, unknown
from nightbell.engine.checking_levels import check_channel, check_level
from nightbell.engine.checks import Checks
from nightbell.engine.configure_contacts import LONGEST_DELAY
from nightbell.engine.edits import LevelEdit
from nightbell.engine.policies import STRATEGY
from nightbell.store.read.listing import Record
from nightbell.store.read.policies import default_path, levels_of_path
from nightbell.store.tables import escalation_levels, escalation_paths

MOST_LEVELS = 20
MOST_TARGETS = 25
TEAM_MEMBERS = ("all", "admins", "escalate")
#: What a level may page now, and the query that says which of them do not exist.
_TARGETS = {"user": "users", "team": "teams", "service": "services", "schedule": "schedules"}


class Levels(Writer):
    """Changes levels."""

    async def create_level(
        self, policy_id: UUID | None, path_id: UUID | None, edit: LevelEdit, *, by: Actor, now: datetime
    ) -> UUID:
        """Add a level to a path, or to the default path of a policy; a taken position moves the others down.

        Raises: Problems naming the fields.
        """
        fields = {"targets": [], "settings": {}, **edit.sent()}
        _checked_level(Checks(fields), {})
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
            await _take_turns(change, key, fields["settings"])
        return key

    async def update_level(self, level_id: UUID, edit: LevelEdit, *, by: Actor, now: datetime) -> None:
        """Change a level; a taken position moves the others down."""
        fields = edit.sent()
        async with self.changing(by, now) as change:
            before = await change.locked("escalation_level", escalation_levels, level_id)
            _checked_level(Checks(fields), before)
            fields = merged(before, fields)
            await _take_turns(change, level_id, fields.get("settings", {}))
            await _check_targets(change, fields.get("targets") or [])
            if fields.get("position", before["position"]) != before["position"]:
                await _make_room(change, before["path_id"], fields["position"], level_id)
            await change.change("escalation_level", escalation_levels, level_id, fields)

    async def delete_level(self, level_id: UUID, *, by: Actor, now: datetime) -> None:
        """Forget a level; those behind it move up."""
        async with self.changing(by, now) as change:
            before = await change.remove("escalation_level", escalation_levels, level_id)
            await change.tx.execute("close_gap_of_level", before["path_id"], before["position"], now)


def _checked_level(checks: Checks, before: Mapping[str, Any]) -> None:
    checks.number("position", 1, MOST_LEVELS)
    checks.number("delay_minutes", 0, LONGEST_DELAY)
    targets = checks.sent.get("targets") or []
    if len(targets) > MOST_TARGETS:
        checks.wrong("targets", f"A level pages at most {MOST_TARGETS} targets.")
    for index, target in enumerate(targets):
        _check_target(checks, f"targets[{index}]", target)
    if not before or checks.sent.keys() & {"targets", "delay_minutes", "settings"}:
        settings = {**before.get("settings", {}), **(checks.sent.get("settings") or {})}
        check_level(checks, {**before, **checks.sent, "settings": settings})
    checks.done()
    fill(checks.sent, "delay_minutes", 0)
    fill(checks.sent, "settings", {})
    if "targets" in checks.sent:
        checks.sent["targets"] = [_plain_target(target) for target in targets]


def fill(fields: dict[str, Any], name: str, value: Any) -> None:
    """Put a value in place of a null that was sent."""
    if name in fields and fields[name] is None:
        fields[name] = value


def _check_target(checks: Checks, place: str, target: dict[str, Any]) -> None:
    kind = target.get("type")
    if kind in CHANNELS:
        check_channel(checks, place, target)
    elif kind == "microsoft_teams_channel":
        hint = "give it to somebody as a contact method of kind teams"
        checks.wrong(f"{place}.type", "A Teams channel has no id that can be written to.", hint=hint)
    elif kind not in _TARGETS:
        checks.wrong(f"{place}.type", f"Type must be one of: {', '.join((*_TARGETS, *CHANNELS))}")
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
    known = target["type"] in CHANNELS
    return {
        "type": target["type"],
        "id": target["id"] if known else str(_target_key(target)),
        "team_members": None if known else target.get("team_members") or None,
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


def merged(before: Record, fields: dict[str, Any]) -> dict[str, Any]:
    """Return what was sent, with the settings that were not."""
    if "settings" not in fields:
        return fields
    return {**fields, "settings": {**before["settings"], **fields["settings"]}}


async def _take_turns(change: Change, level_id: UUID, settings: dict[str, Any]) -> None:
    """Keep a pointer for a level that goes round by alert: what is there can be locked, whoever comes first."""
    if settings.get(STRATEGY) == "alert":
        await change.tx.execute("keep_turns", level_id, change.now)


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
