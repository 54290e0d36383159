"""Outputs that come one by one."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path as StandardPath

from cog import AsyncConcatenateIterator, BasePredictor, ConcatenateIterator, Input, Path, current_scope


class Words(BasePredictor):
    def predict(self, text: str, pause: float = 0.0) -> Iterator[str]:
        for word in text.split():
            yield word
            time.sleep(pause)


class Joined(BasePredictor):
    def predict(self, text: str) -> ConcatenateIterator[str]:
        yield from text


class Later(BasePredictor):
    async def predict(self, text: str, pause: float = 0.0) -> AsyncIterator[str]:
        for word in text.split():
            yield word
            await asyncio.sleep(pause)


class LaterJoined(BasePredictor):
    async def predict(self, text: str) -> AsyncConcatenateIterator[str]:
        for letter in text:
            yield letter


class Paths(BasePredictor):
    def predict(self, count: int = Input(default=2, ge=0, le=5)) -> Iterator[Path]:
        for index in range(count):
            path = StandardPath(tempfile.mkdtemp()) / f"{index}.txt"
            path.write_text(str(index))
            yield Path(path)


class Records(BasePredictor):
    def predict(self) -> Iterator[dict]:
        yield {"n": 1, "list": [1, 2]}
        yield None
        yield [3, 4]


class Broken(BasePredictor):
    def predict(self, after: int = 2) -> Iterator[str]:
        for index in range(after):
            yield f"item {index}"
        raise ValueError("broken in the middle")


class LaterBroken(BasePredictor):
    async def predict(self, after: int = 2) -> AsyncIterator[str]:
        for index in range(after):
            yield f"item {index}"
        raise ValueError("broken in the middle")


class Telling(BasePredictor):
    """Output, logs and metrics in one order."""

    def predict(self) -> Iterator[str]:
        scope = current_scope()
        print("before")
        scope.record_metric("temperature", 0.5)
        yield "one"
        print("between")
        scope.record_metric("tokens", 1, mode="incr")
        scope.record_metric("tags", "a", mode="append")
        yield "two"
        scope.record_metric("tokens", 2, mode="incr")


class Handed(BasePredictor):
    """Returns a generator that something else made."""

    def predict(self, count: int) -> Iterator[int]:
        return (number * 10 for number in range(count))


class Listed(BasePredictor):
    def predict(self, count: int) -> list[int]:
        return list(range(count))
