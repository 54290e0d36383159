"""Says itself how many at once."""

import asyncio

from cog import BasePredictor, concurrent


class Decorated(BasePredictor):
    """Each of two waits a while for the other."""

    def setup(self) -> None:
        self.names: set[str] = set()

    @concurrent(max=2)
    async def predict(self, name: str) -> str:
        self.names.add(name)
        for _ in range(100):
            if len(self.names) == 2:
                return "met"
            await asyncio.sleep(0.01)
        return "was alone"
