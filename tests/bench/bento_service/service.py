"""Services that cost nothing of their own: what is measured is what surrounds them."""

import json
import os
import time
from pathlib import Path

import bentoml
from pydantic import BaseModel


class Answer(BaseModel):
    """What `add` answers."""

    total: int
    text: str


class Adding:
    """One async api and one sync one."""

    @bentoml.api
    async def add(self, first: int, second: int, text: str = "") -> Answer:
        """Add two numbers."""
        return Answer(total=first + second, text=text)

    @bentoml.api
    def add_sync(self, first: int, second: int, text: str = "") -> Answer:
        """Add two numbers, in a thread."""
        return Answer(total=first + second, text=text)


@bentoml.service
class Trivial(Adding):
    """Configured as BentoML does by itself."""


@bentoml.service(metrics={"enabled": False}, logging={"access": {"enabled": False}})
class Quiet(Adding):
    """Without metrics and access log, neither of which ours has."""


@bentoml.service
class Batching:
    """A model whose call takes 5 ms, and 0.2 ms an item."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    @bentoml.api(batchable=True, max_batch_size=32, max_latency_ms=10_000)
    def square(self, numbers: list[float]) -> list[float]:
        """Square each number."""
        self.sizes.append(len(numbers))
        time.sleep(0.005 + 0.0002 * len(numbers))
        return [number * number for number in numbers]

    @bentoml.on_shutdown
    def tell(self) -> None:
        """Leave the sizes of the batches behind."""
        Path(os.environ["BATCH_SIZES"]).write_text(json.dumps(self.sizes))
