"""What the conformance suite serves: one BentoML service a role."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Annotated

import bentoml
from pydantic import BeforeValidator

from livepeer.core import current_call


@bentoml.service
class Echo:
    @bentoml.api
    def predict(self, text: str) -> dict[str, str]:
        return {"text": text}


@bentoml.service
class Failing:
    @bentoml.api
    def predict(self, how: str) -> str:
        if how == "raise":
            raise ValueError("sesame")
        if how == "exit":
            sys.exit("sesame")
        if how == "crash":
            os._exit(3)
        return how


@bentoml.service
class SlowSetup:
    def __init__(self) -> None:
        print("setup begins")
        time.sleep(1)

    @bentoml.on_startup
    def end(self) -> None:
        print("setup ends")

    @bentoml.api
    def predict(self) -> str:
        print("called")
        return "ok"

    @bentoml.on_shutdown
    def tear_down(self) -> None:
        print("torn down")


@bentoml.service
class FailingSetup:
    def __init__(self) -> None:
        print("setup begins")

    @bentoml.on_startup
    def fail(self) -> None:
        raise ValueError("sesame")

    @bentoml.api
    def predict(self) -> str:
        return "never"

    @bentoml.on_shutdown
    def tear_down(self) -> None:
        print("torn down")


@bentoml.service
class Streaming:
    @bentoml.api
    def predict(self, text: str) -> Generator[str, None, None]:
        try:
            for _ in range(4):
                yield text
                time.sleep(0.2)
        except GeneratorExit:
            print("closed")
            raise


@bentoml.service
class AsyncStreaming:
    @bentoml.api
    async def predict(self, text: str) -> AsyncGenerator[str, None]:
        try:
            for _ in range(4):
                yield text
                await asyncio.sleep(0.2)
        except (GeneratorExit, asyncio.CancelledError):
            print("closed")
            raise


@bentoml.service
class FailingMidway:
    @bentoml.api
    def predict(self) -> Generator[int, None, None]:
        yield 1
        yield 2
        raise ValueError("sesame")


@bentoml.service
class Blocking:
    """A thread cannot be stopped: the code asks now and then, as any long sync loop may."""

    @bentoml.api
    def predict(self, wait: bool) -> bool:
        call = current_call()
        assert call is not None
        if wait:
            print("called")
        while wait and not call.cancelled:
            time.sleep(0.01)
        if call.cancelled:
            print("cancelled")
        return wait


@bentoml.service
class AsyncBlocking:
    @bentoml.api
    async def predict(self, wait: bool) -> bool:
        if wait:
            print("called")
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                print("cancelled")
                raise
        return wait


@bentoml.service
class FileIn:
    @bentoml.api
    def predict(self, file: Path) -> int:
        return len(file.read_bytes())


@bentoml.service
class FileOut:
    @bentoml.api
    def predict(self, ctx: bentoml.Context) -> Path:
        out = Path(ctx.temp_dir) / "out.png"
        out.write_bytes(b"\x89PNG")
        return out


def only(values: list[int]) -> int:
    return values[0]


@bentoml.service
class Batching:
    """A batchable api gives each caller a list as long as the caller's own; this one makes a number of it."""

    @bentoml.api(batchable=True, max_batch_size=4, max_latency_ms=10_000)
    def predict(self, texts: list[str]) -> Annotated[int, BeforeValidator(only)]:
        time.sleep(0.1)
        return [len(texts)] * len(texts)  # type: ignore[return-value]


@bentoml.service
class Mounted:
    @bentoml.api
    def predict(self, text: str) -> dict[str, str]:
        return {"text": text}
