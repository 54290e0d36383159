"""Long predictions; each says in a file of its folder that it runs, and how it ended."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from cog import BasePredictor, CancelationException


def mark(name: str) -> None:
    (Path(name + ".new")).write_text("x")
    Path(name + ".new").rename(name)


def busy(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.005)


class Loop(BasePredictor):
    def predict(self, name: str, seconds: float = 20.0) -> str:
        mark(name + ".started")
        try:
            busy(seconds)
        finally:
            mark(name + ".ended")
        return name


class Catching(BasePredictor):
    """Cleans up when it is cancelled, and passes it on unless told otherwise."""

    def predict(self, name: str, swallow: bool = False, seconds: float = 20.0) -> str:
        mark(name + ".started")
        try:
            busy(seconds)
        except CancelationException:
            mark(name + ".cancelled")
            if not swallow:
                raise
        except Exception:  # noqa: BLE001 - it must not come here
            mark(name + ".mistaken")
        return name


class Blocking(BasePredictor):
    def predict(self, name: str, seconds: float = 1.0) -> str:
        mark(name + ".started")
        time.sleep(seconds)
        return name


class Sleeping(BasePredictor):
    async def predict(self, name: str, seconds: float = 20.0) -> str:
        mark(name + ".started")
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            mark(name + ".cancelled")
            raise
        return name


class Yielding(BasePredictor):
    def predict(self, name: str, count: int = 500) -> Iterator[int]:
        try:
            for index in range(count):
                yield index
                busy(0.01)
                if index == 1:
                    mark(name + ".started")
        finally:
            mark(name + ".ended")


class YieldingLater(BasePredictor):
    async def predict(self, name: str, count: int = 500) -> AsyncIterator[int]:
        try:
            for index in range(count):
                yield index
                await asyncio.sleep(0.01)
                if index == 1:
                    mark(name + ".started")
        finally:
            mark(name + ".ended")
