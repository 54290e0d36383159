"""The models that only these tests serve; the others are `pipelines`, the server's own."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any, Literal

from pipelines import Gate

from livepeer.core import BusyError
from livepeer.runner import Call, MediaType, Pipeline


class Mirror(Pipeline):
    """Answers with what it got."""

    capacity = 4

    def predict(self, value: Any) -> Any:
        return value


class Carrier(Pipeline):
    """Answers with the bytes that it got, as an image."""

    capacity = 4

    def predict(self, data: bytes, parts: tuple[bytes, ...] = ()) -> Annotated[bytes, MediaType("image/png")]:
        return b"".join((data, *parts))


class Stepping(Pipeline):
    """Makes each item only when told to."""

    capacity = 2

    def predict(self, gate: str, count: int, call: Call) -> Iterator[int]:
        try:
            for number in range(count):
                while not Gate(f"{gate}-{number}").has("go"):
                    call.raise_if_cancelled()
                    time.sleep(0.005)
                yield number
        finally:
            Gate(gate).mark("closed")


class AsyncStepping(Pipeline):
    """The same, on a loop."""

    capacity = 2

    async def predict(self, gate: str, count: int) -> AsyncIterator[int]:
        try:
            for number in range(count):
                while not Gate(f"{gate}-{number}").has("go"):  # noqa: ASYNC110 - the test is another process
                    await asyncio.sleep(0.005)
                yield number
        finally:
            Gate(gate).mark("closed")


class Stubborn(Pipeline):
    """Says that it was cancelled, and goes on."""

    def predict(self, gate: str, call: Call) -> str:
        held = Gate(gate)
        held.mark("entered")
        while not held.has("go"):
            if call.cancelled:
                held.mark("cancelled")
            time.sleep(0.005)
        return "done"


class Unlucky(Pipeline):
    """Fails as its environment says, or answers; and leaves a mark either way."""

    def setup(self) -> None:
        self.luck: Literal["good", "busy", "error"] = os.environ["LIVEPEER_TEST_LUCK"]  # type: ignore[assignment]

    def predict(self, gate: str) -> str:
        Gate(gate).mark(self.luck)
        if self.luck == "busy":
            raise BusyError("no room")
        if self.luck == "error":
            raise RuntimeError("bad luck")
        return self.luck


class DyingStream(Pipeline):
    """Ends its process after the first item."""

    async def predict(self, gate: str) -> AsyncIterator[int]:
        yield os.getpid()
        while not Gate(gate).has("go"):  # noqa: ASYNC110 - the test is another process
            await asyncio.sleep(0.005)
        os._exit(7)


class Wide(Pipeline):
    """Fifty at once; none answers before all fifty are there."""

    capacity = 50

    def setup(self) -> None:
        self.present = 0
        self.full = asyncio.Event()

    async def predict(self, text: str) -> str:
        self.present += 1
        if self.present == self.capacity:
            self.full.set()
        await self.full.wait()
        return text.upper()
