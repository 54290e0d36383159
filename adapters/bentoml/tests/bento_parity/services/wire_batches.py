"""Apis that batch, and tasks."""

from __future__ import annotations

import threading
from typing import Any

import bentoml
import numpy as np
from bentoml.exceptions import InvalidArgument


class Batches:
    """Adaptive batching."""

    @bentoml.api(batchable=True, max_batch_size=8, max_latency_ms=5000)
    def doubled(self, numbers: list[int]) -> list[int]:
        return [number * 2 for number in numbers]

    @bentoml.api(batchable=True, max_batch_size=8, max_latency_ms=5000)
    async def lengths(self, texts: list[str]) -> list[int]:
        return [len(text) for text in texts]

    @bentoml.api(batchable=True, max_batch_size=8, max_latency_ms=5000)
    def norms(self, vectors: np.ndarray) -> np.ndarray:
        return np.abs(vectors)

    @bentoml.api(batchable=True, max_batch_size=8, max_latency_ms=5000)
    def rooted(self, numbers: list[int], /) -> list[int]:
        return [number + 1 for number in numbers]

    @bentoml.api(batchable=True, max_batch_size=8, max_latency_ms=5000)
    def batch_fails(self, numbers: list[int]) -> list[int]:
        raise InvalidArgument("no batch")

    @bentoml.api(batchable=True, max_batch_size=8, max_latency_ms=5000)
    def batch_short(self, numbers: list[int]) -> list[int]:
        return numbers[:-1]

    @bentoml.api(batchable=True, max_batch_size=8, max_latency_ms=5000)
    def batch_with_context(self, numbers: list[int], ctx: bentoml.Context) -> list[int]:
        return [number for number in numbers if ctx is not None]

    @bentoml.api(batchable=True, max_batch_size=8, max_latency_ms=5000)
    def batch_two_arguments(self, numbers: list[int], factor: int = 1) -> list[int]:
        return [number * factor for number in numbers]


class Tasks:
    """Work that is asked for now and fetched later."""

    gate = threading.Event()

    @bentoml.task
    def slowly(self, number: int) -> dict[str, Any]:
        """Waits until it is let go."""
        assert self.gate.wait(20)
        return {"number": number}

    @bentoml.api
    async def let_go(self) -> str:
        self.gate.set()
        return "gone"

    @bentoml.task
    async def squared(self, number: int) -> int:
        return number**2

    @bentoml.task(route="/jobs/failing")
    async def failing_task(self, kind: str = "value") -> str:
        raise InvalidArgument("no task") if kind == "invalid" else ValueError("secret")
