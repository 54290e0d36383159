"""The models that the server's tests serve, each in a process of its own or inline."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal, Optional

from pydantic import BaseModel, Field

from livepeer.core import CallCancelledError, UnauthorizedError
from livepeer.runner import Call, MediaType, Pipeline, current_call


class SyncReturn(Pipeline):
    def predict(self, text: str) -> str:
        return text[::-1]


class AsyncReturn(Pipeline):
    async def predict(self, text: str) -> str:
        await asyncio.sleep(0)
        return text[::-1]


class SyncYield(Pipeline):
    capacity = 2

    def predict(self, text: str) -> Iterator[str]:
        yield from text


class AsyncYield(Pipeline):
    capacity = 2

    async def predict(self, text: str) -> AsyncIterator[str]:
        for letter in text:
            yield letter


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Size(BaseModel):
    """How large."""

    width: int = Field(ge=1, description="Pixels across", examples=[640])
    height: int = Field(default=480, ge=1)


class Rich(Pipeline):
    """Draws what it is told.

    In great detail.
    """

    name = "rich-model"
    version = "1.2.3"

    def predict(
        self,
        prompt: Annotated[str, Field(min_length=2, description="What to draw")],
        size: Size,
        colour: Colour = Colour.RED,
        mode: Literal["fast", "slow"] = "fast",
        seed: Optional[int] = None,  # noqa: UP045 - the old spelling must work too
        image: bytes = b"",
    ) -> dict[str, str | int]:
        """Draw it."""
        return {"prompt": prompt, "colour": colour.value, "pixels": size.width * size.height, "bytes": len(image)}


Address = Annotated[str, Field(json_schema_extra={"format": "uri"})]


class Addressed(Pipeline):
    def predict(self, main: Address, sources: list[Address]) -> list[str]:
        return [main, *sources]


class Forms(Pipeline):
    def predict(
        self, image: bytes, count: int, ratio: float, label: str, tags: list[str], note: str = "-", on: bool = False
    ) -> dict[str, object]:
        return {
            "size": len(image), "last": image[-1], "count": count, "ratio": ratio,
            "label": label, "tags": tags, "note": note, "on": on,
        }  # fmt: skip


class Png(Pipeline):
    def predict(self, size: int = 10) -> Annotated[bytes, MediaType("image/png")]:
        return b"\x89PNG" + bytes(size)


class File(Pipeline):
    def predict(self, exists: bool = True) -> Path:
        path = Path(tempfile.gettempdir()) / "livepeer-test-answer.txt"
        path.write_text("from a file")
        return path if exists else path.with_name("livepeer-test-no-such-file.txt")


class Echo(Pipeline):
    """Answers with the text that it got; a capacity that lets calls stand beside each other."""

    capacity = 4

    def predict(self, text: str) -> str:
        return text


class Big(Pipeline):
    capacity = 4

    async def predict(self, data: bytes, answer_bytes: int = 0) -> Annotated[bytes, MediaType("image/x-test")]:
        return data if not answer_bytes else bytes(answer_bytes)


class Failing(Pipeline):
    def predict(self, how: str) -> object:
        if how == "exception":
            raise ValueError("a secret in the message")
        if how == "exit":
            raise SystemExit(3)
        if how == "interrupt":
            raise KeyboardInterrupt
        if how == "unauthorized":
            raise UnauthorizedError("the model's own")
        if how == "cancelled":
            raise CallCancelledError("the model's own")
        if how == "not-json":
            return object()
        return "fine"


class AsyncFailing(Failing):
    async def predict(self, how: str) -> object:
        return super().predict(how)


class Reporting(Pipeline):
    def predict(self, call: Call) -> dict[str, str]:
        call.metrics["predict_seconds"] = 0.5
        print("working on it")
        found = current_call()
        assert found is call
        return {
            "id": call.id,
            "header": call.headers.get("x-tenant", ""),
            "auth": call.headers.get("authorization", ""),
        }


class Progressing(Pipeline):
    def predict(self, call: Call) -> Iterator[int]:
        call.report_progress(0.5, "half")
        yield 1


MARKS = Path(os.environ.get("LIVEPEER_TEST_MARKS", tempfile.gettempdir()))


class Gate:
    """A place where a model waits until the test says go, and where it says what it did."""

    def __init__(self, name: str) -> None:
        self.folder = MARKS
        self.name = name

    def mark(self, what: str) -> None:
        (self.folder / f"{self.name}.{what}").touch()

    def has(self, what: str) -> bool:
        return (self.folder / f"{self.name}.{what}").exists()


class Held(Pipeline):
    """Sync: waits for `go`, looking at its cancellation only when told to."""

    capacity = 2

    def predict(self, gate: str, looks: bool, call: Call) -> str:
        held = Gate(gate)
        held.mark("entered")
        while not held.has("go"):
            if looks and call.cancelled:
                held.mark("cancelled")
                call.raise_if_cancelled()
            time.sleep(0.005)
        held.mark("left")
        return "done"


class HeldOne(Held):
    capacity = 1


class AsyncHeld(Pipeline):
    async def predict(self, gate: str, looks: bool = True) -> str:
        held = Gate(gate)
        held.mark("entered")
        try:
            while not held.has("go"):  # noqa: ASYNC110 - the test is another process
                await asyncio.sleep(0.005)
        except asyncio.CancelledError:
            held.mark("cancelled")
            raise
        return "done"


class Endless(Pipeline):
    """Sync: yields for ever, and marks when its generator is closed."""

    capacity = 2

    def predict(self, gate: str, size: int = 10) -> Iterator[str]:
        held = Gate(gate)
        held.mark("entered")
        made = 0
        try:
            while True:
                yield "x" * size
                made += 1
                (held.folder / f"{gate}.count").write_text(str(made))
        finally:
            held.mark("closed")


class AsyncEndless(Pipeline):
    capacity = 2

    async def predict(self, gate: str, size: int = 10) -> AsyncIterator[str]:
        held = Gate(gate)
        held.mark("entered")
        made = 0
        try:
            while True:
                yield "x" * size
                made += 1
                (held.folder / f"{gate}.count").write_text(str(made))
        finally:
            held.mark("closed")


class Items(Pipeline):
    """Yields what it is given, and fails where it is told to."""

    def predict(self, items: list[object], fail_at: int = -1) -> Iterator[object]:
        for index, item in enumerate(items):
            if index == fail_at:
                raise RuntimeError("no more")
            yield item
        if fail_at == len(items):
            raise RuntimeError("at the end")


class AsyncItems(Pipeline):
    async def predict(self, items: list[object], fail_at: int = -1) -> AsyncIterator[object]:
        for index, item in enumerate(items):
            if index == fail_at:
                raise RuntimeError("no more")
            yield item
        if fail_at == len(items):
            raise RuntimeError("at the end")


class BurstThenThink(Pipeline):
    """Yields three items at once, then blocks its own thread or loop until the test says go."""

    def predict(self, gate: str) -> Iterator[int]:
        yield from (1, 2, 3)
        while not Gate(gate).has("go"):
            time.sleep(0.005)
        yield 4


class AsyncBurstThenThink(Pipeline):
    async def predict(self, gate: str) -> AsyncIterator[int]:
        for item in (1, 2, 3):
            yield item
        while not Gate(gate).has("go"):
            time.sleep(0.005)  # noqa: ASYNC251 - a model that blocks its loop is the point
        yield 4


class Quiet(Pipeline):
    async def predict(self, gate: str) -> AsyncIterator[str]:
        while not Gate(gate).has("go"):  # noqa: ASYNC110 - the test is another process
            await asyncio.sleep(0.005)
        yield "at last"


class SlowSetup(Pipeline):
    def setup(self) -> None:
        while not Gate("setup").has("go"):
            time.sleep(0.005)

    def predict(self) -> str:
        return "ready"


class BrokenSetup(Pipeline):
    def setup(self) -> None:
        print("about to fail")
        raise RuntimeError("the weights are missing")

    def teardown(self) -> None:
        Gate("broken").mark("torn-down")

    def predict(self) -> str:
        return "never"


class AsyncSetup(Pipeline):
    async def setup(self) -> None:
        self.loop = asyncio.get_running_loop()

    async def teardown(self) -> None:
        Gate("async").mark("torn-down")

    async def predict(self) -> bool:
        return self.loop is asyncio.get_running_loop()


class Threads(Pipeline):
    def setup(self) -> None:
        self.thread = threading.get_ident()

    def predict(self) -> bool:
        return self.thread == threading.get_ident()


class Dying(Pipeline):
    """Ends its process in the way that it is told."""

    capacity = 4

    def predict(self, how: str, gate: str = "") -> object:
        match how:
            case "segfault":
                signal.raise_signal(signal.SIGSEGV)
            case "killed":
                signal.raise_signal(signal.SIGKILL)
            case "exit":
                os._exit(7)
            case "children":
                script = "import time; time.sleep(600)"
                child = subprocess.Popen([sys.executable, "-c", script])
                away = subprocess.Popen([sys.executable, "-c", script], start_new_session=True)
                return [os.getpid(), child.pid, away.pid]
            case "wait":
                Gate(gate).mark("entered")
                while not Gate(gate).has("go"):
                    time.sleep(0.005)
            case "print":
                line = "x" * 1023 + "\n"
                for _ in range(1024 * 1024 // 8):
                    os.write(1, line.encode() * 8)
            case "memory":
                import resource

                resource.setrlimit(resource.RLIMIT_AS, (512 * 1024 * 1024, -1))
                return len(bytearray(2 * 1024 * 1024 * 1024))
            case _:
                pass
        return os.getpid()


class DyingSetup(Pipeline):
    def setup(self) -> None:
        print("dying now")
        os._exit(9)

    def predict(self) -> str:
        return "never"


class DyingForAWhile(Pipeline):
    def setup(self) -> None:
        if not Gate("heal").has("go"):
            os._exit(9)

    def predict(self) -> str:
        return "healed"


class BrokenInit(Pipeline):
    def __init__(self) -> None:
        raise RuntimeError("no such weights")

    def predict(self) -> str:
        return "never"


class Prefix(Pipeline):
    def predict(self) -> str:
        return sys.prefix


def reverse(text: str) -> str:
    """Reverse a text."""
    return text[::-1]
