"""What the tests serve and run."""

import base64
import os
import sys
from collections.abc import Iterator
from typing import Annotated

from livepeer.core import Call, MediaType
from livepeer.runner import Pipeline

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


class Echo(Pipeline):
    """Gives its input back."""

    def setup(self) -> None:
        print("echo is being set up")

    def predict(self, text: str, number: int = 0, content: bytes = b"") -> dict[str, object]:
        print("echo is running")
        return {"text": text, "number": number, "content": content.decode()}


class Story(Pipeline):
    def predict(self) -> Iterator[str]:
        yield from ("once ", "upon ", "a time")


class Items(Pipeline):
    def predict(self, count: int, call: Call) -> Iterator[dict[str, int]]:
        for place in range(count):
            call.report_progress((place + 1) / count, "counting")
            yield {"place": place}
        if count > 2:
            raise RuntimeError("too many")


class Address(Pipeline):
    def predict(self) -> str:
        return "data:image/png;base64," + base64.b64encode(PNG).decode()


class Picture(Pipeline):
    def predict(self) -> Annotated[bytes, MediaType("image/png")]:
        return PNG


class BrokenSetup(Pipeline):
    def setup(self) -> None:
        raise RuntimeError("no weights")

    def predict(self, text: str) -> str:
        return text


class Crash(Pipeline):
    def setup(self) -> None:
        sys.stdout.flush()
        os._exit(3)

    def predict(self) -> str:
        return ""
