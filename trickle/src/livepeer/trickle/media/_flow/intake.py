"""The input: bytes of a channel in, units in their right time out."""

from dataclasses import dataclass, field
from time import monotonic

from livepeer.trickle.media._ts import Demuxer, Track, Unit

from .feed import Feed, FeedEnded, SegmentBegan, SegmentEnded
from .notices import Notices
from .tally import Tally
from .timeline import Timeline

_SILENCE_SECONDS = 0.003
"""After so long without bytes a unit is complete, if it may be (trickle, section 7)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """What came at once."""

    units: list[Unit] = field(default_factory=list[Unit])
    """In the order of the stream."""

    has_gap: bool = False
    """Whether something is missing before them."""

    has_ended: bool = False
    """Whether nothing comes after them."""


class Intake:
    """Reads a channel, and splits it into units.

    Args:
        feed: Brings the bytes.
        tally: Counts.
        notices: Told of losses and jumps.
    """

    def __init__(self, feed: Feed, *, tally: Tally, notices: Notices) -> None:
        self._feed = feed
        self._tally = tally
        self._notices = notices
        self._demuxer = Demuxer(on_loss=self._lost_packets)
        self._timeline = Timeline()
        self._is_fresh = False

    @property
    def tracks(self) -> list[Track]:
        """The tracks that there are now."""
        return list(self._demuxer.tracks)

    def receive(self, seconds: float) -> Batch:
        """Return what comes next, in so many seconds; maybe nothing.

        Raises:
            TrickleError: The channel cannot be read any more.
        """
        batch = self._receive(_SILENCE_SECONDS if self._is_fresh else seconds)
        jumps = self._timeline.jumps
        for unit in batch.units:
            self._timeline.place(unit)
            self._tally.came(unit.track.kind, unit.arrived)
        if self._timeline.jumps > jumps:
            self._notices.add("timestamps_jumped", "the timestamps of the input jumped; the output's go on")
        return batch

    def _receive(self, seconds: float) -> Batch:
        match self._feed.receive(seconds):
            case bytes() as data:
                self._is_fresh = True
                return Batch(units=self._demuxer.feed(data, monotonic()))
            case None:
                was_fresh, self._is_fresh = self._is_fresh, False
                return Batch(units=self._demuxer.idle() if was_fresh else [])
            case SegmentBegan(missed=missed, is_fresh=True):
                return self._skip(missed)
            case SegmentBegan():
                return Batch()
            case SegmentEnded(is_whole=True):
                return Batch(units=self._demuxer.end_segment())
            case SegmentEnded():
                return self._skip(1)
            case FeedEnded():
                return Batch(units=self._demuxer.end_segment(), has_ended=True)

    def _skip(self, segments: int) -> Batch:
        self._demuxer.restart()
        if segments:
            self._tally.lost_segments += segments
            self._notices.add("segments_lost", "segments of the input were lost", count=segments, side="input")
        return Batch(has_gap=True)

    def _lost_packets(self, count: int) -> None:
        self._notices.add("packets_corrupt", "packets of the input were lost", count=count)
