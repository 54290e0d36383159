"""Where a live stream's media and data go."""

import json
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from ._errors import CommandError


class MediaFile:
    """Writes bytes as they come.

    Args:
        path: The file, `-` for standard output; None to throw them away.

    Raises:
        CommandError: It cannot be made.
    """

    def __init__(self, path: str | None) -> None:
        self._name = "standard output" if path == "-" else path
        self._file = _open(path)

    def write(self, data: bytes) -> None:
        """Write at once.

        Raises:
            CommandError: It cannot be written.
        """
        if self._file is None:
            return
        try:
            self._file.write(data)
            self._file.flush()
        except OSError as error:
            raise CommandError(f"{self._name}: {error.strerror}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._file is not None and self._file is not sys.stdout.buffer:
            with suppress(OSError):  # It was said already where it was written: only what could not be is left.
                self._file.close()


class LineFile(MediaFile):
    """Writes values as lines of JSON."""

    def write(self, data: Any) -> None:
        """Write a value at once."""
        super().write(json.dumps(data, ensure_ascii=False).encode() + b"\n")


def _open(path: str | None) -> IO[bytes] | None:
    if path is None:
        return None
    if path == "-":
        return sys.stdout.buffer
    try:
        return Path(path).open("wb")
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
