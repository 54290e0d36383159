"""Ways to get ready, and to be well."""

import asyncio
import threading
import time

from cog import BasePredictor, Path


class Plain(BasePredictor):
    def setup(self) -> None:
        print("loading")
        self.thread = threading.current_thread()

    def predict(self) -> str:
        return "ready"


class Weighed(BasePredictor):
    def setup(self, weights: Path | None = None) -> None:
        self.weights = weights

    def predict(self) -> str:
        return "ready"


class Later(BasePredictor):
    async def setup(self) -> None:
        print("loading")
        await asyncio.sleep(0)
        self.loop = asyncio.get_running_loop()

    async def predict(self) -> bool:
        return self.loop is asyncio.get_running_loop()


class SyncForAsync(BasePredictor):
    """Its setup runs a loop of its own, which it may not within another."""

    def setup(self) -> None:
        asyncio.run(asyncio.sleep(0))

    async def predict(self) -> str:
        return "ready"


class AsyncForSync(BasePredictor):
    async def setup(self) -> None:
        await asyncio.sleep(0)
        self.ready = True

    def predict(self) -> bool:
        return self.ready

    async def healthcheck(self) -> bool:
        return self.ready


class Failing(BasePredictor):
    def setup(self) -> None:
        print("about to fail", end="")
        raise RuntimeError("no weights here")

    def predict(self) -> str:
        return ""


class FailingLater(BasePredictor):
    async def setup(self) -> None:
        await asyncio.sleep(0)
        raise RuntimeError("no weights here")

    async def predict(self) -> str:
        return ""


class Leaving(BasePredictor):
    def setup(self) -> None:
        raise SystemExit(3)

    def predict(self) -> str:
        return ""


class Endless(BasePredictor):
    def setup(self) -> None:
        while True:
            time.sleep(0.001)

    def predict(self) -> str:
        return ""


class EndlessLater(BasePredictor):
    async def setup(self) -> None:
        await asyncio.sleep(60)

    async def predict(self) -> str:
        return ""


class Stubborn(BasePredictor):
    """Its setup blocks, until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def setup(self) -> None:
        self.go.wait(20)

    def predict(self) -> str:
        return ""


def function(text: str) -> str:
    """Says it louder."""
    return text.upper()


class Health(BasePredictor):
    def __init__(self) -> None:
        self.says: object = True
        self.go = threading.Event()

    def predict(self) -> str:
        return ""

    def healthcheck(self) -> object:
        if isinstance(self.says, BaseException):
            raise self.says
        if self.says == "slow":
            self.go.wait(20)
        return self.says


class HealthLater(BasePredictor):
    async def setup(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.says: object = True

    async def predict(self) -> str:
        return ""

    async def healthcheck(self) -> object:
        if self.says == "slow":
            await asyncio.sleep(20)
        if isinstance(self.says, BaseException):
            raise self.says
        return self.loop is asyncio.get_running_loop() and self.says
