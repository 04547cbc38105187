"""This file changes heartbeats.

Rule 1: whoever deletes one, switches it over or changes its interval also ends its alert: what was pending is off.
"""

import secrets
from datetime import datetime
from typing import Any
from uuid import UUID

from nightbell.core import heartbeat as rules
from nightbell.core.errors import Invalid
from nightbell.core.journal import Actor
from nightbell.core.labels import parse_matchers
from nightbell.core.routing import TYPES
from nightbell.engine.beating import call_off, hashed, stored
from nightbell.engine.changing import Change, Writer, must_exist, unknown
from nightbell.engine.checks import Checks
from nightbell.engine.configure_sources import target_must_exist
from nightbell.engine.directory import Directories
from nightbell.engine.edits import HeartbeatEdit
from nightbell.store.watch_tables import heartbeats

#: A change of these starts it anew: nothing was heard yet of what it is now.
_ANEW = ("interval_count", "interval_unit", "enabled")
_AGAIN: dict[str, Any] = {"status": "waiting", "expires_at": None, "wake_at": None}
_NEW: dict[str, Any] = {"grace_seconds": 0, "enabled": False, "matchers": "", "owner_team_ids": []}


class Heartbeats(Writer):
    """Changes heartbeats."""

    async def create_heartbeat(self, edit: HeartbeatEdit, *, by: Actor, now: datetime) -> UUID:
        """Make a heartbeat that waits for its first beat. Raises: Problems naming the fields."""
        checks = Checks({**_NEW, **edit.sent()})
        checks.required("name", "alert_summary", "interval_count", "interval_unit", "target")
        _checked(checks)
        checks.done()
        secret = secrets.token_hex(32)
        values = {
            **checks.sent,
            "secret_hash": hashed(secret),
            "sealed": self.vault.seal(secret),
            "mail_name": f"heartbeat-{secrets.token_hex(8)}",
        }
        async with self.changing(by, now) as change:
            await _check_references(change, checks.sent)
            await change.tx.execute("keep_heartbeat_source", rules.SOURCE_ID, now)
            key: UUID = await change.add("heartbeat", heartbeats, values, **_secret_parts())
        return key

    async def update_heartbeat(
        self, heartbeat_id: UUID, edit: HeartbeatEdit, *, by: Actor, now: datetime
    ) -> None:
        """Change a heartbeat; another interval or switch starts it anew. Raises: Problems naming the fields."""
        async with self.changing(by, now) as change:
            before = await change.locked("heartbeat", heartbeats, heartbeat_id)
            checks = Checks(edit.sent())
            _checked(checks)
            checks.done()
            fields = checks.sent
            await _check_references(change, fields)
            if any(name in fields and fields[name] != before[name] for name in _ANEW):
                await self._call_off(change, before)
                fields = {**fields, **_AGAIN}
            elif before["wake_at"] and "grace_seconds" in fields:
                after = stored({**before, **fields})
                fields = {**fields, "wake_at": after.wake_at}
            await change.change("heartbeat", heartbeats, heartbeat_id, fields)

    async def delete_heartbeat(self, heartbeat_id: UUID, *, by: Actor, now: datetime) -> None:
        """Forget a heartbeat and end its alert."""
        async with self.changing(by, now) as change:
            before = await change.remove("heartbeat", heartbeats, heartbeat_id)
            await self._call_off(change, before)

    async def rotate_heartbeat_secret(self, heartbeat_id: UUID, *, by: Actor, now: datetime) -> str:
        """Return a new secret; the one before it no longer works."""
        secret = secrets.token_hex(32)
        values = {"secret_hash": hashed(secret), "sealed": self.vault.seal(secret)}
        async with self.changing(by, now) as change:
            before = await change.locked("heartbeat", heartbeats, heartbeat_id)
            await change.tx.execute("new_heartbeat_secret", heartbeat_id, *values.values(), now)
            await change.note("heartbeat.secret_rotated", "heartbeat", heartbeat_id, name=before["name"])
        return secret

    async def reveal_heartbeat_secret(self, heartbeat_id: UUID) -> str:
        """Return the secret of a heartbeat in clear. The caller has checked that the asker may see it."""
        sealed = await self.db.value("heartbeat_sealed", heartbeat_id)
        if sealed is None:
            unknown("heartbeat", heartbeat_id)
        return self.vault.open(sealed)

    async def _call_off(self, change: Change, before: dict[str, Any]) -> None:
        directory = await Directories().current(change.tx)
        await call_off(change.tx, stored(before), directory, change.by, change.now)


def _secret_parts() -> dict[str, str]:
    """Return what the audit log shows in the place of what nobody may read there."""
    return {"secret_hash": "hidden", "sealed": "hidden", "mail_name": "hidden"}


def _checked(checks: Checks) -> None:
    checks.text("name")
    for name in ("alert_summary", "description", "alert_description"):
        checks.text(name, longest=10_000 if name != "alert_summary" else 255, empty=name != "alert_summary")
    checks.number("interval_count", 1, 1000)
    checks.choice("interval_unit", rules.UNITS)
    checks.number("grace_seconds", 0, 604_800)
    checks.text("matchers", longest=2_000, empty=True)
    checks.that("matchers", _matchers_problem)
    for name, empty in (("matchers", ""), ("owner_team_ids", []), ("grace_seconds", 0), ("enabled", False)):
        if name in checks.sent and checks.sent[name] is None:
            checks.sent[name] = empty
    _check_target(checks)


def _matchers_problem(text: str) -> str:
    try:
        found = parse_matchers(text)
    except Invalid as error:
        return f"{error.message} {error.hint}".strip()
    return "" if found else "These matchers match everything."


def _check_target(checks: Checks) -> None:
    target = checks.sent.get("target")
    if target is None:
        return
    kind = TYPES.get(str(target.get("type") or "").lower())
    if kind in (None, "Functionality") or not target.get("id"):
        checks.wrong("target", "A target has a type (User, Group, EscalationPolicy or Service) and an id.")
    else:
        checks.sent["target"] = {"type": kind, "id": str(target["id"])}


async def _check_references(change: Change, fields: dict[str, Any]) -> None:
    await must_exist(change, "teams", "owner_team_ids", fields.get("owner_team_ids"))
    if fields.get("urgency_id"):
        await must_exist(change, "urgencies", "urgency_id", [fields["urgency_id"]])
    if target := fields.get("target"):
        await target_must_exist(change, "target", target["type"], target["id"])
