"""Predictions that end badly, each in its own way; `ok` always works."""

import asyncio
import ctypes
import os
import sys

from cog import BasePredictor


class Refused(Exception):  # noqa: N818
    pass


def fail(how: str) -> str:
    match how:
        case "ok":
            return "ok"
        case "value":
            raise ValueError("no such thing")
        case "custom":
            raise Refused("not today", 7)
        case "no message":
            raise RuntimeError
        case "chained":
            try:
                raise KeyError("inner")
            except KeyError as error:
                raise RuntimeError("outer") from error
        case "lines":
            raise ValueError("first line\nsecond line")
        case "assert":
            assert how == "", "not empty"
        case "exit":
            sys.exit(3)
        case "exit without status":
            sys.exit()
        case "exit with text":
            sys.exit("goodbye")
        case "interrupt":
            raise KeyboardInterrupt
        case "base":
            raise BaseException("very base")
        case "recursion":
            return fail(how)
        case "hard exit":
            os._exit(7)
        case "segfault":
            ctypes.string_at(0)
    return "unknown"


class Failing(BasePredictor):
    def predict(self, how: str) -> str:
        return fail(how)


class FailingLater(BasePredictor):
    async def predict(self, how: str) -> str:
        await asyncio.sleep(0)
        return fail(how)


class Dying(BasePredictor):
    def predict(self, how: str) -> str:
        return fail(how)


class Crashing(BasePredictor):
    def predict(self, how: str) -> str:
        return fail(how)
