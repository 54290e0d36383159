"""Imports a module beside it in its folder's parent: the project's root is on the path, its own folder is not."""

import neighbour
from cog import BasePredictor

try:
    import hidden
except ImportError:
    hidden = None


class Predictor(BasePredictor):
    def predict(self, text: str) -> str:
        return f"{neighbour.WORD} {text} {hidden is None}"
