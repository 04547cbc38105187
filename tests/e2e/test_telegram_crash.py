"""The program is killed while somebody presses a button in Telegram: the press is carried out once, by whoever is next."""

import asyncio

import pytest

from nightbell.testing.telegram_double import TelegramDouble
from support.household import Api
from support.programs import Nightbell

pytestmark = pytest.mark.timeout(120)
ANA = 1001


async def test_a_press_before_a_kill_is_carried_out_once_after_it(tmp_path):
    async with TelegramDouble() as telegram:
        settings = {f"telegram_{name}": value for name, value in telegram.settings.items()}
        program = Nightbell(tmp_path, settings=settings)
        await asyncio.to_thread(program.start)
        try:
            await _told(program, telegram)
        finally:
            await asyncio.to_thread(program.stop)


async def _told(program: Nightbell, telegram: TelegramDouble) -> None:
    api = Api(program.url, await asyncio.to_thread(program.owner))
    ask = asyncio.to_thread
    ana = await ask(api.add, "/users", name="Ana", email="ana@example.org", role="user")
    for method in await ask(api.list, f"/users/{ana['id']}/contact_methods"):
        await ask(api.ask, "DELETE", f"/contact_methods/{method['id']}")
    address = {"kind": "telegram", "name": "Telegram", "address": str(ANA)}
    await ask(lambda: api.add(f"/users/{ana['id']}/contact_methods", **address))
    target = {"notification_target_type": "User", "notification_target_id": ana["id"]}
    alert = await ask(lambda: api.add("/alerts", summary="DiskFull", **target))
    message = await telegram.take()
    # Killed sooner, nobody would know which message this is, and it could not be changed.
    await telegram.until(lambda: telegram.asking == 1)
    await asyncio.sleep(1)
    # Told, and killed at once: whether it was carried out, nobody knows.
    await telegram.tell(telegram.pressed(message, "Acknowledge", ANA))
    await ask(program.kill)
    await ask(program.start)
    await telegram.until(lambda: message.edits, within=30)
    assert "ACKNOWLEDGED" in message.text
    # Told once more, as Telegram does with what was never confirmed.
    await telegram.until(lambda: telegram.asking == 1, within=30)
    shown = await ask(api.one, f"/alerts/{alert['id']}")
    assert shown["status"] == "acknowledged"
    events = await ask(api.list, f"/alerts/{alert['id']}/events")
    assert [one["code"] for one in events].count("alert.acknowledged") == 1
    assert "the-token" not in program.said()
