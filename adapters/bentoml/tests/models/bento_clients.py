"""What BentoML's own clients call."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import bentoml
import numpy as np
import pydantic
from bentoml.exceptions import NotFound
from numpy.typing import NDArray
from PIL import Image


class Point(pydantic.BaseModel):
    x: int
    y: int = 2


@bentoml.service
class Everything:
    @bentoml.api
    def add(self, a: int, b: int = 2) -> int:
        return a + b

    @bentoml.api
    def mirror(self, point: Point) -> Point:
        return Point(x=point.y, y=point.x)

    @bentoml.api
    def root(self, items: list[str], /) -> str:
        return " ".join(items)

    @bentoml.api
    def shout(self, text: str, /) -> str:
        return text.upper()

    @bentoml.api
    def doubled(self, array: NDArray[np.int64]) -> NDArray[np.int64]:
        return array * 2

    @bentoml.api
    def length(self, file: Path, unit: str = "bytes") -> str:
        return f"{len(file.read_bytes())} {unit}"

    @bentoml.api
    def lengths(self, files: list[Path]) -> list[int]:
        return [len(file.read_bytes()) for file in files]

    @bentoml.api
    def written(self, text: str, ctx: bentoml.Context) -> Path:
        path = Path(ctx.temp_dir) / "written.txt"
        path.write_text(text)
        return path

    @bentoml.api
    def turned(self, image: Image.Image) -> Image.Image:
        return image.rotate(90, expand=True)

    @bentoml.api(batchable=True, max_latency_ms=1000)
    def squared(self, numbers: list[int]) -> list[int]:
        return [number**2 for number in numbers]

    @bentoml.api
    def missing(self) -> str:
        raise NotFound("it is not there")

    @bentoml.api
    async def words(self, count: int) -> AsyncGenerator[str, None]:
        for number in range(count):
            yield f"word {number}"

    @bentoml.api
    def numbers(self, count: int) -> Generator[int, None, None]:
        yield from range(count)

    @bentoml.task
    async def later(self, text: str) -> str:
        await asyncio.sleep(0)
        return text.upper()

    @bentoml.task
    async def never(self) -> str:
        await asyncio.Event().wait()
        return "never"
