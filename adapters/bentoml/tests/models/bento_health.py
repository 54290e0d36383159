"""Services that say how they are: each looks into the file that `BENTO_STATE` names."""

import os
import time
from pathlib import Path

import bentoml


def state() -> str:
    return Path(os.environ["BENTO_STATE"]).read_text()


def probe(word: str) -> bool:
    found = state()
    if found == f"broken {word}":
        raise RuntimeError("the probe broke")
    return found != f"not {word}"


@bentoml.service
class Sync:
    def __is_alive__(self) -> bool:
        return probe("alive")

    def __is_ready__(self) -> bool:
        return probe("ready")

    @bentoml.api
    def say(self) -> str:
        return "here"


@bentoml.service
class Async:
    async def __is_alive__(self) -> bool:
        return probe("alive")

    async def __is_ready__(self) -> bool:
        return probe("ready")

    @bentoml.api
    async def say(self) -> str:
        return "here"


@bentoml.service
class Silent:
    @bentoml.api
    def say(self) -> str:
        return "here"


@bentoml.service
class Slow:
    """Takes its time on the very loop that its calls will run on."""

    def __init__(self) -> None:
        while state() != "go":
            time.sleep(0.005)

    @bentoml.api
    async def say(self) -> str:
        time.sleep(0.5)  # noqa: ASYNC251 - it is to block the loop
        return "here"
