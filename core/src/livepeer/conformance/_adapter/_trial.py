"""What one check of an adapter works with."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from enum import Enum, auto

import httpx2

from livepeer.conformance._checks import expect
from livepeer.conformance._worker import Worker
from livepeer.conformance._worker._suite import read_schema
from livepeer.conformance._worker._trial import WorkerTrial, eventually

from ._kit import AdapterConformance
from ._program import TOKEN, Program
from ._sample import Sample
from ._stage import Stage

_READY_SECONDS = 30.0
_SAID_SECONDS = 10.0


class Ability(Enum):
    """What an adapter, or the place where it runs, may have or lack."""

    PROCESS = auto()
    STREAMS = auto()
    STREAMS_ASYNC = auto()
    CANCELS = auto()
    CANCELS_ASYNC = auto()
    TAKES_FILES = auto()
    GIVES_FILES = auto()
    BATCHES = auto()
    MOUNTS = auto()
    RUNS_LIVE = auto()
    TEARS_DOWN = auto()


class Served(WorkerTrial):
    """A sample that is being served."""

    def __init__(self, sample: Sample, program: Program, http: httpx2.AsyncClient) -> None:
        worker = Worker(url=program.url, token=TOKEN)
        super().__init__(worker, http, http, {}, sample.input)
        self.sample = sample
        self.program = program

    async def until_ready(self) -> None:
        """Wait until a call would be served, and read what is."""

        async def is_ready() -> bool:
            return (await self.http.get("/healthz")).status_code == 200

        await eventually(is_ready, "the sample to become ready", seconds=_READY_SECONDS)
        self.document = await read_schema(self.http)

    async def until_said(self, words: str, times: int = 1) -> None:
        """Wait until the model has printed a line.

        Raises:
            UnexpectedError: It has not.
        """

        async def is_said() -> bool:
            return self.program.said(words) >= times

        await eventually(is_said, f"the line `{words}` in the log", seconds=_SAID_SECONDS)

    async def expect_well(self) -> None:
        """Make sure that the target answers well.

        Raises:
            UnexpectedError: It does not.
        """
        answer = await self.call(self.sample.good_input)
        expect("the status of the next call", answer.status_code, 200)


class AdapterTrial:
    """One check under way.

    Args:
        stage: Where samples are put on.
        placement: Where the model runs: "process" or "inline".
    """

    def __init__(self, stage: Stage, placement: str) -> None:
        self.stage = stage
        self.placement = placement

    @property
    def kit(self) -> type[AdapterConformance]:
        """What the adapter's author brought."""
        return self.stage.kit

    @asynccontextmanager
    async def serve(self, sample: Sample, *, fresh: bool = False, ready: bool = True) -> AsyncGenerator[Served]:
        """Have a sample served within the block.

        Args:
            sample: What to serve.
            fresh: Whether nobody else may have called it, or may later.
            ready: Whether to wait until a call would be served.
        """
        make = self.stage.fresh_program if fresh else self.stage.program
        program = make(sample, self.placement)
        headers = {"authorization": f"Bearer {TOKEN}"}
        async with httpx2.AsyncClient(base_url=program.url, headers=headers, timeout=60, trust_env=False) as http:
            served = Served(sample, program, http)
            if ready:
                await served.until_ready()
                await served.until_idle()
            yield served
        if fresh:
            program.stop()
