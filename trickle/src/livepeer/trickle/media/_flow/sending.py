"""The third thread: encodes what hooks have made, and sends it together with what is copied."""

from dataclasses import replace
from time import monotonic

from livepeer.trickle.media._codec.video_encoder import Encoded
from livepeer.trickle.media._frames import AudioFrame, VideoFrame
from livepeer.trickle.media._settings import MediaSettings
from livepeer.trickle.media._ts import Unit

from .encoding import AudioEncoding, VideoEncoding
from .interleaving import Interleaving
from .notices import Notices
from .outbox import Farewell, Layout, Outbox, Outgoing, Piece
from .outlet import Outlet
from .tally import Tally

_POLL_SECONDS = 0.05
"""How often the publisher is served while nothing is sent."""


class Sending:
    """Takes from the outbox, and writes to the outlet.

    Args:
        outbox: Brings frames, units and pieces.
        outlet: Takes them; it was started.
        settings: How to encode, and whether audio waits.
        tally: Counts.
        notices: Told of the first output, and of what goes wrong.
    """

    def __init__(
        self, outbox: Outbox, outlet: Outlet, *, settings: MediaSettings, tally: Tally, notices: Notices
    ) -> None:
        self._outbox = outbox
        self._outlet = outlet
        self._settings = settings
        self._tally = tally
        self._notices = notices
        self._interleaving = Interleaving()
        self._video = VideoEncoding(settings, notices)
        self._audio = AudioEncoding(settings, notices)
        self._began = False

    def run(self) -> None:
        """Send until the farewell comes.

        Raises:
            TrickleError: The channel cannot be written any more.
            UnsupportedCodecError: An encoder cannot be opened.
            av.error.FFmpegError: An encoder failed too often.
        """
        while True:
            if self._outbox.is_empty:
                self._outlet.flush()
            item = self._outbox.get(min(_POLL_SECONDS, self._interleaving.seconds_left(monotonic())))
            if isinstance(item, Farewell):
                self._finish()
                return
            if item is None:
                self._outlet.poll()
                self._notices.poll()
            else:
                self._take(item)
            self._release()

    def close(self, timeout_seconds: float) -> None:
        """Close the encoders and the outlet."""
        self._video.finish()
        self._audio = AudioEncoding(self._settings, self._notices)
        self._outlet.close(timeout_seconds)

    def _take(self, item: Outgoing) -> None:
        match item:
            case VideoFrame():
                self._outlet.flush()  # Encoding takes long.
                self._send_video(self._video.encode(item, is_due=self._outlet.is_due(item.pts)), item.arrived)
            case AudioFrame():
                for unit in self._audio.encode(item):
                    self._interleaving.put(unit, item.arrived)
                self._outlet.lay_out(replace(self._outlet.layout, channels=self._audio.channels or 2))
            case Unit():
                self._copy(item)
            case Piece():
                self._outlet.send(item.data, begins=item.begins)
                self._sent(None, item.arrived)
            case Layout():
                self._lay_out(item)
            case Farewell():
                pass

    def _copy(self, unit: Unit) -> None:
        pts = unit.pts or 0
        dts = pts if unit.dts is None else unit.dts
        encoded = Encoded(data=unit.data, pts=pts, dts=dts, is_keyframe=unit.is_keyframe)
        if unit.track.kind == "video":
            self._send_video([encoded], unit.arrived)
        else:
            self._interleaving.put(encoded, unit.arrived)

    def _send_video(self, units: list[Encoded], arrived: float | None) -> None:
        for unit in units:
            self._outlet.write("video", unit)
            self._interleaving.sent(unit.pts)
            self._sent("video", arrived)

    def _release(self, *, all_of_them: bool = False) -> None:
        while (sound := self._interleaving.take(all_of_them=all_of_them)) is not None:
            self._outlet.write("audio", sound.unit)
            self._sent("audio", sound.arrived)

    def _sent(self, kind: str | None, arrived: float | None) -> None:
        if kind is not None:
            self._tally.sent(kind, arrived, monotonic())
        if not self._began:
            self._began = True
            self._notices.add("output_started", "the first output was sent")

    def _lay_out(self, layout: Layout) -> None:
        before = self._outlet.layout
        self._interleaving.holds = self._settings.audio == "hold" and layout.video_is_hooked
        if before.audio != layout.audio:
            self._finish_audio()
            self._release(all_of_them=True)
            self._audio = AudioEncoding(self._settings, self._notices)
        self._outlet.lay_out(layout)

    def _finish(self) -> None:
        self._send_video(self._video.finish(), None)
        self._finish_audio()
        self._release(all_of_them=True)

    def _finish_audio(self) -> None:
        for unit in self._audio.finish():
            self._interleaving.put(unit, None)
