"""Where an answer goes, and in what form."""

import base64
import json
import re
import sys
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from livepeer.core import JSON_MEDIA_TYPE

from ._errors import CommandError

_DATA_URI = re.compile(r"data:[^,]*;base64,(?P<base64>[A-Za-z0-9+/=]+)")


class Output:
    """Writes answers to standard output, for a person or for a pipe, or to a file.

    Args:
        path: The file; None for standard output. It is made when there is something to write.

    Raises:
        CommandError: If the file's directory does not exist.
    """

    def __init__(self, path: Path | None) -> None:
        if path is not None and not path.parent.is_dir():
            raise CommandError(f"{path}: there is no directory {path.parent}")
        self._path = path
        self._is_terminal = path is None and sys.stdout.isatty()
        self._file: IO[bytes] | None = None
        self._in_text = False

    def check(self, media_type: str) -> None:
        """Refuse early what could not be shown.

        Raises:
            CommandError: If an answer of this media type cannot go where answers go.
        """
        if self._is_terminal and not (media_type == JSON_MEDIA_TYPE or media_type.startswith("text/")):
            raise CommandError(f"the answer is {media_type}: write it to a file with -o FILE, or into a pipe")

    def value(self, value: Any) -> None:
        """Write a whole answer: bytes as they are, a string as text, anything else as JSON.

        Into a file, a data URI is written as what it holds.

        Raises:
            CommandError: If bytes would go to a terminal, or the file cannot be written.
        """
        if isinstance(value, bytes):
            self.check("binary")
            self._write(value)
        elif isinstance(value, str):
            self._write(self._held(value) or f"{value}\n".encode())
        elif self._is_terminal:
            from rich.console import Console

            Console().print_json(data=value)
        else:
            self._write_json(value)

    def item(self, item: Any) -> None:
        """Write one item of a stream at once: strings run on as one text, anything else is a line of JSON."""
        if isinstance(item, str):
            self._in_text = not item.endswith("\n")
            self._write(item.encode())
        else:
            self.end_text()
            self._write_json(item)

    def end_text(self) -> None:
        """End the line that a stream's text is on."""
        if self._in_text:
            self._in_text = False
            self._write(b"\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.end_text()
        if self._path is not None and self._file is not None:
            self._file.close()

    def _held(self, text: str) -> bytes | None:
        """What a data URI holds, if that is what goes to the file."""
        found = _DATA_URI.fullmatch(text) if self._path is not None else None
        if found is None:
            return None
        try:
            return base64.b64decode(found["base64"], validate=True)
        except ValueError:
            return None

    def _write_json(self, value: Any) -> None:
        self._write(json.dumps(value, ensure_ascii=False).encode() + b"\n")

    def _write(self, data: bytes) -> None:
        if self._file is None:
            self._file = self._open()
        self._file.write(data)
        self._file.flush()

    def _open(self) -> IO[bytes]:
        if self._path is None:
            return sys.stdout.buffer
        try:
            return self._path.open("wb")
        except OSError as error:
            raise CommandError(f"{self._path}: {error.strerror}") from error
