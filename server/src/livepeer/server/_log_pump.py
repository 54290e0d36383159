"""A host's output, line by line, into the server's log."""

import asyncio
import logging
import os
import time
from collections.abc import Callable
from typing import IO

from livepeer.host.wire import LINE_MARKS

logger = logging.getLogger("livepeer.model")

_CHUNK_BYTES = 64 * 1024
_MAX_LINE_BYTES = 8 * 1024
_LINES_A_SECOND = 1_000


class LogPump:
    """Reads a pipe as fast as it fills, and logs as much of it as anybody could read.

    Args:
        pipe: The reading end of a process's output.
        on_line: Takes each line that is logged, without its mark.
    """

    def __init__(self, pipe: IO[bytes], on_line: Callable[[str], None]) -> None:
        self._pipe = pipe
        self._on_line = on_line
        self._loop = asyncio.get_running_loop()
        self._rest = b""
        self._second = 0
        self._lines = 0
        self._dropped = 0
        os.set_blocking(pipe.fileno(), False)
        self._loop.add_reader(pipe, self._on_readable)

    def close(self) -> None:
        """Log what has arrived, and close the pipe."""
        if self._pipe.closed:
            return
        while self._read():
            pass
        if self._rest:
            self._log(self._rest)
        self._report_dropped()
        self._loop.remove_reader(self._pipe)
        self._pipe.close()

    def _on_readable(self) -> None:
        if not self._read():
            self._loop.remove_reader(self._pipe)

    def _read(self) -> bool:
        try:
            data = os.read(self._pipe.fileno(), _CHUNK_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            return False
        if not data:
            return False
        self._take(data)
        return True

    def _take(self, data: bytes) -> None:
        second = int(time.monotonic())
        if second != self._second:
            self._report_dropped()
            self._second, self._lines = second, 0
        if self._lines >= _LINES_A_SECOND:
            self._dropped += data.count(b"\n")
            self._rest = b""
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _MAX_LINE_BYTES:
            lines.append(self._rest)
            self._rest = b""
        for index, line in enumerate(lines):
            if self._lines >= _LINES_A_SECOND:
                self._dropped += len(lines) - index
                return
            self._lines += 1
            self._log(line)

    def _log(self, line: bytes) -> None:
        text = line[:_MAX_LINE_BYTES].decode("utf-8", "replace").rstrip("\r")
        start, end = LINE_MARKS
        request_id = None
        if text.startswith(start):
            request_id, _, text = text[1:].partition(end)
        self._on_line(text)
        if request_id:
            logger.info("[%s] %s", request_id, text)
        else:
            logger.info("%s", text)

    def _report_dropped(self) -> None:
        if self._dropped:
            logger.warning("%d lines of output were not logged: more than %d a second", self._dropped, _LINES_A_SECOND)
            self._dropped = 0
