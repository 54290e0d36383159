"""Shapes that a model may have."""

import asyncio
import os
import sys
import threading

from cog import BasePredictor, Input


class OldStyle(BasePredictor):
    def predict(self, text: str) -> str:
        return f"old {text}"


class Bare:
    """Derives from nothing of Cog's."""

    def setup(self) -> None:
        self.word = "bare"

    def predict(self, text: str = Input(default="default")) -> str:
        return f"{self.word} {text}"


class BareRunner:
    def run(self, text: str) -> str:
        return f"bare runner {text}"


class Child(OldStyle):
    def predict(self, text: str) -> str:
        return "child of " + super().predict(text)


class Inheriting(OldStyle):
    pass


class Both(BasePredictor):
    def predict(self, text: str) -> str:
        return "predict"

    def run(self, text: str) -> str:
        return "run"


class Neither(BasePredictor):
    pass


def function(text: str, times: int = Input(default=2, ge=1)) -> str:
    return text * times


async def later_function(text: str) -> str:
    await asyncio.sleep(0)
    return text.upper()


class SelfCalling(BasePredictor):
    """Calls itself without its arguments."""

    def predict(self, depth: int = Input(default=3, ge=0)) -> str:
        return f"{type(depth).__name__} {depth}"


class Places(BasePredictor):
    """Where it runs."""

    def setup(self) -> None:
        self.folder = os.getcwd()  # noqa: PTH109
        with open("notes.txt") as notes:  # noqa: PTH123
            self.notes = notes.read()

    def predict(self) -> dict:
        with open("notes.txt") as notes:  # noqa: PTH123
            again = notes.read()
        return {
            "name": __name__,
            "registered": sys.modules.get(__name__) is not None and hasattr(sys.modules[__name__], "Places"),
            "same folder": self.folder == os.getcwd(),  # noqa: PTH109
            "notes": [self.notes, again],
            "variables": {name: os.environ.get(name) for name in ("GREETING", "EMPTY", "WITH_EQUALS")},
            "argv": len(sys.argv) > 0,
        }


TOTAL = 0


class Counting(BasePredictor):
    """Keeps state from call to call."""

    def setup(self) -> None:
        self.count = 0

    def predict(self, add: int = 1) -> list[int]:
        global TOTAL
        self.count += add
        TOTAL += 1
        return [self.count, TOTAL]


class Threads(BasePredictor):
    def setup(self) -> None:
        self.thread = threading.current_thread()

    def predict(self) -> bool:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return True
        return False
