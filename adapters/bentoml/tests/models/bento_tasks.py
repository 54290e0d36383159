"""Tasks of every kind; a gate is a file that they wait for, and beside it they say what they do."""

import asyncio
import sys
import time
from pathlib import Path

import bentoml
from bentoml.exceptions import InvalidArgument

from livepeer.core import current_call


def say(gate: str, word: str) -> None:
    Path(f"{gate}.{word}").touch()


def is_open(gate: str) -> bool:
    return Path(gate).exists()


async def until_open(gate: str) -> None:
    while not is_open(gate):  # noqa: ASYNC110 - it is a file
        await asyncio.sleep(0.002)


@bentoml.service(threads=1)
class Tasks:
    @bentoml.task
    async def later(self, gate: str) -> str:
        say(gate, "began")
        try:
            await until_open(gate)
        except asyncio.CancelledError:
            say(gate, "cancelled")
            raise
        return "done"

    @bentoml.task
    async def stubborn(self, gate: str) -> str:
        say(gate, "began")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            say(gate, "cancelled")
        return "anyway"

    @bentoml.task
    def blocking(self, gate: str) -> str:
        say(gate, "began")
        while not is_open(gate):
            time.sleep(0.002)
        call = current_call()
        if call is not None and call.cancelled:
            say(gate, "cancelled")
        return "done"

    @bentoml.task
    def polite(self, gate: str) -> str:
        call = current_call()
        assert call is not None
        say(gate, "began")
        while not call.cancelled:
            time.sleep(0.002)
        say(gate, "cancelled")
        return "half done"

    @bentoml.task
    def failing(self, how: str) -> str:
        if how == "refuse":
            raise InvalidArgument("not like this")
        raise ValueError("sesame")

    @bentoml.task
    async def giving_up(self) -> str:
        raise asyncio.CancelledError

    @bentoml.task
    def counted(self, numbers: list[int]) -> int:
        return sum(numbers)

    @bentoml.task
    def copied(self, file: Path, ctx: bentoml.Context) -> Path:
        copy = Path(ctx.temp_dir) / "copy.txt"
        copy.write_bytes(file.read_bytes())
        return copy

    @bentoml.task(route="/deep/named")
    def answered(self, ctx: bentoml.Context) -> str:
        ctx.response.status_code = 201
        ctx.response.headers["x-own"] = "1"
        ctx.response.set_cookie("crumb", "2")
        return str(ctx.request.state.task_id)

    @bentoml.task
    def trailing(self, gate: str, ctx: bentoml.Context) -> str:
        async def finish() -> None:
            say(gate, "began")
            await until_open(gate)
            if is_open(f"{gate}.fail"):
                raise ValueError("sesame")
            if is_open(f"{gate}.exit"):
                sys.exit("sesame")

        ctx.response.background.add_task(finish)
        return "answered"

    @bentoml.task(batchable=True, max_latency_ms=1000)
    def doubled(self, numbers: list[int]) -> list[int]:
        return [2 * number for number in numbers]
