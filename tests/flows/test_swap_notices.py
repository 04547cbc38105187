"""Whoever a swap concerns hears of it: the one who is asked, the one who is answered, and nobody twice."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from nightbell.core.journal import SYSTEM
from nightbell.engine.schedule_edits import SwapEdit
from nightbell.testing.scenario import Scene

START = datetime(2026, 11, 23, 6, tzinfo=UTC)
#: Days of theirs, after the one that ends at nine.
ANAS, BENS = START + timedelta(days=1, hours=3), START + timedelta(days=2, hours=3)


class Swapping:
    """Ana and Ben take a day each from nine to nine, and hear of nothing but swaps."""

    def __init__(self, scene, ana, ben, schedule):
        self.scene, self.ana, self.ben, self.schedule = scene, ana, ben, schedule
        self.configure = scene.cast._configure

    async def asked(self, asked=None, *, asker=None, **more):
        edit = SwapEdit(
            user_id=(asker or self.ana).id, asked_user_id=asked.id if asked else None,
            starts_at=ANAS, ends_at=ANAS + timedelta(hours=4), **more,
        )  # fmt: skip
        return await self.configure.ask_for_swap(self.schedule, edit, by=SYSTEM, now=self.scene.clock())

    async def answer(self, swap, verb, who):
        change = getattr(self.configure, f"{verb}_swap")
        await change(swap, user_id=who.id, by=SYSTEM, now=self.scene.clock())

    async def said(self, person):
        """Return what a person heard since they were asked last, titles and bodies."""
        await self.scene.settle()
        heard = [h for h in self.scene.phones.unclaimed if h.message.recipient == person.name]
        for one in heard:
            self.scene.phones.unclaimed.remove(one)
        return [(h.message.title, h.message.body) for h in heard]


@pytest.fixture
async def swapping(db):
    scene = Scene(db, start=START)
    await scene.start()
    scene.notices = True
    ana, ben = await scene.cast.person("Ana", "sms"), await scene.cast.person("Ben", "sms")
    await db.run("UPDATE users SET notice_hours = '{}', handoff_notices = false")
    schedule = await scene.cast.schedule(ana, ben, handoff="09:00")
    await scene.settle()
    made = Swapping(scene, ana, ben, UUID(schedule.id))
    yield made
    scene.phones.verify()
    await scene.stop()


async def test_who_is_asked_by_name_hears_of_it_once_and_the_asker_of_the_yes(swapping):
    swap = await swapping.asked(swapping.ben, reason="dentist")
    [(title, body)] = await swapping.said(swapping.ben)
    assert title.startswith("Ana asks you to take ")
    assert "Tue 24 Nov 09:00" in title and "13:00" in title
    assert "Reason given: dentist." in body
    await swapping.scene.restart()
    assert await swapping.said(swapping.ben) == []
    await swapping.answer(swap, "accept", swapping.ben)
    [(title, _)] = await swapping.said(swapping.ana)
    assert title.startswith("Ben takes your shift: ")


async def test_the_asker_hears_a_no_and_who_is_asked_again_hears_again(swapping):
    swap = await swapping.asked(swapping.ben)
    assert len(await swapping.said(swapping.ben)) == 1
    await swapping.answer(swap, "decline", swapping.ben)
    [(title, body)] = await swapping.said(swapping.ana)
    assert title.startswith("Ben declined to take ") and "stays whose it was" in body
    await swapping.asked(swapping.ben)
    assert len(await swapping.said(swapping.ben)) == 1


async def test_where_nobody_is_named_everybody_who_serves_is_asked_but_the_asker(swapping):
    await swapping.asked()
    assert len(await swapping.said(swapping.ben)) == 1
    assert await swapping.said(swapping.ana) == []


async def test_whose_yes_was_in_vain_is_told(swapping):
    swap = await swapping.asked(swapping.ben, return_starts_at=BENS, return_ends_at=BENS + timedelta(hours=2))
    [(title, _)] = await swapping.said(swapping.ben)
    assert "to be relieved from Wed 25 Nov 09:00" in title
    await swapping.answer(swap, "accept", swapping.ben)
    [(title, _)] = await swapping.said(swapping.ana)
    assert "against Wed 25 Nov 09:00" in title
    await swapping.configure.withdraw_swap(swap, by=SYSTEM, now=swapping.scene.clock())
    [(title, _)] = await swapping.said(swapping.ben)
    assert title.startswith("The swap is off: Ana is on call again")


async def test_what_changed_while_nobody_ran_for_hours_is_no_news(swapping):
    swapping.scene.awake = False
    await swapping.asked(swapping.ben)
    swapping.scene.clock.move_to(START + timedelta(hours=2))
    swapping.scene.awake = True
    assert await swapping.said(swapping.ben) == []
