"""Carries what one alert came to over to others of its group, in the same transaction.

Rule 1: what was decided before is written already, so those who hear of it are read as they are now, under lock.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from nightbell.core import leading
from nightbell.core.decision import decide
from nightbell.core.directory import Directory
from nightbell.core.draft import Decision, Facts, Mint
from nightbell.core.events import Heard, Over, Tell
from nightbell.store.db import Tx
from nightbell.store.write import facts


async def relayed(tx: Tx, tells: Sequence[Tell], now: datetime, mint: Mint) -> list[Decision]:
    """Return what others decide when they hear of it, in the order it was told."""
    known: dict[UUID, Facts] = {}
    await _load(tx, known, [t.to for t in tells if t.to is not None], tells[0].directory)
    made: list[Decision] = []
    for tell in tells:
        for before, event in await _heard(tx, tell, known):
            decided = decide(before, event, now, mint)
            if decided and before.alert:
                known[before.alert.id] = decided[1]
                made.append(decided[0])
    return made


async def _load(tx: Tx, known: dict[UUID, Facts], ids: Iterable[UUID], directory: Directory) -> None:
    wanted = {ident for ident in ids if ident not in known}
    for one in await facts.by_id(tx, wanted, directory) if wanted else []:
        if one.alert:
            known[one.alert.id] = one


async def _heard(tx: Tx, tell: Tell, known: dict[UUID, Facts]) -> list[tuple[Facts, Heard]]:
    event = tell.event
    if tell.followers_of is None:
        found = known.get(tell.to) if tell.to else None
        in_group = found is not None and found.alert is not None and found.alert.group is not None
        return [(found, event)] if found and in_group and not isinstance(event, Over) else []
    await _load(tx, known, await facts.followers(tx, tell.followers_of), tell.directory)
    if isinstance(event, Over) and event.group.bucket and await facts.is_led(tx, event.group.bucket):
        # Somebody who came in the same moment takes the next ones in already.
        event = replace(event, group=replace(event.group, bucket=None))
    return leading.shared(event, [f for f in known.values() if _follows(f, tell.followers_of)])


def _follows(known: Facts, leader_id: UUID) -> bool:
    alert = known.alert
    return bool(alert and alert.is_open and alert.group and alert.group.leader_id == leader_id)
