"""What tasks name things by: a run's alert and incident, people, catalogs, and Rootly's pairs of id and name.

Rule 1: whatever a template may have filled in is an id, a slug or a name; what there is not is said, never guessed.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy import String, Table, cast, func, or_, select

from nightbell.core.errors import Invalid
from nightbell.engine.tasks.contract import Hands, Step
from nightbell.store.statements import fetch_core
from nightbell.store.tables import users

_LIVE = ("in_triage", "started", "mitigated")


class Named(Struct, frozen=True, kw_only=True):
    """Something chosen from a list: its id, and its name for people."""

    id: str | int | None = None
    name: str | None = None

    @property
    def key(self) -> str:
        """Return what it is called by: its id, else its name; "" for nothing."""
        return str(self.id or self.name or "").strip()


def alert_of(step: Step) -> UUID:
    """Return the alert a run is about. Raises: Invalid."""
    if step.alert_id is None:
        raise Invalid("This run is about no alert.", hint="Put this task into an alert workflow.")
    return step.alert_id


def incident_of(step: Step) -> UUID:
    """Return the incident a run is about: its own, or the newest open one of its alert. Raises: Invalid."""
    if step.incident_id is not None:
        return step.incident_id
    attached = (step.context.get("alert") or {}).get("incidents") or []
    live = [one["id"] for one in attached if one["status"] in _LIVE]
    if not live:
        raise Invalid("This run is about no incident.", hint="Create one before, or attach the alert to one.")
    return UUID(live[-1])


def uuid_of(text: str | None, place: str) -> UUID | None:
    """Return a text as an id, None for nothing. Raises: Invalid."""
    if not text or not text.strip():
        return None
    try:
        return UUID(text.strip())
    except ValueError as error:
        raise Invalid(f"{text[:60]!r} is no id.", place=place) from error


async def ids_of(hands: Hands, table: Table, keys: Sequence[str], place: str) -> list[UUID]:
    """Return the ids of rows by id, slug or name, in the order asked. Raises: Invalid naming one there is not."""
    wanted = [key.strip() for key in keys if key and key.strip()]
    if not wanted:
        return []
    columns = [cast(table.c.id, String), func.lower(table.c.name)]
    columns += [table.c.slug] if "slug" in table.c else []
    asked = [key.lower() for key in wanted]
    rows = await fetch_core(
        hands.db, select(table.c.id, *columns).where(or_(*(column.in_(asked) for column in columns)))
    )
    found: dict[str, UUID] = {}
    # An id wins over a slug, and a slug over a name.
    for at in reversed(range(1, len(columns) + 1)):
        found.update({str(row[at]).lower(): row[0] for row in rows})
    missing = [key for key in wanted if key.lower() not in found]
    if missing:
        label = re.sub("ies$", "y", table.name.replace("_", " ")).removesuffix("s")
        raise Invalid(f"There is no {label} {missing[0][:60]!r}.", place=place, hint="Name one that exists.")
    return list(dict.fromkeys(found[key.lower()] for key in wanted))


async def id_of(hands: Hands, table: Table, key: str | None, place: str) -> UUID | None:
    """Return the id of one row, None for nothing. Raises: Invalid."""
    found = await ids_of(hands, table, [key or ""], place)
    return found[0] if found else None


async def person_of(hands: Hands, key: str, place: str) -> int:
    """Return a person by number, e-mail address or name. Raises: Invalid."""
    wanted = key.strip().lower()
    same = [func.lower(users.c.email) == wanted, func.lower(users.c.name) == wanted]
    if wanted.isascii() and wanted.isdecimal() and len(wanted) < 10:
        same = [users.c.id == int(wanted)]
    rows = await fetch_core(hands.db, select(users.c.id).where(or_(*same), users.c.active))
    if len(rows) != 1:
        who = "There is nobody" if not rows else "There are several people"
        raise Invalid(f"{who} called {key[:60]!r}.", place=place, hint="Use a number or an e-mail address.")
    return int(rows[0][0])


def one_of(*names: str, said: str, hint: str = "") -> Callable[[Mapping[str, Any]], None]:
    """Return the check that at least one of these parameters names something."""

    def check(given: Mapping[str, Any]) -> None:
        if not any(_names_something(given.get(name)) for name in names):
            raise Invalid(said, place=names[0], hint=hint)

    return check


def _names_something(value: Any) -> bool:
    if isinstance(value, list):
        return any(_names_something(one) for one in value)
    if isinstance(value, Mapping):
        return _names_something(value.get("id")) or _names_something(value.get("name"))
    return bool(value.key if isinstance(value, Named) else str("" if value is None else value).strip())


def texts(values: Any) -> list[str]:
    """Return the texts of a list that are not empty, split at commas and lines: a template may fill in several."""
    many = [values] if isinstance(values, str) else values or []
    parts = (part for value in many for part in str(value).replace("\n", ",").split(","))
    return [part.strip() for part in parts if part.strip()]
