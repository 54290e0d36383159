"""`publish`: what comes from a pipe or a file goes to a channel, as it comes."""
# ruff: noqa: T201 (a command speaks to its user)

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any

from livepeer.trickle._errors import LineError, SegmentError
from livepeer.trickle._jsonl.lines import encode_line
from livepeer.trickle._jsonl.messages import MessageDecoder
from livepeer.trickle._jsonl.writer import JSONLWriter
from livepeer.trickle._publish.publisher import Publisher, SegmentWriter

from .interrupts import Interrupts, OverdueError
from .report import Report

_READ_BYTES = 64 * 1024
_POLL_SECONDS = 0.5
_CLOSE_SECONDS = 10.0
_LONGEST_LINE_BYTES = 16 * 1024 * 1024


class _Bytes:
    """Cuts what comes into segments."""

    def __init__(self, options: Namespace, report: Report) -> None:
        self._publisher = Publisher(
            options.url,
            content_type=options.content_type or "video/mp2t",
            headers=dict(options.headers),
            delete=not options.keep,
            verify=not options.insecure,
            on_outcome=report.outcome,
        )
        self._segment_bytes: int = options.segment_bytes
        self._segment_seconds: float = options.segment_seconds or 1.0
        self._segment: SegmentWriter
        self._left = 0  # Bytes that the segment takes; there is none yet.
        self._ends_at = 0.0
        self._publisher.start()

    def write(self, data: bytes) -> None:
        while data:
            if not self._left or monotonic() >= self._ends_at:
                self._begin()
            part, data = data[: self._left], data[self._left :]
            try:
                self._segment.write(part)
            except SegmentError:  # It has ended, which was said already.
                self._begin()
                with suppress(SegmentError):
                    self._segment.write(part)
            self._left -= len(part)
            if not self._left:
                with suppress(SegmentError):
                    self._segment.end()

    def end(self) -> None:
        pass

    def poll(self) -> None:
        self._publisher.poll()

    def close(self, timeout_seconds: float) -> None:
        self._publisher.close(timeout_seconds)

    def _begin(self) -> None:
        self._segment = self._publisher.segment()
        self._left = self._segment_bytes
        self._ends_at = monotonic() + self._segment_seconds


class _Lines:
    """Takes each line for a message."""

    def __init__(self, options: Namespace, report: Report) -> None:
        self._report = report
        self._decoder = MessageDecoder(max_line_bytes=_LONGEST_LINE_BYTES)
        self._writer = JSONLWriter(
            options.url,
            content_type=options.content_type or "application/jsonl",
            headers=dict(options.headers),
            delete=not options.keep,
            verify=not options.insecure,
            rotate_bytes=options.segment_bytes,
            rotate_seconds=options.segment_seconds or 10.0,
            on_outcome=report.outcome,
        )
        self._writer.start()

    def write(self, data: bytes) -> None:
        self._write_all(self._decoder.feed(data))

    def end(self) -> None:
        self._write_all(self._decoder.end())

    def poll(self) -> None:
        self._writer.poll()

    def close(self, timeout_seconds: float) -> None:
        self._writer.close(timeout_seconds)

    def _write_all(self, items: list[Any]) -> None:
        for item in items:
            if isinstance(item, LineError):
                self._report.line(item)
                continue
            try:
                line = encode_line(item)
            except ValueError as error:
                self._report.say(f"a line is left out: {error}")
                continue
            self._write(line.rstrip())

    def _write(self, line: bytes) -> None:
        while True:
            try:
                return self._writer.write(line)
            except SegmentError:  # Said already; this line was not written.
                continue


def publish(options: Namespace) -> int:
    """Run the command; return its exit status."""
    report = Report()
    interrupts = Interrupts()
    try:
        with interrupts:
            _publish(options, report, interrupts)
    except OverdueError:
        print("stopped before the server had everything", file=sys.stderr)
    return 128 + interrupts.signal if interrupts.signal else report.status


def _publish(options: Namespace, report: Report, interrupts: Interrupts) -> None:
    with _opened(options.file) as source:
        channel = _Lines(options, report) if options.lines else _Bytes(options, report)
        try:
            for data in _parts(source, channel.poll, interrupts):
                channel.write(data)
            channel.end()
        finally:
            channel.close(interrupts.seconds_left(_CLOSE_SECONDS))


@contextmanager
def _opened(file: str) -> Generator[int]:
    if file == "-":
        if sys.stdin is None:
            raise OSError("standard input is closed: name a file to read")
        yield sys.stdin.fileno()
        return
    with Path(file).open("rb", buffering=0) as source:
        yield source.fileno()


def _parts(source: int, poll: Callable[[], None], interrupts: Interrupts) -> Iterator[bytes]:
    """Yield what comes, as soon as it does, until its end or a signal."""
    while not interrupts.signal:
        ready = interrupts.wait(source, _POLL_SECONDS)
        poll()
        if not ready or interrupts.signal:
            continue
        data = os.read(source, _READ_BYTES)
        if not data:
            return
        yield data
