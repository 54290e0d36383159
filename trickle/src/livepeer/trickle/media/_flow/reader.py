"""Reading media from a channel on the caller's own thread."""

import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from livepeer.trickle._errors import ClosedError
from livepeer.trickle._subscribe.sequence import Lag, Start
from livepeer.trickle.media._errors import UnsupportedCodecError
from livepeer.trickle.media._frames import AudioFrame, VideoFrame
from livepeer.trickle.media._reports import MediaStats
from livepeer.trickle.media._ts import Track, Unit

from .budget import Budget
from .decoding import Decoding
from .feed import Feed
from .intake import Batch, Intake
from .notices import Notices
from .tally import Tally

_WAIT_SECONDS = 1.0


class MediaReader:
    """Reads the media of a channel: as units, or decoded.

        with MediaReader(url) as reader:
            for frame in reader.frames():
                ...

    The iteration ends when the channel has ended, or when another thread closes the reader. Timestamps go on over the
    jumps of the publisher's.

    Args:
        url: Of the channel.
        start: The segment to begin with, as of `Subscriber`.
        lag: Where to go on after falling behind, as of `Subscriber`.
        verify: Whether the server's certificate is checked.
        wait_seconds: How long the channel may be absent.
    """

    def __init__(
        self,
        url: str,
        *,
        start: Start = "current",
        lag: Lag = "latest",
        verify: bool = True,
        wait_seconds: float = 0.0,
    ) -> None:
        self._tally = Tally()
        self._notices = Notices()
        self._feed = Feed(url, start=start, lag=lag, verify=verify, wait_seconds=wait_seconds)
        self._intake = Intake(self._feed, tally=self._tally, notices=self._notices)
        self._using = threading.Lock()
        self._closed = False

    @property
    def tracks(self) -> list[Track]:
        """The tracks that there are now; none before the first unit."""
        return self._intake.tracks

    @property
    def stats(self) -> MediaStats:
        """What has come so far."""
        return self._tally.stats

    def packets(self) -> Iterator[Unit]:
        """Yield the units of all tracks, in the order of the stream.

        Raises:
            TrickleError: The channel cannot be read any more.
        """
        for batch in self._batches():
            yield from batch.units

    def frames(self) -> Iterator[VideoFrame | AudioFrame]:
        """Yield the decoded frames of all tracks, from the first keyframe on; what cannot be decoded is left out.

        Raises:
            TrickleError: The channel cannot be read any more.
        """
        decodings: dict[Track, Decoding | None] = {}
        for batch in self._batches():
            for decoding in decodings.values():
                if batch.has_gap and decoding is not None:
                    decoding.restart()
            for unit in batch.units:
                if unit.track not in decodings:
                    decodings[unit.track] = self._open(unit.track)
                decoding = decodings[unit.track]
                yield from [] if decoding is None else decoding.decode(unit)
        for decoding in decodings.values():
            yield from [] if decoding is None else decoding.finish()

    def close(self) -> None:
        """Read no more; any thread may call it, more than once."""
        if self._closed:
            return
        self._closed = True
        self._feed.interrupt()
        with self._using:
            self._feed.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _batches(self) -> Iterator[Batch]:
        while not self._closed:
            with self._using:
                try:
                    batch = self._intake.receive(_WAIT_SECONDS)
                except ClosedError:
                    return
            yield batch
            if batch.has_ended:
                return

    def _open(self, track: Track) -> Decoding | None:
        try:
            # Whoever reads sees what is damaged; nothing is given up here.
            return Decoding(track, budget=Budget(None, "packets"), tally=self._tally, notices=self._notices)
        except UnsupportedCodecError:
            return None
