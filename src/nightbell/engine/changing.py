"""How every configuration change is made: checked field by field, written, audited, the version bumped, all or nothing."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, NoReturn
from uuid import UUID

from sqlalchemy import Table

from nightbell.core.delivery import Channel
from nightbell.core.errors import Invalid, Unknown
from nightbell.core.journal import Actor
from nightbell.engine.checks import label
from nightbell.engine.ids import new_id
from nightbell.engine.vault import Vault
from nightbell.store.db import Db, Tx
from nightbell.store.write import config

_LARGEST_INTEGER = 2**31 - 1
#: Never in the audit log, not even as "was changed from".
_HIDDEN = frozenset({"password_hash", "settings", "address", "sealed", "secret_hash"})


class Change:
    """One change under way: a transaction, who makes it and when."""

    def __init__(self, tx: Tx, by: Actor, now: datetime) -> None:
        self.tx = tx
        self.by = by
        self.now = now

    async def add(self, item: str, table: Table, values: dict[str, Any], **also: Any) -> Any:
        """Insert a row and return its id; `also` is audited with it."""
        made = values if table.name == "users" else {"id": new_id(self.now), **values}
        key = await config.add(self.tx, table, made, self.now)
        await self._audit(f"{item}.created", item, key, {**values, **also})
        return key

    async def change(
        self, item: str, table: Table, key: UUID | int, values: dict[str, Any], **also: Any
    ) -> None:
        """Change columns of a row.

        Raises: Unknown when there is none.
        """
        before = await self.locked(item, table, key)
        differing = {name: value for name, value in values.items() if before[name] != value}
        if differing:
            await config.change(self.tx, table, key, differing, self.now)
        changes = {name: [before[name], value] for name, value in differing.items()}
        if changes or also:
            await self._audit(f"{item}.updated", item, key, {**changes, **also})

    async def remove(self, item: str, table: Table, key: UUID | int) -> dict[str, Any]:
        """Delete a row and return what it was.

        Raises: Unknown when there is none.
        """
        before = await self.locked(item, table, key)
        await config.remove(self.tx, table, key)
        await self._audit(f"{item}.deleted", item, key, {"name": before.get("name", "")})
        return before

    async def locked(self, item: str, table: Table, key: UUID | int) -> dict[str, Any]:
        """Return a row, locked.

        Raises: Unknown when there is none.
        """
        row = await config.locked(self.tx, table, key)
        return row if row is not None else unknown(item, key)

    async def note(self, action: str, item: str, key: UUID | int, **changes: Any) -> None:
        """Audit something that no column shows."""
        await self._audit(action, item, key, changes)

    async def _audit(self, action: str, item: str, key: UUID | int, changes: dict[str, Any]) -> None:
        shown = {name: "hidden" if name in _HIDDEN else value for name, value in changes.items()}
        entry = {
            "id": new_id(self.now),
            "action": action,
            "item_type": item,
            "item_id": str(key),
            "changes": shown,
        }
        await config.audit(self.tx, self.by, entry, self.now)


def unknown(item: str, key: object) -> NoReturn:
    """Raise Unknown for a thing there is not."""
    raise Unknown(f"There is no {item.replace('_', ' ')} {key}.")


class Writer:
    """What all parts of Configure share. Channels are handed in: the engine knows none by name."""

    def __init__(self, db: Db, vault: Vault, channels: Mapping[str, Channel]) -> None:
        self.db = db
        self.vault = vault
        self.channels = channels

    @asynccontextmanager
    async def changing(self, by: Actor, now: datetime) -> AsyncIterator[Change]:
        """Open one change; the configuration's version is bumped when it ends well."""
        async with config.changing(self.db) as tx:
            yield Change(tx, by, now)

    def objection(self, url: str) -> str:
        """Return why an address could never be called from here; "" when nothing speaks against it yet."""
        channel = self.channels.get("webhook")
        if channel is None:
            # Where nothing is sent from, nobody knows; the sender asks again for each request.
            return ""
        try:
            channel.check(url, {})
        except Invalid as error:
            return error.message
        return ""


async def missing(change: Change, kind: str, ids: Iterable[Any]) -> list[Any]:
    """Return which ids do not exist; `kind` is users, teams, services, policies, sources or urgencies."""
    asked = list(dict.fromkeys(ids))
    absent = [key for key in asked if isinstance(key, int) and not 0 < key <= _LARGEST_INTEGER]
    possible = [key for key in asked if key not in absent]
    return absent + (
        [row[0] for row in await change.tx.rows(f"missing_{kind}", possible)] if possible else []
    )


async def must_exist(change: Change, kind: str, field: str, ids: Iterable[Any] | None) -> None:
    """Raise Invalid naming the field when one of the ids does not exist."""
    absent = await missing(change, kind, ids or [])
    if absent:
        shown = ", ".join(str(key) for key in absent[:5])
        raise Invalid(f"{label(field)}: there is no {shown}.", place=field, hint="Name one that exists.")
