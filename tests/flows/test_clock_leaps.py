"""A clock set forward or back by two hours: nobody is paged twice, nothing waits two hours longer, no heartbeat is missed.

The engine's own loops run here by a clock that leaps; what passes meanwhile is a second of real time.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from nightbell.app import Running, node
from nightbell.core.directory import Target
from nightbell.core.journal import SYSTEM
from nightbell.engine import edits
from nightbell.engine.act import NewAlert
from nightbell.engine.awake import Awake
from nightbell.engine.configure import Configure, seed
from nightbell.settings import Settings
from nightbell.store.db import Db

HOURS = timedelta(hours=2)


class Leaping:
    """The wall clock of a machine whose operator, or whose time server, gets it wrong."""

    def __init__(self) -> None:
        self.off = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.off


@pytest.fixture
def clock() -> Leaping:
    return Leaping()


@pytest.fixture
def running(db: Db, clock: Leaping, tmp_path: Any) -> Callable[[], Any]:
    @asynccontextmanager
    async def start() -> AsyncIterator[Running]:
        await seed(db, clock())
        async with node(Settings(data=tmp_path / "data", base_url="http://x"), db, now=clock) as made:
            yield made

    return start


async def household(db: Db, running: Running, clock: Leaping) -> str:
    """Make Ana and Ben, who are paged in their browsers ten minutes apart, and return their policy."""
    configure = Configure(db, running.engine.vault, running.engine.kinds)
    levels = []
    for name in ("Ana", "Ben"):
        user = await configure.create_user(
            edits.UserEdit(name=name, email=f"{name}@example.org", role="user"), by=SYSTEM, now=clock()
        )
        for row in await db.fetch(
            "SELECT id FROM contact_methods WHERE user_id = $1 AND kind <> 'inbox'", user
        ):
            await configure.delete_contact_method(row["id"], by=SYSTEM, now=clock())
        levels.append(user)
    policy = await configure.create_policy(edits.PolicyEdit(name="P"), by=SYSTEM, now=clock())
    path = (await db.fetch("SELECT id FROM escalation_paths WHERE policy_id = $1", policy))[0]["id"]
    for position, user in enumerate(levels, 1):
        targets = [{"type": "user", "id": str(user)}]
        edit = edits.LevelEdit(position=position, delay_minutes=10, targets=targets)
        await configure.create_level(policy, path, edit, by=SYSTEM, now=clock())
    return str(policy)


async def heartbeat(db: Db, running: Running, clock: Leaping, policy: str) -> Any:
    configure = Configure(db, running.engine.vault, running.engine.kinds)
    edit = edits.HeartbeatEdit(
        name="backup", alert_summary="silent", interval_count=30, interval_unit="minutes", enabled=True,
        target={"type": "EscalationPolicy", "id": policy},
    )  # fmt: skip
    key = await configure.create_heartbeat(edit, by=SYSTEM, now=clock())
    await db.run("UPDATE heartbeats SET status = 'active', last_pinged_at = $1, expires_at = $2, wake_at = $2",
                 clock(), clock() + timedelta(minutes=30))  # fmt: skip
    return key


async def fire(running: Running, clock: Leaping, policy: str) -> Any:
    target = Target(type="EscalationPolicy", id=policy)
    new = NewAlert(summary="DiskFull", targets=(target,))
    return (await running.engine.act.create(new, by=SYSTEM, now=clock())).id


async def until(look: Callable[[], Any], what: str) -> Any:
    for _ in range(200):
        if found := await look():
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"{what} did not come true")


async def sent(db: Db, many: int) -> list[Any]:
    """Wait for so many pages to be sent, and return who was paged by each."""

    async def look() -> list[Any] | None:
        sql = """SELECT u.name, n.attempts FROM notifications n JOIN users u ON u.id = n.user_id
            WHERE n.state = 'sent' AND n.purpose = 'page' ORDER BY n.id"""
        rows = await db.fetch(sql)
        return [tuple(r.values()) for r in rows] if len(rows) >= many else None

    found: list[Any] = await until(look, f"{many} pages")
    return found


async def test_a_clock_set_forward_pages_the_next_level_early_once_and_misses_no_heartbeat(
    db, clock, running
):
    async with running() as made:
        policy = await household(db, made, clock)
        await heartbeat(db, made, clock, policy)
        await fire(made, clock, policy)
        assert await sent(db, 1) == [("Ana", 1)]
        await asyncio.sleep(1.2)
        clock.off = HOURS
        assert await sent(db, 2) == [("Ana", 1), ("Ben", 1)]
        await asyncio.sleep(1.5)
        assert await sent(db, 2) == [("Ana", 1), ("Ben", 1)]
        assert (await db.fetch("SELECT status FROM heartbeats"))[0]["status"] == "active"


async def test_a_clock_set_back_makes_nobody_wait_two_hours_longer(db, clock, running):
    clock.off = HOURS
    async with running() as made:
        policy = await household(db, made, clock)
        await heartbeat(db, made, clock, policy)
        alert = await fire(made, clock, policy)
        assert await sent(db, 1) == [("Ana", 1)]
        await asyncio.sleep(1.2)
        clock.off = timedelta()

        async def rewound() -> bool:
            rows = await db.fetch("SELECT wake_at FROM escalations WHERE alert_id = $1", alert)
            return bool(rows[0]["wake_at"] <= clock() + timedelta(minutes=10))

        await until(rewound, "the next level in ten minutes")
        beats = await db.fetch("SELECT expires_at FROM heartbeats")
        assert beats[0]["expires_at"] <= clock() + timedelta(minutes=30)
        await made.engine.act.acknowledge(alert, by=SYSTEM, now=clock())
        assert await sent(db, 1) == [("Ana", 1)]


async def test_time_that_nobody_ran_is_nobodys_silence(db, clock, running):
    async with running() as made:
        policy = await household(db, made, clock)
        await heartbeat(db, made, clock, policy)
        await until(lambda: db.fetch("SELECT FROM instance WHERE key = 'awake'"), "a note")
    clock.off = HOURS
    async with running() as made:

        async def forgiven() -> bool:
            rows = await db.fetch("SELECT expires_at FROM heartbeats")
            return bool(rows[0]["expires_at"] > clock() + timedelta(minutes=29))

        await until(forgiven, "more time for the beat")
        assert (await db.fetch("SELECT status FROM heartbeats"))[0]["status"] == "active"


async def test_a_clock_that_is_steered_by_seconds_changes_nothing(db, clock):
    passed = 0.0
    forgiven = []

    class Beats:
        async def forgive(self, since: datetime) -> int:
            forgiven.append(since)
            return 0

    awake = Awake(db, Beats(), clock, lambda: passed)  # type: ignore[arg-type]
    await awake.look()
    clock.off = timedelta(seconds=-5)
    await awake.look()
    clock.off = timedelta(seconds=30)
    await awake.look()
    assert forgiven == []
