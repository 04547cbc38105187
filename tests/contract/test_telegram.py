"""The whole way with Telegram: linked by a code, paged, acted by buttons, edited in place, heard once whoever listens."""

import asyncio
from itertools import permutations

import msgspec
import pytest

from nightbell.core.journal import SYSTEM
from nightbell.engine.chatting import webhook_secret
from nightbell.engine.configure import seed
from nightbell.engine.linking import Linking
from nightbell.engine.polling import LEASE
from nightbell.testing.clock import FrozenClock
from nightbell.testing.telegram_double import NAME, TelegramDouble
from support.bells import START, ringing

ANA, BEN = 1001, 1002
SENT = "SELECT kind, state, stage FROM notifications WHERE alert_id = $1 AND purpose = 'page' ORDER BY id"


@pytest.fixture
async def telegram():
    async with TelegramDouble() as double:
        yield double


@pytest.fixture
async def bell(db, tmp_path, telegram):
    clock = FrozenClock(START)
    await seed(db, clock())
    providers = {"telegram": telegram.settings}
    async with ringing(db, tmp_path / "data", providers, clock) as bell:
        yield bell


async def test_a_page_is_acknowledged_by_its_button_and_edited_in_place(bell, telegram):
    ana = await bell.person(telegram=str(ANA))
    alert = await bell.page(ana)
    message = await telegram.take()
    assert "DiskFull on db-1" in message.text and not message.silent
    assert list(message.buttons) == ["Acknowledge", "Escalate", "Snooze", "Resolve"]
    await telegram.tell(telegram.pressed(message, "Acknowledge", ANA))
    await telegram.until(lambda: message.edits == 1)
    assert await bell.status(alert) == "acknowledged"
    assert "ACKNOWLEDGED" in message.text and "Acknowledged by Ana" in message.text
    assert "Acknowledge" not in message.buttons
    [(_, said, loud)] = telegram.answers
    assert said.startswith("Acknowledged: DiskFull on db-1") and not loud
    await bell.becomes(SENT, alert, wanted=[("telegram", "sent", "acknowledged")])


async def test_a_message_follows_what_others_do_until_it_is_over(bell, telegram):
    ana = await bell.person(telegram=str(ANA))
    alert = await bell.page(ana)
    message = await telegram.take()
    act, now = bell.engine.act, bell.clock
    await act.acknowledge(alert, by=SYSTEM, now=now())
    await telegram.until(lambda: "ACKNOWLEDGED" in message.text)
    await act.resolve(alert, by=SYSTEM, now=now())
    await telegram.until(lambda: message.text.startswith("[RESOLVED]"))
    assert message.buttons == {}
    # Whoever was paged is told besides, without a sound.
    told = {m.silent for m in (await telegram.take(), *telegram.messages[2:])}
    telegram._taken = len(telegram.messages)
    assert told == {True}


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
async def test_buttons_told_twice_and_in_any_order_are_carried_out_once(bell, telegram, order):
    alert = await bell.page(await bell.person(telegram=str(ANA)))
    message = await telegram.take()
    first, second = (telegram.pressed(message, "Acknowledge", ANA, ident=f"p{n}") for n in range(2))
    again = {**first, "update_id": second["update_id"] + 1}
    told = [first, second, again]
    numbers = sorted(u["update_id"] for u in told)
    await telegram.tell(*({**told[n], "update_id": at} for n, at in zip(order, numbers, strict=True)))
    await telegram.until(lambda: len(telegram.answers) == 3)
    assert await bell.status(alert) == "acknowledged"
    rows = await bell.db.fetch("SELECT code FROM alert_events WHERE code = 'alert.acknowledged'")
    assert len(rows) == 1
    assert len(await bell.db.fetch("SELECT 1 FROM replies")) == 2


async def test_a_code_links_a_chat_once(bell, telegram):
    ana = await bell.person()
    linking = bell.engine.inbound.chatting.linking
    code = await linking.code(ana, "telegram", bell.clock())
    await telegram.tell(telegram.written(ANA, f"/start {code}"))
    said = await telegram.take()
    assert said.chat == ANA and said.text.startswith("Linked. Pages for Ana")
    methods = "SELECT kind, address, verified_at IS NOT NULL FROM contact_methods WHERE user_id = $1"
    await bell.becomes(methods, ana, wanted=[("telegram", str(ANA), True)])
    await telegram.tell(telegram.written(ANA, f"/start {code}"), telegram.written(BEN, f"/start {code}"))
    assert (await telegram.take()).text == "This chat is linked already."
    assert "not valid" in (await telegram.take()).text
    alert = await bell.page(ana)
    assert (await telegram.take()).chat == ANA
    await bell.becomes(SENT, alert, wanted=[("telegram", "sent", "")])


async def test_a_code_past_its_time_or_of_another_kind_links_nothing(bell, telegram):
    ana = await bell.person()
    linking: Linking = bell.engine.inbound.chatting.linking
    other = await linking.code(ana, "discord", bell.clock())
    old = await linking.code(ana, "telegram", bell.clock())
    bell.clock.move_to(bell.clock.at("02:20"))
    for code in (other, old, "x" * 16):
        await telegram.tell(telegram.written(ANA, f"/start {code}"))
        assert "not valid" in (await telegram.take()).text
    assert await bell.db.fetch("SELECT 1 FROM contact_methods WHERE user_id = $1", ana) == []


async def test_a_group_can_be_linked_and_only_known_people_act_there(bell, telegram):
    ana = await bell.person()
    linking = bell.engine.inbound.chatting.linking
    code = await linking.code(ana, "telegram", bell.clock())
    await telegram.tell(telegram.written(-100500, f"/link@{NAME} {code}", title="SRE"))
    assert "Linked" in (await telegram.take()).text
    alert = await bell.page(ana)
    message = await telegram.take()
    await telegram.tell(telegram.pressed(message, "Acknowledge", BEN))
    await telegram.until(lambda: telegram.answers)
    [(_, said, loud)] = telegram.answers
    assert "does not know who you are" in said and loud
    assert await bell.status(alert) == "triggered"


async def test_what_means_nothing_is_left_alone(bell, telegram):
    await telegram.tell(
        telegram.written(ANA, "good morning"),
        {"update_id": 50, "poll": {"id": "1"}},
        {"update_id": 51, "callback_query": {"id": 7, "from": "nobody"}},
        {"update_id": 52, "callback_query": {"id": "c", "from": {"id": 5}, "data": "z:zzz"}},
    )
    await bell.becomes("SELECT position FROM pollers", wanted=[(52,)])
    await telegram.tell({**telegram.written(ANA, "/id"), "update_id": 60})
    assert f"This chat is {ANA}" in (await telegram.take()).text


async def test_a_blocked_bot_marks_the_contact_method_and_uses_the_next(db, tmp_path):
    clock = FrozenClock(START)
    await seed(db, clock())
    async with (
        TelegramDouble(blocked=frozenset({ANA})) as telegram,
        ringing(db, tmp_path, {"telegram": telegram.settings}, clock) as bell,
    ):
        alert = await bell.page(await bell.person(telegram=str(ANA)))
        await bell.becomes(SENT, alert, wanted=[("telegram", "refused", "")])
        [row] = await db.fetch("SELECT failing_why FROM contact_methods WHERE kind = 'telegram'")
        assert "blocked" in row["failing_why"]
        telegram.blocked = frozenset()
        await bell.page(await bell.person("Ben", telegram=str(BEN)))
        await telegram.take()
        ident = (await db.fetch("SELECT id FROM contact_methods WHERE address = $1", str(ANA)))[0]["id"]
        assert ident
    assert "the-token" not in str(await _everything(db))


async def _everything(db):
    rows = [*await db.fetch("SELECT why FROM notifications"), *await db.fetch("SELECT why FROM attempts")]
    return [tuple(row.values()) for row in (*rows, *await db.fetch("SELECT changes FROM audit_log"))]


async def test_one_node_asks_and_a_restart_goes_on_where_it_was(db, tmp_path):
    clock = FrozenClock(START)
    await seed(db, clock())
    async with TelegramDouble() as telegram:
        providers = {"telegram": telegram.settings}
        async with ringing(db, tmp_path / "a", providers, clock) as bell:
            alert = await bell.page(await bell.person(telegram=str(ANA)))
            message = await telegram.take()
            await telegram.until(lambda: telegram.asking == 1)
            async with ringing(db, tmp_path / "b", providers, clock):
                await asyncio.sleep(1.5)
                press = telegram.pressed(message, "Acknowledge", ANA)
                await telegram.tell(press)
                await telegram.until(lambda: telegram.answers)
                assert telegram.conflicts == 0
        # Told again after the restart, as Telegram does with what was never confirmed.
        await db.fetch("UPDATE pollers SET position = 0 RETURNING 1")
        telegram.updates = [press]
        async with ringing(db, tmp_path / "a", providers, clock) as bell:
            await telegram.until(lambda: len(telegram.answers) == 2)
            assert await bell.status(alert) == "acknowledged"
        codes = [r["code"] for r in await db.fetch("SELECT code FROM alert_events")]
        assert codes.count("alert.acknowledged") == 1


async def test_a_node_that_is_gone_is_relieved_when_its_lease_is_over(bell, telegram):
    await telegram.until(lambda: telegram.asking == 1)
    until = bell.clock() + LEASE
    await bell.db.fetch(
        "UPDATE pollers SET holder = 'a node that is gone', lease_until = $1 RETURNING 1", until
    )
    # Whatever was under way is answered; the next question is not ours to ask.
    await telegram.tell(telegram.written(ANA, "hello"))
    await telegram.until(lambda: telegram.asking == 0)
    await asyncio.sleep(2.5)
    assert telegram.asking == 0
    bell.clock.move_to(until)
    await telegram.until(lambda: telegram.asking == 1)
    assert telegram.conflicts == 0


async def test_trouble_is_said_and_passes(bell, telegram):
    await telegram.until(lambda: telegram.asking == 1)
    telegram.webhook = {"url": "https://elsewhere.example.org"}
    await telegram.tell(telegram.written(ANA, "hello"))
    await bell.becomes("SELECT trouble LIKE '%Conflict%' FROM pollers", wanted=[(True,)])
    # It is arranged anew: the other webhook goes, and the bot hears again.
    await bell.becomes("SELECT trouble FROM pollers", wanted=[("",)])
    assert telegram.webhook is None


async def test_a_webhook_is_believed_only_with_its_secret(db, tmp_path):
    clock = FrozenClock(START)
    await seed(db, clock())
    async with TelegramDouble() as telegram:
        providers = {"telegram": {**telegram.settings, "updates": "webhook"}}
        async with ringing(db, tmp_path, providers, clock) as bell:
            await telegram.until(lambda: telegram.webhook)
            assert telegram.webhook is not None
            assert telegram.webhook["url"] == f"{bell.url}/callbacks/telegram"
            secret = telegram.webhook["secret_token"]
            assert secret == webhook_secret(bell.engine.vault.link_key)
            alert = await bell.page(await bell.person(telegram=str(ANA)))
            message = await telegram.take()
            body = msgspec.json.encode(telegram.pressed(message, "Acknowledge", ANA))
            for header in ({}, {"X-Telegram-Bot-Api-Secret-Token": "guess"}):
                answer = await bell.client.post(telegram.webhook["url"], content=body, headers=header)
                assert answer.status_code == 403
            assert await bell.status(alert) == "triggered"
            right = {"X-Telegram-Bot-Api-Secret-Token": secret}
            for _ in range(2):
                answer = await bell.client.post(telegram.webhook["url"], content=body, headers=right)
                assert answer.json()["method"] == "answerCallbackQuery"
                assert answer.json()["text"].startswith("Acknowledged")
            assert (
                await bell.client.post(telegram.webhook["url"], content=b"{", headers=right)
            ).status_code == 204
            assert await bell.status(alert) == "acknowledged"
            await telegram.until(lambda: message.edits)
