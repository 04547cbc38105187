"""Who gets in: passwords, sessions, one-time links and tokens, against a real database."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from nightbell.core.access import Role
from nightbell.core.errors import Forbidden, Invalid, Stale, Unauthenticated, Unknown
from nightbell.engine import identity
from nightbell.engine.identity import SESSION, TOUCH, Account, Browser, Visitor
from nightbell.engine.joining import accept
from nightbell.store.db import Db

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
HERE = Browser(user_agent="test", remote_ip="127.0.0.1")
ANA = Account(
    email="Ana@Example.org", name="  Ana   Ferreira ", password="correct horse", time_zone="Europe/Lisbon"
)


async def owner(db: Db) -> Visitor:
    """Make the first owner and return them, logged in."""
    link = await identity.first_link(db, NOW)
    assert link is not None
    await accept(db, link, ANA, NOW)
    token = await identity.log_in(db, "ana@example.org", "correct horse", HERE, NOW)
    visitor = await identity.visitor_by_session(db, token, NOW)
    assert visitor is not None
    return visitor


async def test_the_first_link_makes_an_owner_who_can_be_paged(db: Db) -> None:
    visitor = await owner(db)
    assert (visitor.role, visitor.name, visitor.time_zone) == (Role.OWNER, "Ana Ferreira", "Europe/Lisbon")
    kinds = await db.fetch("SELECT kind FROM contact_methods WHERE verified_at IS NOT NULL ORDER BY kind")
    assert [row[0] for row in kinds] == ["email", "inbox"]
    assert await identity.first_link(db, NOW) is None


async def test_a_link_works_once_and_a_newer_first_link_ends_the_older(db: Db) -> None:
    old = await identity.first_link(db, NOW)
    new = await identity.first_link(db, NOW)
    assert old and new
    with pytest.raises(Unknown):
        await accept(db, old, ANA, NOW)
    await accept(db, new, ANA, NOW)
    with pytest.raises(Unknown):
        await accept(db, new, ANA, NOW)


async def test_a_link_expires(db: Db) -> None:
    link = await identity.first_link(db, NOW)
    assert link
    with pytest.raises(Unknown):
        await identity.invitation(db, link, NOW + identity.SETUP)


async def test_an_unknown_address_and_a_wrong_password_are_refused_alike(db: Db) -> None:
    await owner(db)
    said = set()
    for email, password in (
        ("ana@example.org", "wrong"),
        ("nobody@example.org", "correct horse"),
        ("ana@example.org", ""),
    ):
        with pytest.raises(Unauthenticated) as error:
            await identity.log_in(db, email, password, HERE, NOW)
        said.add(error.value.message)
    assert len(said) == 1


async def test_somebody_who_has_left_is_out_at_once(db: Db) -> None:
    await owner(db)
    session = await identity.log_in(db, "ana@example.org", "correct horse", HERE, NOW)
    await db.run("UPDATE users SET active = false")
    assert await identity.visitor_by_session(db, session, NOW) is None
    with pytest.raises(Unauthenticated):
        await identity.log_in(db, "ana@example.org", "correct horse", HERE, NOW)


async def test_a_session_lives_while_it_is_used(db: Db) -> None:
    await owner(db)
    token = await identity.log_in(db, "ana@example.org", "correct horse", HERE, NOW)
    late = NOW + SESSION - TOUCH
    assert await identity.visitor_by_session(db, token, late)
    assert await identity.visitor_by_session(db, token, late + SESSION - TOUCH)
    assert await identity.visitor_by_session(db, token, late + 3 * SESSION) is None


async def test_no_secret_is_stored_in_clear(db: Db) -> None:
    visitor = await owner(db)
    session = await identity.log_in(db, "ana@example.org", "correct horse", HERE, NOW)
    token = await identity.create_token(db, visitor.user_id, "cli", Role.ADMIN, NOW)
    stored = ""
    for table in ("users", "sessions", "api_keys", "invitations"):
        stored += str([dict(row.items()) for row in await db.fetch(f"SELECT * FROM {table}")])
    for secret in ("correct horse", session, token):
        assert secret not in stored
    assert "argon2id" in stored


async def test_a_new_password_needs_the_old_one(db: Db) -> None:
    visitor = await owner(db)
    with pytest.raises(Invalid) as error:
        await identity.change_password(db, visitor.user_id, "wrong", "another horse", NOW)
    assert error.value.place == "old_password"
    await identity.change_password(db, visitor.user_id, "correct horse", "another horse", NOW)
    assert await identity.log_in(db, "ana@example.org", "another horse", HERE, NOW)


@pytest.mark.parametrize(("account", "place"), [
    (Account(email="x", name="Ana", password="correct horse"), "email"),
    (Account(email="a@b.c", name=" ", password="correct horse"), "name"),
    (Account(email="a@b.c", name="Ana", password="short"), "password"),
    (Account(email="a@b.c", name="Ana", password="correct horse", time_zone="Mars/Olympus"), "time_zone"),
])  # fmt: skip
async def test_an_account_that_does_not_fit_names_the_field(db: Db, account: Account, place: str) -> None:
    link = await identity.first_link(db, NOW)
    assert link
    with pytest.raises(Invalid) as error:
        await accept(db, link, account, NOW)
    assert error.value.place == place


async def test_an_administrator_invites_no_owner(db: Db) -> None:
    visitor = await owner(db)
    link = await identity.invite(db, visitor, Role.ADMIN, "bo@example.org", NOW)
    bo = await accept(db, link, Account(email="evil@example.org", name="Bo", password="correct horse"), NOW)
    row = (await db.fetch("SELECT email, role FROM users WHERE id = $1", bo))[0]
    assert (row["email"], row["role"]) == ("bo@example.org", "admin")
    token = await identity.log_in(db, "bo@example.org", "correct horse", HERE, NOW)
    admin = await identity.visitor_by_session(db, token, NOW)
    assert admin
    with pytest.raises(Forbidden):
        await identity.invite(db, admin, Role.OWNER, "c@example.org", NOW)


async def test_an_api_token_does_no_more_than_its_owner(db: Db) -> None:
    visitor = await owner(db)
    token = await identity.create_token(db, visitor.user_id, "cli", Role.OWNER, NOW)
    assert re.fullmatch(r"rootly_[0-9a-f]{64}", token)
    known = await identity.visitor_by_token(db, token, NOW)
    assert known and known.role is Role.OWNER
    await db.run("UPDATE users SET role = 'observer'")
    known = await identity.visitor_by_token(db, token, NOW)
    assert known and known.role is Role.OBSERVER
    with pytest.raises(Forbidden):
        await identity.create_token(db, visitor.user_id, "more", Role.ADMIN, NOW)
    for wrong in ("", "rootly_", token[:-1], token + "0", "x" * 71):
        assert await identity.visitor_by_token(db, wrong, NOW) is None


async def test_a_token_taken_back_opens_nothing(db: Db) -> None:
    visitor = await owner(db)
    token = await identity.create_token(db, visitor.user_id, "cli", Role.USER, NOW)
    key = (await db.fetch("SELECT id FROM api_keys"))[0][0]
    assert await identity.revoke_token(db, visitor, key, NOW)
    assert await identity.visitor_by_token(db, token, NOW) is None


async def test_who_joined_invited_and_made_tokens_is_in_the_audit_log(db: Db) -> None:
    visitor = await owner(db)
    await identity.invite(db, visitor, Role.USER, "bo@example.org", NOW)
    await identity.create_token(db, visitor.user_id, "cli", Role.USER, NOW)
    await identity.change_password(db, visitor.user_id, "correct horse", "another horse", NOW)
    actions = await db.fetch(
        "SELECT DISTINCT actor, action FROM audit_log WHERE action NOT LIKE '%method%' AND action NOT LIKE '%rule%'"
    )
    assert {(row["actor"], row["action"]) for row in actions} == {
        ("Ana Ferreira", "user.joined"),
        ("Ana Ferreira", "invitation.created"),
        ("Ana Ferreira", "api_key.created"),
        ("Ana Ferreira", "password.changed"),
    }


async def test_two_people_with_one_link_are_one_person(db: Db) -> None:
    link = await identity.first_link(db, NOW)
    assert link
    await db.run("UPDATE invitations SET used_at = $1", NOW - timedelta(seconds=1))
    with pytest.raises((Stale, Unknown)):
        await accept(db, link, ANA, NOW)
