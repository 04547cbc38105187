"""After the handing over: boards that are changed where they stand, doubts that are cleared, alone and in bundles."""

from collections import deque
from datetime import timedelta

import pytest

from nightbell.core.delivery import Absent, Found, NotSaid, Outcome, Refused, Retry, Sent, Traced, Unsure
from nightbell.core.receipt import Stage
from nightbell.engine.aftercare import Aftercare
from nightbell.engine.messages import Desk
from nightbell.engine.vault import Vault
from nightbell.testing.phones import FakePhone


class Board(FakePhone):
    """A channel whose messages can be changed, and asked about."""

    def __init__(self, kind, heard):
        super().__init__(kind, heard)
        self.shown = []
        self.asked = []
        self.edits: deque[Outcome] = deque()
        self.traces: deque[Traced] = deque()

    async def edit(self, message, provider_id):
        """Keep what it says now."""
        self.shown.append(message)
        return self.edits.popleft() if self.edits else Sent()

    async def trace(self, message, provider_id, known):
        """Answer as was told."""
        self.asked.append((message, provider_id, known))
        return self.traces.popleft()


@pytest.fixture
async def board(scene):
    made = Board("sms2", scene.phones._hear)
    scene.phones.by_kind["sms2"] = made
    # What can be changed is noted by whoever sends, so the senders begin anew.
    await scene.restart()
    return made


@pytest.fixture
async def care(scene, board):
    desk = Desk(Vault(b"test"), "http://nightbell.example")
    return Aftercare(scene.db, scene.phones.by_kind, desk, scene.engine.receive)


@pytest.fixture
async def ana(scene):
    return await scene.cast.person("Ana", "sms2")


async def sent(scene):
    rows = await scene.db.fetch("SELECT state, stage FROM notifications WHERE purpose = 'page' ORDER BY id")
    return [tuple(row.values()) for row in rows]


async def later(scene, care, **passed):
    """Let time pass, and ask what became of messages."""
    scene.clock.move_to(scene.clock() + timedelta(**passed))
    return await care.trace(scene.clock())


async def test_a_message_says_what_is_true_as_long_as_it_may_change(scene, board, care, ana):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 30)))
    await scene.at("02:00").firing("DiskFull").pages(ana, by="sms2")
    assert await care.edit(scene.clock()) == 0
    await scene.now.acknowledged(ana)
    assert await care.edit(scene.clock()) == 1
    assert board.shown[-1].status == "acknowledged"
    assert board.shown[-1].body.startswith("Acknowledged by Ana.")
    assert await care.edit(scene.clock()) == 0
    await scene.now.resolved("DiskFull").told(ana, by="sms2")
    assert await care.edit(scene.clock()) == 1
    assert board.shown[-1].status == "resolved"
    await scene.at("02:05").firing("DiskFull").pages(ana, by="sms2")
    assert await care.edit(scene.clock()) == 0


async def test_an_old_message_of_an_alert_that_came_back_stays_resolved(scene, board, care, ana):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 30)))
    await scene.at("02:00").firing("DiskFull").pages(ana, by="sms2")
    await scene.now.resolved("DiskFull").told(ana, by="sms2")
    await scene.at("02:05").firing("DiskFull").pages(ana, by="sms2")
    assert await care.edit(scene.clock()) == 1
    assert board.shown[-1].status == "resolved"
    assert await care.edit(scene.clock()) == 0


@pytest.mark.parametrize("trouble", [Retry(why="503"), Unsure(why="no answer")])
async def test_a_change_that_failed_is_made_later(scene, board, care, ana, trouble):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 30)))
    await scene.at("02:00").firing("DiskFull").pages(ana, by="sms2").acknowledged(ana)
    board.edits.append(trouble)
    assert await care.edit(scene.clock()) == 1
    assert await care.edit(scene.clock()) == 0
    scene.clock.move_to(scene.clock() + timedelta(minutes=1))
    assert await care.edit(scene.clock()) == 1
    assert await care.edit(scene.clock()) == 0


async def test_a_message_that_cannot_be_changed_is_left_alone(scene, board, care, ana):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 30)))
    await scene.at("02:00").firing("DiskFull").pages(ana, by="sms2").acknowledged(ana)
    board.edits.append(Refused(why="message_not_found"))
    assert await care.edit(scene.clock()) == 1
    scene.clock.move_to(scene.clock() + timedelta(hours=1))
    assert await care.edit(scene.clock()) == 0


async def test_a_message_of_two_alerts_offers_buttons_as_long_as_one_waits(scene, board, care, ana):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 30)))
    await scene.at("02:00").asleep().firing("One").firing("Two").awake().pages(ana, by="sms2", alerts=2)
    await scene.now.acknowledged(ana, "One")
    assert await care.edit(scene.clock()) == 1
    assert board.shown[-1].status == "triggered"
    assert {t.title: t.status for t in board.shown[-1].bundle} == {"One": "acknowledged", "Two": "triggered"}
    await scene.now.acknowledged(ana, "Two")
    assert await care.edit(scene.clock()) == 1
    assert board.shown[-1].status == "acknowledged"
    assert await care.edit(scene.clock()) == 0


# ---------------------------------------------------------------- doubt


async def test_a_doubt_is_cleared_by_asking_and_not_by_sending(scene, board, care, ana):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 30)))
    await (
        scene.at("02:00").answering("sms2", Unsure(why="no answer")).firing("DiskFull").pages(ana, by="sms2")
    )
    assert await sent(scene) == [("unknown", "")]
    board.traces += [
        NotSaid(why="503"),
        Found(provider_id="X1", stage=Stage.ACCEPTED),
        Found(provider_id="X1", stage=Stage.DELIVERED),
    ]
    assert await later(scene, care, seconds=9) == 0
    assert await later(scene, care, seconds=1) == 1
    assert await sent(scene) == [("unknown", "")]
    assert await later(scene, care, minutes=1) == 1
    assert await sent(scene) == [("sent", "accepted")]
    assert await later(scene, care, minutes=2) == 1
    assert await sent(scene) == [("sent", "delivered")]
    assert await later(scene, care, hours=1) == 0
    assert [provider_id for _, provider_id, _ in board.asked] == ["", "", "X1"]


async def test_a_doubt_that_was_a_loss_is_recorded_and_wakes_nobody_twice(scene, board, care, ana):
    ben = await scene.cast.person("Ben", "sms")
    await scene.cast.source(pages=await scene.cast.policy(([ana], 30), ([ben], 30)))
    await (
        scene.at("02:00").answering("sms2", Unsure(why="no answer"))
        .firing("DiskFull").pages(ana, by="sms2").pages(ben)
    )  # fmt: skip
    board.traces.append(Absent(why="the provider never had it"))
    assert await later(scene, care, seconds=10) == 1
    assert (await sent(scene))[0] == ("refused", "failed")
    await scene.now.quiet_until("02:20")


async def test_the_ids_of_other_messages_are_known_and_those_of_a_bundle_are_its_own(scene, board, care, ana):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 30)))
    await scene.at("02:00").firing("Zero").pages(ana, by="sms2")
    await scene.at("02:01").answering("sms2", Unsure(why="no answer")).asleep().firing("One").firing("Two")
    await scene.now.awake().pages(ana, by="sms2", alerts=2)
    board.traces += [
        Found(provider_id="sms2-1", stage=Stage.DELIVERED),
        *[Found(provider_id="B", stage=Stage.DELIVERED)] * 2,
    ]
    await later(scene, care, minutes=1)
    assert await sent(scene) == [("sent", "delivered")] * 3
    named = [(len(message.bundle), known) for message, _, known in board.asked]
    assert named[0] == (0, frozenset())
    assert all(pair == (2, frozenset({"sms2-1"})) for pair in named[1:])


async def test_nobody_is_asked_for_ever(scene, board, care, ana):
    await scene.cast.source(pages=await scene.cast.policy(([ana], 30)))
    await scene.at("02:00").firing("DiskFull").pages(ana, by="sms2").acknowledged(ana)
    board.traces += [NotSaid(why="503")] * 1_000
    asked = 0
    for _ in range(400):
        asked += await later(scene, care, minutes=11)
    assert asked == 150
