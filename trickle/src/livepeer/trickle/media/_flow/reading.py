"""The first thread: reads the input, decodes what a hook wants, and hands the rest on as it is."""

from collections.abc import Callable
from time import monotonic

from livepeer.trickle.media._errors import UnsupportedCodecError
from livepeer.trickle.media._reports import MediaEnd
from livepeer.trickle.media._settings import MediaHooks, MediaSettings
from livepeer.trickle.media._ts import Track, Unit
from livepeer.trickle.media._ts.adts import is_adts
from livepeer.trickle.media._ts.nal import is_annex_b

from .budget import Budget
from .decoding import Decoding
from .inbox import Inbox
from .intake import Intake
from .notices import Notices
from .outbox import Layout, Outbox
from .tally import Tally

_WAIT_SECONDS = 0.25
"""How often it is looked whether the input is idle."""


class Reading:
    """Takes units from the input to where they go: a hook's inbox, or the outbox; it never waits for either.

    Args:
        intake: Brings the units.
        hooks: Which tracks are decoded.
        settings: How long the input may be idle, and how much damage is borne.
        inbox: Takes frames.
        outbox: Takes what is copied; None if nothing is sent.
        tally: Counts.
        notices: Told of what happens.
    """

    def __init__(
        self,
        intake: Intake,
        *,
        hooks: MediaHooks,
        settings: MediaSettings,
        inbox: Inbox,
        outbox: Outbox | None,
        tally: Tally,
        notices: Notices,
    ) -> None:
        self._intake = intake
        self._hooks = hooks
        self._settings = settings
        self._inbox = inbox
        self._outbox = outbox
        self._tally = tally
        self._notices = notices
        self._budget = Budget(settings.packet_error_budget, "packets")
        self._tracks: list[Track] = []
        self._routes: dict[int, Callable[[Unit], None]] = {}
        self._decodings: dict[str, Decoding] = {}
        self._needs_keyframe = True
        self._laid_out = Layout()

    def run(self) -> MediaEnd:
        """Read until the input ends, or has been idle for too long.

        Raises:
            TrickleError: The input cannot be read any more.
            BudgetSpentError: Too many packets are damaged.
        """
        heard_at = monotonic()
        while True:
            batch = self._intake.receive(_WAIT_SECONDS)
            self._notices.poll()
            if batch.has_gap:
                self._restart()
            for unit in batch.units:
                self._route(unit)
            if batch.has_ended:
                self._finish()
                return MediaEnd(reason="input_ended")
            now = monotonic()
            if batch.units:
                heard_at = now
            elif self._settings.idle_seconds is not None and now - heard_at > self._settings.idle_seconds:
                return MediaEnd(reason="idle")

    def _route(self, unit: Unit) -> None:
        if self._intake.tracks != self._tracks:
            self._lay_out()
        route = self._routes.get(unit.track.pid)
        if route is not None:
            route(unit)

    def _decode(self, unit: Unit) -> None:
        for frame in self._decodings[unit.track.kind].decode(unit):
            self._inbox.put(frame)

    def _copy(self, unit: Unit) -> None:
        is_video = unit.track.kind == "video"
        is_formed = _has_its_form(unit)
        if unit.is_broken or not is_formed:
            self._tally.corrupt_packets += 1
            self._notices.add("packets_corrupt", "a packet was damaged", track=unit.track.kind)
            self._budget.spend()
        else:
            self._budget.earn()
        if not is_formed or (unit.is_broken and not is_video):
            return  # Decoders conceal what is missing of a picture, but not of a sound.
        if is_video and self._needs_keyframe and not unit.is_keyframe:
            return
        self._needs_keyframe = self._needs_keyframe and not is_video
        assert self._outbox is not None
        self._outbox.put(unit)

    def _restart(self) -> None:
        self._needs_keyframe = True
        for decoding in self._decodings.values():
            decoding.restart()

    def _finish(self) -> None:
        for decoding in self._decodings.values():
            for frame in decoding.finish():
                self._inbox.put(frame)

    def _lay_out(self) -> None:
        """Decide what becomes of each track: of each kind the first alone is taken."""
        is_first = not self._tracks
        self._tracks = self._intake.tracks
        self._routes.clear()
        video = self._take_in("video", is_hooked=self._hooks.video is not None)
        audio = self._take_in("audio", is_hooked=self._hooks.audio is not None)
        if is_first and self._tracks:
            codecs = ", ".join(track.codec for track in self._tracks)
            self._notices.add("input_started", f"the input is {codecs}", codecs=[each.codec for each in self._tracks])
        if self._outbox is not None:
            self._laid_out = self._layout(video, audio)
            self._outbox.put(self._laid_out)

    def _take_in(self, kind: str, *, is_hooked: bool) -> Track | None:
        is_made = self._hooks.generate_video if kind == "video" else self._hooks.generate_audio
        track = next((each for each in self._tracks if each.kind == kind), None)
        if track is None or is_made is not None:
            self._decodings.pop(kind, None)
            return None
        if is_hooked:
            return track if self._open(track) else None
        if self._outbox is None:
            return None
        self._routes[track.pid] = self._copy
        return track

    def _open(self, track: Track) -> bool:
        before = self._decodings.pop(track.kind, None)
        try:
            self._decodings[track.kind] = before if before and before.track == track else self._decoding(track)
        except UnsupportedCodecError as error:
            self._notices.add("track_unsupported", str(error), codec=track.codec)
            return False
        self._routes[track.pid] = self._decode
        return True

    def _decoding(self, track: Track) -> Decoding:
        return Decoding(track, budget=self._budget, tally=self._tally, notices=self._notices)

    def _layout(self, video: Track | None, audio: Track | None) -> Layout:
        made = made_layout(self._hooks, self._settings)
        video_codec, audio_codec = made.video, made.audio
        # A hooked track stays, though the input's has gone: frames of it may still be with the hook.
        if self._hooks.video and (video is not None or self._laid_out.video):
            video_codec = "h264"
        elif video is not None:
            video_codec = video.codec
        if self._hooks.audio and (audio is not None or self._laid_out.audio):
            audio_codec = self._settings.audio_codec
        elif audio is not None:
            audio_codec = audio.codec
        return Layout(
            video=video_codec,
            audio=audio_codec,
            channels=2 if audio is None or not audio.channels else audio.channels,
            video_is_copied=video is not None and self._hooks.video is None,
            video_is_hooked=video is not None and self._hooks.video is not None,
        )


def made_layout(hooks: MediaHooks, settings: MediaSettings) -> Layout:
    """Return the tracks that hooks make without an input."""
    return Layout(
        video="h264" if hooks.generate_video else None,
        audio=settings.audio_codec if hooks.generate_audio else None,
    )


def _has_its_form(unit: Unit) -> bool:
    """Whether a unit begins as its codec wants; one that does not was damaged there, and cannot be carried."""
    if unit.track.kind == "video":
        return is_annex_b(unit.data)
    return unit.track.codec != "aac" or is_adts(unit.data)
