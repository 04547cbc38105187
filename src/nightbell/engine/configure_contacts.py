"""This file changes how people are reached: contact methods, and the rules that say when each is used."""

from datetime import datetime
from typing import Any
from uuid import UUID

from nightbell.core.errors import Invalid
from nightbell.core.journal import Actor
from nightbell.core.verification import NEED_NO_CODE
from nightbell.engine.changing import Change, Writer, must_exist, unknown
from nightbell.engine.checks import Checks
from nightbell.engine.edits import ContactMethodEdit, NotificationRuleEdit
from nightbell.engine.sealed import MASK, masked_settings, open_settings, seal_address, seal_settings
from nightbell.engine.vault import SEALED
from nightbell.store.tables import contact_methods, notification_rules

LOUDNESS = ("audible", "quiet")
#: A day is long for a page; a week is Rootly's limit. Units: minutes.
LONGEST_DELAY = 10_080
_MOST_SETTINGS = 20


async def add_default_methods(change: Change, user_id: int, email: str, *, verified: bool) -> None:
    """Give a new person an inbox that rings and their e-mail address, and rules that use both.

    Whoever inserts a user calls this in the same transaction.
    """
    stamp = change.now if verified else None
    own: dict[str, Any] = {"user_id": user_id, "settings": {}, "is_primary": True}
    inbox = {**own, "kind": "inbox", "name": "Inbox", "address": "", "verified_at": change.now}
    mail = {**own, "kind": "email", "name": "E-mail", "address": email, "verified_at": stamp}
    for method in (inbox, mail):
        key = await change.add("contact_method", contact_methods, method)
        await _add_default_rules(change, user_id, key, method["kind"])


async def _add_default_rules(change: Change, user_id: int, method_id: UUID, kind: str) -> None:
    for loudness in LOUDNESS if kind == "email" else ("audible",):
        rule = {
            "user_id": user_id,
            "contact_method_id": method_id,
            "loudness": loudness,
            "delay_minutes": 0,
            "position": await change.tx.value("next_rule_position", user_id, loudness),
        }
        await change.add("notification_rule", notification_rules, rule)


class Contacts(Writer):
    """Changes contact methods and notification rules."""

    async def create_contact_method(
        self, user_id: int, edit: ContactMethodEdit, *, verified: bool, by: Actor, now: datetime
    ) -> UUID:
        """Add an address, and rules that use it at once. One that is not `verified` pages nobody yet.

        Raises: Problems and the channel's own Invalid, naming the field.
        """
        fields = self._checked_method({"name": "", "address": "", "settings": {}, **edit.sent()}, {})
        fields["name"] = fields["name"] or fields["kind"].capitalize()
        trusted = verified or fields["kind"] in NEED_NO_CODE
        async with self.changing(by, now) as change:
            await must_exist(change, "users", "user_id", [user_id])
            stamp = now if trusted else None
            key: UUID = await change.add(
                "contact_method", contact_methods, {**fields, "user_id": user_id, "verified_at": stamp}
            )
            await _add_default_rules(change, user_id, key, fields["kind"])
            if fields.get("is_primary"):
                await change.tx.execute("one_primary_method", user_id, fields["kind"], key, now)
        return key

    async def update_contact_method(
        self, method_id: UUID, edit: ContactMethodEdit, *, verified: bool, by: Actor, now: datetime
    ) -> None:
        """Change an address. A new one is `verified` or pages nobody until it is."""
        async with self.changing(by, now) as change:
            before = await change.locked("contact_method", contact_methods, method_id)
            if edit.sent().get("kind", before["kind"]) != before["kind"]:
                raise Invalid("The kind of a contact method cannot be changed.", place="kind")
            kept = {name: before[name] for name in ("kind", "name", "address")}
            masked = masked_settings(before["settings"])
            known = self.vault.open_text(before["address"])
            kept["address"] = known
            sent = {**kept, "settings": masked, **edit.sent()}
            if sent["address"] == MASK:
                sent["address"] = known
            moved = sent["address"].strip() != known
            fields = self._checked_method(sent, before["settings"])
            if not moved:
                fields["address"] = before["address"]
            else:
                fields |= {"failing_since": None, "failing_why": ""}
            if moved and before["kind"] not in NEED_NO_CODE:
                fields["verified_at"] = now if verified else None
            await change.change("contact_method", contact_methods, method_id, fields)
            if fields.get("is_primary"):
                await change.tx.execute(
                    "one_primary_method", before["user_id"], before["kind"], method_id, now
                )

    async def verify_contact_method(self, method_id: UUID, *, by: Actor, now: datetime) -> None:
        """Say that an address belongs to its person."""
        async with self.changing(by, now) as change:
            await change.change("contact_method", contact_methods, method_id, {"verified_at": now})

    async def delete_contact_method(self, method_id: UUID, *, by: Actor, now: datetime) -> None:
        """Forget an address and the rules that use it."""
        async with self.changing(by, now) as change:
            await change.remove("contact_method", contact_methods, method_id)

    def _checked_method(self, sent: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
        checks = Checks(sent)
        checks.required("kind")
        checks.choice("kind", self.channels)
        checks.text("name", longest=100, empty=True)
        checks.text("address", longest=2_000, empty=True)
        checks.that("settings", _settings_problem)
        if str(sent["address"]).startswith(SEALED):
            checks.wrong("address", f"An address cannot begin with {SEALED!r}.")
        checks.done()
        sealed = seal_settings(self.vault, sent.get("settings") or {}, before)
        self.channels[sent["kind"]].check(sent["address"], open_settings(self.vault, sealed))
        address = seal_address(self.vault, sent["kind"], sent["address"])
        return {**sent, "settings": sealed, "address": address}

    # ------------------------------------------------------------ notification rules

    async def create_notification_rule(
        self, user_id: int, edit: NotificationRuleEdit, *, by: Actor, now: datetime
    ) -> UUID:
        """Add a rule: after `delay_minutes`, use this contact method."""
        fields = {"loudness": "audible", "delay_minutes": 0, **edit.sent()}
        checks = Checks(fields)
        checks.required("contact_method_id")
        _checked_rule(checks)
        async with self.changing(by, now) as change:
            await _own_method(change, user_id, fields["contact_method_id"])
            following = await change.tx.value("next_rule_position", user_id, fields["loudness"])
            rule = {"position": following, **fields, "user_id": user_id}
            key: UUID = await change.add("notification_rule", notification_rules, rule)
            await change.tx.execute("wake_pages_of_user", user_id, now)
        return key

    async def update_notification_rule(
        self, rule_id: UUID, edit: NotificationRuleEdit, *, by: Actor, now: datetime
    ) -> None:
        """Change when a contact method is used, or which."""
        fields = edit.sent()
        _checked_rule(Checks(fields))
        async with self.changing(by, now) as change:
            rule = await change.locked("notification_rule", notification_rules, rule_id)
            if fields.get("contact_method_id"):
                await _own_method(change, rule["user_id"], fields["contact_method_id"])
            await change.change("notification_rule", notification_rules, rule_id, fields)
            await change.tx.execute("wake_pages_of_user", rule["user_id"], now)

    async def delete_notification_rule(self, rule_id: UUID, *, by: Actor, now: datetime) -> None:
        """Drop a rule."""
        async with self.changing(by, now) as change:
            await change.remove("notification_rule", notification_rules, rule_id)


def _settings_problem(settings: dict[str, Any]) -> str:
    if len(settings) > _MOST_SETTINGS:
        return f"At most {_MOST_SETTINGS} settings."
    if not all(isinstance(value, str) for value in settings.values()):
        return "Settings are texts."
    if any(value.startswith(SEALED) for value in settings.values()):
        return f"A setting cannot begin with {SEALED!r}."
    return "" if sum(map(len, settings.values())) <= 100_000 else "Settings are too long."


def _checked_rule(checks: Checks) -> None:
    checks.choice("loudness", LOUDNESS)
    checks.number("delay_minutes", 0, LONGEST_DELAY)
    checks.number("position", 1, 1_000)
    checks.done()


async def _own_method(change: Change, user_id: int, method_id: UUID) -> None:
    method = await change.locked("contact_method", contact_methods, method_id)
    if method["user_id"] != user_id:
        unknown("contact_method", method_id)
