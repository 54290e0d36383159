"""The host's output: every line says which call wrote it."""

import io
import logging
import sys
from typing import TextIO

from livepeer.core import current_call

from ._wire import LINE_MARKS


class MarkedStream(io.TextIOWrapper):
    """A text stream that marks each line with the id of the call that writes it."""

    _at_line_start = True

    def write(self, text: str, /) -> int:
        """Write, marking the start of each line; the number of characters of `text`."""
        call = current_call()
        if text and call is not None:
            start, end = LINE_MARKS
            mark = f"{start}{call.id}{end}"
            lead = mark if self._at_line_start else ""
            super().write(lead + text[:-1].replace("\n", "\n" + mark) + text[-1])
        else:
            super().write(text)
        self._at_line_start = text.endswith("\n") if text else self._at_line_start
        return len(text)


def mark_output() -> None:
    """Replace this process's text streams by marking ones, and show our own warnings there."""
    sys.stdout = _marked(sys.stdout)
    sys.stderr = _marked(sys.stderr)
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    ours = logging.getLogger("livepeer")
    ours.addHandler(handler)
    ours.propagate = False


def _marked(stream: TextIO) -> MarkedStream:
    return MarkedStream(stream.buffer, encoding="utf-8", errors="backslashreplace", line_buffering=True)
