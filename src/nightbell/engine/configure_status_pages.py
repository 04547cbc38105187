"""This file changes status pages, and asks the addresses that follow them.

Rule 1: texts are kept as they were written and are text wherever they are shown; links are http or https.
"""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import available_timezones

from nightbell.core.journal import Actor
from nightbell.core.status_page import SECTIONS, token
from nightbell.engine.changing import Writer, must_exist
from nightbell.engine.checks import Checks
from nightbell.engine.configure_teams import SLUG, free_slug
from nightbell.engine.status_edits import StatusPageEdit
from nightbell.store.status_tables import status_pages

_TEXTS = ("public_title", "description", "public_description", "success_message", "failure_message", "footer")
_LINKS = ("website_url", "support_url", "privacy_url")
_LONGEST = {"public_title": 255, "success_message": 255, "failure_message": 255}
_MOST_SERVICES = 500
#: What an empty value means.
_EMPTY: dict[str, Any] = {
    **dict.fromkeys((*_TEXTS, *_LINKS), ""),
    "section_order": list(SECTIONS),
    "time_zone": "Etc/UTC",
    "service_ids": [],
    "public": True,
    "enabled": True,
    "indexed": False,
    "wire": {},
}


class StatusPages(Writer):
    """Changes status pages."""

    async def create_status_page(self, edit: StatusPageEdit, *, by: Actor, now: datetime) -> UUID:
        """Make a status page. Raises: Problems naming the fields."""
        checks = Checks(edit.sent())
        checks.required("title")
        _checked(checks)
        fields = checks.sent
        async with self.changing(by, now) as change:
            await must_exist(change, "services", "service_ids", fields.get("service_ids"))
            fields["slug"] = fields.get("slug") or await free_slug(change, "status_page", fields["title"])
            key: UUID = await change.add("status_page", status_pages, fields)
        return key

    async def update_status_page(
        self, page_id: UUID, edit: StatusPageEdit, *, by: Actor, now: datetime
    ) -> None:
        """Change a status page. Raises: Problems naming the fields."""
        checks = Checks(edit.sent())
        if "slug" in checks.sent and not checks.sent["slug"]:
            del checks.sent["slug"]
        _checked(checks)
        fields = checks.sent
        async with self.changing(by, now) as change:
            before = await change.locked("status_page", status_pages, page_id)
            if "wire" in fields:
                fields["wire"] = {**before["wire"], **fields["wire"]}
            await must_exist(change, "services", "service_ids", _added(fields, before))
            await change.change("status_page", status_pages, page_id, fields)

    async def delete_status_page(self, page_id: UUID, *, by: Actor, now: datetime) -> None:
        """Take a status page away, with all that was published on it."""
        async with self.changing(by, now) as change:
            await change.remove("status_page", status_pages, page_id)

    async def renew_status_page_token(self, page_id: UUID, *, by: Actor, now: datetime) -> None:
        """Give a page that is not for everybody a new address; the one before it opens nothing any more."""
        async with self.changing(by, now) as change:
            before = await change.locked("status_page", status_pages, page_id)
            await change.change(
                "status_page", status_pages, page_id, {"token_round": before["token_round"] + 1}
            )

    def status_page_token(self, row: dict[str, Any]) -> str:
        """Return what opens a page that is not for everybody; "" for one that is."""
        return "" if row["public"] else token(self.vault.link_key, row["id"], row["token_round"])


def _added(fields: dict[str, Any], before: dict[str, Any]) -> list[UUID]:
    """Return services that were not shown before; those that are gone by now may stay in what was sent."""
    return [ident for ident in fields.get("service_ids", []) if ident not in before["service_ids"]]


def _checked(checks: Checks) -> None:
    sent = checks.sent
    for name, empty in _EMPTY.items():
        if name in sent and sent[name] is None:
            sent[name] = empty
    checks.text("title")
    checks.text("slug")
    checks.that("slug", lambda slug: "" if SLUG.fullmatch(slug) else "A slug is like orders-and-payments.")
    for name in _TEXTS:
        checks.text(name, longest=_LONGEST.get(name, 5_000), empty=True)
    for name in _LINKS:
        checks.text(name, longest=2_000, empty=True)
        checks.that(name, _link_problem)
    checks.that(
        "time_zone", lambda name: "" if name in available_timezones() else "There is no such time zone."
    )
    checks.that("section_order", _sections_problem)
    if "service_ids" in sent:
        sent["service_ids"] = list(dict.fromkeys(sent["service_ids"]))
        if len(sent["service_ids"]) > _MOST_SERVICES:
            checks.wrong("service_ids", f"At most {_MOST_SERVICES} services.")
    checks.done()


def _link_problem(text: str) -> str:
    try:
        parts = urlsplit(text)
    except ValueError:
        return "This is no address."
    good = parts.scheme in ("http", "https") and parts.netloc
    return "" if good else "An address begins with https:// or http://."


def _sections_problem(sections: list[str]) -> str:
    known = set(sections) <= set(SECTIONS) and len(set(sections)) == len(sections)
    return "" if known else f"Each at most once, of: {', '.join(SECTIONS)}."
