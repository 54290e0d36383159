"""The second thread: calls the hooks, one at a time, and hands on what they return."""

import logging
from collections.abc import Callable, Sequence
from copy import copy
from time import monotonic
from typing import Any, cast

from livepeer.trickle.media._codec.pictures import PictureFitter
from livepeer.trickle.media._errors import BudgetSpentError, HookError
from livepeer.trickle.media._frames import AudioFrame, Look, VideoFrame
from livepeer.trickle.media._reports import MediaEnd
from livepeer.trickle.media._settings import MediaHooks, MediaSettings

from .budget import Budget
from .generating import Frame, Generating, check_frame, name_type
from .inbox import Inbox
from .notices import Notices
from .outbox import Outbox
from .tally import Tally

_LOGGER = logging.getLogger("livepeer.trickle.media")


class Hooking:
    """Runs the hooks and what was posted, all on the thread that calls `run`.

    Args:
        inbox: Brings frames and work.
        outbox: Takes the results; None if nothing is sent.
        hooks: What is called.
        settings: What becomes of frames whose hook raised.
        tally: Counts.
        notices: Told of errors.
    """

    def __init__(
        self,
        inbox: Inbox,
        outbox: Outbox | None,
        *,
        hooks: MediaHooks,
        settings: MediaSettings,
        tally: Tally,
        notices: Notices,
    ) -> None:
        self._inbox = inbox
        self._outbox = outbox
        self._hooks = hooks
        self._settings = settings
        self._tally = tally
        self._notices = notices
        self._hook_budget = Budget(settings.hook_error_budget, "calls of hooks")
        self._generating = Generating(hooks if outbox is not None else MediaHooks())
        self._is_made = not self._generating.is_over
        self._fitter = PictureFitter()

    def run(self) -> MediaEnd:
        """Work until the end comes out of the inbox, and return it.

        Raises:
            HookError: A hook raised where that stops the stream, or too often; or a generator did.
        """
        try:
            while True:
                item = self._inbox.get(self._generating.seconds_left(monotonic()))
                match item:
                    case MediaEnd():
                        return item
                    case VideoFrame() | AudioFrame():
                        self._process(item)
                    case None:
                        if not self._generate():
                            return MediaEnd(reason="input_ended")
                    case work:
                        do(work)
        finally:
            self._generating.close()

    def _process(self, frame: Frame) -> None:
        began = monotonic()
        for each in self._results(frame):
            self._hand_on(each)
        if isinstance(frame, VideoFrame):
            self._inbox.took(monotonic() - began)

    def _results(self, frame: Frame) -> Sequence[Frame]:
        """Return what the hook makes of a frame, as the encoder takes it: the hook's memory is its own after this."""
        hook: Callable[[Any], Any] | None = self._hooks.video if isinstance(frame, VideoFrame) else self._hooks.audio
        assert hook is not None
        before = copy(frame)  # The hook may do to the frame what it likes, and raise.
        try:
            results = _check(hook(frame), type(frame))
            for each in results:
                _inherit(each, frame)
                check_frame(each)
            results = [self._fit(each) for each in results]
        except Exception as error:
            _LOGGER.debug("a hook raised", exc_info=True)
            return self._failed(before, error)
        self._hook_budget.earn()
        return results

    def _fit(self, frame: Frame) -> Frame:
        return self._fitter.fit(frame) if self._outbox is not None and isinstance(frame, VideoFrame) else frame

    def _failed(self, frame: Frame, error: Exception) -> Sequence[Frame]:
        kind = "video" if isinstance(frame, VideoFrame) else "audio"
        detail = f"the {kind} hook raised {type(error).__name__}: {error}"
        if isinstance(error, HookError):
            detail = f"the {kind} hook is wrong: {error}"
        self._tally.hook_errors += 1
        self._notices.add("hook_failed", detail, hook=kind, error=type(error).__name__)
        if self._settings.on_hook_error == "stop":
            raise HookError(detail) from error
        try:
            self._hook_budget.spend(error)
        except BudgetSpentError as spent:
            raise HookError(f"{spent}; the last time {detail}") from error
        return [self._fit(frame)] if self._settings.on_hook_error == "pass" else []

    def _generate(self) -> bool:
        """Take what a generator has; return whether there may be more."""
        frame = self._generating.take(monotonic())
        if frame is not None:
            self._hand_on(self._fit(frame))
        return not (self._is_made and self._generating.is_over)

    def _hand_on(self, frame: Frame) -> None:
        if self._outbox is not None:
            self._outbox.put_frame(frame)


def do(work: Callable[[], None]) -> None:
    """Run what was posted; what it raises is logged."""
    try:
        work()
    except BaseException:  # Also SystemExit: the thread has to live.
        _LOGGER.exception("what was posted to the hook thread raised")


def _inherit(result: Frame, frame: Frame) -> None:
    """Give a frame that a hook made anew what it does not say of itself."""
    if result.arrived is None:
        result.arrived = frame.arrived
    if isinstance(result, VideoFrame) and isinstance(frame, VideoFrame) and result.look == Look():
        result.look = frame.look


def _check(result: object, kind: type[Frame]) -> Sequence[Frame]:
    """Return what a hook returned as frames.

    Raises:
        HookError: It is something else; says what to return.
    """
    if result is None:
        return []
    results = cast("Sequence[object]", result) if isinstance(result, list | tuple) else [result]
    frames = [each for each in results if isinstance(each, kind)]
    if len(frames) < len(results):
        wrong = next(name_type(each) for each in results if not isinstance(each, kind))
        raise HookError(
            f"it returned {wrong}: return the {kind.__name__} itself, frame.replace(...) with something else in it, "
            "a list of such frames, or None to drop it"
        )
    return frames
