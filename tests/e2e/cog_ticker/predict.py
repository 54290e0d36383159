import time
from collections.abc import Iterator

from cog import BasePredictor, Input


class Predictor(BasePredictor):
    """Ticks."""

    def predict(self, count: int = Input(default=3, ge=0), hold: bool = False) -> Iterator[str]:
        for number in range(count):
            print(f"tick {number}")
            yield f"tick {number}"
        while hold:
            time.sleep(0.01)
