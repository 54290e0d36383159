"""What a live pipeline is: a class whose hooks see each frame of a stream."""

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from pydantic import BaseModel

from livepeer.runner._pipeline import Pipeline

if TYPE_CHECKING:
    from livepeer.trickle.media import AudioFrame, MediaSettings, VideoFrame


class Stream(Protocol):
    """The stream that a pipeline works on."""

    @property
    def id(self) -> str:
        """The network's name for it."""
        ...

    @property
    def params(self) -> Any:
        """The params in force."""
        ...

    def emit_event(self, event: Mapping[str, Any]) -> None:
        """Send an event to whoever watches the stream."""
        ...

    def emit_data(self, value: Any) -> None:
        """Send a line of data to whoever reads the stream's."""
        ...


class LivePipeline(Pipeline):
    """Base of a live pipeline: override what you need of the hooks, each of which may be sync or async.

    `setup()` runs once in a process. Each stream then works on a shallow copy of the pipeline: what `setup()` made is
    shared, what a hook assigns to `self` is the stream's own. All hooks of one stream run one at a time, on a thread of
    that stream; async ones are awaited from there, on the host's event loop.

    A track of which no hook is overridden passes through untouched, and one without `process_video`, `process_audio`,
    `generate_video` and `generate_audio` relays its input as it comes.
    """

    params: ClassVar[type[BaseModel] | None] = None
    """What a stream's params are; anything that is JSON if None."""

    media: ClassVar["MediaSettings | None"] = None
    """How media is decoded and encoded, a `livepeer.runner.frames.MediaSettings`; its defaults if None."""

    heartbeat_seconds: ClassVar[float] = 5.0
    """How often a stream's status is sent when nothing changes; a gateway ends a stream that is silent for 30 s
    (contract, section 5)."""

    watchdog_seconds: ClassVar[float | None] = 30.0
    """How long input may flow without any output before the stream is ended; None for ever."""

    stop_seconds: ClassVar[float] = 5.0
    """How long a hook that runs when the stream ends, and `on_stream_stop()`, may take."""

    _stream: Stream | None = None

    def on_stream_start(self, params: Any) -> Any:
        """Prepare for a stream; frames come when this has returned.

        Raise `livepeer.core.InvalidInputError`, or another `CallError`, to refuse the stream.
        """

    def process_video(self, frame: "VideoFrame") -> Any:
        """Transform a frame of video.

        Returns:
            A `VideoFrame`, a list of them, or None to drop it.
        """
        return frame

    def process_audio(self, frame: "AudioFrame") -> Any:
        """Transform a frame of audio.

        Returns:
            An `AudioFrame`, a list of them, or None to drop it.
        """
        return frame

    def generate_video(self) -> Any:
        """Make video without an input: an iterator of `VideoFrame`, sync or async, paced by their timestamps."""

    def generate_audio(self) -> Any:
        """Make audio without an input: an iterator of `AudioFrame`, sync or async, paced by their timestamps."""

    def on_params_update(self, params: Any) -> Any:
        """Take new params, which are `current_params` already. If this raises, the old ones come back."""

    def on_control(self, message: Any) -> Any:
        """Take a message of the caller's: any JSON value."""

    def on_stream_stop(self) -> Any:
        """Let go of what the stream took. Called once, after the last frame, also if `on_stream_start()` failed."""

    @property
    def stream_id(self) -> str:
        """The network's name for the stream.

        Raises:
            RuntimeError: Outside of a stream.
        """
        return self._own_stream("stream_id").id

    @property
    def current_params(self) -> Any:
        """The params in force: a `params` model, or else JSON as it came.

        Raises:
            RuntimeError: Outside of a stream.
        """
        return self._own_stream("current_params").params

    def emit_event(self, event: Mapping[str, Any]) -> None:
        """Send an event to whoever watches the stream. Any thread may; it never waits.

        Args:
            event: A JSON object; its ``type`` is ``"event"`` unless it has another one.

        Raises:
            RuntimeError: Outside of a stream, or after its end.
            ValueError: It has no JSON form, or its ``type`` is none.
        """
        self._own_stream("emit_event()").emit_event(event)

    def emit_data(self, value: Any) -> None:
        """Send a line of data to whoever reads the stream's. Any thread may; it never waits.

        Args:
            value: Any JSON value, of at most 65,535 bytes (contract, section 5). NumPy's numbers and arrays become
                JSON's, infinities and NaN null.

        Raises:
            RuntimeError: Outside of a stream, or after its end.
            ValueError: It has no JSON form, or is too long.
        """
        self._own_stream("emit_data()").emit_data(value)

    def copy_for(self, stream: Stream) -> Self:
        """The copy that a stream works on."""
        own = copy.copy(self)
        own._stream = stream
        return own

    def _own_stream(self, what: str) -> Stream:
        if self._stream is None:
            raise RuntimeError(f"{what} belongs to a stream: use it in a hook, not in setup() or teardown()")
        return self._stream


def overrides(pipeline: LivePipeline, hook: str) -> bool:
    """Whether a pipeline has a hook of its own."""
    return getattr(getattr(pipeline, hook), "__func__", None) is not getattr(LivePipeline, hook)
