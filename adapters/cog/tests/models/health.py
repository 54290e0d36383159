"""Models that say how they are; a prediction sets what they say."""

import asyncio
import time

from cog import BasePredictor


class Healthy(BasePredictor):
    def setup(self) -> None:
        self.state = "well"

    def predict(self, state: str, seconds: float = 0.0) -> str:
        self.state = state
        time.sleep(seconds)
        return state

    def healthcheck(self) -> bool:
        match self.state:
            case "ill":
                return False
            case "raising":
                raise ValueError("feeling bad")
            case "none":
                return None
            case "slow":
                time.sleep(5.5)
            case "text":
                return "yes"
            case "zero":
                return 0
        return True


class HealthyLater(BasePredictor):
    async def setup(self) -> None:
        self.state = "well"

    async def predict(self, state: str) -> str:
        self.state = state
        return state

    async def healthcheck(self) -> bool:
        match self.state:
            case "ill":
                return False
            case "raising":
                raise ValueError("feeling bad")
            case "slow":
                await asyncio.sleep(8)
        return True
