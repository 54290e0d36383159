"""What a whole server is asked."""

import time
from collections.abc import Iterator
from pathlib import Path

from cog import BasePredictor, CancelationException, Input, current_scope


class Looping(BasePredictor):
    """Counts until it is stopped, and leaves a file that says so."""

    def predict(self, seconds: float = Input(default=0.0, ge=0)) -> str:
        current_scope().record_metric("asked", seconds)
        try:
            Path("began").touch()
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                time.sleep(0.001)
        except CancelationException:
            Path("stopped").touch()
            raise
        return "done"


class Yielding(BasePredictor):
    def predict(self, count: int = Input(default=3)) -> Iterator[str]:
        for number in range(count):
            print(f"line {number}")
            yield f"item {number}"


class Ill(BasePredictor):
    def predict(self) -> str:
        return "never asked"

    def healthcheck(self) -> bool:
        return False
