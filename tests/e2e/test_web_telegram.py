"""Somebody links a Telegram chat in a real browser, with a double of Telegram behind the program."""

import pytest
from playwright.async_api import async_playwright, expect

from conftest import require_real
from nightbell.engine import identity
from nightbell.engine.configure import seed
from nightbell.engine.joining import accept
from nightbell.testing.clock import FrozenClock
from nightbell.testing.telegram_double import NAME, TOKEN, TelegramDouble
from support.bells import START, ringing
from support.programs import installed

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]
PASSWORD = "correct horse battery"


async def test_a_chat_is_linked_by_a_code_and_the_page_shows_it_at_once(db, tmp_path):
    chromium = installed("chromium", "chromium-browser")
    if chromium is None:
        require_real("chromium")
    clock = FrozenClock(START)
    await seed(db, clock())
    async with (
        TelegramDouble() as telegram,
        ringing(db, tmp_path, {"telegram": telegram.settings}, clock) as bell,
        async_playwright() as playwright,
    ):
        token = await identity.first_link(db, clock())
        account = identity.Account(email="olga@example.org", name="Olga Owner", password=PASSWORD)
        await accept(db, token or "", account, clock())
        await bell.becomes("SELECT known_as FROM pollers", wanted=[(NAME,)])
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = await browser.new_page()
        await page.goto(f"{bell.url}/login")
        await page.fill("[name=email]", account.email)
        await page.fill("[name=password]", PASSWORD)
        await page.click("text=Log in >> nth=-1")
        await page.wait_for_url(f"{bell.url}/")
        await page.goto(f"{bell.url}/me")
        await page.click("summary:has-text('Add Telegram')")
        await page.click("text=Link a chat")
        command = await page.inner_text("#link-code")
        link = await page.locator("#telegram-code a").get_attribute("href")
        assert link == f"https://t.me/{NAME}?start={command.removeprefix('/link ')}"
        await telegram.tell(telegram.written(777, command))
        assert "Pages for Olga Owner" in (await telegram.take()).text
        line = page.locator("#methods li", has_text="777")
        await expect(line).to_contain_text("✓ may be paged")
        await line.locator("button:text-is('Test')").click()
        assert "[TEST]" in (await telegram.take()).text
        await expect(line).to_contain_text("✓ handed over")
        await page.goto(f"{bell.url}/settings/providers")
        await expect(page.locator("#telegram")).to_contain_text(f"@{NAME} hears")
        assert TOKEN not in await page.content()
        await browser.close()
