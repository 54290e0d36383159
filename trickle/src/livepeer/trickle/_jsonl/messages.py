"""Parts of segments to messages: what a JSONL channel is read into, whatever a line of it may be."""

import json
from collections.abc import Iterable
from typing import Any, NoReturn

from livepeer.trickle._errors import LineError

_SHOWN_BYTES = 1024


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is none of its values")


_DECODER = json.JSONDecoder(parse_constant=_refuse)


class MessageDecoder:
    """Takes segments apart into messages, with a LineError in the place of each line that is none.

    That is a line that is longer than it may be, no UTF-8 or no JSON; the lines after it are read. The last line of a
    segment may lack its newline, for others write one message a segment without any. A segment of `application/json`
    whose first line is no message is one message as a whole.

    Args:
        max_line_bytes: How long a line may be, or a message that is a whole segment.
    """

    def __init__(self, *, max_line_bytes: int) -> None:
        if max_line_bytes <= 0:
            raise ValueError("max_line_bytes has to be more than 0")
        self._max_line_bytes = max_line_bytes
        self.begin(-1, "")

    def begin(self, seq: int, content_type: str) -> None:
        """Begin a segment.

        Args:
            seq: Its number.
            content_type: The server's answer has it.
        """
        self._seq = seq
        self._undecided = content_type.partition(";")[0].strip().lower() == "application/json"
        self._whole = False
        self._clear()

    def feed(self, part: bytes) -> list[Any]:
        """Take a part of the segment; return the messages, and the errors, that it completes."""
        if self._undecided:
            part = self._decide(part)
        if self._whole:
            self._keep(part)
            return []
        lines = part.split(b"\n")
        rest = lines.pop()
        items: list[Any] = []
        if lines and self._kept:
            self._keep(lines.pop(0))
            items = self.end()
        items += self._decode(lines)
        self._keep(rest)
        return items

    def end(self) -> list[Any]:
        """Return the message, or the error, that the rest of the segment is, if there is any."""
        line, too_long = b"".join(self._kept), self._kept_bytes > self._max_line_bytes
        self._clear()
        return [self._too_long(line)] if too_long else self._decode([line])

    def cut(self) -> list[Any]:
        """Return an error for the rest of a segment that broke off: it is no message, even if it looks like one."""
        line = b"".join(self._kept)
        self._clear()
        return [self._error("the segment broke off in it", line)] if line.strip() else []

    def _decide(self, part: bytes) -> bytes:
        """Look for a first line; return what is to be read now."""
        data = b"".join((*self._kept, part))
        first, newline, _ = data.lstrip().partition(b"\n")
        self._clear()
        if newline or len(data) > self._max_line_bytes:
            self._undecided = False
            self._whole = not newline or isinstance(self._decode([first])[0], LineError)
            return data
        self._keep(data)
        return b""

    def _keep(self, part: bytes) -> None:
        if not part:
            return
        self._kept.append(part)
        self._kept_bytes += len(part)
        if self._kept_bytes > self._max_line_bytes:  # From here on only what an error shows of it.
            self._kept = [b"".join(self._kept)[:_SHOWN_BYTES]]

    def _clear(self) -> None:
        self._kept: list[bytes] = []
        self._kept_bytes = 0

    def _decode(self, lines: Iterable[bytes]) -> list[Any]:
        items: list[Any] = []
        decode = _DECODER.decode
        for line in lines:
            if len(line) > self._max_line_bytes:
                items.append(self._too_long(line))
                continue
            try:
                items.append(decode(line.decode()))
            except UnicodeDecodeError:
                items.append(self._error("it is no UTF-8", line))
            except RecursionError:
                items.append(self._error("it is nested too deep", line))
            except ValueError as error:
                if line.strip():
                    items.append(self._error(f"it is no JSON: {error}", line))
        return items

    def _too_long(self, line: bytes) -> LineError:
        return self._error(f"it is longer than {self._max_line_bytes} bytes", line[:_SHOWN_BYTES])

    def _error(self, reason: str, line: bytes) -> LineError:
        return LineError(f"a line is left out: {reason}", seq=self._seq, line=line)
