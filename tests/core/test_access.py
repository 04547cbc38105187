"""Roles and what they may do."""

import pytest

from nightbell.core.access import GRANTS, Permission, Role, may, may_grant, narrowed


def test_each_role_may_do_what_the_lesser_ones_may() -> None:
    ladder = [Role.OBSERVER, Role.USER, Role.ADMIN, Role.OWNER]
    for lesser, greater in zip(ladder, ladder[1:], strict=False):
        assert GRANTS[lesser] < GRANTS[greater]


def test_a_stranger_may_only_what_is_public() -> None:
    assert [p for p in Permission if may(None, p)] == [Permission.PUBLIC]


def test_an_observer_answers_no_alert() -> None:
    assert may("observer", Permission.VIEW)
    assert not may("observer", Permission.RESPOND)


def test_only_administrators_see_the_secrets_of_sources() -> None:
    assert [role.value for role in Role if may(role, Permission.CONNECT)] == ["owner", "admin"]


@pytest.mark.parametrize(("giver", "given", "allowed"), [
    ("owner", "owner", True),
    ("admin", "owner", False),
    ("admin", "admin", True),
    ("user", "observer", False),
])  # fmt: skip
def test_nobody_gives_a_role_above_their_own(giver: str, given: str, allowed: bool) -> None:
    assert may_grant(giver, given) is allowed


def test_a_token_never_carries_more_than_its_owner_has() -> None:
    assert narrowed("user", "owner") is Role.USER
    assert narrowed("owner", "observer") is Role.OBSERVER
