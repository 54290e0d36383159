"""A live capability on the dashboard: its params, the command that streams a file through it, and what runs."""

import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from anyio.abc import Process
from edge_harness import eventually
from media_clips import look, make_clip
from playwright.async_api import Browser, Locator, Page, expect

from livepeer.devnet import BlockingDevNet

from .browsing import needs_browser, opened
from .network import ROOT, serving

ENOUGH_BYTES = 10_000

pytestmark = [pytest.mark.anyio, needs_browser]


@asynccontextmanager
async def overlay(browser: Browser, net: BlockingDevNet, network: str) -> AsyncIterator[tuple[Page, Locator]]:
    """The page while an example is registered, and the part of it that shows the example."""
    async with (
        serving(net, ROOT / "examples" / "live_overlay" / "main.py", LIVEPEER_NETWORK=network),
        opened(browser, net.dashboard_url) as page,
    ):
        await page.get_by_role("link", name="live-overlay").click()
        shown = page.get_by_role("article", name="live-overlay", exact=True)
        await expect(shown.locator(".facts")).to_contain_text("live")
        yield page, shown


def field(shown: Locator, param: str) -> Locator:
    return shown.locator(f'input[name="{param}"]')


async def typed(command: str, folder: Path) -> Process:
    """Run a command as whoever copies it does, in a folder of their own."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    words = ["sh", "-c", f"exec {command}"]
    return await anyio.open_process(words, cwd=folder, env={**os.environ, "PATH": path}, stdout=None, stderr=None)


@pytest.mark.parametrize(("network", "label"), [("byoc", "BYOC"), ("live-runner", "Live Runner")])
async def test_the_command_that_is_shown_streams_with_the_params_that_were_chosen(
    browser: Browser, net: BlockingDevNet, tmp_path: Path, network: str, label: str
) -> None:
    (tmp_path / "clip.mp4").write_bytes(make_clip(seconds=4).data)
    output = tmp_path / "out.ts"
    async with overlay(browser, net, network) as (_, shown):
        await expect(shown.get_by_role("button", name="Run")).to_have_count(0)
        running = shown.get_by_role("region", name="Running streams")
        await expect(running).to_contain_text("None.")
        for param, value in {"x": "0", "y": "0", "width": "1", "height": "1", "opacity": "1"}.items():
            await field(shown, param).fill(value)
        await field(shown, "colour").fill("#00ff00")
        command = shown.locator(".command pre")
        await expect(command).to_contain_text("-p 'colour=\"#00ff00\"'")

        async with await typed(f"{await command.inner_text()} --loop", tmp_path) as process:
            row = running.locator("tbody tr")
            await expect(row).to_contain_text(label)
            if network == "byoc":
                await expect(row.locator("td").nth(2)).to_contain_text(" of ")
                await expect(row.locator("td").nth(3)).to_contain_text(" ms")
            await eventually(lambda: output.exists() and output.stat().st_size > ENOUGH_BYTES, "some of the output")
            process.send_signal(signal.SIGINT)
        assert process.returncode == 0
        await expect(running).to_contain_text("None.")
    red, green, blue = look(output.read_bytes()).pictures[-1].to_ndarray(format="rgb24").mean(axis=(0, 1))
    assert (red, green, blue) == pytest.approx((0, 255, 0), abs=12)


async def test_only_params_that_were_changed_are_in_the_command(browser: Browser, net: BlockingDevNet) -> None:
    async with overlay(browser, net, "byoc") as (_, shown):
        command = shown.locator(".command pre")
        await expect(command).to_contain_text("livepeer live live-overlay")
        assert " -p " not in await command.inner_text()
        await field(shown, "opacity").fill("0.75")
        await expect(command).to_contain_text("-p opacity=0.75")
        await field(shown, "opacity").fill("0.5")
        await expect(command).not_to_contain_text(" -p ")


async def test_a_phone_shows_a_live_capability_without_scrolling_sideways(
    browser: Browser, net: BlockingDevNet
) -> None:
    async with overlay(browser, net, "byoc") as (page, _):
        await page.set_viewport_size({"width": 360, "height": 740})
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360
