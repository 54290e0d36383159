"""What the conformance suite serves: one native pipeline a role."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from pydantic import BaseModel

from livepeer.runner import Call, LivePipeline, MediaType, Pipeline


class Echo(Pipeline):
    def predict(self, text: str) -> dict[str, str]:
        return {"text": text}


class Failing(Pipeline):
    def predict(self, how: str) -> str:
        if how == "raise":
            raise ValueError("sesame")
        if how == "exit":
            sys.exit("sesame")
        if how == "crash":
            os._exit(3)
        return how


class SlowSetup(Pipeline):
    def setup(self) -> None:
        print("setup begins")
        time.sleep(1)
        print("setup ends")

    def predict(self) -> str:
        print("called")
        return "ok"

    def teardown(self) -> None:
        print("torn down")


class FailingSetup(SlowSetup):
    def setup(self) -> None:
        print("setup begins")
        raise ValueError("sesame")


class Streaming(Pipeline):
    def predict(self, text: str) -> Iterator[str]:
        try:
            for _ in range(4):
                yield text
                time.sleep(0.2)
        except GeneratorExit:
            print("closed")
            raise


class AsyncStreaming(Pipeline):
    async def predict(self, text: str) -> AsyncIterator[str]:
        try:
            for _ in range(4):
                yield text
                await asyncio.sleep(0.2)
        except (GeneratorExit, asyncio.CancelledError):
            print("closed")
            raise


class FailingMidway(Pipeline):
    def predict(self) -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("sesame")


class Blocking(Pipeline):
    def predict(self, call: Call, wait: bool) -> bool:
        while wait and not call.cancelled:
            self._say_once(call)
            time.sleep(0.01)
        if call.cancelled:
            print("cancelled")
        return wait

    def _say_once(self, call: Call) -> None:
        if not call.metrics:
            print("called")
            call.metrics["said"] = 1


class AsyncBlocking(Pipeline):
    capacity = 2

    async def predict(self, wait: bool) -> bool:
        if wait:
            print("called")
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                print("cancelled")
                raise
        return wait


class FileIn(Pipeline):
    def predict(self, file: bytes) -> int:
        return len(file)


class FileOut(Pipeline):
    def predict(self) -> Annotated[bytes, MediaType("image/png")]:
        return b"\x89PNG"


class Level(BaseModel):
    level: int = 0
    name: str = ""


class Living(LivePipeline):
    params = Level
    capacity = 2
