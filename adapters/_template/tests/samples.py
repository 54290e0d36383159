"""What the conformance suite serves: one small handler a role."""

import os
import sys
import time
from collections.abc import Iterator
from typing import ClassVar

from livepeer.adapters.template.framework import Handler


class Echo(Handler):
    def handle(self, text: str) -> str:
        return text


class Troubled(Handler):
    def handle(self, how: str) -> str:
        if how == "fail":
            raise ValueError("sesame")
        if how == "exit":
            sys.exit("sesame")
        if how == "crash":
            os._exit(3)
        return how


class Slow(Handler):
    def load(self) -> None:
        print("setup begins")
        time.sleep(1)
        print("setup ends")

    def handle(self) -> str:
        print("called")
        return "ok"

    def unload(self) -> None:
        print("torn down")


class Unloadable(Slow):
    def load(self) -> None:
        print("setup begins")
        raise ValueError("sesame")


class Streaming(Handler):
    def handle(self, text: str) -> Iterator[str]:
        try:
            for _ in range(4):
                yield text
                time.sleep(0.2)
        except GeneratorExit:
            print("closed")
            raise


class FailingMidway(Handler):
    def handle(self) -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("sesame")


class Paged(Handler):
    pages: ClassVar = {"/about": "about me"}

    def handle(self, text: str) -> str:
        return text
