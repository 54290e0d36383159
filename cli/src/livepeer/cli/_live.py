"""`livepeer live`: a live stream at a capability on the network, from a file and into one."""

import signal
from collections.abc import Sequence
from contextlib import aclosing
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

from ._errors import BrokenOffError, CommandError, UsageError
from ._inputs import Inputs
from ._live_files import LineFile, MediaFile, is_pipe, read_pipe
from ._live_progress import Progress
from ._live_wish import LiveWish, check

_GOOD_REASONS = (None, "stopped", "input_ended")
_LAST_OUTPUT_SECONDS = 15.0
"""How long the worker may take for what it still has, once its input is over."""


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
    check(wish)
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
        self._interrupted = anyio.Event()
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
                    raise BrokenOffError("the stream was broken off")
                self._ending.set()
                self._interrupted.set()

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
            hint = "" if self._stream.stats.bytes_received else "; if the worker has refused it, --orch URL tells why"
            raise CommandError(f"{name}: the stream ended before its input did{hint}")
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
                case path if is_pipe(path):
                    async with aclosing(read_pipe(path)) as pieces:
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
        async with MediaFile(self._wish.output_path, hurry=self._interrupted) as file:
            async for part in self._stream.subscribe("bytes"):
                await file.write(part)

    async def _keep_data(self) -> None:
        async with LineFile(self._wish.data_path, hurry=self._interrupted) as file:
            async for item in self._stream.data():
                await file.write(item)


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
