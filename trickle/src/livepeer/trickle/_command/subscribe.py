"""`subscribe`: what a channel has goes to a pipe or a file, as it comes."""

import os
import select
import signal
import sys
from argparse import Namespace
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from livepeer.trickle._errors import SegmentInterruptedError
from livepeer.trickle._jsonl.lines import encode_line
from livepeer.trickle._jsonl.reader import JSONLReader
from livepeer.trickle._subscribe.subscriber import Subscriber

from .report import Report


def subscribe(options: Namespace) -> int:
    """Run the command; return its exit status."""
    report = Report()
    signal.signal(signal.SIGTERM, _terminate)
    with suppress(BrokenPipeError), _opened(options.output) as target:  # Who reads it may have had enough.
        (_copy_lines if options.lines else _copy_bytes)(options, target, report)
    return report.status


def _terminate(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


@contextmanager
def _opened(output: str) -> Generator[int]:
    if output == "-":
        if sys.stdout is None:
            raise OSError("standard output is closed: name a file to write with --output")
        yield sys.stdout.fileno()
        return
    with Path(output).open("wb", buffering=0) as file:
        yield file.fileno()


def _copy_bytes(options: Namespace, target: int, report: Report) -> None:
    with Subscriber(
        options.url,
        start=options.start,
        lag=options.lag or "latest",
        headers=dict(options.headers),
        verify=not options.insecure,
        wait_seconds=options.wait,
    ) as subscriber:
        for segment in subscriber:
            if segment.gap:
                report.gap(segment.gap)
            try:
                for part in segment:
                    _write(target, part)
            except SegmentInterruptedError as error:
                report.say(f"{error} ({error.bytes_read} bytes came)")
        report.rest(subscriber.stats.missed)


def _copy_lines(options: Namespace, target: int, report: Report) -> None:
    with JSONLReader(
        options.url,
        start=options.start,
        lag=options.lag or "earliest",
        headers=dict(options.headers),
        verify=not options.insecure,
        wait_seconds=options.wait,
        on_gap=report.gap,
        on_bad_line=report.line,
    ) as reader:
        for message in reader:
            try:
                line = encode_line(message)
            except ValueError as error:
                report.say(f"a message is left out: {error}")
            else:
                _write(target, line)
        report.rest(reader.stats.missed)


def _write(target: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(target, rest) :]
        except BlockingIOError:  # Somebody has made the pipe so.
            poll = select.poll()
            poll.register(target, select.POLLOUT)
            poll.poll()
