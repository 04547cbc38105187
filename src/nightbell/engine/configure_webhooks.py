"""This file changes the endpoints of outgoing webhooks: where events go, which ones, and how they are signed.

Rule 1: a secret is sealed, and whoever switches an endpoint on again starts its patience anew.
"""

import re
import secrets
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from msgspec import UNSET, UnsetType, json

from nightbell.core.errors import Invalid
from nightbell.core.journal import Actor
from nightbell.core.webhook import EVENT_TYPES, PATIENCE, TEST
from nightbell.engine.changing import Change, Writer, unknown
from nightbell.engine.checks import Checks
from nightbell.engine.configure_teams import SLUG, free_slug
from nightbell.engine.edits import Edit, Flag, JsonList, Text
from nightbell.engine.ids import new_id
from nightbell.engine.sealed import MASK
from nightbell.engine.vault import SEALED, Vault
from nightbell.store.webhook_tables import endpoints
from nightbell.store.write import webhooks
from nightbell.store.write.webhooks import News

MOST_HEADERS = 10
SHORTEST_SECRET = 16
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}")
_LONGEST_VALUE = 8192
#: Ours, or the connection's own.
_RESERVED = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "x-rootly-signature",
    }
)
_NEW: dict[str, Any] = {"enabled": True, "private": False, "event_types": [], "custom_headers": []}
_WELL: dict[str, Any] = {"failing_since": None, "failing_why": "", "disabled_why": ""}


class EndpointEdit(Edit, frozen=True, kw_only=True):
    """An endpoint. `custom_headers` is a list of name and value; a masked value keeps what was there."""

    name: Text = UNSET
    slug: Text = UNSET
    url: Text = UNSET
    event_types: list[str] | None | UnsetType = UNSET
    secret: Text = UNSET
    enabled: Flag = UNSET
    private: Flag = UNSET
    custom_headers: JsonList = UNSET


class Webhooks(Writer):
    """Changes endpoints of outgoing webhooks."""

    async def create_endpoint(self, edit: EndpointEdit, *, by: Actor, now: datetime) -> UUID:
        """Make an endpoint. Raises: Problems naming the fields."""
        checks = Checks({**_NEW, **edit.sent()})
        checks.required("name", "url")
        self._check(checks)
        checks.done()
        values = self._sealed(checks.sent, [])
        values.setdefault("sealed", self.vault.seal(secrets.token_hex(32)))
        async with self.changing(by, now) as change:
            values["slug"] = values.get("slug") or await free_slug(
                change, "webhooks_endpoint", values["name"]
            )
            key: UUID = await change.add("webhooks_endpoint", endpoints, values, **_audited(values))
        return key

    async def update_endpoint(
        self, endpoint_id: UUID, edit: EndpointEdit, *, by: Actor, now: datetime
    ) -> None:
        """Change an endpoint. Raises: Problems naming the fields, Unknown."""
        checks = Checks(edit.sent())
        self._check(checks)
        checks.done()
        async with self.changing(by, now) as change:
            before = await change.locked("webhooks_endpoint", endpoints, endpoint_id)
            values = self._sealed(checks.sent, before["custom_headers"])
            if values.get("enabled") and not before["enabled"]:
                values |= _WELL
            await _change(change, endpoint_id, {k: v for k, v in values.items() if before[k] != v})
            if values.get("enabled") is False and before["enabled"]:
                await change.tx.execute(
                    "drop_webhook_deliveries", endpoint_id, "the endpoint was switched off", now
                )

    async def delete_endpoint(self, endpoint_id: UUID, *, by: Actor, now: datetime) -> None:
        """Forget an endpoint, and what was sent to it."""
        async with self.changing(by, now) as change:
            await change.remove("webhooks_endpoint", endpoints, endpoint_id)

    async def rotate_endpoint_secret(self, endpoint_id: UUID, *, by: Actor, now: datetime) -> str:
        """Return a new secret; what goes out from now on is signed with it."""
        secret = secrets.token_hex(32)
        async with self.changing(by, now) as change:
            before = await change.locked("webhooks_endpoint", endpoints, endpoint_id)
            await change.tx.execute("new_endpoint_secret", endpoint_id, self.vault.seal(secret), now)
            await change.note(
                "webhooks_endpoint.secret_rotated", "webhooks_endpoint", endpoint_id, name=before["name"]
            )
        return secret

    async def reveal_endpoint_secret(self, endpoint_id: UUID) -> str:
        """Return the secret of an endpoint in clear. The caller has checked that the asker may see it."""
        sealed = await self.db.value("endpoint_sealed", endpoint_id)
        if sealed is None:
            unknown("webhooks_endpoint", endpoint_id)
        return self.vault.open(sealed)

    async def redeliver(self, delivery_id: UUID, *, by: Actor, now: datetime) -> None:
        """Send a delivery once more, with the same event id.

        Raises: Unknown, or Invalid while its endpoint is switched off.
        """
        async with self.changing(by, now) as change:
            row = await change.tx.row("lock_webhook_delivery", delivery_id)
            if row is None:
                unknown("webhooks_delivery", delivery_id)
            if not row["enabled"]:
                raise _switched_off(row["name"])
            await change.tx.execute("redeliver_webhook", delivery_id, now, now + PATIENCE)
            await change.note(
                "webhooks_delivery.redelivered", "webhooks_delivery", delivery_id, endpoint=row["name"]
            )

    async def try_endpoint(self, endpoint_id: UUID, *, by: Actor, now: datetime) -> UUID:
        """Send a test to an endpoint, and return the id of its delivery.

        Raises: Unknown, or Invalid while it is switched off.
        """
        async with self.changing(by, now) as change:
            row = await change.locked("webhooks_endpoint", endpoints, endpoint_id)
            if not row["enabled"]:
                raise _switched_off(row["name"])
            key, event = new_id(now), new_id(now)
            envelope = {"id": event, "type": TEST, "issued_at": now}
            data = {"endpoint_id": endpoint_id, "name": row["name"], "asked_by": by.name}
            payload = json.encode({"event": envelope, "data": data}).decode()
            news = News(id=key, endpoint_id=endpoint_id, event_id=event, event_type=TEST, payload=payload)
            await webhooks.add(change.tx, [news], now)
            await change.note("webhooks_endpoint.tried", "webhooks_endpoint", endpoint_id, name=row["name"])
        return key

    def _check(self, checks: Checks) -> None:
        checks.text("name")
        if checks.sent.get("slug") == "":
            del checks.sent["slug"]
        checks.that(
            "slug", lambda s: "" if SLUG.fullmatch(s) else "Slug: lower-case letters, digits, - and _ only."
        )
        checks.text("url", longest=2_000)
        checks.that("url", self.objection)
        for name, empty in (
            ("event_types", []),
            ("custom_headers", []),
            ("enabled", True),
            ("private", False),
        ):
            if name in checks.sent and checks.sent[name] is None:
                checks.sent[name] = empty
        _check_events(checks)
        _check_secret(checks)
        _check_headers(checks)

    def _sealed(self, sent: dict[str, Any], before: list[dict[str, str]]) -> dict[str, Any]:
        """Return the fields as columns: the secret and the values of headers sealed."""
        values = {name: value for name, value in sent.items() if name != "secret"}
        if sent.get("secret") and sent["secret"] != MASK:
            values["sealed"] = self.vault.seal(sent["secret"])
        if "custom_headers" in values:
            values["custom_headers"] = _sealed_headers(self.vault, values["custom_headers"], before)
        return values


def _switched_off(name: str) -> Invalid:
    return Invalid(f"The endpoint {name} is switched off.", place="endpoint_id", hint="Switch it on first.")


def open_headers(vault: Vault, stored: list[dict[str, str]]) -> dict[str, str]:
    """Return custom headers in clear, for the one who sends."""
    return {one["name"]: vault.open_text(one["value"]) for one in stored}


def masked_headers(stored: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return custom headers for a reader: their values may be tokens."""
    return [
        {"name": one["name"], "value": MASK if one["value"].startswith(SEALED) else one["value"]}
        for one in stored
    ]


def _sealed_headers(
    vault: Vault, sent: list[dict[str, str]], before: list[dict[str, str]]
) -> list[dict[str, str]]:
    kept = {one["name"].lower(): one["value"] for one in before}
    return [
        {
            "name": one["name"],
            "value": kept.get(one["name"].lower(), "")
            if one["value"] == MASK
            else vault.seal_text(one["value"])
            if one["value"]
            else "",
        }
        for one in sent
    ]


async def _change(change: Change, endpoint_id: UUID, values: dict[str, Any]) -> None:
    """Change columns; the audit log says that they changed."""
    await change.change("webhooks_endpoint", endpoints, endpoint_id, values, **_audited(values))


def _audited(values: dict[str, Any]) -> dict[str, str]:
    """Return what the audit log shows instead: headers hold tokens, and so may the path of a URL."""
    shown = {"custom_headers": "hidden"} if "custom_headers" in values else {}
    return {**shown, "url": f"at {urlsplit(values['url']).hostname}"} if "url" in values else shown


def _check_events(checks: Checks) -> None:
    asked = checks.sent.get("event_types")
    if asked is None:
        return
    checks.sent["event_types"] = [name for name in EVENT_TYPES if name in asked]
    if unknown_types := [str(name)[:60] for name in asked if name not in EVENT_TYPES]:
        hint = f"Events: {', '.join(EVENT_TYPES)}."
        checks.wrong("event_types", f"There is no event {', '.join(unknown_types[:3])}.", hint)


def _check_secret(checks: Checks) -> None:
    if not checks.sent.get("secret"):
        checks.sent.pop("secret", None)
        return
    checks.text("secret", longest=256)
    if len(checks.sent["secret"]) < SHORTEST_SECRET and checks.sent["secret"] != MASK:
        checks.wrong("secret", f"Secret is too short (at least {SHORTEST_SECRET} characters)")


def _check_headers(checks: Checks) -> None:
    sent = checks.sent.get("custom_headers")
    if sent is None:
        return
    if len(sent) > MOST_HEADERS:
        checks.wrong("custom_headers", f"At most {MOST_HEADERS} headers.")
    read = [
        {"name": str(one.get("name") or "").strip(), "value": str(one.get("value") or "")} for one in sent
    ]
    for index, one in enumerate(read):
        if problem := _header_problem(one["name"], one["value"]):
            checks.wrong(f"custom_headers[{index}]", problem)
    names = [one["name"].lower() for one in read]
    if len(set(names)) != len(names):
        checks.wrong("custom_headers", "A header is there twice.")
    checks.sent["custom_headers"] = read


def _header_problem(name: str, value: str) -> str:
    if not _NAME.fullmatch(name):
        return f"{name[:60]!r} is no name of a header."
    if name.lower() in _RESERVED:
        return f"{name} is sent by Nightbell itself."
    if len(value) > _LONGEST_VALUE:
        return f"The value of {name} is longer than {_LONGEST_VALUE} characters."
    if any(ord(mark) < 32 or ord(mark) == 127 for mark in value):
        return f"The value of {name} holds a character that no header can."
    return ""
