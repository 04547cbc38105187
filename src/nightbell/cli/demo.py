"""`nightbell demo`: fills in what is needed to see a page ring, once; running it again adds only what is missing."""

import secrets
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from nightbell.cli import opening, people, screen
from nightbell.cli.opening import OPERATOR, Opened
from nightbell.cli.options import Where
from nightbell.cli.options import settings as settings_of
from nightbell.engine import edits
from nightbell.engine.identity import hash_password
from nightbell.settings import Settings
from nightbell.store.read.listing import Condition, Listing
from nightbell.store.read.people import users
from nightbell.store.read.policies import default_path, levels_of_path, policies
from nightbell.store.read.sources import all_sources, all_urgencies
from nightbell.store.read.teams import service, team

SOURCE = "Demo Alertmanager"
TEAM = "Demo Team"
SERVICE = "Demo Shop"
POLICY = "Demo Ladder"
#: `.example` is nobody's (RFC 2606): mail to these people reaches nobody by mistake.
PEOPLE = (
    ("Ana Demo", "ana@nightbell.example", "admin", "Europe/Madrid"),
    ("Ben Demo", "ben@nightbell.example", "user", "America/New_York"),
    ("Chi Demo", "chi@nightbell.example", "user", "Asia/Tokyo"),
)
_URGENCY = {"critical": "High", "warning": "Medium", "info": "Low"}


@dataclass
class Made:
    """What a run of the demo made, and what was there already."""

    lines: list[tuple[str, str]] = field(default_factory=list)
    passwords: list[tuple[str, str]] = field(default_factory=list)
    secret: str | None = None

    def add(self, what: str, *, new: bool) -> None:
        """Note one thing."""
        self.lines.append((what, "made" if new else "there already"))


def demo(where: Where | None = None) -> None:
    """Fill in people, a team, a service, an escalation policy and an Alertmanager source to try things with.

    Owners that exist are put on the policy's first level, so that it rings for whoever tries it.
    """
    settings = settings_of(where)
    opening.quiet(settings)
    made, url = opening.run(_fill(settings))
    _tell(made, url)


async def _fill(settings: Settings) -> tuple[Made, str]:
    made = Made()
    async with opening.opened(settings, "demo") as site:
        await site.same_key()
        ids = [await _person(site, made, *who) for who in PEOPLE]
        owners = await _owners(site)
        policy_id = await _policy(site, made)
        team_id = await _team(site, made, policy_id, [*owners, *ids])
        await _levels(site, made, policy_id, [*owners, ids[0]], team_id)
        service_id = await _service(site, made, policy_id, team_id)
        await _source(site, made, service_id)
        return made, site.url


async def _person(site: Opened, made: Made, name: str, email: str, *role_and_zone: str) -> int:
    found = await people.known(site.db, email)
    made.add(f"{name}, {role_and_zone[0]}", new=found is None)
    if found is not None:
        return int(found["id"])
    password = secrets.token_urlsafe(9)
    role, zone = role_and_zone
    edit = edits.UserEdit(
        name=name, email=email, role=role, time_zone=zone, password_hash=await hash_password(password)
    )
    made.passwords.append((email, password))
    return await site.configure.create_user(edit, by=OPERATOR, now=site.now())


async def _owners(site: Opened) -> list[int]:
    page = await users(site.db, Listing(where=(Condition("role", "eq", ("owner",)),), limit=20))
    return [row["id"] for row in page.rows]


async def _policy(site: Opened, made: Made) -> UUID:
    page = await policies(site.db, Listing(where=(Condition("name", "eq", (POLICY,)),)))
    made.add(f"{POLICY}, an escalation policy", new=not page.rows)
    if page.rows:
        return UUID(str(page.rows[0]["id"]))
    edit = edits.PolicyEdit(name=POLICY, description="First one person, then everybody.", repeat_count=1)
    return await site.configure.create_policy(edit, by=OPERATOR, now=site.now())


async def _team(site: Opened, made: Made, policy_id: UUID, members: list[int]) -> UUID:
    found = await team(site.db, "demo-team")
    made.add(f"{TEAM}, a team", new=found is None)
    now = site.now()
    if found is None:
        edit = edits.TeamEdit(name=TEAM, slug="demo-team", escalation_policy_id=policy_id, user_ids=members)
        return await site.configure.create_team(edit, by=OPERATOR, now=now)
    missing = [member for member in members if member not in found["user_ids"]]
    if missing:
        edit = edits.TeamEdit(user_ids=[*found["user_ids"], *missing])
        await site.configure.update_team(found["id"], edit, by=OPERATOR, now=now)
    return UUID(str(found["id"]))


async def _levels(site: Opened, made: Made, policy_id: UUID, first: list[int], team_id: UUID) -> None:
    path = await default_path(site.db, policy_id)
    levels = await levels_of_path(site.db, path["id"]) if path else []
    wanted = [_target("user", user_id) for user_id in first]
    now = site.now()
    if not levels:
        everybody = {**_target("team", team_id), "team_members": "all"}
        for targets in (wanted, [everybody]):
            level = edits.LevelEdit(delay_minutes=2, targets=targets)
            await site.configure.create_level(policy_id, None, level, by=OPERATOR, now=now)
    else:
        paged = {(target["type"], target["id"]) for target in levels[0]["targets"]}
        missing = [target for target in wanted if (target["type"], target["id"]) not in paged]
        if missing:
            level = edits.LevelEdit(targets=[*levels[0]["targets"], *missing])
            await site.configure.update_level(levels[0]["id"], level, by=OPERATOR, now=now)
    made.add("its levels: one person, after 2 minutes the whole team", new=not levels)


async def _service(site: Opened, made: Made, policy_id: UUID, team_id: UUID) -> UUID:
    found = await service(site.db, "demo-shop")
    made.add(f"{SERVICE}, a service", new=found is None)
    if found is not None:
        return UUID(str(found["id"]))
    edit = edits.ServiceEdit(
        name=SERVICE, slug="demo-shop", escalation_policy_id=policy_id, owner_team_ids=[team_id]
    )
    return await site.configure.create_service(edit, by=OPERATOR, now=site.now())


async def _source(site: Opened, made: Made, service_id: UUID) -> None:
    found = any(row["name"] == SOURCE for row in await all_sources(site.db))
    made.add(f"{SOURCE}, a source whose alerts are for {SERVICE}", new=not found)
    if found:
        return
    urgencies = {row["name"]: row["id"] for row in await all_urgencies(site.db)}
    rules = [
        {
            "json_path": "$.commonLabels.severity",
            "operator": "is",
            "value": severity,
            "urgency_id": str(ident),
        }
        for severity, name in _URGENCY.items()
        if (ident := urgencies.get(name))
    ]
    edit = edits.SourceEdit(
        name=SOURCE,
        type="alertmanager",
        urgency_rules=rules,
        default_target={"type": "Service", "id": str(service_id)},
    )
    _, made.secret = await site.configure.create_source(edit, by=OPERATOR, now=site.now())


def _target(kind: str, ident: object) -> dict[str, Any]:
    return {"type": kind, "id": str(ident), "team_members": None}


def _tell(made: Made, url: str) -> None:
    screen.table(("what", "state"), made.lines)
    if made.passwords:
        screen.note("\nThey log in with these passwords, shown this once:")
        for email, password in made.passwords:
            screen.note(f"  {email}  [bold]{password}[/]")
    if made.secret:
        screen.note(f"\nThe secret of {SOURCE}, shown this once:\n  [bold]{made.secret}[/]")
    fire = f"{screen.command()} fire HighErrorRate --severity critical"
    screen.note(f"\nNow log in at {url} and run: [bold]{fire}[/]")
