"""What a model writes."""

import logging
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator

from cog import BasePredictor

LOGGER = logging.getLogger(__name__)


def write(how: str) -> None:
    match how:
        case "print":
            print("hello", "there")
            print("again")
        case "stderr":
            print("to stderr", file=sys.stderr)
        case "both":
            print("out")
            print("err", file=sys.stderr)
            print("out again")
        case "no newline":
            sys.stdout.write("no newline")
        case "pieces":
            sys.stdout.write("one ")
            sys.stdout.write("line\n")
        case "flushed":
            print("flushed", end="", flush=True)
            print(" and ended")
        case "empty lines":
            print()
            print("after an empty line")
        case "unicode":
            print("é \U0001f600")
        case "long":
            print("x" * 20_000)
        case "lines":
            sys.stdout.writelines(["a\n", "b\n"])
        case "logging":
            LOGGER.warning("a warning of %s", "logging")
        case "warnings":
            warnings.warn("a warning", UserWarning, stacklevel=1)
        case "thread":
            thread = threading.Thread(target=print, args=("from a thread",))
            thread.start()
            thread.join()
        case "child":
            subprocess.run([sys.executable, "-c", "print('from a child')"], check=True)
        case "kept stream":
            KEPT.write("through a kept stream\n")
        case "tty":
            print(sys.stdout.isatty(), sys.stdout.encoding)


class Writing(BasePredictor):
    def predict(self, how: str) -> str:
        write(how)
        return how


class WritingLater(BasePredictor):
    async def predict(self, how: str) -> str:
        write(how)
        return how


class WritingMore(BasePredictor):
    def predict(self, count: int = 2) -> Iterator[int]:
        for index in range(count):
            print(f"line {index}")
            yield index


class WritingThenFailing(BasePredictor):
    def predict(self) -> str:
        print("before the failure")
        raise ValueError("after the print")


class ConfiguredLogging(BasePredictor):
    def setup(self) -> None:
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
        LOGGER.addHandler(handler)
        LOGGER.setLevel(logging.INFO)
        LOGGER.propagate = False
        LOGGER.info("in setup")

    def predict(self, text: str) -> str:
        LOGGER.info("in predict: %s", text)
        return text


KEPT = sys.stdout
