"""The models that both sides of every benchmark run."""

import ctypes
import hashlib
import time
from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from livepeer.runner import Pipeline


class Small(BaseModel):
    """Three fields, as many calls have."""

    prompt: str = Field(min_length=1)
    steps: Annotated[int, Field(ge=1, le=100)] = 20
    scale: float = 7.5


class Answer(BaseModel):
    text: str
    cost: float


def answer(given: Small) -> Answer:
    return Answer(text=given.prompt[::-1], cost=given.steps * given.scale)


class Blob(BaseModel):
    model_config = ConfigDict(val_json_bytes="base64", ser_json_bytes="base64")
    data: bytes


class Text(BaseModel):
    data: str


class SyncOne(Pipeline):
    def predict(self, given: Small) -> Answer:
        return answer(given)


class SyncMany(SyncOne):
    capacity = 16


class AsyncMany(Pipeline):
    capacity = 16

    async def predict(self, given: Small) -> Answer:
        return answer(given)


class SyncEvents(Pipeline):
    capacity = 4

    def predict(self, n: int = 1_000) -> Iterator[dict[str, int]]:
        for index in range(n):
            yield {"token": index}


class AsyncEvents(Pipeline):
    capacity = 4

    async def predict(self, n: int = 1_000) -> AsyncIterator[dict[str, int]]:
        for index in range(n):
            yield {"token": index}


class Ticks(Pipeline):
    """Yields the time at which each item was made, one every 5 ms."""

    capacity = 4

    async def predict(self, n: int = 200) -> AsyncIterator[float]:
        import asyncio

        for _ in range(n):
            yield time.perf_counter()
            await asyncio.sleep(0.005)


class TextIn(Pipeline):
    capacity = 4

    def predict(self, given: Text) -> dict[str, int]:
        return {"size": len(given.data)}


class TextBoth(Pipeline):
    capacity = 4

    def predict(self, given: Text) -> str:
        return given.data


class Burner(Pipeline):
    """Keeps its process busy in the way that it is told, for one second."""

    capacity = 4

    async def predict(self, how: str) -> str:
        burn(how)
        return how


def burn(how: str) -> None:
    until = time.perf_counter() + 1.0
    if how == "python":
        while time.perf_counter() < until:
            hashlib.sha256(b"x").digest()
    elif how == "loop":
        time.sleep(1.0)
    else:
        # PyDLL keeps the GIL for the whole call.
        ctypes.PyDLL(None).usleep(999_999)
