"""Plays an alert against a policy without writing anything: which path it would take at a moment, and the ladder of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from nightbell.core import choosing, maintenance
from nightbell.core.choosing import Circumstances
from nightbell.core.directory import Directory, Path, Policy
from nightbell.web import ladder
from nightbell.web.future import Step

#: A deferral may lead into another; whoever chains more than these is shown the last.
_MOST_DEFERRALS = 5


class Given(Struct, frozen=True, kw_only=True):
    """The alert that is tried, by what paths may look at."""

    urgency_id: UUID | None = None
    source: str = "alertmanager"
    source_id: UUID | None = None
    service_ids: frozenset[str] = frozenset()
    payload: dict[str, Any] = {}

    def at(self, now: datetime) -> Circumstances:
        """Return what a path sees of it at a moment."""
        return Circumstances(
            now=now,
            urgency_id=self.urgency_id,
            source=self.source,
            service_ids=self.service_ids,
            payload=self.payload,
        )


class Tried(Struct, frozen=True, kw_only=True):
    """What would happen."""

    #: The path that pages, and why it does.
    path_id: UUID
    name: str
    why: str
    #: Paths that put it off before, with the moment each lets go.
    put_off: tuple[tuple[str, datetime], ...]
    #: What else holds it: planned work.
    held: str
    #: Every other path, and whether its conditions hold.
    others: tuple[tuple[UUID, str, bool], ...]
    start: datetime
    steps: tuple[Step, ...]


def alert(row: dict[str, Any]) -> Given:
    """Return a stored alert as paths see it after a deferral: by what is stored of its text."""
    payload = {
        "status": "firing",
        "commonLabels": row["labels"],
        "commonAnnotations": row["annotations"],
        "externalURL": row["external_url"],
        "alerts": [{"labels": row["labels"], "annotations": row["annotations"]}],
    }
    return Given(
        urgency_id=row["urgency_id"],
        source=row["source_type"] or "api",
        source_id=row["source_id"],
        service_ids=frozenset(map(str, row["service_ids"])),
        payload=payload,
    )


def taking(path: Path, directory: Directory) -> Given:
    """Return an alert of the urgency that a path asks for, else of the loudest."""
    asked = (ids for rule in path.rules if rule.kind == "alert_urgency" for ids in rule.ids)
    wanted = set(asked) or set(map(str, directory.urgencies))
    return Given(urgency_id=next((one for one in directory.urgencies if str(one) in wanted), None))


def tried(
    policy: Policy, given: Given, directory: Directory, start: datetime, *, only: Path | None = None
) -> Tried:
    """Return what an alert would lead to, if it came at `start` and nobody answered; `only` takes that path."""
    muted = maintenance.muted(directory, given.source_id, given.service_ids, start)
    at = muted.until if muted else start
    others = tuple(
        (path.id, path.name, choosing.matches(path, policy, given.at(at)))
        for path in sorted(policy.paths, key=lambda p: p.kind != "deferral")
        if not path.is_default
    )
    path, why, put_off = (only, "", ()) if only else _taken(policy, given, at)
    begins = put_off[-1][1] if put_off else at
    waited = {name for name, _ in put_off}
    others = tuple(one for one in others if one[1] not in waited)
    return Tried(
        path_id=path.id,
        name=path.name,
        why=why,
        put_off=put_off,
        held=f"Planned work {muted.name} holds it first" if muted else "",
        others=() if only else others,
        start=begins,
        steps=tuple(ladder.play(policy, path, directory, begins)),
    )


def _taken(policy: Policy, given: Given, at: datetime) -> tuple[Path, str, tuple[tuple[str, datetime], ...]]:
    put_off: list[tuple[str, datetime]] = []
    choice = choosing.choose(policy, given.at(at))
    while choice.deferred_until and len(put_off) < _MOST_DEFERRALS:
        put_off.append((choice.path.name, choice.deferred_until))
        following = next((p for p in policy.paths if p.id == choice.path.after_path_id), None)
        if choice.path.after == "execute_path" and following is not None:
            return following, f"{choice.path.name} names it", tuple(put_off)
        choice = choosing.choose(policy, given.at(choice.deferred_until))
    return choice.path, choice.why or "it is the only path", tuple(put_off)


def with_draft(policy: Policy, path: Path, *, repeat_count: int, name: str) -> Policy:
    """Return a policy with one path as it is being edited; a path that is not stored yet comes before the default."""
    if any(known.id == path.id for known in policy.paths):
        paths = tuple(path if known.id == path.id else known for known in policy.paths)
    else:
        *before, default = policy.paths
        paths = (*before, path, default)
    changed = replace(policy, paths=paths)
    return (
        replace(changed, repeat_count=repeat_count, name=name or policy.name) if path.is_default else changed
    )
