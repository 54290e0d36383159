"""Named by its file alone."""

from cog import BasePredictor, BaseRunner


class Predictor(BasePredictor):
    def predict(self, text: str) -> str:
        return f"predictor {text}"


class Runner(BaseRunner):
    def run(self, text: str) -> str:
        return f"runner {text}"
