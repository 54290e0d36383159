"""Models for the tests of Cog's own HTTP. A gate is a file: a model says `GATE.reached`, and waits for `GATE`."""

import asyncio
import os
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from cog import BasePredictor, CancelationException, ConcatenateIterator, Input, Secret, current_scope


def reach(gate: str) -> None:
    Path(f"{gate}.reached").touch()


def pass_gate(gate: str) -> None:
    reach(gate)
    while not Path(gate).exists():
        time.sleep(0.002)


class Told(BasePredictor):
    """Does as it is told."""

    def setup(self) -> None:
        print("set up")

    def healthcheck(self) -> bool:
        return not Path(os.environ.get("FACE_SICK", "/nowhere")).exists()

    def predict(
        self,
        text: str,
        count: int = Input(default=1, ge=0, le=5),
        mode: str = Input(
            default="say", choices=["say", "fail", "exit", "wait", "swallow", "log", "list", "thread", "odd"]
        ),
        gate: str = "",
        key: Secret = Input(default=None),
    ) -> object:
        if mode == "fail":
            print("about to fail")
            raise ValueError("boom")
        if mode == "exit":
            sys.exit(3)
        if mode == "wait":
            print("waiting")
            pass_gate(gate)
        if mode == "swallow":
            try:
                pass_gate(gate)
            except CancelationException:
                return "swallowed"
        if mode == "log":
            print("out")
            print("err", file=sys.stderr)
            self.record_metric("a.b", 1)
            current_scope().record_metric("tags", ["x"])
        if mode == "odd":
            knot: list[object] = []
            knot.append(knot)
            self.record_metric("odd", float("nan"))
            self.record_metric("deep", [object(), {1: float("inf")}])
            self.record_metric("knot", knot)
            return "\ud800"
        if mode == "list":
            return [text, text]
        if mode == "thread":
            return threading.current_thread().name
        return {"b": text * count, "a": dict(current_scope().context)}


class Items(BasePredictor):
    """Yields one item a gate."""

    def predict(self, count: int = 2, gate: str = "", fail: bool = False) -> ConcatenateIterator[str]:
        for index in range(count):
            if gate:
                pass_gate(f"{gate}{index}")
            print("item", index)
            self.record_metric("items", 1, "incr")
            yield f"item {index}"
        if fail:
            raise ValueError("boom")


class Many(BasePredictor):
    """Yields as fast as it can."""

    def predict(self, count: int) -> Iterator[int]:
        yield from range(count)


class AsyncTold(BasePredictor):
    """Does as it is told, several at once."""

    async def setup(self) -> None:
        self.loop = asyncio.get_running_loop()

    async def predict(self, text: str, gate: str = "", fail: bool = False) -> str:
        assert asyncio.get_running_loop() is self.loop
        print("async", text)
        if gate:
            reach(gate)
            while not Path(gate).exists():  # noqa: ASYNC110, ASYNC240
                await asyncio.sleep(0.002)
        if fail:
            raise ValueError("boom")
        return text


class AsyncItems(BasePredictor):
    """Yields one item a gate, on a loop."""

    async def predict(self, count: int = 2, gate: str = "", fail: bool = False) -> AsyncIterator[str]:
        for index in range(count):
            if gate:
                reach(f"{gate}{index}")
                while not Path(f"{gate}{index}").exists():  # noqa: ASYNC110, ASYNC240
                    await asyncio.sleep(0.002)
            yield f"item {index}"
        if fail:
            raise ValueError("boom")


class Broken(BasePredictor):
    """Does not get ready."""

    def setup(self) -> None:
        print("trying")
        raise RuntimeError("no weights")

    def predict(self) -> str:
        return ""
