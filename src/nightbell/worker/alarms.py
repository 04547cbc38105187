"""Tells the operators what the auditor found, by the way every alert takes: owners and administrators are paged."""

from collections.abc import Sequence

from nightbell.core.access import Role
from nightbell.core.directory import Directory, Target
from nightbell.core.journal import Actor
from nightbell.engine.act import Act, NewAlert
from nightbell.engine.directory import Directories
from nightbell.engine.node import Node
from nightbell.store.db import Db

AUDITOR = Actor(kind="system", name="Auditor")
#: Sentences in one alert; the page of the auditor has the rest.
_MOST = 10


class Alarms:
    """Makes an alert of an invariant that does not hold, one for each, and resolves it when it holds again."""

    def __init__(self, db: Db, directories: Directories, act: Act, node: Node) -> None:
        self._db = db
        self._directories = directories
        self._act = act
        self._clock = node.clock

    async def alarm(self, invariant: str, broken: str, told: Sequence[str]) -> None:
        """Page the operators; while an alert of the same invariant is open, it is only reported again."""
        directory = await self._directories.current(self._db)
        more = [f"… and {len(told) - _MOST} more."] if len(told) > _MOST else []
        new = NewAlert(
            summary=f"Nightbell's auditor: {broken}",
            description="\n".join([*told[:_MOST], *more]),
            external_id="NightbellAuditor",
            deduplication_key=_key(invariant),
            labels={"alertname": "NightbellAuditor", "invariant": invariant},
            targets=operators(directory),
        )
        await self._act.create(new, by=AUDITOR, now=self._clock())

    async def calm(self, invariant: str) -> None:
        """Resolve the alert of an invariant that holds again."""
        for row in await self._db.rows("alerts_of_api_key", _key(invariant)):
            await self._act.resolve(row["id"], by=AUDITOR, now=self._clock())


def _key(invariant: str) -> str:
    return f"nightbell/audit/{invariant}"


def operators(directory: Directory) -> tuple[Target, ...]:
    """Return who looks after the installation: every active owner and administrator."""
    roles = (Role.OWNER, Role.ADMIN)
    return tuple(
        Target(type="User", id=str(user.id))
        for user in directory.users.values()
        if user.active and user.role in roles
    )
