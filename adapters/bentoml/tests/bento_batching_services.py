"""Services that take calls by the batch."""

import asyncio
import sys

import bentoml
from bento_alive import Log

LOG = Log()


@bentoml.service(threads=2)
class Batches:
    @bentoml.api(batchable=True, max_batch_size=16, max_latency_ms=10_000)
    def sync(self, xs: list[int]) -> list[int]:
        LOG.say(len(xs))
        if LOG.gate("held").is_set():
            assert LOG.gate("go").wait(20)
        return [x + 1 for x in xs]

    @bentoml.api(batchable=True, max_batch_size=16, max_latency_ms=10_000)
    async def awaited(self, xs: list[int]) -> list[int]:
        LOG.say(len(xs))
        await asyncio.sleep(0)
        return [x + 1 for x in xs]

    @bentoml.api(batchable=True, max_batch_size=4)
    def fails(self, xs: list[int]) -> list[int]:
        raise LookupError("the model's own")

    @bentoml.api(batchable=True, max_batch_size=4)
    def exits(self, xs: list[int]) -> list[int]:
        sys.exit("enough")

    @bentoml.api(batchable=True, max_batch_size=4)
    def with_context(self, xs: list[str], ctx: bentoml.Context) -> list[str]:
        return [f"{x} {ctx.request.url.path}" for x in xs]

    @bentoml.api
    def one(self, x: int) -> int:
        return self.sync([x])[0]

    @bentoml.api
    async def from_loop(self, x: int) -> int:
        return self.sync([x])[0]


@bentoml.service(threads=16)
class OverBatches:
    batches = bentoml.depends(Batches)

    @bentoml.api
    def from_sync(self, x: int) -> int:
        return self.batches.sync([x])[0]

    @bentoml.api
    async def from_async(self, x: int) -> int:
        return (await self.batches.awaited([x]))[0]
