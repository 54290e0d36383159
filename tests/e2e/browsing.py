"""A browser that sees this machine alone, and a page in it."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, Request, async_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium on the path")


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    """A running browser."""
    options = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        await browser.close()


@asynccontextmanager
async def opened(browser: Browser, url: str, **options: Any) -> AsyncIterator[Page]:
    """The page in a window of its own; whatever it complains about, or asks of others, fails the test."""
    context = await browser.new_context(**options)
    context.set_default_timeout(15_000)
    page = await context.new_page()
    complaints: list[str] = []

    def see(request: Request) -> None:
        if not request.url.startswith((url, "blob:", "data:")):
            complaints.append(request.url)

    def hear(message: ConsoleMessage) -> None:
        if "Security Policy" in message.text:
            complaints.append(message.text)

    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", hear)
    page.on("request", see)
    await page.goto(url)
    yield page
    await context.close()
    assert complaints == []
