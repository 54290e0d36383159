"""Without hooks: bytes go from channel to channel as they come, segment by segment."""

from time import monotonic

from livepeer.trickle.media._reports import MediaEnd
from livepeer.trickle.media._settings import MediaSettings
from livepeer.trickle.media._ts import Demuxer, Unit

from .feed import Feed, FeedEnded, SegmentBegan, SegmentEnded
from .notices import Notices
from .outbox import Outbox, Piece
from .tally import Tally

_WAIT_SECONDS = 0.25


class Relaying:
    """Takes bytes from the input to the outbox, and counts the frames that pass.

    Args:
        feed: Brings the bytes.
        settings: How long the input may be idle.
        outbox: Takes them; None if nothing is sent.
        tally: Counts.
        notices: Told of losses.
    """

    def __init__(
        self, feed: Feed, *, settings: MediaSettings, outbox: Outbox | None, tally: Tally, notices: Notices
    ) -> None:
        self._feed = feed
        self._settings = settings
        self._outbox = outbox
        self._tally = tally
        self._notices = notices
        self._demuxer = Demuxer()
        self._begins = True
        self._has_begun = False

    def run(self) -> MediaEnd:
        """Relay until the input ends, or has been idle for too long.

        Raises:
            TrickleError: The input cannot be read any more.
        """
        heard_at = monotonic()
        while True:
            event = self._feed.receive(_WAIT_SECONDS)
            now = monotonic()
            self._notices.poll()
            match event:
                case bytes():
                    heard_at = now
                    self._pass(event, now)
                case SegmentBegan():
                    self._begins = True
                    self._demuxer.restart()
                    self._lost(event.missed)
                case SegmentEnded():
                    self._count(self._demuxer.end_segment(), now)
                    self._lost(0 if event.is_whole else 1)
                case FeedEnded():
                    return MediaEnd(reason="input_ended")
                case None:
                    if self._settings.idle_seconds is not None and now - heard_at > self._settings.idle_seconds:
                        return MediaEnd(reason="idle")

    def _pass(self, data: bytes, now: float) -> None:
        if not self._has_begun:
            self._has_begun = True
            self._notices.add("input_started", "the input has begun")
        self._count(self._demuxer.feed(data, now), now)
        if self._outbox is not None:
            self._outbox.put(Piece(data=data, begins=self._begins, arrived=now))
        self._begins = False

    def _count(self, units: list[Unit], now: float) -> None:
        for unit in units:
            self._tally.came(unit.track.kind, now)
            if self._outbox is not None:
                self._tally.sent(unit.track.kind, unit.arrived, now)

    def _lost(self, segments: int) -> None:
        if segments:
            self._tally.lost_segments += segments
            self._notices.add("segments_lost", "segments of the input were lost", count=segments, side="input")
