"""Tells everybody who follows an incident: written once, sent to each by a quiet way of theirs, and never twice.

Rule 1: an address of somebody who is nobody here hears nothing before it said yes, and nothing after it said stop.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from nightbell.core import subscribing
from nightbell.core.directory import Directory
from nightbell.core.paging import NOBODY, channel_id
from nightbell.engine.ids import minter
from nightbell.engine.notices import failing_methods, ways
from nightbell.store.db import Row, Tx

#: Longest title and text of an update.
TITLE, BODY = 200, 10_000


class Said(Struct, frozen=True, kw_only=True):
    """What a message says, and where it leads somebody who has an account here."""

    title: str
    body: str
    url: str
    rule: str


class Told(Struct, frozen=True, kw_only=True):
    """One message on its way. `address` is of somebody who is nobody here, or of a channel."""

    user_id: int
    method_id: UUID
    kind: str
    address: str | None
    because: dict[str, str]


class Herald:
    """Queues what is said of incidents. Knows where links lead and which key signs them."""

    def __init__(self, link_key: bytes, base_url: str) -> None:
        self._key = link_key
        self.base_url = base_url.rstrip("/")

    async def tell_followers(self, tx: Tx, directory: Directory, incident_id: UUID, said: Said) -> list[Told]:
        """Return a message for each who follows an incident."""
        users = [r["user_id"] for r in await tx.rows("incident_followers", incident_id)]
        told = self._people(directory, users, await failing_methods(tx), said)
        for row in await tx.rows("incident_channels", incident_id):
            if "slack" in directory.speaks:
                told.append(_post("slack", row["address"], said))
        methods = [one.method_id for one in told]
        return told + self.outside(await tx.rows("incident_addresses", incident_id, methods), said)

    def _people(
        self, directory: Directory, users: Iterable[int], failing: Mapping[UUID, str], said: Said
    ) -> list[Told]:
        because = {"rule": said.rule, "title": said.title, "body": said.body, "url": said.url}
        known = [directory.users[one] for one in users if one in directory.users]
        return [
            Told(user_id=user.id, method_id=method.id, kind=method.kind, address=None, because=because)
            for user in known
            if user.active
            for method in ways(user, failing)
        ]

    def outside(self, rows: Iterable[Row], said: Said) -> list[Told]:
        """Return a mail for each address that confirmed."""
        return [self._mail(row, said) for row in rows]

    def _mail(self, row: Row, said: Said) -> Told:
        end = f"{self.base_url}/follow/{subscribing.sign(self._key, row['id'])}"
        body = f"{said.body}\n\nYou are told because you said that you want to be. To end it: {end}"
        because = {"rule": said.rule, "title": said.title, "body": body, "unsubscribe": end}
        return self._to_address(row, because)

    def ask(self, row: Row) -> Told:
        """Return the mail that asks an address whether it wants to be told."""
        about = row["about"]
        link = f"{self.base_url}/follow/{subscribing.sign(self._key, row['id'])}"
        body = (
            f"Somebody wants you to be told by mail of: {about}\n\nIf you want that, say so here: {link}\n\n"
            "If you do nothing, you hear nothing more."
        )
        return self._to_address(
            row, {"rule": "a question", "title": f"Do you want updates? {about}"[:TITLE], "body": body}
        )

    def _to_address(self, row: Row, because: dict[str, str]) -> Told:
        known = {**because, "subscriber": str(row["id"]), "url": ""}
        return Told(
            user_id=NOBODY,
            method_id=channel_id("email", row["email"].lower()),
            kind="email",
            address=row["email"],
            because=known,
        )


def _post(kind: str, address: str, said: Said) -> Told:
    because = {"rule": said.rule, "title": said.title, "body": said.body, "url": said.url}
    return Told(
        user_id=NOBODY, method_id=channel_id(kind, address), kind=kind, address=address, because=because
    )


async def queue(tx: Tx, told: Iterable[Told], key: str, update_id: UUID | None, now: datetime) -> int:
    """Queue messages, in the transaction of what they tell: whoever sends must see that it was not told before."""
    # One message for each address, whoever follows in two ways.
    each = list({one.method_id: one for one in told}.values())
    mint = minter(now)
    columns: list[list[Any]] = [
        [mint() for _ in each],
        [one.user_id for one in each],
        [one.method_id for one in each],
        [one.kind for one in each],
        [one.address for one in each],
        [f"{key}/{one.method_id}" for one in each],
    ]
    because = [msgspec.json.encode(one.because).decode() for one in each]
    return await tx.execute("insert_told", *columns, now, update_id, because) if each else 0


async def ask(tx: Tx, herald: Herald, now: datetime) -> int:
    """Ask every address that nobody asked yet, once; return how many were asked now."""
    rows = {row["id"]: row for row in await tx.rows("unasked_subscribers")}
    if not rows:
        return 0
    fresh = [r["id"] for r in await tx.rows("asked_incident_subscribers", list(rows), now)]
    fresh += [r["id"] for r in await tx.rows("asked_page_subscribers", list(rows), now)]
    # Each under a key of its own: one address may be asked about two things.
    for ident in fresh:
        await queue(tx, [herald.ask(rows[ident])], f"ask/{ident}", None, now)
    return len(fresh)
