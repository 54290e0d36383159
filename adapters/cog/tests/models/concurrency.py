"""How many at once."""

import asyncio
import time
from pathlib import Path

from cog import BasePredictor


async def meet(name: str, others: int, seconds: float) -> str:
    """Wait for others in the same folder."""
    Path(f"{name}.here").touch()  # noqa: ASYNC240
    for _ in range(int(seconds * 100)):
        if len(list(Path().glob("*.here"))) >= others:  # noqa: ASYNC240
            return f"{name} met"
        await asyncio.sleep(0.01)
    return f"{name} was alone"


class Meeting(BasePredictor):
    async def predict(self, name: str, others: int = 1, seconds: float = 10.0) -> str:
        return await meet(name, others, seconds)


class Sync(BasePredictor):
    def predict(self, name: str, seconds: float = 0.0) -> str:
        Path(f"{name}.here").touch()
        time.sleep(seconds)
        return name
