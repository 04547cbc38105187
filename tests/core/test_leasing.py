"""Which pages a transaction may lease, and which it leaves to the claim."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from nightbell.core.delivery import Purpose
from nightbell.core.leasing import MOST, at_once
from nightbell.core.paging import Notification

NOW = datetime(2026, 3, 1, 2, tzinfo=UTC)


def page(n: int = 1, *, kind: str = "sms", user: int = 1, about: int = 1) -> Notification:
    return Notification(
        id=UUID(int=n),
        alert_id=UUID(int=n),
        page_id=UUID(int=n),
        user_id=user,
        contact_method_id=UUID(int=user),
        kind=kind,
        purpose=Purpose.PAGE,
        occurrence=0,
        level=1,
        send_at=NOW,
        idempotency_key=str(n),
        because={},
        about=UUID(int=about),
    )


def chosen(*messages: Notification, throttled: tuple[str, ...] = ()) -> list[int]:
    return [m.id.int for m in at_once(messages, throttled, NOW)]


def test_a_page_that_is_due_is_leased():
    assert chosen(page()) == [1]


@pytest.mark.parametrize(
    "other",
    [
        replace(page(), send_at=NOW + timedelta(microseconds=1)),
        replace(page(), purpose=Purpose.UPDATE),
        replace(page(), purpose=Purpose.NOTICE),
        replace(page(), address="#ops"),
    ],
    ids=["later", "update", "notice", "channel"],
)
def test_what_is_not_due_or_wakes_nobody_is_claimed(other):
    assert chosen(other) == []
    assert chosen(other, page(2, user=2)) == [2]


def test_what_a_throttle_may_hold_is_claimed():
    assert chosen(page(), page(2, kind="voice"), throttled=("sms",)) == [2]


def test_what_is_told_together_is_claimed():
    assert chosen(page(1), page(2), page(3, user=2), page(4, about=2)) == [3, 4]


@pytest.mark.parametrize("kind", ["webhook", "inbox"])
def test_what_is_never_told_together_is_leased_however_many_there_are(kind):
    assert chosen(page(1, kind=kind), page(2, kind=kind)) == [1, 2]


def test_a_crowd_is_claimed():
    crowd = [page(n, user=n) for n in range(1, MOST + 1)]
    assert len(chosen(*crowd)) == MOST
    assert chosen(*crowd, page(MOST + 1, kind="webhook")) == []
