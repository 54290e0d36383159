"""A POST that says nothing for as long as row 17 takes, while the other tests run."""

import time
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from .table_wire import Answer, Wire

TOLD_SECONDS = 15.0
"""How long each 100 Continue may take."""


@dataclass(frozen=True, kw_only=True)
class LongSilence:
    """What a preconnected POST was told, until it sent its segment after the second 100 Continue."""

    provisional: tuple[str, ...]
    """The status lines that came."""
    seconds: tuple[float, ...]
    """When they came, counted from the request's head."""
    answer: Answer
    """The answer to the segment."""


@contextmanager
def keeping_silent(base: str, path: str) -> Generator[Future[LongSilence]]:
    """Preconnect, and have what comes of it noted by a thread."""
    with ThreadPoolExecutor(max_workers=1) as threads, Wire(base=base, limit_seconds=TOLD_SECONDS) as wire:
        yield threads.submit(keep_silent, wire, path)


def keep_silent(wire: Wire, path: str) -> LongSilence:
    """Preconnect, read two 100 Continue, and send a segment."""
    began = time.monotonic()
    wire.preconnect(path)
    provisional: list[str] = []
    seconds: list[float] = []
    for _ in range(2):
        provisional.append(wire.read_provisional())
        seconds.append(time.monotonic() - began)
    wire.send_chunk(b"a")
    wire.send_chunk(b"")
    return LongSilence(provisional=tuple(provisional), seconds=tuple(seconds), answer=wire.read())
