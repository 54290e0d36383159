"""Predictions that tell more than their output."""

import asyncio
import logging
import sys
import threading
from collections.abc import AsyncIterator, Iterator

from cog import BasePredictor, current_scope

HANDLER = logging.StreamHandler(sys.stdout)
LOGGER = logging.getLogger(__name__)
LOGGER.propagate = False
LOGGER.addHandler(HANDLER)


class Telling(BasePredictor):
    def setup(self) -> None:
        print("in setup")
        current_scope().record_metric("1 is no name", object())

    def predict(self, how: str = "print") -> str:
        scope = current_scope()
        match how:
            case "print":
                print("one", "two")
                print("odd", file=sys.stderr)
                sys.stdout.write("not ended")
            case "logging":
                LOGGER.warning("by a handler of the import")
            case "flush":
                print("pro", end="", flush=True)
                print("gress")
            case "thread":
                thread = threading.Thread(target=self.work)
                thread.start()
                thread.join()
            case "context":
                return str(dict(scope.context))
            case "metrics":
                scope.metrics["timing.load"] = 0.5
                scope.record_metric("tokens", 2, mode="incr")
                scope.record_metric("tokens", 3, mode="incr")
                scope.metrics.record("tags", "a", mode="append")
                scope.metrics["gone"] = 1
                del scope.metrics["gone"]
        return how

    def work(self) -> None:
        print("from a thread")
        current_scope().record_metric("threads", 1)


class Streaming(BasePredictor):
    def predict(self) -> Iterator[int]:
        for number in range(3):
            print(f"line {number}")
            current_scope().record_metric("n", number)
            yield number


class Together(BasePredictor):
    """Two predictions meet, each with lines of its own."""

    def setup(self) -> None:
        self.waiting: list[asyncio.Event] = []

    async def predict(self, name: str) -> str:
        print(f"{name} begins")
        mine = asyncio.Event()
        self.waiting.append(mine)
        if len(self.waiting) == 2:
            for event in self.waiting:
                event.set()
        await mine.wait()
        print(f"{name} ends")
        current_scope().record_metric("name", name)
        return name


class Lingering(BasePredictor):
    """Leaves a task behind."""

    async def predict(self) -> AsyncIterator[str]:
        self.go = asyncio.Event()
        self.task = asyncio.create_task(self.linger())
        yield "done"

    async def linger(self) -> None:
        await self.go.wait()
        print("too late")
