"""Messages to lines, and lines to segments: what a JSONL channel is written of, and when a segment is long enough."""

import json
from dataclasses import dataclass

KEEPALIVE = {"keep": "alive"}
"""The message that says nothing but that its writer is there; go-livepeer writes and leaves out the same."""

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_ASCII_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"))


def encode_line(message: object) -> bytes:
    """Return a message as a line, its end included.

    Args:
        message: Any JSON value; or bytes, which are a line already, but for its end.

    Raises:
        ValueError: It has no JSON form, or the bytes are no line.
    """
    if isinstance(message, bytes):
        if b"\n" in message or not message.strip():
            raise ValueError("bytes have to be one line of JSON, without the newline at its end")
        return message + b"\n"
    try:
        return (_ENCODER.encode(message) + "\n").encode()
    except UnicodeEncodeError:  # Half of a surrogate pair, which JSON can escape, and UTF-8 cannot say.
        return (_ASCII_ENCODER.encode(message) + "\n").encode()
    except RecursionError:
        raise ValueError("the message has no JSON form: it is nested too deep") from None
    except (TypeError, ValueError) as error:
        raise ValueError(f"the message has no JSON form: {error}") from None


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Lines that leave in one write."""

    begins: bool
    """Whether a new segment begins with them."""

    data: bytes
    """The lines, each with its end."""


class LineQueue:
    """Lines that wait to be sent, and the rule by which segments rotate: at a line's end, never within one.

    Args:
        rotate_seconds: How long after its first line a segment takes more.
        rotate_bytes: How long a segment becomes; a line that is longer has one to itself.
    """

    def __init__(self, *, rotate_seconds: float, rotate_bytes: int) -> None:
        if not (rotate_seconds > 0 and rotate_bytes > 0):
            raise ValueError("rotate_seconds and rotate_bytes have to be more than 0")
        self.bytes = 0
        """How many bytes wait, those that were taken out and not sent yet among them."""

        self._rotate_seconds = rotate_seconds
        self._rotate_bytes = rotate_bytes
        self._segment_bytes = 0
        self._segment_ends_at = float("-inf")
        self._begins = True
        self._lines: list[bytes] = []
        self._batches: list[Batch] = []

    def add(self, line: bytes, now: float) -> None:
        """Put a line at the end.

        Args:
            line: With its end.
            now: The time, in seconds of a clock that never goes back.
        """
        if now >= self._segment_ends_at or self._segment_bytes + len(line) > self._rotate_bytes:
            self._end_batch()
            self._begins = True
            self._segment_bytes = 0
            self._segment_ends_at = now + self._rotate_seconds
        self._lines.append(line)
        self._segment_bytes += len(line)
        self.bytes += len(line)

    def take(self) -> list[Batch]:
        """Take everything out, in order."""
        self._end_batch()
        batches, self._batches = self._batches, []
        return batches

    def sent(self, batch: Batch) -> None:
        """Note that a batch waits no more."""
        self.bytes -= len(batch.data)

    def _end_batch(self) -> None:
        if self._lines:
            self._batches.append(Batch(begins=self._begins, data=b"".join(self._lines)))
            self._lines = []
            self._begins = False
