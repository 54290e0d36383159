"""What the conformance suite serves: one Cog model a role."""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator

from cog import BasePredictor, CancelationException, Input, Path


class Echo(BasePredictor):
    def predict(self, text: str) -> str:
        return text


class Failing(BasePredictor):
    def predict(self, how: str = Input(choices=["raise", "exit", "crash", "well"])) -> str:
        if how == "raise":
            raise ValueError("sesame")
        if how == "exit":
            sys.exit("sesame")
        if how == "crash":
            os._exit(3)
        return how


class SlowSetup(BasePredictor):
    def setup(self) -> None:
        print("setup begins")
        time.sleep(1)
        print("setup ends")

    def predict(self) -> str:
        print("called")
        return "ok"


class FailingSetup(BasePredictor):
    def setup(self) -> None:
        print("setup begins")
        raise ValueError("sesame")

    def predict(self) -> str:
        return "never"


class Streaming(BasePredictor):
    def predict(self, text: str) -> Iterator[str]:
        try:
            for _ in range(4):
                yield text
                time.sleep(0.2)
        except (GeneratorExit, CancelationException):
            print("closed")
            raise


class AsyncStreaming(BasePredictor):
    async def predict(self, text: str) -> AsyncIterator[str]:
        try:
            for _ in range(4):
                yield text
                await asyncio.sleep(0.2)
        except (GeneratorExit, asyncio.CancelledError):
            print("closed")
            raise


class FailingMidway(BasePredictor):
    def predict(self) -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("sesame")


class Blocking(BasePredictor):
    def predict(self, wait: bool) -> bool:
        try:
            if wait:
                print("called")
            while wait:
                time.sleep(0.01)
        except CancelationException:
            print("cancelled")
            raise
        return wait


class AsyncBlocking(BasePredictor):
    async def predict(self, wait: bool) -> bool:
        if wait:
            print("called")
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                print("cancelled")
                raise
        return wait


class FileIn(BasePredictor):
    def predict(self, file: Path) -> int:
        return len(file.read_bytes())


class FileOut(BasePredictor):
    def predict(self) -> Path:
        out = Path(tempfile.mkdtemp()) / "out.png"
        out.write_bytes(b"\x89PNG")
        return out
