"""What the command line says of a live stream."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ._errors import UsageError
from ._live_files import is_pipe


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


def check(wish: LiveWish) -> None:
    """See whether a wish can be met, as far as that is known before the stream begins.

    Raises:
        UsageError: It cannot.
    """
    if wish.output_path == "-" and wish.data_path == "-":
        raise UsageError("--output and --data cannot both go to standard output")
    if wish.output_path == "-" and sys.stdout.isatty():
        raise UsageError("--output - is for a pipe: media would not look good on a terminal")
    if wish.loop and (wish.input_path is None or is_pipe(wish.input_path)):
        raise UsageError("--loop goes with --input FILE")
    if wish.input_path is not None:
        _check_input(wish.input_path)
    if _are_same(wish.input_path, wish.output_path) or _are_same(wish.input_path, wish.data_path):
        raise UsageError(f"{wish.input_path} would be written over: give --output and --data files of their own")
    if _are_same(wish.output_path, wish.data_path):
        raise UsageError("--output and --data cannot both go to one file")


def _check_input(path: str) -> None:
    if is_pipe(path):
        return
    if not Path(path).exists():
        raise UsageError(f"--input {path}: there is no such file")
    if not Path(path).is_file():
        raise UsageError(f"--input {path} is no file")


def _are_same(path: str | None, other: str | None) -> bool:
    """Whether both are one file, by whatever names; a device may be both."""
    if path is None or other is None or "-" in (path, other):
        return False
    if Path(path).exists() and Path(other).exists():
        return Path(path).is_file() and Path(path).samefile(other)
    return Path(path).resolve() == Path(other).resolve()
