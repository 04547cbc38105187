"""What the intake promises where it runs in several processes: answered after the fsync, told to come back otherwise."""

import asyncio
import os
import signal
from contextlib import asynccontextmanager
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightbell import clock
from nightbell.core.errors import BadPayload, Overloaded
from nightbell.core.leasing import Lease
from nightbell.engine.ids import new_id
from nightbell.engine.intake import FEW, OFF_LOOP, Answer, Arrived, Shared
from nightbell.engine.leasing import nothing
from nightbell.engine.tidings import Tidings
from nightbell.testing.clock import NIGHT
from nightbell.worker.frames import Begin, Frames, FromIntake, Taken, Told
from nightbell.worker.intake_apart import Apart
from support.captures import captured

PATIENCE = 30


def arrived(source_id, body=None, **changed):
    body = captured("single_firing") if body is None else body
    one = Arrived(
        id=new_id(NIGHT), received_at=NIGHT, source_id=source_id, kind="alertmanager", path="/", remote_ip="",
        user_agent="", url_target=None, body=body,
    )  # fmt: skip
    return msgspec.structs.replace(one, **changed)


# ---------------------------------------------------------------- in a process of its own


@asynccontextmanager
async def beside(db, told=lambda _news: None, *, limit=1 << 20, lends=nothing):
    begin = Begin(
        dsn=db.dsn, lanes=1, hold_down=timedelta(), queue_limit=limit, providers={}, log_level="warning",
        log_format="console",
    )  # fmt: skip
    apart = Apart(begin, told)
    try:
        async with asyncio.timeout(PATIENCE):
            await apart.start(lends)
            await _until(lambda: not apart.problem())
            yield apart
    finally:
        await apart.stop()


async def test_what_it_answers_is_on_disk_and_its_node_hears_of_it(scene):
    source = await scene.cast.source()
    heard: list[Tidings] = []
    async with beside(scene.db, heard.append) as apart:
        answer = await apart.take(arrived(source.id))
        said = msgspec.json.decode(answer.body)
        assert (answer.outcome, said["status"], said["alerts"][0]["what"]) == ("accepted", "ok", "created")
        assert str((await scene.alert())["id"]) == said["alerts"][0]["id"]
        assert apart.waiting_bytes == 0
        await _until(lambda: heard)
        assert (heard[0].alerts, heard[0].shows, heard[0].grown) == ({"created": 1}, True, True)


async def test_who_is_paged_by_it_rings_by_its_node(scene):
    ana = await scene.cast.person("Ana", "email")
    source = await scene.cast.source()
    heard: list[Tidings] = []
    async with beside(scene.db, heard.append) as apart:
        await apart.take(arrived(source.id, url_target=("User", str(ana.id))))
        await _until(lambda: heard)
    assert (heard[0].pages, heard[0].paged, heard[0].due) == (True, 1, True)


async def test_what_is_no_json_is_said_with_its_place(scene):
    source = await scene.cast.source()
    async with beside(scene.db) as apart:
        with pytest.raises(BadPayload) as bad:
            await apart.take(arrived(source.id, b'{"alerts": [}'))
        assert "12" in bad.value.place + bad.value.message
        assert (await apart.take(arrived(source.id))).outcome == "accepted"


async def test_a_bare_list_and_what_prometheus_posts_are_read_there_too(scene):
    source = await scene.cast.source()
    alert = b'[{"labels": {"alertname": "DiskFull", "instance": "db-1"}}]'
    async with beside(scene.db) as apart:
        assert (await apart.take(arrived(source.id, alert, kind="push"))).outcome == "accepted"
        assert (await apart.take(arrived(source.id, alert))).outcome == "accepted"


async def test_a_full_queue_is_refused_at_once(scene):
    source = await scene.cast.source()
    async with beside(scene.db, limit=-1) as apart:
        assert apart.full()
        with pytest.raises(Overloaded):
            await apart.take(arrived(source.id))


async def test_when_it_is_killed_whoever_waits_comes_back_and_it_starts_again(scene):
    source = await scene.cast.source()
    async with beside(scene.db) as apart:
        first = apart.pid
        os.kill(first, signal.SIGSTOP)
        waiting = asyncio.ensure_future(apart.take(arrived(source.id)))
        await asyncio.sleep(0)
        os.kill(first, signal.SIGKILL)
        with pytest.raises(Overloaded):
            await waiting
        assert apart.waiting_bytes == 0
        await _until(lambda: not apart.problem())
        assert apart.pid != first
        assert (await apart.take(arrived(source.id))).outcome == "accepted"


async def test_it_leaves_signals_to_its_node_and_ends_with_it(scene):
    source = await scene.cast.source()
    async with beside(scene.db) as apart:
        pid = apart.pid
        for one in (signal.SIGINT, signal.SIGTERM):
            os.kill(pid, one)
        assert (await apart.take(arrived(source.id))).outcome == "accepted"
        assert apart.pid == pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def _until(true):
    async with asyncio.timeout(PATIENCE):
        while not true():
            await asyncio.sleep(0.01)


async def test_what_it_leases_to_its_node_is_sent_by_that_without_a_claim(scene):
    ana = await scene.cast.person("Ana", "sms")
    source = await scene.cast.source(pages=ana)
    heard: list[Tidings] = []
    now = clock.now()
    lease = Lease(worker=scene.engine.name, now=now, until=now + timedelta(seconds=45))
    lent = [lease, None]
    async with beside(scene.db, heard.append, lends=lambda: lent[0]) as apart:
        await apart.take(arrived(source.id))
        await _until(lambda: heard)
        lent.pop(0)
        await apart.take(arrived(source.id, captured("multi_alert_group")))
        await _until(lambda: heard[1:])
    (first, second) = heard
    assert (len(first.leased), first.pages) == (1, False)
    assert (len(second.leased), second.pages) == (0, True)
    await scene.db.run("DELETE FROM notifications WHERE state = 'waiting'")
    await scene.engine.deliver.take(first.leased)
    (sent,) = await scene.db.fetch("SELECT state, attempts FROM notifications")
    assert tuple(sent.values()) == ("sent", 1)
    await scene.now.pages(ana)


# ---------------------------------------------------------------- dealt out


class Held:
    """An intake that takes down what it was handed and answers when told."""

    def __init__(self, problem=""):
        self.taken: list[bytes] = []
        self.open = asyncio.Event()
        self._problem = problem

    @property
    def waiting_bytes(self):
        return 0

    def full(self):
        return False

    def problem(self):
        return self._problem

    async def take(self, one):
        self.taken.append(one.body)
        await self.open.wait()
        return Answer(outcome="accepted", body=b"")

    async def start(self, lends=nothing): ...

    async def stop(self): ...


def _webhook(key: bytes, filler: int = 0) -> bytes:
    shown = b'{"alerts":[{"labels":{"a":"\\"groupKey\\":\\"x\\",%d"}}],"groupKey":"%b","truncatedAlerts":%d}'
    return shown % (filler, key, filler)


@asynccontextmanager
async def dealt(held, bodies):
    """Deal requests out and hold them there until the block ends."""
    shared, source = Shared(held), new_id(NIGHT)
    tasks = [asyncio.create_task(shared.take(arrived(source, body))) for body in bodies]
    await asyncio.sleep(0)
    yield shared
    for one in held:
        one.open.set()
    assert {answer.outcome for answer in await asyncio.gather(*tasks)} == {"accepted"}


async def test_the_first_takes_all_while_it_keeps_up():
    first, second = Held(), Held()
    async with dealt([first, second], [b"[%d]" % n for n in range(FEW)]):
        assert (len(first.taken), len(second.taken)) == (FEW, 0)


async def test_in_a_storm_the_others_help():
    held = [Held(), Held(), Held()]
    async with dealt(held, [b"[%d]" % n for n in range(FEW * 6)]):
        assert [len(one.taken) for one in held] == [FEW * 2] * 3


async def test_a_large_body_stays_where_it_came():
    first, second = Held(), Held()
    large = [b"[%d, %b]" % (n, b" " * OFF_LOOP) for n in range(3)]
    async with dealt([first, second], [*(b"[%d]" % n for n in range(FEW)), *large]):
        assert (len(first.taken), second.taken) == (FEW + 3, [])


async def test_what_is_under_way_of_a_group_is_all_at_one():
    held = [Held(), Held()]
    keys = [b'{}:{a=\\"%d\\", b=\\"c\\"}' % n for n in range(40)]
    async with dealt(held, [_webhook(key, n) for n in range(3) for key in keys]):
        groups = [{body[body.rfind(b"groupKey") :].split(b'","')[0] for body in one.taken} for one in held]
        assert not groups[0] & groups[1]
        assert sum(map(len, groups)) == len(keys)
        assert min(map(len, groups)) >= FEW


async def test_once_it_is_answered_a_group_may_go_elsewhere():
    held = [Held(), Held()]
    held[0].open.set()
    held[1].open.set()
    async with dealt(held, [b"[]"] * FEW * 3) as shared:
        pass
    assert len(held[0].taken) == FEW * 3
    assert (shared._busy, len(shared._groups)) == ([0, 0], 0)


async def test_one_that_starts_is_passed_by():
    first, starting = Held(), Held("its process starts")
    async with dealt([first, starting], [b"[%d]" % n for n in range(FEW * 3)]):
        assert (len(first.taken), starting.taken) == (FEW * 3, [])


# ---------------------------------------------------------------- what is said between them


class Wire(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self):
        super().__init__()
        self.said = b""

    def write(self, data):
        self.said += data


_MESSAGES = st.lists(
    st.one_of(
        st.builds(Taken, number=st.integers(0, 2**40), outcome=st.text(max_size=9), body=st.binary(max_size=400)),
        st.builds(Told, news=st.builds(Tidings, paged=st.integers(0, 9), shows=st.booleans())),
    ),
    max_size=6,
)  # fmt: skip


@given(messages=_MESSAGES, cuts=st.lists(st.integers(1, 300), max_size=40))
def test_messages_arrive_whole_wherever_the_stream_is_cut(messages, cuts):
    wire = Wire()
    heard: list[Taken | Told] = []
    sender = Frames(FromIntake, heard.append, lambda: None)
    sender.connection_made(wire)
    for message in messages:
        sender.send(message)
    receiver = Frames(FromIntake, heard.append, lambda: None)
    rest = wire.said
    for cut in [*cuts, len(rest)]:
        receiver.data_received(rest[:cut])
        rest = rest[cut:]
    assert heard == messages
