"""Shapes that a model may have since `run` is the newer word for `predict`."""

from cog import BaseRunner


class NewStyle(BaseRunner):
    def run(self, text: str) -> str:
        return f"new {text}"


class RunnerThatPredicts(BaseRunner):
    def predict(self, text: str) -> str:
        return f"mixed {text}"
