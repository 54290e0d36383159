"""What a newcomer does after the README: open the dashboard of `livepeer dev`, and hand a worker to an operator."""

import json
import os
import re
import signal
import sys
from pathlib import Path

import anyio
import pytest
from edge_harness import eventually
from playwright.async_api import expect

from livepeer.client import NoOrchestratorError
from livepeer.devnet import DevNet, Timings

from .browsing import launched, needs_browser, opened
from .network import ROOT, calling, serving, target

pytestmark = pytest.mark.anyio

COMMAND = Path(sys.executable).with_name("livepeer")
FREE_PORTS = ("--gateway-port", "0", "--orchestrator-port", "0", "--dashboard-port", "0")


async def until_line(process: anyio.abc.Process, pattern: str) -> re.Match[str]:
    """Read what a command writes until a line fits."""
    assert process.stdout is not None
    text = ""
    async for chunk in process.stdout:
        text += chunk.decode()
        if found := re.search(pattern, text):
            return found
    raise AssertionError(f"it ended without {pattern!r}:\n{text}")


@needs_browser
@pytest.mark.parametrize("over", ["BYOC", "Live Runner"])
async def test_the_example_is_called_from_the_page_that_livepeer_dev_names(over: str) -> None:
    command = [str(COMMAND), "dev", str(ROOT / "examples" / "hello_world"), *FREE_PORTS]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    async with await anyio.open_process(command, env=environment, stderr=None) as process, launched() as browser:
        url = (await until_line(process, r"dashboard +(http://127\.0\.0\.1:\d+)\n")).group(1)
        async with opened(browser, url) as page:
            shown = page.get_by_role("article", name="hello-world", exact=True)
            await expect(shown.locator(".badge")).to_have_text(["BYOC", "Live Runner"])
            await shown.get_by_role("radio", name=over).check()
            await shown.get_by_role("textbox", name=re.compile("^text")).fill("Hello, Livepeer!")
            await shown.get_by_role("button", name="Run").click()
            await expect(shown.get_by_label("Answer")).to_contain_text("!reepeviL ,olleH")
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0


async def test_a_worker_that_registers_nothing_is_served_by_its_printed_runners_json() -> None:
    brisk = Timings(health_interval_seconds=0.1)
    async with DevNet(networks=("live-runner",), timings=brisk) as net, calling(net, "live-runner") as caller:
        async with serving(net, target("Dying"), registered=False) as edge:
            printed = await anyio.run_process(
                [str(COMMAND), "manifest", target("Dying"), "--runners", "--app", "me/dying"],
                env={**os.environ, "LIVEPEER_CAPABILITY_URL": edge.url},
            )
            assert json.loads(printed.stdout)["runners"][0]["health_url"] == "/healthz"
            await net.register_static_runners(printed.stdout.decode())
            (found,) = await caller.discover_async(app="me/dying")
            assert (found.name, found.card.schema_url) == ("dying", f"{edge.url}/schema")
            pid = await caller.run_async("me/dying", {"how": "live"})
            os.kill(pid, signal.SIGKILL)
            # The model is loaded again: meanwhile nobody may be sent there, which /health alone would not tell.
            await eventually(lambda: not any(runner.ready for runner in net.runners.values()))
            await eventually(lambda: all(runner.ready for runner in net.runners.values()))
            assert await caller.run_async("me/dying", {"how": "live"}) != pid
        await eventually(lambda: not any(runner.ready for runner in net.runners.values()))
        with pytest.raises(NoOrchestratorError):
            await caller.run_async("me/dying", {"how": "live"})


async def test_a_call_that_is_to_be_paid_is_paid_by_the_signer_that_the_command_names() -> None:
    settings = {"LIVEPEER_NETWORK": "live-runner", "LIVEPEER_PRICE_USD": "0.01", "LIVEPEER_PRICE_UNIT": "fixed"}
    async with DevNet(networks=("live-runner",), paid=True) as net, serving(net, target("Echo"), **settings):
        command = [str(COMMAND), "call", "echo", "-i", "text=paid"]
        orchestrator, signer = ("--orch", net.orchestrator_url), ("--signer", net.signer_url)
        paid = await anyio.run_process([*command, *orchestrator, *signer], check=False)
        assert (paid.returncode, paid.stdout) == (0, b"paid\n"), paid.stderr
        unpaid = await anyio.run_process([*command, *orchestrator], check=False)
        assert (unpaid.returncode, b"signer" in unpaid.stderr) == (1, True)
        through_a_gateway = await anyio.run_process([*command, *signer], check=False)
        assert (through_a_gateway.returncode, b"--orch" in through_a_gateway.stderr) == (2, True)
