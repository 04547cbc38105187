"""Reads the configuration into one frozen Directory, again only when it moved.

Whether it moved is asked inside the transaction that uses it, so no page goes out by rules that were already changed.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime
from importlib import import_module
from types import MappingProxyType
from typing import Any
from uuid import UUID

from msgspec import Struct

from nightbell.core.directory import (
    CHANNELS,
    TEMPLATES,
    Beat,
    ContactMethod,
    Directory,
    NotificationRule,
    Route,
    RouteRule,
    Service,
    Source,
    Target,
    Team,
    UrgencyRule,
    User,
    Wording,
)
from nightbell.core.labels import parse_matchers
from nightbell.core.providers import BY_KIND
from nightbell.core.throttling import Throttle
from nightbell.core.webhook import kinds
from nightbell.engine.groupings import condition, groupings
from nightbell.engine.jsonpath import compiled
from nightbell.engine.policies import goes_round, maintenances, policies
from nightbell.engine.timetable import current as current_schedules
from nightbell.engine.windows import quiet_hours
from nightbell.store.db import Db, Row, Runner


class Secret(Struct, frozen=True):
    """A secret that opens a source, until it expires."""

    source_id: UUID
    expires_at: datetime | None


class Configuration(Struct, frozen=True, kw_only=True):
    """The directory, and which hashed secrets open which source."""

    directory: Directory
    secrets: dict[bytes, Secret]


class Directories:
    """The current configuration, kept in memory."""

    def __init__(self, fixed: Mapping[str, Mapping[str, str]] | None = None) -> None:
        """Begin with nothing known; `fixed` is what the machine says of services (engine/providers.py)."""
        self._fixed = fixed or {}
        self._current: Configuration | None = None

    async def current(self, tx: Runner) -> Directory:
        """Return the directory as this transaction sees it."""
        return (await self.configuration(tx)).directory

    async def configuration(self, tx: Runner) -> Configuration:
        """Return directory and secrets as this transaction sees them."""
        version = await tx.value("configuration_version")
        if self._current is None or self._current.directory.version != version:
            self._current = await load(tx, version, self._fixed)
        return self._current

    def known(self) -> Directory | None:
        """Return the directory of a moment ago without asking; None before anybody has."""
        return self._current.directory if self._current else None

    async def glanced(self, db: Db) -> Configuration:
        """Return the configuration of a moment ago, for the door; `current` decides."""
        return self._current or await self.configuration(db)


async def load(
    tx: Runner, version: int, fixed: Mapping[str, Mapping[str, str]] = MappingProxyType({})
) -> Configuration:
    """Read the whole configuration."""
    sources = {r["id"]: _source(r) for r in await tx.rows("directory_sources")}
    teams = [_team(r) for r in await tx.rows("directory_teams")]
    services = [_service(r) for r in await tx.rows("directory_services")]
    users = await _users(tx)
    found = await policies(tx)
    asked = {r["id"]: r["retrigger_timeout_minutes"] for r in await tx.rows("directory_urgencies")}
    directory = Directory(
        version=version,
        users=users,
        teams=_by_name(teams),
        services=_by_name(services),
        policies={str(p.id): p for p in found},
        sources=sources,
        routes=tuple(_route(r) for r in await tx.rows("directory_routes")),
        urgencies=tuple(asked),
        fallback_user_ids=await _fallback(tx, users),
        fallback_is_chosen=bool(await tx.value("instance_value", "fallback_user_ids")),
        schedules=await current_schedules(tx),
        maintenances=await maintenances(tx),
        groupings=await groupings(tx),
        throttles=tuple(Throttle(**dict(r.items())) for r in await tx.rows("directory_throttles")),
        heartbeats={str(r["id"]): _beat(r) for r in await tx.rows("directory_heartbeats")},
        acknowledge_minutes={key: minutes for key, minutes in asked.items() if minutes is not None},
        acknowledge_default=await tx.value("instance_value", "acknowledge_minutes"),
        goes_round=goes_round(found),
        speaks=await _speaks(tx, fixed),
        listeners=await _listeners(tx),
    )
    secrets = {
        bytes(r["secret_hash"]): Secret(r["source_id"], r["expires_at"])
        for r in await tx.rows("directory_secrets")
    }
    return Configuration(directory=directory, secrets=secrets)


async def _speaks(tx: Runner, fixed: Mapping[str, Mapping[str, str]]) -> frozenset[str]:
    """Return the kinds of channels whose service has all it needs."""
    stored = {r["name"]: r["settings"] for r in await tx.rows("read_providers")}
    services = {kind: BY_KIND[kind] for kind in CHANNELS.values()}
    return frozenset(
        kind
        for kind, one in services.items()
        if all(fixed.get(one.name, {}).get(f) or stored.get(one.name, {}).get(f) for f in one.needs)
    )


async def _listeners(tx: Runner) -> frozenset[str]:
    """Return the kinds of happenings that start a workflow or that an endpoint outside hears of."""
    started = {r["kind"] for r in await tx.rows("listened_kinds")}
    return kinds(r["event_type"] for r in await tx.rows("directory_webhooks")) | started


async def _fallback(tx: Runner, users: dict[int, User]) -> tuple[int, ...]:
    """Return the people of last resort: those chosen, else every owner."""
    chosen = await tx.value("instance_value", "fallback_user_ids")
    return tuple(chosen) if chosen else tuple(u.id for u in users.values() if u.active and u.role == "owner")


def _by_name(things: list[tuple[str, Any]]) -> dict[str, Any]:
    """Index by id and by slug; an id wins over somebody's slug."""
    return {slug: thing for slug, thing in things} | {str(thing.id): thing for _, thing in things}


async def _users(tx: Runner) -> dict[int, User]:
    methods: dict[int, dict[UUID, ContactMethod]] = defaultdict(dict)
    rules: dict[int, list[NotificationRule]] = defaultdict(list)
    for r in await tx.rows("directory_methods"):
        methods[r["user_id"]][r["id"]] = ContactMethod(id=r["id"], kind=r["kind"], verified=r["verified"])
    for r in await tx.rows("directory_rules"):
        rules[r["user_id"]].append(
            NotificationRule(
                method_id=r["contact_method_id"], loudness=r["loudness"], delay_minutes=r["delay_minutes"]
            )
        )
    return {
        r["id"]: User(
            id=r["id"],
            name=r["name"],
            role=r["role"],
            active=r["active"],
            methods=methods[r["id"]],
            rules=tuple(rules[r["id"]]),
            quiet=quiet_hours(r["quiet_hours"], r["time_zone"]),
            quiet_audible=bool(r["quiet_hours"].get("audible")),
            time_zone=r["time_zone"],
            updates=r["updates"],
        )
        for r in await tx.rows("directory_users")
    }


def _team(r: Row) -> tuple[str, Team]:
    team = Team(
        id=r["id"],
        name=r["name"],
        member_ids=tuple(r["members"]),
        admin_ids=tuple(r["admins"]),
        policy_id=r["escalation_policy_id"],
    )
    return r["slug"].lower(), team


def _service(r: Row) -> tuple[str, Service]:
    service = Service(
        id=r["id"],
        name=r["name"],
        policy_id=r["escalation_policy_id"],
        team_ids=tuple(r["teams"]),
        urgency_id=r["urgency_id"],
    )
    return r["slug"].lower(), service


def _source(r: Row) -> Source:
    default = r["default_target"]
    return Source(
        id=r["id"],
        name=r["name"],
        type=r["type"],
        enabled=r["enabled"],
        identity=r["identity"],
        dedup_find=compiled(r["dedup_path"]) if r["dedup_path"] else None,
        dedup_regexp=r["dedup_regexp"],
        urgency_id=r["urgency_id"],
        urgency_rules=tuple(_urgency_rule(rule) for rule in r["urgency_rules"]),
        default_target=Target(type=default["type"], id=str(default["id"])) if default else None,
        repage_new_members=r["repage_new_members"],
        acknowledge_minutes=r["settings"].get("retrigger_timeout_minutes"),
        wording=_wording(r["settings"].get(TEMPLATES) or {}),
    )


def _wording(templates: Mapping[str, str | None]) -> Wording | None:
    """Return what fills in templates; Liquid is read where somebody has some: 0.1 s and 15 MB for each process."""
    if not any(templates.values()):
        return None
    filling: Any = import_module("nightbell.engine.wording")
    found: Wording | None = filling.wording(templates)
    return found


def _beat(r: Row) -> Beat:
    return Beat(id=r["id"], name=r["name"], matchers=tuple(parse_matchers(r["matchers"])))


def _urgency_rule(rule: dict[str, Any]) -> UrgencyRule:
    return UrgencyRule(
        find=compiled(rule["json_path"]),
        operator=rule["operator"],
        value=rule["value"],
        urgency_id=UUID(rule["urgency_id"]),
    )


def _route(r: Row) -> Route:
    rules = [route_rule(rule) for rule in r["rules"]]
    return Route(
        id=r["id"],
        name=r["name"],
        source_ids=frozenset(r["source_ids"]),
        rules=tuple(sorted(rules, key=_fallback_last)),
    )


_fallback_last: Callable[[RouteRule], bool] = lambda rule: rule.fallback  # noqa: E731  a key, nothing more


def route_rule(rule: dict[str, Any]) -> RouteRule:
    """Return a rule of a route as it is stored."""
    return RouteRule(
        id=str(rule["id"]),
        name=rule.get("name", ""),
        fallback=bool(rule.get("fallback")),
        groups=tuple(tuple(condition(c) for c in group["conditions"]) for group in rule["condition_groups"]),
        destinations=tuple(
            Target(type=d["target_type"], id=str(d["target_id"])) for d in rule["destinations"]
        ),
    )
