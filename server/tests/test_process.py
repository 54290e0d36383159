"""The program itself: its environment, its command line, its end."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from edge_harness import PIPELINES, Marks, eventually

from livepeer.devnet import DevNet

pytestmark = pytest.mark.anyio


def free_port() -> int:
    from livepeer.server import bind

    with bind("127.0.0.1", 0) as sock:
        return sock.getsockname()[1]


class Program:
    def __init__(self, process: asyncio.subprocess.Process, client: httpx2.AsyncClient) -> None:
        self.process = process
        self.client = client

    async def until(self, status: str) -> dict[str, Any]:
        with anyio.fail_after(20):
            while True:
                try:
                    health = (await self.client.get("/health")).json()
                except httpx2.TransportError:
                    health = {}
                if health.get("status") == status:
                    return health
                await anyio.sleep(0.02)

    async def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        with anyio.fail_after(20):
            return await self.process.wait()


@asynccontextmanager
async def program(name: str, *arguments: str, **environment: str) -> AsyncIterator[Program]:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "livepeer.server", f"{PIPELINES}:{name}", "--host", "127.0.0.1", "--port", str(port),
        *arguments, env={**os.environ, **environment}, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            yield Program(process, client)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_ends_with_exit_code_0(number: int) -> None:
    async with program("SyncReturn") as running:
        await running.until("IDLE")
        assert await running.end(number) == 0


async def test_it_binds_before_it_loads(marks: Marks) -> None:
    async with program("SlowSetup") as running:
        await running.until("LOADING")
        marks.go("setup")
        await running.until("IDLE")
        assert await running.end() == 0


async def test_at_the_end_it_unregisters_first_then_lets_its_calls_finish(marks: Marks) -> None:
    async with DevNet() as net:
        environment = {"ORCH_URL": net.orchestrator_url, "ORCH_SECRET": net.secret, "LIVEPEER_CAPABILITY_NAME": "held"}
        async with program("HeldOne", **environment, LIVEPEER_TOKEN="tok") as running:
            await eventually(lambda: "held" in net.capabilities)
            answers: list[httpx2.Response] = []

            async def call() -> None:
                body = {"gate": "last", "looks": True}
                answers.append(
                    await running.client.post(
                        "/predict", json=body, headers={"authorization": "Bearer tok"}, timeout=20
                    )
                )

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(call)
                await marks.wait("last", "entered")
                running.process.send_signal(signal.SIGTERM)
                await eventually(lambda: "held" not in net.capabilities)
                assert not answers
                marks.go("last")
            assert answers[0].json() == "done"
            assert await running.end() == 0


async def test_a_call_that_outlasts_the_drain_gets_a_typed_503(marks: Marks) -> None:
    async with program("HeldOne", LIVEPEER_DRAIN_SECONDS="0.2", LIVEPEER_STUCK_SECONDS="0.2") as running:
        await running.until("IDLE")
        answers: list[httpx2.Response] = []

        async def call() -> None:
            answers.append(await running.client.post("/predict", json={"gate": "long", "looks": False}, timeout=20))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(call)
            await marks.wait("long", "entered")
            assert await running.end() == 0
        assert (answers[0].status_code, answers[0].json()["code"]) == (503, "not_ready")


async def test_the_environments_names_in_use_in_the_field_are_accepted() -> None:
    async with DevNet() as net:
        environment = {
            "LIVEPEER_ORCH_URL": net.orchestrator_url, "LIVEPEER_ORCH_SECRET": net.secret,
            "CAPABILITY_NAME": "aliased", "CAPABILITY_URL": "http://127.0.0.1:9", "CAPABILITY_CAPACITY": "5",
            "CAPABILITY_PRICE_PER_UNIT": "11", "CAPABILITY_PRICE_SCALING": "2",
            "CAPABILITY_DESCRIPTION": "d", "PRICE_CURRENCY": "wei",
        }  # fmt: skip
        async with program("SyncReturn", **environment) as running:
            await eventually(lambda: "aliased" in net.capabilities)
            found = net.capabilities["aliased"]
            assert (found.url, found.capacity, found.price_per_unit) == ("http://127.0.0.1:9", 5, 11)
            # Announced without a token of its own, it made one up: a stranger gets nothing.
            assert (await running.client.post("/predict", json={"text": "a"})).status_code == 401


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        ([], {"ORCH_URL": "http://127.0.0.1:1"}, "ORCH_TOKEN"),
        ([], {"LIVEPEER_CAPACITY": "none"}, "LIVEPEER_CAPACITY"),
        (["--port", "99999"], {}, "port"),
    ],
)
async def test_a_wrong_setting_is_one_clear_error(
    arguments: list[str], environment: dict[str, str], words: str
) -> None:
    async with program("SyncReturn", *arguments, **environment) as running:
        _, error = await running.process.communicate()
        assert running.process.returncode == 1
        assert words in error.decode()
        assert "Traceback" not in error.decode()


async def test_a_port_in_use_is_one_clear_error() -> None:
    async with program("SyncReturn") as first:
        await first.until("IDLE")
        async with program("SyncReturn", "--port", str(first.client.base_url.port)) as second:
            _, error = await second.process.communicate()
            assert second.process.returncode == 1
            assert "in use" in error.decode()


def make_environment(folder: Path, *, core_version: str | None = None) -> str:
    """Another virtual environment that sees what this one has installed, or another version of core."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    if core_version is not None:
        info = site / f"livepeer_core-{core_version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: livepeer-core\nVersion: {core_version}\n")
    elif core_version is None and folder.name != "empty":
        (site / "all.pth").write_text("\n".join(path for path in sys.path if "site-packages" in path or "/src" in path))
    return str(folder / "bin" / "python")


async def test_the_host_runs_in_another_environment(tmp_path: Path) -> None:
    python = make_environment(tmp_path / "other")
    async with program("Prefix", "--python", python) as running:
        await running.until("IDLE")
        assert (await running.client.post("/predict", json={})).json() == str(tmp_path / "other")


@pytest.mark.parametrize(
    ("folder", "version", "words"),
    [
        ("empty", None, "has no livepeer-core"),
        ("old", "9.9.9", "has livepeer-core 9.9.9"),
        (None, None, "cannot be run"),
    ],
)
async def test_an_environment_that_does_not_match_is_named(
    tmp_path: Path, folder: str | None, version: str | None, words: str
) -> None:
    python = make_environment(tmp_path / folder, core_version=version) if folder else str(tmp_path / "no" / "python")
    async with program("Prefix", "--python", python) as running:
        health = await running.until("ERROR")
        assert words in health["reason"]
