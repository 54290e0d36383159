"""Says what it is told."""

import time

from cog import BasePredictor, Input


class Echo(BasePredictor):
    def predict(self, text: str = Input(default="nothing"), seconds: float = Input(default=0.0)) -> str:
        time.sleep(seconds)
        print(f"echo {text}")
        if text == "fail":
            raise ValueError("told to")
        return text
