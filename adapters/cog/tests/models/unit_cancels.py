"""Predictions that wait, each in its own way. `reached` says that one does; `marks` says how it ended."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

from cog import BasePredictor, CancelationException, File, Input


class Waiting(BasePredictor):
    """What all of them have: tests look at it."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.go = threading.Event()
        self.marks: list[str] = []

    def wait(self) -> None:
        self.reached.set()
        while not self.go.is_set():
            time.sleep(0.001)


class Looping(Waiting):
    def predict(self, how: str = "plain") -> Any:
        match how:
            case "caught":
                try:
                    self.wait()
                except CancelationException:
                    self.marks.append("caught")
                    raise
            case "swallowed":
                try:
                    self.wait()
                except CancelationException:
                    return "swallowed"
            case "mistaken":
                try:
                    self.wait()
                except Exception:  # noqa: BLE001 - as models do
                    self.marks.append("mistaken")
            case "blocked":
                self.reached.set()
                self.go.wait(20)
            case "listed":
                return self.listed()
            case "quick":
                return "quick"
            case _:
                self.wait()
        return "waited"

    def listed(self) -> Iterator[int]:
        yield 1
        self.wait()


class Yielding(Waiting):
    def predict(self, catching: bool = False, waiting: bool = True) -> Iterator[int]:
        try:
            yield 1
            if waiting:
                self.wait()
            yield 2
        except CancelationException:
            self.marks.append("cancelled")
            if not catching:
                raise
            yield 3
        except GeneratorExit:
            self.marks.append("closed")
            raise
        finally:
            self.marks.append("ended")


class Handing(Waiting):
    """Hands on what is no generator."""

    def predict(self, count: int = 2) -> Iterator[int]:
        return iter([number * 10 for number in range(count)])


class Awaiting(Waiting):
    async def predict(self, how: str = "plain") -> str:
        self.reached.set()
        try:
            await asyncio.sleep(20)
        except asyncio.CancelledError:
            self.marks.append("cancelled")
            if how == "swallowed":
                return "swallowed"
            if how == "cog":
                raise CancelationException from None
            raise
        return "waited"


class YieldingLater(Waiting):
    async def predict(self, count: int = 2) -> AsyncIterator[int]:
        try:
            for number in range(count):
                yield number
                if number:
                    self.reached.set()
                    await asyncio.sleep(20)
        except asyncio.CancelledError:
            self.marks.append("cancelled")
            raise
        except GeneratorExit:
            self.marks.append("closed")
            raise
        finally:
            await asyncio.sleep(0)
            self.marks.append("ended")


class GivingLater(Waiting):
    """Gives what it is asked for, awaited or not."""

    async def predict(self, kind: str) -> AsyncIterator[int]:
        match kind:
            case "generator":
                return self.later()
            case "list":
                return [1, 2]
            case _:
                return (number for number in (1, 2))

    async def later(self) -> AsyncIterator[int]:
        yield 1
        yield 2


class HandingLater(Waiting):
    """Is no coroutine itself."""

    def predict(self) -> AsyncIterator[int]:
        return self.later()

    async def later(self) -> AsyncIterator[int]:
        yield 1
        yield 2


class Reading(Waiting):
    def predict(self, file: File, more: list[File] = Input(default=[])) -> str:
        self.reached.set()
        return file.read().decode()


class ReadingLater(Waiting):
    async def predict(self, file: File) -> str:
        return file.read().decode()
