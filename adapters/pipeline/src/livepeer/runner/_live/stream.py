"""One stream as its thread sees it: the pipeline's copy, and its hooks from the first to the last."""

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from livepeer.core import UnknownSessionError

from .hooks import Hooks
from .pipeline import LivePipeline, overrides
from .reports import Reports, shortened

if TYPE_CHECKING:
    from livepeer.trickle.media import MediaHooks, Notice

logger = logging.getLogger("livepeer.runner")


class OwnStream:
    """What a stream's copy of the pipeline works on, and all that calls its hooks.

    Args:
        id: The network's name for the stream.
        pipeline: The one that was set up.
        params: Validated.
        hooks: Calls the hooks.
        reports: Where events and data go.
    """

    def __init__(self, id: str, pipeline: LivePipeline, *, params: Any, hooks: Hooks, reports: Reports) -> None:
        self.id = id
        self.params = params
        self.last_error: str | None = None
        self.is_begun = False
        """Whether `on_stream_start` was called, before which no other hook is."""
        self._pipeline = pipeline.copy_for(self)
        self._hooks = hooks
        self._reports = reports
        self._generators: dict[str, Callable[[], None]] = {}
        self._start_error: Exception | None = None
        self._is_closing = False
        self._is_over = False

    def emit_event(self, event: Mapping[str, Any]) -> None:
        """Send an event of the pipeline's."""
        self._raise_if_over()
        self._reports.send_event(event)

    def emit_data(self, value: Any) -> None:
        """Send a line of data."""
        self._raise_if_over()
        self._reports.send_data(value)

    def begin(self) -> None:
        """Call `on_stream_start`, unless that was done or comes too late; its error is raised each time."""
        if not self.is_begun and not self._is_closing:
            self.is_begun = True
            try:
                self._hooks.call(self._pipeline.on_stream_start, self.params)
            except Exception as error:  # noqa: BLE001 - the pipeline's own code; raised below
                self._start_error = error
        if self._start_error is not None:
            raise self._start_error

    def update(self, params: Any) -> None:
        """Put params into force, and call `on_params_update`; if that raises, the old ones come back.

        Raises:
            UnknownSessionError: If the stream is about to end.
        """
        if self._is_closing:
            raise UnknownSessionError(f"the stream {self.id} is ending")
        old, self.params = self.params, params
        try:
            self._hooks.call(self._pipeline.on_params_update, params)
        except BaseException:  # Whatever it was, the old ones are in force; the caller gets it.
            self.params = old
            raise

    def take_message(self, message: Any) -> None:
        """Call `on_control`; an error is reported, and ends nothing."""
        if self._is_closing:
            return
        try:
            self._hooks.call(self._pipeline.on_control, message)
        except Exception as error:  # The pipeline's own code.
            logger.exception("stream %s: on_control failed", self.id)
            self.note_error("on_control", error)
            self._reports.send("error", message=self.last_error, hook="on_control")

    def close(self) -> None:
        """Let no frame and no message reach the hooks any more. Any thread may."""
        self._is_closing = True

    def end(self) -> None:
        """Close the generators and call `on_stream_stop`, if the stream was begun; errors are logged."""
        if not self.is_begun:
            return
        for name, finish in (*self._generators.items(), ("on_stream_stop", self._stop)):
            try:
                finish()
            except Exception as error:  # The pipeline's own code; the rest has to be stopped all the same.
                logger.exception("stream %s: %s failed", self.id, name)
                self.note_error(name, error)

    def leave(self) -> None:
        """Let nothing be emitted any more. Any thread may."""
        self._is_over = True

    def note_error(self, hook: str, error: BaseException) -> None:
        """Keep an error for the next status."""
        self.last_error = shortened(f"{hook}: {type(error).__name__}: {error}")

    def media_hooks(self) -> "MediaHooks":
        """The pipeline's hooks for media; None for those that it does not override."""
        from livepeer.trickle.media import MediaHooks

        return MediaHooks(
            video=self._processing("process_video"),
            audio=self._processing("process_audio"),
            generate_video=self._generating("generate_video"),
            generate_audio=self._generating("generate_audio"),
        )

    def take_notice(self, notice: "Notice") -> None:
        """Tell what happened to the media. Any thread may."""
        detail = shortened(notice.detail)
        if notice.kind == "hook_failed":
            self._reports.send("error", message=self.last_error or detail, detail=detail)
        else:
            self._reports.send("notice", kind=notice.kind, detail=detail, data=dict(notice.data))

    def _stop(self) -> None:
        self._hooks.call(self._pipeline.on_stream_stop)

    def _processing(self, name: str) -> Callable[[Any], Any] | None:
        if not overrides(self._pipeline, name):
            return None
        hook = getattr(self._pipeline, name)

        def process(frame: Any) -> Any:
            if not self._takes_frames():
                return None
            try:
                return self._hooks.call(hook, frame)
            except Exception as error:  # The pipeline's own code; the media does with it what its settings say.
                self._report_failure(name, error)
                raise

        return process

    def _generating(self, name: str) -> Callable[[], Iterator[Any]] | None:
        if not overrides(self._pipeline, name):
            return None
        hook = getattr(self._pipeline, name)

        def generate() -> Iterator[Any]:
            if not self._takes_frames():
                return
            try:
                frames = self._hooks.iterate(hook)
                self._generators[name] = frames.close
                yield from frames
            except Exception as error:  # The pipeline's own code; the media does with it what its settings say.
                self._report_failure(name, error)
                raise

        return generate

    def _takes_frames(self) -> bool:
        """Whether frames may reach the hooks; begins the stream if its turn has not come yet."""
        if self._is_closing:
            return False
        try:
            self.begin()
        except Exception:  # noqa: BLE001 - the pipeline's own; whoever starts the session gets it
            return False
        return True

    def _report_failure(self, hook: str, error: Exception) -> None:
        # What raises on every frame would fill the log: the media's notices say how often it did.
        if self.last_error is None or not self.last_error.startswith(f"{hook}: {type(error).__name__}"):
            logger.error("stream %s: %s failed", self.id, hook, exc_info=error)
        self.note_error(hook, error)

    def _raise_if_over(self) -> None:
        if self._is_over:
            raise RuntimeError(f"the stream {self.id} has ended: nothing of it can be emitted any more")
