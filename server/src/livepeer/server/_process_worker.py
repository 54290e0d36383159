"""The model in a process of its own: the worker that everything uses unless it is told otherwise."""

import asyncio
import contextlib
import logging
import signal
import subprocess
import time
from collections.abc import Callable

import anyio
import anyio.to_thread

from livepeer.core import CallError, HostCrashedError, NotReadyError
from livepeer.host import Hello, LoadOrder

from ._foreign import check_interpreter
from ._host_process import HostProcess
from ._log_pump import LogPump
from ._worker import HostWorker, WorkerState

logger = logging.getLogger("livepeer.server")

_FIRST_DELAY_SECONDS = 0.1
_LAST_DELAY_SECONDS = 30.0
_DEATHS_TO_ERROR = 5
_SETTLED_SECONDS = 10.0


class ProcessWorker(HostWorker):
    """A host in a child process, started again when it dies.

    Args:
        target: What to serve.
        adapter: Entry-point name of the adapter; None asks each installed one.
        python: Interpreter of another virtual environment that holds `livepeer-core`, the adapter and
            the framework; None for this one.
        environment: Variables for the child on top of this process's own.
        started: The child, if somebody has started it already, under this interpreter and without variables.
    """

    def __init__(
        self,
        target: str,
        *,
        adapter: str | None = None,
        python: str | None = None,
        environment: dict[str, str] | None = None,
        started: HostProcess | None = None,
    ) -> None:
        super().__init__(LoadOrder(target=target, adapter=adapter))
        self._python = python
        self._environment = environment or {}
        self._started = started
        self._process: subprocess.Popen[bytes] | None = None
        self._pumps: list[LogPump] = []
        self._supervisor: asyncio.Task[None] | None = None
        self._deaths = 0
        self._stuck: str | None = None
        self.pid: int | None = None
        """The host's process; None while there is none."""

    def launch(self) -> None:
        """Start the child ahead of `start()`: it imports while this process still does. Needs no loop."""
        if self._python is None and self._started is None:
            self._started = HostProcess.start(None, self._environment)

    async def start(self, on_change: Callable[[], None]) -> None:
        """Start the child and whatever starts it again."""
        self._on_change = on_change
        self._supervisor = asyncio.create_task(self._supervise(), name="livepeer-supervisor")

    def end_stuck(self, request_id: str) -> bool:
        """Kill the host; every call under way fails, and the host is started again."""
        self._stuck = request_id
        self._kill()
        return True

    async def stop(self, *, grace_seconds: float) -> None:
        """Let the host finish within the grace, then kill it and all it started."""
        if self._supervisor is None or self.state is WorkerState.STOPPED:
            return
        self._change(WorkerState.STOPPED)
        if self._connection is not None and self._decided:
            self._connection.finish()
            with anyio.move_on_after(grace_seconds):
                await self._gone.wait()
        self._kill()
        self._supervisor.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._supervisor
        await self._bury(NotReadyError("the server is shutting down"))

    async def _supervise(self) -> None:
        try:
            await check_interpreter(self._python)
        except CallError as error:
            self._break(error.detail)
            return
        while True:
            started = time.monotonic()
            self._spawn()
            await self._gone.wait()
            was = self.state
            obituary = await self._bury()
            if self._broken:
                return
            if was is WorkerState.READY and time.monotonic() - started > _SETTLED_SECONDS:
                self._deaths = 0
            self._deaths += 1
            await self._back_off(obituary)

    async def _back_off(self, reason: str) -> None:
        logger.error("%s; starting it again", reason)
        hopeless = self._deaths >= _DEATHS_TO_ERROR
        self._change(WorkerState.FAILED if hopeless else WorkerState.LOADING, reason)
        delay = min(_FIRST_DELAY_SECONDS * 2 ** (self._deaths - 1), _LAST_DELAY_SECONDS)
        await anyio.sleep(delay)

    def _spawn(self) -> None:
        started, self._started = self._started or HostProcess.start(self._python, self._environment), None
        self._process = started.guardian
        self._pumps = [LogPump(pipe, self.log_tail.append) for pipe in started.outputs]
        self._connect(started.data, started.control, started.mounts)

    def _on_hello(self, hello: Hello) -> None:
        self.pid = hello.pid
        super()._on_hello(hello)

    def _kill(self) -> None:
        """The guardian kills the host and its descendants when its standard input ends."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()

    async def _bury(self, error: CallError | None = None) -> str:
        """Wait for the guardian, which ends last, and close everything. What the host died of."""
        process, self._process = self._process, None
        if process is None:
            return ""
        self.pid = None
        assert process.stdin is not None
        process.stdin.close()
        obituary = ""
        try:
            obituary = self._obituary(await _shielded_wait(process))
        finally:
            for pump in self._pumps:
                pump.close()
            self._disconnect(error or HostCrashedError(obituary))
        return obituary

    def _obituary(self, exit_code: int) -> str:
        if self._stuck is not None:
            stuck, self._stuck = self._stuck, None
            return f"the model's process was ended because call {stuck} could not be stopped"
        if exit_code > 128:
            with contextlib.suppress(ValueError):
                return f"the model's process was ended by {signal.Signals(exit_code - 128).name}"
        return f"the model's process ended with exit code {exit_code}"


async def _shielded_wait(process: subprocess.Popen[bytes]) -> int:
    waiting = asyncio.ensure_future(anyio.to_thread.run_sync(process.wait))
    try:
        return await asyncio.shield(waiting)
    except asyncio.CancelledError:
        await waiting
        raise
