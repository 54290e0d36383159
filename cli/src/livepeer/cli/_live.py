"""`livepeer live`: a live stream at a capability on the network, from a file and into one."""

import os
import signal
import sys
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import anyio

from livepeer.client import (
    Gateway,
    InputError,
    LivepeerError,
    LiveStream,
    SettingsError,
    StreamOverError,
    UnreachableError,
)

from ._errors import CommandError, UsageError
from ._inputs import Inputs
from ._live_files import LineFile, MediaFile
from ._live_progress import Progress

_GOOD_REASONS = (None, "stopped", "input_ended")
_LAST_OUTPUT_SECONDS = 15.0
"""How long the worker may take for what it still has, once its input is over."""

_READ_BYTES = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class LiveWish:
    """What the command line says of the stream."""

    capability: str
    """Its name on the network."""

    params: dict[str, Any] | None
    """What the worker begins with."""

    input_path: str | None
    """The file to send; a pipe, or `-` for standard input, has MPEG-TS; None to send nothing."""

    loop: bool
    """Whether the file begins again at its end."""

    output_path: str | None
    """Where the media goes that comes back, `-` for standard output; None for nowhere."""

    data_path: str | None
    """Where the data goes, as JSON lines, `-` for standard output; None to have none."""

    seconds: float | None
    """When the stream is to end; None for never."""

    @property
    def wants_output(self) -> bool:
        """Whether media is to come back, if only to be counted."""
        return self.output_path is not None or self.data_path is None


def live(wish: LiveWish, *, gateway_url: str, orch_url: str | None, signer_url: str | None, verify: bool) -> None:
    """Run a stream to its end.

    Args:
        wish: What is to be sent and kept.
        gateway_url: The gateway to ask.
        orch_url: An orchestrator to ask instead; None for the gateway.
        signer_url: Who pays at the orchestrator; None for nobody.
        verify: Whether TLS certificates are verified.

    Raises:
        UsageError: If it cannot be run as asked.
        CommandError: If it fails, or does not end well.
    """
    _check(wish)
    if signer_url is not None and orch_url is None:
        raise UsageError("--signer goes with --orch: a gateway pays by itself")
    gateway_or_none = gateway_url if orch_url is None else None

    async def run() -> None:
        async with Gateway(
            gateway_url=gateway_or_none, orch_url=orch_url, signer_url=signer_url, verify=verify
        ) as gateway:
            await _run(gateway, wish)

    try:
        anyio.run(run)
    except BaseExceptionGroup as group:
        raise _one_line(_first(group), wish.capability) from group
    except LivepeerError as error:
        raise _one_line(error, wish.capability) from error


def read_params(items: Sequence[str]) -> dict[str, Any] | None:
    """Read what `--param` says, as `-i` of the other commands does; None where it says nothing."""
    return Inputs(items).document() if items else None


async def _run(gateway: Gateway, wish: LiveWish) -> None:
    async with gateway.live(
        wish.capability,
        wish.params,
        video=wish.input_path is not None,
        output=wish.wants_output,
        data=wish.data_path is not None,
    ) as stream:
        run = _Run(stream, wish)
        with Progress(stream) as progress:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(run.end_at_signals)
                tasks.start_soon(progress.show)
                tasks.start_soon(run.tell_errors, progress)
                await run.carry_out()
                tasks.cancel_scope.cancel()
    run.check_end()


class _Run:
    """One stream while it lasts.

    Args:
        stream: The stream.
        wish: What is to be sent and kept.
    """

    def __init__(self, stream: LiveStream, wish: LiveWish) -> None:
        self._stream = stream
        self._wish = wish
        self._ending = anyio.Event()
        self._was_cut = False
        self._was_late = False

    async def carry_out(self) -> None:
        """Send, and keep what comes back, until nothing more does."""
        async with anyio.create_task_group() as keeping:
            if self._wish.wants_output:
                keeping.start_soon(self._keep_output)
            if self._wish.data_path is not None:
                keeping.start_soon(self._keep_data)
            keeping.start_soon(self._end_in_time, clock := anyio.CancelScope())
            await self._send()
            clock.cancel()
            keeping.cancel_scope.deadline = anyio.current_time() + _LAST_OUTPUT_SECONDS
        self._was_late = keeping.cancel_scope.cancelled_caught

    async def end_at_signals(self) -> None:
        """End the stream at the first signal, and break it off at the second."""
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for _ in signals:
                if self._ending.is_set():
                    raise CommandError("the stream was broken off")
                self._ending.set()

    async def tell_errors(self, progress: Progress) -> None:
        """Show what the worker reports as an error."""
        async for event in self._stream.events():
            if event.get("type") == "error":
                progress.tell(f"{self._wish.capability}: {event.get('message') or event}")

    def check_end(self) -> None:
        """See whether the stream has ended well.

        Raises:
            CommandError: It has not.
        """
        name, reason = self._wish.capability, self._stream.end_reason
        if reason not in _GOOD_REASONS:
            detail = (self._stream.status or {}).get("detail")
            raise CommandError(f"{name}: the stream ended: {': '.join(filter(None, (reason, detail)))}")
        if self._was_cut:
            raise CommandError(f"{name}: the stream ended before its input did")
        if self._was_late:
            raise CommandError(f"{name}: the stream went on for {_LAST_OUTPUT_SECONDS} s after its input had ended")
        if self._wish.output_path is not None and self._stream.stats.bytes_received == 0:
            raise CommandError(f"{name}: nothing came back")

    async def _send(self) -> None:
        """Send until there is no more, or the end has come; the worker then sends the rest that it has."""
        try:
            match self._wish.input_path:
                case None:
                    await self._wait()
                case path if _is_pipe(path):
                    async with aclosing(_read_pipe(path)) as pieces:
                        await self._stream.publish(pieces, until=self._ending)
                case path:
                    await self._stream.publish(path, loop=self._wish.loop, until=self._ending)
        except StreamOverError:
            self._was_cut = not self._ending.is_set()

    async def _wait(self) -> None:
        """Wait for the end of a stream that takes nothing."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._stop_at_end, tasks.cancel_scope)
            await self._stream.wait_over()
            tasks.cancel_scope.cancel()

    async def _stop_at_end(self, waiting: anyio.CancelScope) -> None:
        await self._ending.wait()
        await self._stream.stop()
        waiting.cancel()

    async def _end_in_time(self, clock: anyio.CancelScope) -> None:
        with clock:
            if self._wish.seconds is not None:
                await anyio.sleep(self._wish.seconds)
                self._ending.set()

    async def _keep_output(self) -> None:
        with MediaFile(self._wish.output_path) as file:
            async for part in self._stream.subscribe("bytes"):
                await file.write(part)

    async def _keep_data(self) -> None:
        with LineFile(self._wish.data_path) as file:
            async for item in self._stream.data():
                await file.write(item)


@contextmanager
def _open_pipe(path: str) -> Generator[int]:
    """Open a pipe, or standard input, for reading."""
    if path == "-":
        yield sys.stdin.fileno()
        return
    try:
        pipe = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # It would wait for whoever writes, and for no signal.
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
    try:
        yield pipe
    finally:
        os.close(pipe)


async def _read_pipe(path: str) -> AsyncGenerator[bytes]:
    with _open_pipe(path) as pipe:
        while True:
            # Not in a thread: one that waits for bytes that never come would keep the program from its end.
            with suppress(PermissionError):  # a file, which never makes one wait
                await anyio.wait_readable(pipe)
            if not (data := os.read(pipe, _READ_BYTES)):
                return
            yield data


def _check(wish: LiveWish) -> None:
    if wish.output_path == "-" and wish.data_path == "-":
        raise UsageError("--output and --data cannot both go to standard output")
    if wish.output_path == "-" and sys.stdout.isatty():
        raise UsageError("--output - is for a pipe: media would not look good on a terminal")
    if wish.loop and (wish.input_path is None or _is_pipe(wish.input_path)):
        raise UsageError("--loop goes with --input FILE")
    if wish.input_path is not None:
        _check_input(wish.input_path)
    if _are_same(wish.input_path, wish.output_path) or _are_same(wish.input_path, wish.data_path):
        raise UsageError(f"{wish.input_path} would be written over: give --output and --data files of their own")
    if _are_same(wish.output_path, wish.data_path):
        raise UsageError("--output and --data cannot both go to one file")


def _check_input(path: str) -> None:
    if _is_pipe(path):
        return
    if not Path(path).exists():
        raise UsageError(f"--input {path}: there is no such file")
    if not Path(path).is_file():
        raise UsageError(f"--input {path} is no file")


def _is_pipe(path: str) -> bool:
    return path == "-" or Path(path).is_fifo()


def _are_same(path: str | None, other: str | None) -> bool:
    """Whether both are one file, by whatever names; a device may be both."""
    if path is None or other is None or "-" in (path, other):
        return False
    if Path(path).exists() and Path(other).exists():
        return Path(path).is_file() and Path(path).samefile(other)
    return Path(path).resolve() == Path(other).resolve()


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return error


def _one_line(error: BaseException, capability: str) -> BaseException:
    match error:
        case SettingsError() | InputError():
            return UsageError(str(error))
        case UnreachableError():
            return CommandError(f"{error} (livepeer dev runs a network on this machine)")
        case LivepeerError():
            return CommandError(f"{capability}: {error}")
        case _:
            return error
