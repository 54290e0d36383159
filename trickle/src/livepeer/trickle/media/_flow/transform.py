"""A stream that is transformed: three threads from channel to channel."""

import logging
import threading
from collections.abc import Callable
from time import monotonic

from av.error import FFmpegError

from livepeer.trickle._errors import ChannelClosedError, ChannelNotFoundError, ClosedError, TrickleError
from livepeer.trickle._outcomes import Acknowledged, Lost, Outcome
from livepeer.trickle._publish.publisher import Publisher
from livepeer.trickle._wire.calls import ChannelCalls
from livepeer.trickle._wire.urls import ChannelUrl
from livepeer.trickle.media._errors import HookError
from livepeer.trickle.media._reports import EndReason, MediaEnd, MediaStats, Notice
from livepeer.trickle.media._settings import MediaHooks, MediaSettings

from .feed import Feed
from .hooking import Hooking, do
from .inbox import Inbox
from .intake import Intake
from .notices import Notices
from .outbox import Farewell, Outbox
from .outlet import BUFFERED_BYTES, Outlet
from .reading import Reading, made_layout
from .relaying import Relaying
from .sending import Sending
from .tally import Tally

_LOGGER = logging.getLogger("livepeer.trickle.media")
_CONNECT_SECONDS = 5.0


class MediaTransform:
    """Carries a stream from one channel to another, through hooks.

    One thread reads and decodes, one calls the hooks, one encodes and sends. The reading never waits for the hooks, nor
    the hooks for the network. All hooks, and all that is posted, run on the same thread, one at a time; it lives
    until `stop`.

    Without any hook the bytes are relayed as they come. A track with a hook is decoded, and encoded again; the other
    one is copied. The channels are neither created nor deleted.

    Args:
        hooks: What is done.
        subscribe_url: Of the channel that comes in; None for no input.
        publish_url: Of the channel that goes out; None for no output, so that hooks only look and listen.
        settings: How.
        verify: Whether the servers' certificates are checked.
        on_notice: Called with what happens, on one of the threads; it must return soon.
        on_end: Called once, on the hook thread, when all media is closed; not if `start` has raised.
    """

    def __init__(
        self,
        hooks: MediaHooks,
        *,
        subscribe_url: str | None = None,
        publish_url: str | None = None,
        settings: MediaSettings | None = None,
        verify: bool = True,
        on_notice: Callable[[Notice], None],
        on_end: Callable[[MediaEnd], None],
    ) -> None:
        self._hooks = hooks
        self._settings = settings or MediaSettings()
        self._verify = verify
        self._subscribe_url = subscribe_url
        self._publish_url = publish_url
        self._on_end = on_end
        self._tally = Tally()
        self._notices = Notices(on_notice)
        self._inbox = Inbox(max_age_seconds=self._settings.max_age_seconds, on_drop=self._dropped)
        self._outbox = None if publish_url is None else Outbox()
        self._feed: Feed | None = None
        self._outlet: Outlet | None = None
        self._end: MediaEnd | None = None
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, name="media-read", daemon=True)
        self._sender = threading.Thread(target=self._send, name="media-send", daemon=True)
        self._hooker = threading.Thread(target=self._hook, name="media-hook", daemon=True)

    @property
    def stats(self) -> MediaStats:
        """What was done so far."""
        return self._tally.stats

    def start(self) -> None:
        """Open the channels, and begin.

        Raises:
            ClosedError: It was stopped before that, or meanwhile.
            TrickleError: A channel cannot be opened.
            ValueError: An URL cannot be used.
        """
        try:
            self._open()
            self._raise_if_stopped()
        except BaseException:
            self._close_feed()
            if self._outlet is not None:
                self._outlet.close(0.0)
            raise
        self._hooker.start()

    def post(self, work: Callable[[], None]) -> None:
        """Have something run on the hook thread: before the next frame, in the order of the calls.

        What is posted before the start runs before everything else; what is posted after the stop never runs.
        """
        self._inbox.post(work)

    def stop(self, timeout_seconds: float = 5.0) -> bool:
        """End the stream: send what was made, close everything, and end the threads.

        Any thread may call it, more than once. On the hook thread itself it does not wait.

        Args:
            timeout_seconds: How long to wait for that.

        Returns:
            Whether all threads have ended; not, if a hook does not return.
        """
        self._stopping.set()
        self._finish(MediaEnd(reason="stopped"), at_once=True)
        self._inbox.post(_nothing)  # Wakes the hook thread after the end of the media.
        threads = [each for each in (self._hooker, self._reader, self._sender) if each.ident is not None]
        if threading.current_thread() in threads:
            return False
        deadline = monotonic() + timeout_seconds
        for thread in threads:
            thread.join(max(0.0, deadline - monotonic()))
        if self._sender.is_alive() and self._outbox is not None:
            self._outbox.put(Farewell())  # The hook hangs: what it has made so far is sent without it.
        return not any(each.is_alive() for each in threads)

    def _raise_if_stopped(self) -> None:
        if self._stopping.is_set():
            raise ClosedError("the stream was stopped before it began")

    def _open(self) -> None:
        if self._subscribe_url is not None:
            where = ChannelUrl.parse(self._subscribe_url)
            with ChannelCalls(where, verify=self._verify, timeout_seconds=_CONNECT_SECONDS) as calls:
                calls.next()  # A subscriber would wait for the first segment before it says anything.
            self._feed = Feed(self._subscribe_url, start=self._settings.start, verify=self._verify)
        if self._publish_url is not None:
            self._raise_if_stopped()  # The channel may be another stream's by now.
            publisher = Publisher(
                self._publish_url,
                create=False,
                delete=False,
                verify=self._verify,
                max_buffered_bytes=BUFFERED_BYTES,
                overflow="drop_oldest",
                on_outcome=self._note_outcome,
            )
            self._outlet = Outlet(publisher, self._settings)
            self._outlet.start()

    def _hook(self) -> None:
        """The hook thread: starts the others, outlives them, and says when it is over."""
        if self._outbox is not None:
            self._outbox.put(made_layout(self._hooks, self._settings))
            self._sender.start()
        if self._feed is not None:
            self._reader.start()
        hooking = Hooking(
            self._inbox,
            self._outbox,
            hooks=self._hooks,
            settings=self._settings,
            tally=self._tally,
            notices=self._notices,
        )
        self._run(lambda: self._finish(hooking.run(), at_once=False))
        self._wind_up()
        while not self._stopping.is_set():
            work = self._inbox.get_work()
            if work is not None:
                do(work)
        while (work := self._inbox.get_work(0.0)) is not None:
            do(work)

    def _wind_up(self) -> None:
        if self._reader.ident is not None:
            self._reader.join()
        if self._outbox is not None:
            self._outbox.put(Farewell())
            self._sender.join()
        self._notices.poll(all_of_them=True)
        end = self._end
        assert end is not None
        do(lambda: self._on_end(end))

    def _read(self) -> None:
        """The reading thread."""
        assert self._feed is not None
        try:
            flow = self._relaying(self._feed) if self._hooks == MediaHooks() else self._reading(self._feed)
            self._run(lambda: self._inbox.end(flow.run(), at_once=False))
        finally:
            self._close_feed()

    def _reading(self, feed: Feed) -> Reading:
        return Reading(
            Intake(feed, tally=self._tally, notices=self._notices),
            hooks=self._hooks,
            settings=self._settings,
            inbox=self._inbox,
            outbox=self._outbox,
            tally=self._tally,
            notices=self._notices,
        )

    def _relaying(self, feed: Feed) -> Relaying:
        return Relaying(feed, settings=self._settings, outbox=self._outbox, tally=self._tally, notices=self._notices)

    def _send(self) -> None:
        """The sending thread."""
        assert self._outbox is not None
        assert self._outlet is not None
        sending = Sending(self._outbox, self._outlet, settings=self._settings, tally=self._tally, notices=self._notices)
        try:
            self._run(sending.run)
        finally:
            self._outbox.close()
            self._run(lambda: sending.close(_CONNECT_SECONDS))

    def _run(self, flow: Callable[[], None]) -> None:
        """Run a thread's work; what it raises ends the stream."""
        try:
            flow()
        except ClosedError:
            self._finish(MediaEnd(reason="stopped"), at_once=True)  # It was interrupted: the end is known already.
        except (TrickleError, FFmpegError) as error:
            self._finish(_end_by(error), at_once=True)
        except BaseException as error:  # Also SystemExit: the other threads have to end.
            _LOGGER.exception("a stream failed")
            self._finish(_end_by(error), at_once=True)

    def _finish(self, end: MediaEnd, *, at_once: bool) -> None:
        """Have everything end; the first reason counts."""
        with self._lock:
            self._end = self._end or end
            if self._feed is not None:
                self._feed.interrupt()
        self._inbox.end(self._end, at_once=at_once)

    def _close_feed(self) -> None:
        with self._lock:
            feed, self._feed = self._feed, None
        if feed is not None:
            feed.close()

    def _dropped(self, kind: str, count: int) -> None:
        if kind == "video":
            with self._lock:  # The reader and the hook thread both drop.
                self._tally.frames_dropped += count
        self._notices.add("frames_dropped", f"{kind} was too old when its turn came", count=count, track=kind)

    def _note_outcome(self, outcome: Outcome) -> None:
        is_over = isinstance(outcome, Lost) and outcome.reason == "channel_closed"  # That is how the stream ends.
        if not (isinstance(outcome, Acknowledged) or is_over):
            self._notices.add(
                "segments_lost", f"a segment of the output did not arrive: {outcome.detail}", side="output"
            )


def _end_by(error: BaseException) -> MediaEnd:
    reason: EndReason = "failed"
    if isinstance(error, ChannelClosedError | ChannelNotFoundError):
        reason = "channel_closed"
    elif isinstance(error, HookError):
        reason = "hook_failed"
    return MediaEnd(reason=reason, error=error)


def _nothing() -> None:
    pass
