"""This file changes sources and their secrets.

Rule 1: a secret is kept as a hash that lets senders in and as a sealed copy that people may see; nowhere in clear.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from nightbell.core import patterns
from nightbell.core.errors import Invalid
from nightbell.core.journal import Actor
from nightbell.core.routing import TYPES
from nightbell.core.uuids import as_uuid
from nightbell.engine.changing import Change, Writer, must_exist, unknown
from nightbell.engine.checking_paths import check_hold
from nightbell.engine.checking_wording import check_wording
from nightbell.engine.checks import Checks
from nightbell.engine.edits import SourceEdit
from nightbell.engine.jsonpath import path_problem
from nightbell.store.read.sources import source as read_source
from nightbell.store.tables import source_secrets, sources

IDENTITIES = ("group", "alertname", "fingerprint", "key")
URGENCY_OPERATORS = ("is", "is_not", "contains", "does_not_contain")
#: How long the former secret still works, unless somebody says otherwise.
GRACE = timedelta(hours=24)
LONGEST_GRACE = timedelta(days=30)
_MOST_RULES = 100
#: Those that Rootly knows: its clients cannot read a list in which another stands (rootly.md 4a).
TYPES_OF_SOURCES = (
    "alertmanager", "app_dynamics", "app_optics", "aws_sns", "azure", "bug_snag", "catchpoint", "checkly", "chronosphere",
    "cloud_watch", "cloudflare", "datadog", "dynatrace", "email", "generic_webhook", "google_cloud", "grafana", "honeycomb",
    "monte_carlo", "nagios", "new_relic", "prtg", "sentry", "splunk",
)  # fmt: skip


class Sources(Writer):
    """Changes sources and their secrets."""

    async def create_source(self, edit: SourceEdit, *, by: Actor, now: datetime) -> tuple[UUID, str]:
        """Add a source; return its id and its secret, 64 hex digits. Raises: Problems naming the fields."""
        fields = {"type": "alertmanager", "identity": "group", **edit.sent()}
        checks = Checks(fields)
        checks.required("name", "type")
        _checked_source(checks)
        async with self.changing(by, now) as change:
            await _check_references(change, fields)
            key: UUID = await change.add("source", sources, fields)
            _, secret = await self._new_secret(change, key)
        return key, secret

    async def update_source(self, source_id: UUID, edit: SourceEdit, *, by: Actor, now: datetime) -> None:
        """Change a source; settings are merged key by key."""
        sent = edit.sent()
        async with self.changing(by, now) as change:
            before = await change.locked("source", sources, source_id)
            path = sent.get("dedup_path", before["dedup_path"])
            checks = Checks({"identity": before["identity"], **sent, "dedup_path": path})
            _checked_source(checks)
            fields = checks.sent
            if "settings" in fields:
                fields["settings"] = {**before["settings"], **fields["settings"]}
            await _check_references(change, fields)
            await change.change("source", sources, source_id, fields)

    async def delete_source(self, source_id: UUID, *, by: Actor, now: datetime) -> None:
        """Forget a source and its secrets: its senders get 401 from now on. Its alerts stay."""
        async with self.changing(by, now) as change:
            await change.remove("source", sources, source_id)

    async def rotate_secret(
        self, source_id: UUID, *, by: Actor, now: datetime, grace: timedelta = GRACE
    ) -> str:
        """Return a new secret; the present one works until `grace` is over, any older one no longer.

        Raises: Invalid for a grace that is negative or longer than a month.
        """
        if not timedelta(0) <= grace <= LONGEST_GRACE:
            raise Invalid(f"Grace must be from 0 to {LONGEST_GRACE.days} days.", place="grace_minutes")
        async with self.changing(by, now) as change:
            await change.locked("source", sources, source_id)
            await change.tx.execute("forget_expiring_secrets", source_id)
            key, secret = await self._new_secret(change, source_id)
            await change.tx.execute("expire_secrets", source_id, key, now + grace, now)
            await change.note("source.secret_rotated", "source", source_id, old_valid_until=now + grace)
        return secret

    async def reveal_secret(self, source_id: UUID, *, now: datetime) -> str:
        """Return the present secret of a source in clear. The caller has checked that the asker may see it."""
        found = await read_source(self.db, source_id, now)
        if found is None or not found["secrets"]:
            unknown("source", source_id)
        return self.vault.open(found["secrets"][0]["sealed"])

    async def _new_secret(self, change: Change, source_id: UUID) -> tuple[UUID, str]:
        secret = secrets.token_hex(32)
        row = {
            "source_id": source_id,
            "secret_hash": secret_hash(secret),
            "sealed": self.vault.seal(secret),
            "last_four": secret[-4:],
            "expires_at": None,
        }
        return await change.add("source_secret", source_secrets, row), secret


def secret_hash(secret: str) -> bytes:
    """Return what a sender's secret is looked up by. It has 256 random bits: no slow hash is needed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _checked_source(checks: Checks) -> None:
    checks.text("name")
    checks.choice("type", TYPES_OF_SOURCES)
    checks.choice("identity", IDENTITIES)
    for field in ("dedup_path", "dedup_regexp"):
        checks.text(field, longest=500, empty=True)
        checks.sent[field] = checks.sent.get(field) or None
    checks.that("dedup_path", path_problem)
    checks.that("dedup_regexp", patterns.problem)
    if checks.sent.get("identity") == "key":
        checks.required("dedup_path")
    _check_urgency_rules(checks)
    _check_default_target(checks)
    check_hold(checks, (checks.sent.get("settings") or {}).get("retrigger_timeout_minutes"))
    check_wording(checks)
    checks.done()
    for name, value in (("settings", {}), ("owner_team_ids", []), ("urgency_rules", [])):
        if name in checks.sent and checks.sent[name] is None:
            checks.sent[name] = value


def _check_urgency_rules(checks: Checks) -> None:
    rules = checks.sent.get("urgency_rules") or []
    if len(rules) > _MOST_RULES:
        checks.wrong("urgency_rules", f"At most {_MOST_RULES} rules.")
    for index, rule in enumerate(rules):
        place = f"urgency_rules[{index}]"
        if problem := path_problem(rule.get("json_path")):
            checks.wrong(f"{place}.json_path", problem)
        if rule.get("operator") not in URGENCY_OPERATORS:
            checks.wrong(f"{place}.operator", f"Operator must be one of: {', '.join(URGENCY_OPERATORS)}")
        if not isinstance(rule.get("value"), str):
            checks.wrong(f"{place}.value", "Value must be a text")
        if as_uuid(str(rule.get("urgency_id"))) is None:
            checks.wrong(f"{place}.urgency_id", "There is no such urgency.")
        asked = [rule.get(name) for name in ("json_path", "operator", "value")]
        if asked in [[one.get(name) for name in ("json_path", "operator", "value")] for one in rules[:index]]:
            checks.wrong(place, "A rule above asks the same, and the first counts: this can never match.")


def _check_default_target(checks: Checks) -> None:
    target = checks.sent.get("default_target")
    if target is None:
        return
    kind = TYPES.get(str(target.get("type", "")).lower())
    if kind in (None, "Functionality") or not target.get("id"):
        checks.wrong(
            "default_target", "A target has a type (User, Group, EscalationPolicy or Service) and an id."
        )
    else:
        checks.sent["default_target"] = {"type": kind, "id": str(target["id"])}


async def _check_references(change: Change, fields: dict[str, Any]) -> None:
    await must_exist(change, "teams", "owner_team_ids", fields.get("owner_team_ids"))
    wanted = [as_uuid(str(rule["urgency_id"])) for rule in fields.get("urgency_rules") or []]
    await must_exist(change, "urgencies", "urgency_rules", wanted)
    if target := fields.get("default_target"):
        await target_must_exist(change, "default_target", target["type"], target["id"])


#: The wire's word for a target, and the query that says which do not exist.
_KINDS = {"User": "users", "Group": "teams", "EscalationPolicy": "policies", "Service": "services"}


async def target_must_exist(change: Change, field: str, kind: str, ident: str) -> None:
    """Raise Invalid naming the field for a target that does not exist."""
    key: UUID | int | None = as_uuid(ident)
    if kind == "User":
        key = int(ident) if ident.isdecimal() and len(ident) < 10 else None
    if key is None:
        raise Invalid(f"There is no {kind} {ident[:60]}.", place=field)
    await must_exist(change, _KINDS[kind], field, [key])
