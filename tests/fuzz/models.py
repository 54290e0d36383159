"""What is fuzzed: models that take all that their schemas allow, so that every 500 is the server's own."""

from collections.abc import Iterator
from enum import Enum
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from livepeer.runner import MediaType, Pipeline


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Size(BaseModel):
    """How large."""

    width: int = Field(ge=1, le=10_000, description="Pixels across")
    height: int = Field(default=480, ge=1, le=10_000)


class Rich(Pipeline):
    """Takes every kind of field that a caller may name, and says what it got."""

    capacity = 4

    def predict(
        self,
        prompt: Annotated[str, Field(min_length=2)],
        size: Size,
        tags: list[str],
        colour: Colour = Colour.RED,
        mode: Literal["fast", "slow"] = "fast",
        seed: Annotated[int, Field(ge=0, lt=2**64)] | None = None,
        weights: dict[str, float] | None = None,
        image: bytes = b"",
        ratio: float = 0.5,
        on: bool = False,
        extra: object = None,
    ) -> dict[str, object]:
        """Describe what came."""
        return {
            "prompt": prompt, "pixels": size.width * size.height, "tags": tags, "colour": colour, "mode": mode,
            "seed": seed, "weights": weights, "bytes": len(image), "ratio": ratio, "on": on, "extra": extra,
        }  # fmt: skip


class Streaming(Pipeline):
    """Yields what it is given."""

    capacity = 4

    def predict(
        self, items: list[str | int | Size], times: Annotated[int, Field(ge=1, le=3)] = 1
    ) -> Iterator[str | int | Size]:
        for _ in range(times):
            yield from items


class Binary(Pipeline):
    """Takes bytes and gives them back."""

    capacity = 4

    async def predict(
        self, data: bytes, times: Annotated[int, Field(ge=1, le=3)] = 1
    ) -> Annotated[bytes, MediaType("image/x-test")]:
        return data * times
