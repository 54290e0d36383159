"""Decoding one track, whatever comes."""

from time import monotonic

from av.error import FFmpegError

from livepeer.trickle.media._codec.decoders import AudioDecoder, VideoDecoder, make_decoder
from livepeer.trickle.media._frames import AudioFrame, VideoFrame
from livepeer.trickle.media._ts import Track, Unit

from .budget import Budget
from .notices import Notices
from .tally import Tally

_TOLERATED = 3
"""How many units in a row a decoder may refuse before another takes its place."""

_BACKOFF_SECONDS = 0.1
_LONGEST_BACKOFF_SECONDS = 2.0


class Decoding:
    """A decoder that waits for a keyframe, counts what is damaged, and is opened anew when it takes nothing any more.

    Args:
        track: What is decoded.
        budget: Of bad packets.
        tally: Counts.
        notices: Told of damage.

    Raises:
        UnsupportedCodecError: FFmpeg cannot decode it.
    """

    def __init__(self, track: Track, *, budget: Budget, tally: Tally, notices: Notices) -> None:
        self.track = track
        self._budget = budget
        self._tally = tally
        self._notices = notices
        self._decoder: VideoDecoder | AudioDecoder = make_decoder(track)
        self._needs_keyframe = track.kind == "video"
        self._failures = 0
        self._rests = 0
        self._rest_until = 0.0

    def decode(self, unit: Unit) -> list[VideoFrame] | list[AudioFrame]:
        """Return the frames that a unit gives; none if it is of no use.

        Raises:
            BudgetSpentError: There were too many bad packets.
        """
        if monotonic() < self._rest_until or (self._needs_keyframe and not unit.is_keyframe):
            return []
        self._needs_keyframe = False
        try:
            frames = self._decoder.decode(unit)
        except FFmpegError as error:
            self._refused(error)
            return []
        self._judge(unit, frames)
        return frames

    def restart(self) -> None:
        """Begin again at the next keyframe, for something is missing."""
        self._decoder.restart()
        self._needs_keyframe = self.track.kind == "video"

    def finish(self) -> list[VideoFrame]:
        """Return the pictures that were kept back."""
        try:
            return self._decoder.finish() if isinstance(self._decoder, VideoDecoder) else []
        except FFmpegError:
            return []  # What is left is damaged.

    def _judge(self, unit: Unit, frames: list[VideoFrame] | list[AudioFrame]) -> None:
        if unit.is_broken or any(each.frame.is_corrupt for each in frames):
            self._count("a packet was damaged")
            self._budget.spend()
        elif frames:
            self._failures = self._rests = 0
            self._budget.earn()

    def _refused(self, error: FFmpegError) -> None:
        self._count(f"the decoder refused a packet: {error}")
        self._budget.spend(error)
        self._failures += 1
        if self._failures >= _TOLERATED:
            self._reopen()

    def _reopen(self) -> None:
        seconds = min(_BACKOFF_SECONDS * 2**self._rests, _LONGEST_BACKOFF_SECONDS)
        self._failures = 0
        self._rests += 1
        self._rest_until = monotonic() + seconds
        self._decoder = make_decoder(self.track)
        self._needs_keyframe = self.track.kind == "video"
        self._notices.add(
            "codec_restarted", f"the decoder of {self.track.codec} was opened anew", codec=self.track.codec
        )

    def _count(self, detail: str) -> None:
        self._tally.corrupt_packets += 1
        self._notices.add("packets_corrupt", detail, track=self.track.kind)
