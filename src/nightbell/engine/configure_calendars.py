"""This file changes calendars: those elsewhere that are layers here, and the secret addresses of ours.

Rule 1: an address that opens without a login is a secret: kept as a hash that opens and as a sealed copy to be shown.
"""

import hashlib
import secrets
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from nightbell.core.journal import Actor
from nightbell.engine.changing import Change, Writer, must_exist
from nightbell.engine.checks import Checks
from nightbell.engine.configure_schedules import living
from nightbell.engine.feeds import cut_bookings
from nightbell.engine.schedule_edits import FeedEdit, LinkEdit
from nightbell.store.schedule_tables import calendar_links, feeds
from nightbell.store.schedule_tables import schedules as schedules_table

KINDS = ("person", "schedule", "on_call", "board")
#: More than anybody reads on one page.
MOST_SCHEDULES = 100
_TOKEN_BYTES = 24
#: Calendars of Apple and Google are handed out under this scheme; it is https.
_WEBCAL = "webcal://"


def hashed(token: str) -> bytes:
    """Return what is stored of a token of an address."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


class Calendars(Writer):
    """Changes calendars in and out."""

    async def create_feed(self, schedule_id: UUID, edit: FeedEdit, *, by: Actor, now: datetime) -> UUID:
        """Add a calendar elsewhere as a layer; it is read within a minute. Raises: Problems naming the fields."""
        fields: dict[str, Any] = edit.sent()
        checks = Checks(fields)
        checks.required("name", "url")
        _check_feed(checks)
        async with self.changing(by, now) as change:
            await living(change, "schedule", schedules_table, schedule_id)
            fields.setdefault("position", await change.tx.value("next_rotation_position", schedule_id))
            values = {**fields, "url": self.vault.seal(fields["url"]), "schedule_id": schedule_id}
            key: UUID = await change.add("schedule_feed", feeds, values, url="hidden")
        return key

    async def update_feed(self, feed_id: UUID, edit: FeedEdit, *, by: Actor, now: datetime) -> None:
        """Change a calendar elsewhere; with another address it is read again at once."""
        fields: dict[str, Any] = edit.sent()
        _check_feed(Checks(fields))
        async with self.changing(by, now) as change:
            before = await living(change, "schedule_feed", feeds, feed_id)
            if "url" in fields and fields["url"] == self.vault.open(before["url"]):
                del fields["url"]
            elif "url" in fields:
                fields = {**fields, "url": self.vault.seal(fields["url"]), "next_fetch_at": None}
            shown = {"url": "hidden"} if "url" in fields else {}
            await change.change("schedule_feed", feeds, feed_id, fields, **shown)

    async def refresh_feed(self, feed_id: UUID, *, now: datetime) -> None:
        """Let a calendar elsewhere be read at the next look, whenever its time would have come."""
        await self.db.execute("feed_due", feed_id, now)

    async def delete_feed(self, feed_id: UUID, *, by: Actor, now: datetime) -> None:
        """Take a calendar elsewhere off; what it said until now stays."""
        async with self.changing(by, now) as change:
            await living(change, "schedule_feed", feeds, feed_id)
            await cut_bookings(change.tx, feed_id, now)
            await change.change("schedule_feed", feeds, feed_id, {"deleted_at": now})

    def feed_url(self, sealed: bytes) -> str:
        """Return the address of a calendar elsewhere, in clear."""
        return self.vault.open(sealed)

    # ------------------------------------------------------------ secret addresses

    async def create_link(self, edit: LinkEdit, *, by: Actor, now: datetime) -> tuple[UUID, str]:
        """Make a secret address; return its id and its token. Raises: Problems naming the fields."""
        fields: dict[str, Any] = {
            "name": "",
            "user_id": None,
            "schedule_id": None,
            "schedule_ids": [],
            **edit.sent(),
        }
        checks = Checks(fields)
        checks.required("kind")
        checks.choice("kind", KINDS)
        checks.text("name", empty=True)
        _check_link(checks)
        checks.done()
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        async with self.changing(by, now) as change:
            await _check_owner(change, fields)
            secret = {"token_hash": hashed(token), "sealed": self.vault.seal(token), "created_by": by.user_id}
            key: UUID = await change.add(
                "calendar_link", calendar_links, {**fields, **secret}, token_hash="hidden"
            )  # noqa: S106  a word for the audit log
        return key, token

    async def cancel_link(self, link_id: UUID, *, by: Actor, now: datetime) -> None:
        """Cancel a secret address: whoever has it sees nothing from now on."""
        async with self.changing(by, now) as change:
            await change.change("calendar_link", calendar_links, link_id, {"cancelled_at": now})

    def link_token(self, sealed: bytes) -> str:
        """Return the token of a secret address, in clear."""
        return self.vault.open(sealed)


def _check_feed(checks: Checks) -> None:
    checks.text("name")
    checks.number("position", 1, 1000)
    checks.number("refresh_minutes", 5, 1440)
    checks.text("url", longest=4000)
    if checks.sent.get("url"):
        checks.sent["url"] = _https(checks.sent["url"])
        if wrong := _url_problem(checks.sent["url"]):
            checks.wrong(
                "url", wrong, "The address of a calendar, such as https://calendar.example.org/team.ics."
            )
    checks.done()


def _https(url: str) -> str:
    return f"https://{url[len(_WEBCAL) :]}" if url.lower().startswith(_WEBCAL) else url


def _url_problem(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "This is no address"
    fine = parts.scheme in ("http", "https") and parts.hostname and not any(c.isspace() for c in url)
    return "" if fine else "This is no address of a calendar"


def _check_link(checks: Checks) -> None:
    fields = checks.sent
    chosen = list(dict.fromkeys(fields["schedule_ids"] or ()))
    fields["schedule_ids"] = chosen if fields.get("kind") in ("on_call", "board") else []
    if len(chosen) > MOST_SCHEDULES:
        checks.wrong("schedule_ids", f"More than {MOST_SCHEDULES} schedules", "Fewer, or none for all.")
    if fields.get("kind") == "person":
        checks.required("user_id")
        fields["schedule_id"] = None
    elif fields.get("kind") == "schedule":
        checks.required("schedule_id")
        fields["user_id"] = None
    else:
        fields["user_id"] = None


async def _check_owner(change: Change, fields: dict[str, Any]) -> None:
    if fields["user_id"] is not None:
        await must_exist(change, "users", "user_id", [fields["user_id"]])
    if fields["schedule_id"] is not None:
        await must_exist(change, "schedules", "schedule_id", [fields["schedule_id"]])
    await must_exist(change, "schedules", "schedule_ids", fields["schedule_ids"])
