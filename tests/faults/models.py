"""The models that these tests serve. Each leaves a record outside its process, which survives the process."""

import asyncio
import os
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, nullcontext
from itertools import repeat
from pathlib import Path
from typing import Any, Literal

from livepeer.runner import Pipeline

RECORDS = Path(os.environ.get("LIVEPEER_FAULTS_RECORDS", "."))


def record(name: str, line: str) -> None:
    """Add a line to a record, in one write: several threads and processes do so at once."""
    with (RECORDS / name).open("ab", buffering=0) as file:
        file.write(f"{line}\n".encode())


class Recording(Pipeline):
    """Records each run before it does anything, works a while, and answers with its input and the run's own id."""

    capacity = 4

    def predict(self, call: int, attempt: int, text: str) -> dict[str, Any]:
        run = uuid.uuid4().hex
        record("runs", f"{call} {attempt} {run}")
        time.sleep(0.02)
        return {"call": call, "attempt": attempt, "text": text[::-1], "run": run}


class Answering(Pipeline):
    """Answers as long as it is told, or holds its caller until that leaves."""

    capacity = 16

    async def predict(self, id: str, hold: bool = False, size: int = 0, data: str = "") -> dict[str, Any]:
        if hold:
            with held(id):
                await asyncio.Event().wait()
        return {"id": id, "filler": "x" * size, "got": len(data), "tasks": len(asyncio.all_tasks())}


class Telling(Pipeline):
    """Streams some items, or holds its caller until that leaves: in silence, or with ever more items."""

    capacity = 16

    async def predict(
        self, id: str, count: int = 0, size: int = 0, hold: Literal["no", "silent", "loud"] = "no"
    ) -> AsyncIterator[dict[str, Any]]:
        with held(id) if hold != "no" else nullcontext():
            for number in repeat(0) if hold == "loud" else range(count):
                yield {"id": id, "number": number, "filler": "x" * size, "tasks": len(asyncio.all_tasks())}
            if hold == "silent":
                await asyncio.Event().wait()


@contextmanager
def held(id: str) -> Iterator[None]:
    """Record the begin and the end of a call that only its caller's leaving ends."""
    record("begun", id)
    try:
        yield
    finally:
        record("ended", id)
