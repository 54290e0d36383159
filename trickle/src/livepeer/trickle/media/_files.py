"""Files as sources of units: copied where their codecs can travel, else encoded anew."""

import time
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.stream import VideoStream

from ._errors import MediaError
from ._frames import TICKS
from ._lanes import Lane, make_lane
from ._settings import MediaSettings
from ._ts import Track, Unit
from ._turning import read_turn

_FIRST_PTS = TICKS
"""A little after zero, for what is decoded before the first picture is shown."""

_TEXTS = ("tty", "bin", "xbin", "adf", "idf")
"""What FFmpeg calls text that it would draw as pictures."""


class FileError(MediaError):
    """Raised when a file cannot be read, or holds neither video nor audio."""

    code = "file"


class FileSource(Iterator[Unit]):
    """Reads a file, of whatever format FFmpeg knows, as units that a transport stream takes.

    H.264, AAC and Opus are copied as they are; whatever else is decoded and encoded anew, as `settings` say, and so are
    pictures that have to be turned, in a file that can be rewound, and H.264 with B frames out of AVI or ASF, which do
    not say when pictures are shown. The first video and the first audio of the file are taken. Timestamps begin at
    about a second.

        with FileSource("clip.mp4") as source:
            for unit in source:
                ...

    Args:
        file: Its path, or a binary file that can be read and, for `loop`, rewound.
        loop: Whether to begin again at the end, for ever; timestamps go on rising.
        realtime: Whether to wait before each unit until it is due, as a camera would.
        settings: How what cannot be copied is encoded.

    Raises:
        FileError: It cannot be read, or has nothing that could be sent; that may show only when units are taken.
    """

    def __init__(
        self,
        file: str | Path | IO[bytes],
        *,
        loop: bool = False,
        realtime: bool = False,
        settings: MediaSettings | None = None,
    ) -> None:
        self._file = file
        self._loop = loop
        self._realtime = realtime
        self._settings = settings or MediaSettings()
        self._container = _open(file)
        self._turn = self._read_turn()
        self._lanes = self._make_lanes()
        self.tracks: tuple[Track, ...] = tuple(lane.track for lane in self._lanes.values())
        """What the units belong to: at most one video and one audio track."""

        self._units = self._all_units()

    @property
    def duration_seconds(self) -> float | None:
        """How long the file plays once; None where it does not say."""
        return self._container.duration / av.time_base if self._container.duration else None

    def close(self) -> None:
        """Close the file, unless it was open before; once more does nothing."""
        self._units.close()
        self._container.close()

    def __next__(self) -> Unit:
        return next(self._units)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _all_units(self) -> Generator[Unit]:
        clock = Clock()
        with closing(self._passes()) as units:
            for unit in units:
                if self._realtime:
                    time.sleep(clock.seconds_until(unit))
                yield unit

    def _passes(self) -> Generator[Unit]:
        shift, end = 0, _FIRST_PTS
        while True:
            is_empty = True
            for unit in self._one_pass():
                is_empty = False
                if unit.pts is not None and unit.dts is not None:
                    unit.pts += shift
                    unit.dts += shift
                    end = max(end, unit.pts)
                yield unit
            if is_empty:
                raise FileError(
                    f"{_name(self._file)} has nothing that could be sent: no keyframe, or no times "
                    "(ffmpeg -i FILE clip.mp4 makes one that has)"
                )
            if not self._loop:
                return
            # One frame more, or the first of the next pass would fall on the last of this one.
            end += TICKS // 30
            shift = end - _FIRST_PTS
            self._rewind()
            self._lanes = self._make_lanes()

    def _one_pass(self) -> Generator[Unit]:
        try:
            streams = [lane.stream for lane in self._lanes.values()]
            for packet in self._container.demux(streams):
                yield from self._lanes[packet.stream.index].take(packet)
            for lane in self._lanes.values():
                yield from lane.finish()
        except FFmpegError as error:
            raise FileError(f"{_name(self._file)} cannot be read to its end: {error.strerror}") from error

    def _rewind(self) -> None:
        self._container.close()
        if not isinstance(self._file, str | Path):
            self._file.seek(0)
        self._container = _open(self._file)

    def _read_turn(self) -> int:
        """Return how pictures have to be turned, of a file that can be read from the start again."""
        pictures = self._pictures()
        if not pictures or not (isinstance(self._file, str | Path) or self._file.seekable()):
            return 0
        turn = read_turn(self._container, pictures[0])
        if turn is not None:
            self._rewind()
        return turn or 0

    def _pictures(self) -> list[VideoStream]:
        streams = self._container.streams.video
        return [stream for stream in streams if not stream.disposition & Disposition.attached_pic][:1]

    def _make_lanes(self) -> "dict[int, Lane]":
        chosen = [*self._pictures(), *self._container.streams.audio[:1]]
        if not chosen:
            self._container.close()
            raise FileError(f"{_name(self._file)} has neither video nor audio")
        origin = round((self._container.start_time or 0) * TICKS / av.time_base)
        return {
            stream.index: make_lane(stream, origin - _FIRST_PTS, self._settings, turn=self._turn) for stream in chosen
        }


class Clock:
    """Says when units are due, counted from the first one that it is asked about."""

    def __init__(self) -> None:
        self._origin: float | None = None

    def seconds_until(self, unit: Unit) -> float:
        """Say how long it is until a unit is due; 0 where it is due, or has no timestamp."""
        if unit.dts is None:
            return 0.0
        now = time.monotonic()
        if self._origin is None:
            self._origin = now - unit.dts / TICKS
        return max(0.0, self._origin + unit.dts / TICKS - now)


def _open(file: str | Path | IO[bytes]) -> InputContainer:
    try:
        container = av.open(str(file) if isinstance(file, Path) else file, "r")
    except (FFmpegError, OSError) as error:
        raise FileError(f"{_name(file)} cannot be read: {error.strerror}") from error
    if container.format.name in _TEXTS:
        container.close()
        raise FileError(f"{_name(file)} is text: give a file of video or audio")
    return container


def _name(file: str | Path | IO[bytes]) -> str:
    return str(file) if isinstance(file, str | Path) else str(getattr(file, "name", "the file"))
