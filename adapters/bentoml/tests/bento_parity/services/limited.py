"""A service with a limit on time and one on callers, and one that says whether it is well."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncGenerator
from pathlib import Path

import bentoml
from bentoml.exceptions import BentoMLException


@bentoml.service(traffic={"timeout": 2})
class Limited:
    """Answers within two seconds, or not."""

    @bentoml.api
    async def wait(self, seconds: float) -> str:
        await asyncio.sleep(seconds)
        return "waited"

    @bentoml.api
    def wait_sync(self, seconds: float) -> str:
        time.sleep(seconds)
        return "waited"

    @bentoml.api
    async def drip(self, before: float = 0, between: float = 0) -> AsyncGenerator[str, None]:
        await asyncio.sleep(before)
        yield "one"
        await asyncio.sleep(between)
        yield "two"

    @bentoml.api
    def fail_by_number(self) -> str:
        raise BentoMLException("tea", error_code=418)  # type: ignore[arg-type]

    @bentoml.api
    def file_missing(self) -> Path:
        return Path("never-written.txt")


@bentoml.service(traffic={"max_concurrency": 1})
class Narrow:
    """Takes one caller at a time."""

    @bentoml.api
    async def wait(self, seconds: float = 0) -> str:
        await asyncio.sleep(seconds)
        return "waited"


@bentoml.service
class Unwell:
    """As well as a folder says, that whoever asks can reach."""

    @bentoml.api
    def nothing(self) -> None:
        return None

    def __is_ready__(self) -> bool:
        return not (Path(tempfile.gettempdir()) / "not-ready").exists()

    async def __is_alive__(self) -> bool:
        return not (Path(tempfile.gettempdir()) / "not-alive").exists()
