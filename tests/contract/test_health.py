"""What /readyz says of the loops: one that waits for its turn is well, one that is overdue is stuck."""

import asyncio
from time import monotonic
from typing import Any

import httpx
import pytest

from nightbell.engine.configure import seed
from nightbell.testing.clock import FrozenClock
from nightbell.web.health import STUCK, Health
from support.bells import START, ringing

#: The rarest of the chores. Units: seconds.
AN_HOUR = 3600
GOOD = b'{"status":"ready","checks":{"database":"ok","engine":"ok"}}'


@pytest.fixture
async def bell(db, tmp_path):
    clock = FrozenClock(START)
    await seed(db, clock())
    async with ringing(db, tmp_path, {}, clock) as bell:
        yield bell


async def ready(db, seen) -> tuple[int, bytes]:
    health: Any = Health(db=db, seen=seen)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=health), base_url="http://x") as client:
        answer = await client.get("/readyz")
    return answer.status_code, answer.content


async def test_a_loop_that_goes_round_once_an_hour_is_not_stuck_between(bell, db):
    seen = bell.engine.worker.seen
    async with asyncio.timeout(20):
        while "keeping" not in seen:
            await asyncio.sleep(0.01)
    of_an_hour = seen["keeping"] - AN_HOUR + 2 * STUCK
    assert await ready(db, {"tick": monotonic(), "deliver": monotonic(), "keeping": of_an_hour}) == (
        200,
        GOOD,
    )


async def test_a_loop_that_is_overdue_is_named(bell, db):
    due = monotonic()
    status, body = await ready(db, {"tick": due, "deliver": due - STUCK - 1})
    assert status == 503
    assert b"stuck: deliver" in body


async def test_before_the_loops_went_round_nobody_is_sent_here(db):
    assert (await ready(db, {}))[0] == 503
