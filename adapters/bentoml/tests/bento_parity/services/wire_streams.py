"""Apis that stream."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import Any

import bentoml
import numpy as np
from bentoml.exceptions import InvalidArgument, NotFound
from pydantic import BaseModel
from starlette.exceptions import HTTPException


class Token(BaseModel):
    text: str
    index: int


class Streams:
    """Items, one after the other."""

    @bentoml.api
    async def words(self, text: str = "one two three") -> AsyncGenerator[str, None]:
        for word in text.split(" "):
            yield word

    @bentoml.api
    def words_sync(self, text: str = "one two three") -> Generator[str, None, None]:
        yield from text.split(" ")

    @bentoml.api
    async def numbers(self, upto: int = 3) -> AsyncGenerator[int, None]:
        for number in range(upto):
            yield number

    @bentoml.api
    def documents(self, upto: int = 3) -> Generator[dict[str, Any], None, None]:
        for number in range(upto):
            yield {"number": number, "text": f"é {number}\n"}

    @bentoml.api
    async def tokens(self) -> AsyncGenerator[Token, None]:
        yield Token(text="a", index=0)
        yield Token(text="b", index=1)

    @bentoml.api
    def arrays(self) -> Generator[np.ndarray, None, None]:
        yield np.array([1, 2])
        yield np.array([[0.5]])

    @bentoml.api
    async def pieces(self) -> AsyncGenerator[bytes, None]:
        yield b"\x00\x01"
        yield b"\xff"

    @bentoml.api
    async def events(self, end: str = "[DONE]") -> AsyncGenerator[str, None]:
        """Frames written by hand, as for an OpenAI client."""
        yield 'data: {"delta": "a"}\n\n'
        yield 'event: usage\ndata: {"tokens": 2}\n\n'
        yield f"data: {end}\n\n"

    @bentoml.api
    async def none_at_all(self) -> AsyncGenerator[str, None]:
        for word in ():
            yield word

    @bentoml.api
    def none_at_all_sync(self) -> Generator[str, None, None]:
        yield from ()

    @bentoml.api
    async def headed(self, ctx: bentoml.Context) -> AsyncGenerator[str, None]:
        ctx.response.status_code = 202
        ctx.response.headers["x-headed"] = "yes"
        ctx.response.set_cookie("seen", "1")
        yield "first"
        ctx.response.headers["x-late"] = "lost"
        yield "second"

    @bentoml.api
    async def fails_first(self, kind: str) -> AsyncGenerator[str, None]:
        raise FAILURES[kind]()
        yield "never"

    @bentoml.api
    def fails_first_sync(self, kind: str) -> Generator[str, None, None]:
        raise FAILURES[kind]()
        yield "never"

    @bentoml.api
    async def fails_later(self, kind: str) -> AsyncGenerator[str, None]:
        yield "one"
        raise FAILURES[kind]()

    @bentoml.api
    def fails_later_sync(self, kind: str) -> Generator[str, None, None]:
        yield "one"
        raise FAILURES[kind]()


FAILURES = {
    "not found": lambda: NotFound("no such stream"),
    "invalid": lambda: InvalidArgument("not like this"),
    "value": lambda: ValueError("secret"),
    "http": lambda: HTTPException(404, "not here"),
}
