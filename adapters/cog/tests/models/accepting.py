"""An input that says which files it takes."""

from cog import BasePredictor, Input, Path


class Accepting(BasePredictor):
    def predict(self, path: Path = Input(description="A picture or text", accept="image/*,.txt")) -> str:
        return path.suffix
