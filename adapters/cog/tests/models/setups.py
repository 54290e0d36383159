"""Ways to get ready, and not to."""

import asyncio
import os
import sys
import time

from cog import BasePredictor, Path


class Weights(BasePredictor):
    def setup(self, weights: Path | None = None) -> None:
        self.weights = weights

    def predict(self) -> list:
        return [type(self.weights).__name__, None if self.weights is None else str(self.weights)]


class Later(BasePredictor):
    async def setup(self) -> None:
        await asyncio.sleep(0)
        self.loop = asyncio.get_running_loop()
        self.lock = asyncio.Lock()

    async def predict(self) -> bool:
        async with self.lock:
            return self.loop is asyncio.get_running_loop()


class Failing(BasePredictor):
    def setup(self) -> None:
        print("about to fail")
        raise RuntimeError("no weights here")

    def predict(self) -> str:
        return "never"


class Leaving(BasePredictor):
    def setup(self) -> None:
        sys.exit(1)

    def predict(self) -> str:
        return "never"


class Talking(BasePredictor):
    def setup(self) -> None:
        print("loading")
        print("loaded", file=sys.stderr)

    def predict(self) -> str:
        return "ready"


class Slow(BasePredictor):
    def setup(self) -> None:
        while not os.path.exists("go"):  # noqa: PTH110
            time.sleep(0.01)

    def predict(self) -> str:
        return "ready at last"


class Endless(BasePredictor):
    def setup(self) -> None:
        time.sleep(60)

    def predict(self) -> str:
        return "never"


class WithoutSetup:
    def predict(self, n: int = 1) -> int:
        return n
