import ctypes

from cog import BasePredictor


class Predictor(BasePredictor):
    def predict(self, s: str) -> str:
        if s == "segfault":
            ctypes.string_at(0)
        return "hello " + s
