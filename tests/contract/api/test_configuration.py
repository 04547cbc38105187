"""The configuration's one writer: what it fills in, what it refuses and names, and the trace every change leaves."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from nightbell.channels import registry
from nightbell.channels.email import SmtpSettings
from nightbell.core.directory import TEMPLATES
from nightbell.core.errors import Forbidden, Invalid, Stale, Unknown
from nightbell.core.journal import SYSTEM, person
from nightbell.engine import edits
from nightbell.engine.configure import Configure, Problems, seed
from nightbell.engine.configure_sources import secret_hash
from nightbell.engine.vault import Vault
from nightbell.net.guard import Guard
from nightbell.net.http import Http
from nightbell.store.read import people, policies, sources, teams
from nightbell.store.read.listing import Listing
from nightbell.store.statements import fetch_core
from nightbell.store.tables import METADATA, audit_log

NOW = datetime(2026, 11, 23, 2, 0, 5, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)


def there(row):
    """A row that must exist."""
    assert row is not None
    return row


@pytest.fixture
def configure(db):
    return Configure(db, Vault(b"k" * 32), registry.build(SmtpSettings(), Http(Guard(()))))


@pytest.fixture
def make(configure):
    """Makes things with as few words as a test needs; `make.user("Ana")`."""

    class Make:
        async def user(self, name, role="user"):
            edit = edits.UserEdit(name=name, email=f"{name.lower()}@example.org", role=role)
            return await configure.create_user(edit, by=SYSTEM, now=NOW)

        async def team(self, name, **more):
            return await configure.create_team(edits.TeamEdit(name=name, **more), by=SYSTEM, now=NOW)

        async def policy(self, name, **more):
            return await configure.create_policy(edits.PolicyEdit(name=name, **more), by=SYSTEM, now=NOW)

    return Make()


async def version(db):
    return (await db.fetch("SELECT version FROM configuration"))[0][0]


async def test_every_named_column_is_in_the_schema(db):
    rows = await db.fetch(
        "SELECT table_name, column_name, udt_name FROM information_schema.columns WHERE table_schema = 'public'"
    )
    real = {(r["table_name"], r["column_name"]) for r in rows}
    named = {(t.name, c.name) for t in METADATA.tables.values() for c in t.columns}
    assert named - real == set()


async def test_a_new_person_can_be_paged_at_once(db, make):
    ana = await make.user("Ana")
    methods = await people.all_contact_methods(db, ana)
    assert {(m["kind"], m["verified_at"]) for m in methods} == {("email", NOW), ("inbox", NOW)}
    rules = {(r["loudness"], r["kind"], r["delay_minutes"]) for r in await people.notification_rules(db, ana)}
    assert rules == {("audible", "inbox", 0), ("audible", "email", 0), ("quiet", "email", 0)}


async def test_every_change_moves_the_version_and_is_audited(db, make, configure):
    before = await version(db)
    ana = await make.user("Ana", "owner")
    await configure.update_user(ana, edits.UserEdit(name="Ana Silva"), by=person(ana, "Ana"), now=LATER)
    assert await version(db) == before + 2
    log = await fetch_core(db, select(audit_log).where(audit_log.c.action == "user.updated"))
    assert log[0]["changes"] == {"name": ["Ana", "Ana Silva"]}
    assert (log[0]["user_id"], log[0]["actor"], log[0]["created_at"]) == (ana, "Ana", LATER)


async def test_all_that_is_wrong_with_an_edit_is_named_at_once(configure):
    edit = edits.UserEdit(name=" ", email="nobody", role="king", time_zone="Mars/Olympus")
    with pytest.raises(Problems) as caught:
        await configure.create_user(edit, by=SYSTEM, now=NOW)
    assert [p.place for p in caught.value.problems] == ["name", "role", "time_zone", "email"]


async def test_a_taken_address_is_refused_by_field_in_any_case(db, make):
    await make.user("Ana")
    with pytest.raises(Invalid) as caught:
        await make.user("ANA")
    assert caught.value.place == "email"


async def test_a_refused_change_leaves_nothing_behind(db, make, configure):
    before = await version(db)
    with pytest.raises(Invalid) as caught:
        await make.team("Platform", user_ids=[4711])
    assert caught.value.place == "user_ids"
    assert (await teams.teams(db, Listing())).rows == []
    assert await version(db) == before


async def test_nobody_raises_themselves_above_their_role(make, configure):
    admin = await make.user("Bo", "admin")
    actor = person(admin, "Bo")
    with pytest.raises(Forbidden):
        await configure.update_user(admin, edits.UserEdit(role="owner"), by=actor, now=NOW)
    with pytest.raises(Forbidden):
        edit = edits.UserEdit(name="Eve", email="eve@example.org", role="owner")
        await configure.create_user(edit, by=actor, now=NOW)


async def test_the_last_owner_stays_an_owner(make, configure):
    ana = await make.user("Ana", "owner")
    with pytest.raises(Stale):
        await configure.update_user(ana, edits.UserEdit(role="user"), by=SYSTEM, now=NOW)
    with pytest.raises(Stale):
        await configure.delete_user(ana, by=SYSTEM, now=NOW)


async def test_a_person_who_left_is_in_no_team_and_keeps_a_name(db, make, configure):
    ana = await make.user("Ana")
    team = await make.team("Platform", user_ids=[ana])
    await configure.delete_user(ana, by=SYSTEM, now=NOW)
    assert there(await teams.team(db, team))["user_ids"] == []
    assert (await people.users(db, Listing())).rows == []
    assert there(await people.user(db, ana))["name"] == "Ana"


async def test_secrets_of_a_contact_method_are_sealed_and_survive_their_mask(db, make, configure):
    ana = await make.user("Ana")
    edit = edits.ContactMethodEdit(
        kind="ntfy", address="https://ntfy.example/x", settings={"token": "tk_1", "p": "5"}
    )
    key = await configure.create_contact_method(ana, edit, verified=False, by=SYSTEM, now=NOW)
    stored = there(await people.contact_method(db, key))["settings"]
    assert stored["p"] == "5" and "tk_1" not in stored["token"]
    masked = edits.ContactMethodEdit(settings={"token": "••••••••", "p": "4"})
    await configure.update_contact_method(key, masked, verified=False, by=SYSTEM, now=NOW)
    after = there(await people.contact_method(db, key))["settings"]
    assert configure.vault.open_text(after["token"]) == "tk_1" and after["p"] == "4"


async def test_an_unproven_address_is_not_verified(db, make, configure):
    ana = await make.user("Ana")
    edit = edits.ContactMethodEdit(kind="email", address="ana@elsewhere.example")
    key = await configure.create_contact_method(ana, edit, verified=False, by=person(ana, "Ana"), now=NOW)
    assert there(await people.contact_method(db, key))["verified_at"] is None
    await configure.verify_contact_method(key, by=SYSTEM, now=LATER)
    assert there(await people.contact_method(db, key))["verified_at"] == LATER


async def test_there_is_one_primary_address_of_a_kind(db, make, configure):
    ana = await make.user("Ana")
    edit = edits.ContactMethodEdit(kind="email", address="a@b.example", is_primary=True)
    key = await configure.create_contact_method(ana, edit, verified=True, by=SYSTEM, now=NOW)
    primary = [
        m["id"] for m in await people.all_contact_methods(db, ana) if m["is_primary"] and m["kind"] == "email"
    ]
    assert primary == [key]


async def test_a_policy_is_born_with_its_default_path(db, make):
    policy = await make.policy("Platform EP")
    path = there(await policies.default_path(db, policy))
    assert (path["name"], path["is_default"], path["loudness"]) == ("Default", True, "audible")


async def test_a_default_path_that_is_posted_adopts_the_untouched_one(db, make, configure):
    policy = await make.policy("Platform EP")
    born = there(await policies.default_path(db, policy))
    edit = edits.PathEdit(name="Main", is_default=True, repeat=True, repeat_count=2)
    key = await configure.create_path(policy, edit, by=SYSTEM, now=NOW)
    assert key == born["id"]
    assert there(await policies.path(db, key))["name"] == "Main"


async def test_a_default_path_with_levels_is_not_replaced(make, configure):
    ana, policy = await make.user("Ana"), await make.policy("EP")
    level = edits.LevelEdit(targets=[{"type": "user", "id": str(ana)}])
    await configure.create_level(policy, None, level, by=SYSTEM, now=NOW)
    with pytest.raises(Invalid) as caught:
        await configure.create_path(policy, edits.PathEdit(name="Main", is_default=True), by=SYSTEM, now=NOW)
    assert caught.value.place == "is_default"


async def test_levels_make_room_and_close_ranks(db, make, configure):
    ana, policy = await make.user("Ana"), await make.policy("EP")
    targets = [{"type": "user", "id": ana}]
    keys = []
    for delay, position in ((1, 1), (2, 2), (3, 1)):
        edit = edits.LevelEdit(targets=targets, delay_minutes=delay, position=position)
        keys.append(await configure.create_level(policy, None, edit, by=SYSTEM, now=NOW))
    found = await policies.levels_of_policy(db, policy)
    assert [(level["position"], level["delay_minutes"]) for level in found] == [(1, 3), (2, 1), (3, 2)]
    assert found[0]["targets"] == [{"type": "user", "id": str(ana), "team_members": None}]
    await configure.delete_level(keys[0], by=SYSTEM, now=NOW)
    found = await policies.levels_of_policy(db, policy)
    assert [(level["position"], level["delay_minutes"]) for level in found] == [(1, 3), (2, 2)]


@pytest.mark.parametrize(
    ("target", "place"),
    [
        ({"type": "user", "id": "4711"}, "targets[0].id"),
        ({"type": "user", "id": "x"}, "targets[0].id"),
        ({"type": "schedule", "id": "0000000b-0000-4000-8000-00000000000b"}, "targets[0].id"),
        ({"type": "slack_channel", "id": "C1"}, "targets[0].id"),
        ({"type": "pigeon", "id": "1"}, "targets[0].type"),
    ],
)
async def test_a_level_pages_only_what_exists(make, configure, target, place):
    policy = await make.policy("EP")
    with pytest.raises(Invalid) as caught:
        await configure.create_level(policy, None, edits.LevelEdit(targets=[target]), by=SYSTEM, now=NOW)
    assert caught.value.place == place


async def test_a_team_and_its_policy_are_two_ends_of_one_link(db, make, configure):
    team = await make.team("Platform")
    policy = await make.policy("EP", team_ids=[team])
    assert there(await teams.team(db, team))["escalation_policy_id"] == policy
    await configure.update_policy(policy, edits.PolicyEdit(team_ids=[]), by=SYSTEM, now=NOW)
    assert there(await teams.team(db, team))["escalation_policy_id"] is None


async def test_two_teams_may_share_the_letters_of_their_slug(db, make):
    first, second = await make.team("Data & ML"), await make.team("Data ML!")
    assert [there(await teams.team(db, key))["slug"] for key in (first, second)] == ["data-ml", "data-ml-2"]


async def test_a_secret_is_kept_as_a_hash_and_sealed(db, configure):
    edit = edits.SourceEdit(name="Alertmanager prod")
    key, secret = await configure.create_source(edit, by=SYSTEM, now=NOW)
    assert len(secret) == 64 and set(secret) <= set("0123456789abcdef")
    rows = await db.fetch("SELECT * FROM source_secrets")
    assert [bytes(r["secret_hash"]) for r in rows] == [secret_hash(secret)]
    assert secret.encode() not in bytes(rows[0]["sealed"])
    assert await configure.reveal_secret(key, now=NOW) == secret


async def test_two_secrets_work_while_one_replaces_the_other(db, configure):
    key, first = await configure.create_source(edits.SourceEdit(name="Prod"), by=SYSTEM, now=NOW)
    second = await configure.rotate_secret(key, by=SYSTEM, now=NOW, grace=timedelta(hours=1))
    assert await configure.reveal_secret(key, now=NOW) == second != first
    valid = [s["expires_at"] for s in there(await sources.source(db, key, NOW))["secrets"]]
    assert valid == [None, NOW + timedelta(hours=1)]
    later = there(await sources.source(db, key, NOW + timedelta(hours=1)))["secrets"]
    assert [s["last_four"] for s in later] == [second[-4:]]


@pytest.mark.parametrize("number", [0, -1, 2**31, 10**20])
async def test_a_number_that_nobody_can_have_is_nobodys(db, number):
    assert await people.user(db, number) is None


@pytest.mark.parametrize(
    ("edit", "place"),
    [
        ({"identity": "guess"}, "identity"),
        ({"type": "carrier_pigeon"}, "type"),
        ({"identity": "key"}, "dedup_path"),
        ({"dedup_path": "$.["}, "dedup_path"),
        ({"dedup_regexp": "("}, "dedup_regexp"),
        (
            {"urgency_rules": [{"json_path": "$.a", "operator": "near", "value": "x"}]},
            "urgency_rules[0].operator",
        ),
        ({"settings": {TEMPLATES: {"title": "{{ alert.summary | shout }}"}}}, f"{TEMPLATES}.title"),
        ({"settings": {TEMPLATES: {"description": 7}}}, f"{TEMPLATES}.description"),
        ({"default_target": {"type": "Pigeon", "id": "1"}}, "default_target"),
        ({"default_target": {"type": "User", "id": "1"}}, "default_target"),
    ],
)
async def test_a_source_that_could_not_work_is_refused_by_field(configure, edit, place):
    with pytest.raises(Invalid) as caught:
        await configure.create_source(edits.SourceEdit(name="Prod", **edit), by=SYSTEM, now=NOW)
    assert caught.value.place == place


def rule(name="critical", **more):
    condition = {"field_type": "payload", "field_name": "$.commonLabels.severity", "operator": "is_one_of"}
    groups = [{"conditions": [{**condition, "values": ["critical"]}]}]
    return {"name": name, "destinations": [], "condition_groups": groups, **more}


async def test_a_rule_keeps_its_id_when_a_route_is_saved_again(db, configure):
    edit = edits.RouteEdit(name="Prod", rules=[rule("one"), rule("two")])
    key = await configure.create_route(edit, by=SYSTEM, now=NOW)
    before = {r["name"]: r["id"] for r in there(await sources.route(db, key))["rules"]}
    edit = edits.RouteEdit(rules=[rule("two"), rule("three"), rule("one")])
    await configure.update_route(key, edit, by=SYSTEM, now=LATER)
    after = {r["name"]: r["id"] for r in there(await sources.route(db, key))["rules"]}
    assert {name: after[name] for name in before} == before and len(set(after.values())) == 3


async def test_a_route_has_one_fallback_at_most(configure):
    edit = edits.RouteEdit(name="Prod", rules=[rule("a", fallback=True), rule("b", fallback=True)])
    with pytest.raises(Invalid) as caught:
        await configure.create_route(edit, by=SYSTEM, now=NOW)
    assert caught.value.place == "rules"


async def test_what_is_not_there_is_unknown(configure):
    with pytest.raises(Unknown):
        await configure.delete_team(UUID(int=7), by=SYSTEM, now=NOW)


async def test_seeding_twice_seeds_once(db):
    await seed(db, NOW)
    await db.run("UPDATE urgencies SET name = 'Loud' WHERE name = 'High'")
    await seed(db, LATER)
    assert [u["name"] for u in await sources.all_urgencies(db)] == ["Loud", "Medium", "Low"]
