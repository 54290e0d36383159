"""The thread and the media of a stream. PyAV and NumPy are imported for streams that have media, and only then."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from livepeer.core import ModelFailedError, SessionStart

from .hook_thread import HookThread
from .pipeline import LivePipeline, overrides
from .stream import OwnStream

if TYPE_CHECKING:
    from livepeer.trickle.media import MediaEnd, MediaStats


class StreamThread(Protocol):
    """A stream's thread, on which hooks run one at a time, and its media if it has any."""

    @property
    def stats(self) -> "MediaStats | None":
        """How the media goes; None if there is none."""
        ...

    def start(self) -> None:
        """Begin, with what was posted already; waits for the channels."""
        ...

    def post(self, work: Callable[[], None]) -> None:
        """Have `work` run between two frames."""
        ...

    def stop(self, timeout_seconds: float = 5.0) -> bool:
        """End the media and the thread, and wait for that; whether they have ended."""
        ...


def make_thread(
    stream: OwnStream,
    pipeline: LivePipeline,
    start: SessionStart,
    *,
    shares_cores: bool,
    on_end: Callable[["MediaEnd"], None],
) -> StreamThread:
    """The thread for a stream, with its media if there are channels for it.

    Raises:
        ModelFailedError: If there are, and what media needs is not installed.
    """
    generates = overrides(pipeline, "generate_video") or overrides(pipeline, "generate_audio")
    if start.subscribe_url is None and not (start.publish_url and generates):
        return HookThread()
    try:
        from livepeer.trickle.media import MediaSettings, MediaTransform
    except ModuleNotFoundError as error:
        raise ModelFailedError(
            f"this stream has media, for which {error.name} is missing: pip install livepeer-runner[live]"
        ) from error
    settings = pipeline.media or MediaSettings()
    if settings.encoder_threads is None and shares_cores:  # Streams that run at once keep the cores busy themselves.
        settings = replace(settings, encoder_threads=1)
    return MediaTransform(
        stream.media_hooks(),
        subscribe_url=start.subscribe_url,
        publish_url=start.publish_url,
        settings=settings,
        verify=start.verify_tls,
        on_notice=stream.take_notice,
        on_end=on_end,
    )
