"""Services of the same apis, whose configuration differs."""

from collections.abc import AsyncGenerator, Generator

import bentoml


class Apis:
    @bentoml.api
    def sync(self) -> str:
        return ""

    @bentoml.api
    def steps(self) -> Generator[str, None, None]:
        yield ""

    @bentoml.api
    async def async_(self) -> str:
        return ""

    @bentoml.api
    async def items(self) -> AsyncGenerator[str, None]:
        yield ""

    @bentoml.api(batchable=True, max_batch_size=8)
    async def batched(self, texts: list[str]) -> list[str]:
        return texts

    @bentoml.api(batchable=True, max_batch_size=8)
    def batched_sync(self, texts: list[str]) -> list[str]:
        return texts


@bentoml.service
class Plain(Apis):
    pass


@bentoml.service(threads=4, traffic={"concurrency": 5})
class Threaded(Apis):
    pass


@bentoml.service(threads=4, workers=2, traffic={"max_concurrency": 5, "timeout": 7})
class Limited(Apis):
    pass
