"""Where a live stream's media and data go."""

import json
import os
import sys
from types import TracebackType
from typing import Any, Self

import anyio

from ._errors import CommandError

_PIPE_BYTES = 4096
"""How much a pipe takes without making its writer wait, once it takes anything: POSIX's PIPE_BUF on Linux."""


class MediaFile:
    """Writes bytes as they come.

    Args:
        path: The file, `-` for standard output; None to throw them away.

    Raises:
        CommandError: It cannot be made.
    """

    def __init__(self, path: str | None) -> None:
        self._name = "standard output" if path == "-" else path
        self._is_own = path not in (None, "-")
        self._file = _open(path)

    async def write(self, data: bytes) -> None:
        """Write at once; where a pipe is full, wait until it is read.

        Raises:
            CommandError: It cannot be written.
        """
        if self._file is None:
            return
        try:
            while data:
                data = data[os.write(self._file, data[: await self._room()]) :]
        except OSError as error:
            raise CommandError(f"{self._name}: {error.strerror}") from error

    async def _room(self) -> int | None:
        """Wait until something can be written without keeping the program waiting; return how much, None for all."""
        assert self._file is not None
        try:
            await anyio.wait_writable(self._file)
        except PermissionError:  # a file, which never makes one wait
            return None
        return _PIPE_BYTES

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._is_own and self._file is not None:
            os.close(self._file)


class LineFile(MediaFile):
    """Writes values as lines of JSON."""

    async def write(self, data: Any) -> None:
        """Write a value at once."""
        await super().write(json.dumps(data, ensure_ascii=False).encode() + b"\n")


def _open(path: str | None) -> int | None:
    if path is None:
        return None
    if path == "-":
        return sys.stdout.fileno()
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
