"""Where a live stream's media and data come from and go."""

import errno
import json
import os
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import anyio

from ._errors import BrokenOffError, CommandError

_PIPE_BYTES = 4096
"""How much a pipe takes without making its writer wait, once it takes anything: POSIX's PIPE_BUF on Linux."""

_READ_BYTES = 64 * 1024
_PATIENCE_SECONDS = 1.0
"""How long a pipe may take nothing, once there is a hurry."""

_OPENING_SECONDS = 0.05


class MediaFile:
    """Writes bytes as they come, while it is entered.

    Args:
        path: The file, `-` for standard output; None to throw them away.
        hurry: Set once nobody waits any more for a pipe that is not read.
    """

    def __init__(self, path: str | None, *, hurry: anyio.Event) -> None:
        self._path = path
        self._name = "standard output" if path == "-" else path
        self._hurry = hurry
        self._file: int | None = None

    async def write(self, data: bytes) -> None:
        """Write at once; where a pipe is full, wait until it is read.

        Raises:
            CommandError: It cannot be written.
            BrokenOffError: Nobody reads the pipe, and there is a hurry.
        """
        if self._file is None:
            return
        try:
            while data:
                data = data[os.write(self._file, data[: await self._room(self._file)]) :]
        except OSError as error:
            raise CommandError(f"{self._name}: {error.strerror}") from error

    async def _room(self, file: int) -> int | None:
        """Wait until something can be written without keeping the program waiting; return how much, None for all."""
        while True:
            with anyio.move_on_after(_PATIENCE_SECONDS):
                try:
                    await anyio.wait_writable(file)
                except PermissionError:  # a file, which never makes one wait
                    return None
                return _PIPE_BYTES
            self._check_hurry()

    async def _open(self, path: str) -> int:
        while True:
            try:
                return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NONBLOCK, 0o666)
            except OSError as error:
                if error.errno != errno.ENXIO or not is_pipe(path):
                    raise CommandError(f"{path}: {error.strerror}") from error
            self._check_hurry()
            await anyio.sleep(_OPENING_SECONDS)  # It has no reader yet, and to wait for one in open() hears no signal.

    def _check_hurry(self) -> None:
        if self._hurry.is_set():
            raise BrokenOffError(f"{self._name}: nobody reads what came last")

    async def __aenter__(self) -> Self:
        if self._path is not None:
            self._file = sys.stdout.fileno() if self._path == "-" else await self._open(self._path)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._file is not None and self._path != "-":
            os.close(self._file)


class LineFile(MediaFile):
    """Writes values as lines of JSON."""

    async def write(self, data: Any) -> None:
        """Write a value at once."""
        await super().write(json.dumps(data, ensure_ascii=False).encode() + b"\n")


def is_pipe(path: str) -> bool:
    """Whether it is a named pipe, or standard input or output."""
    return path == "-" or Path(path).is_fifo()


async def read_pipe(path: str) -> AsyncGenerator[bytes]:
    """Give what comes through a pipe, or standard input, as it comes."""
    with _open_pipe(path) as pipe:
        while True:
            # Not in a thread: one that waits for bytes that never come would keep the program from its end.
            with suppress(PermissionError):  # a file, which never makes one wait
                await anyio.wait_readable(pipe)
            if not (data := os.read(pipe, _READ_BYTES)):
                return
            yield data


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
