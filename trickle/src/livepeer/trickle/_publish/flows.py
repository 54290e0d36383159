"""The state behind a publisher of either flavour, and what it refuses."""

import threading
from collections.abc import Iterator

from livepeer.trickle._errors import ChannelClosedError, ChannelNotFoundError, ClosedError, UnreachableError
from livepeer.trickle._wire.connecting import Transport
from livepeer.trickle._wire.urls import ChannelUrl

from .posts import Post
from .publication import Publication
from .requests import Requests
from .sender import Sender
from .settings import PublisherSettings
from .stats import PublisherStats

FAREWELL_SECONDS = 1.0
"""How long the channel's deletion may take where nobody waits for it, or time has run out."""

LEFT = "its publisher was left before the server had it"
"""What is said of segments that nobody waits for any more."""


class Flow:
    """The state behind a publisher: the segments, and what sends them.

    Args:
        settings: The publisher's arguments.
    """

    def __init__(self, settings: PublisherSettings) -> None:
        self.settings = settings
        self.url = ChannelUrl.parse(settings.url)
        self.drops = settings.overflow == "drop_oldest"
        self.publication = Publication(
            self.url.text,
            max_buffered_bytes=settings.max_buffered_bytes,
            restart_seconds=settings.restart_seconds,
            on_outcome=settings.on_outcome,
        )
        self.sender = Sender(
            self.publication,
            Requests(self.url, settings.content_type, settings.headers or {}),
            stall_seconds=settings.stall_seconds,
        )
        self.transport = Transport(
            self.url,
            verify=settings.verify,
            ssl_context=settings.ssl_context,
            connect_seconds=settings.connect_seconds,
        )
        self.started = False
        self.closed = False
        self._calling = threading.Lock()

    @property
    def stats(self) -> PublisherStats:
        """What was done so far."""
        return self.publication.tally.stats()

    def check_open(self) -> None:
        """Raise what keeps the publisher from being used.

        Raises:
            ClosedError: It was not started, or is closed.
            TrickleError: It has failed.
        """
        if self.closed:
            raise ClosedError("the publisher is closed")
        if not self.started:
            raise ClosedError("the publisher was not started: use it in a `with` block, or call start() first")
        if self.publication.failure is not None:
            raise self.publication.failure.with_traceback(None)

    def begin_call(self) -> None:
        """Begin a call that no other may overlap; `end_call` ends it."""
        self.check_open()
        if not self._calling.acquire(blocking=False):
            raise RuntimeError("two tasks or threads use the publisher at the same time")

    def end_call(self) -> None:
        """End it."""
        self._calling.release()

    @property
    def calling(self) -> bool:
        """Whether such a call is under way."""
        return self._calling.locked()

    def may_write(self, post: Post, count: int) -> bool:
        """Tell whether a write need not wait: there is room, or it makes room, or it fails."""
        return self.drops or self.closed or post.outcome is not None or self.publication.has_room(count)

    def may_go_on(self) -> bool:
        """Tell whether a writer that had to wait has waited long enough: for each wait costs time of its own."""
        return self.closed or self.publication.failure is not None or self.publication.half_empty

    def add(self, post: Post, data: bytes | memoryview) -> None:
        """Add bytes to a segment."""
        self.check_open()
        self.publication.check(post)
        if len(data):
            self.publication.write(post, data)

    def give_up(self, post: Post) -> None:
        """Give a segment up that has not ended."""
        if not post.ended and post.outcome is None:
            self.sender.abort(post, "aborted", "it was aborted by its writer")

    def pieces(self, data: bytes) -> Iterator[bytes | memoryview]:
        """Cut what is too long to be held at once."""
        size = len(data) if self.drops else self.publication.piece_bytes
        if len(data) <= size:
            yield data
            return
        view = memoryview(data)
        for at in range(0, len(data), size):
            yield view[at : at + size]

    def may_open(self) -> bool:
        """Tell whether a new segment need not wait."""
        return self.drops or self.closed or self.publication.failure is not None or self.publication.has_room(0)

    @property
    def finished(self) -> bool:
        """Whether nothing is left to wait for before the channel is deleted."""
        publication = self.publication
        settled = publication.settled if self.settings.delete else self.sender.done
        return settled or publication.failure is not None

    @property
    def deletes(self) -> bool:
        """Whether there may be a channel that is to be deleted."""
        gone = isinstance(self.publication.failure, ChannelClosedError | ChannelNotFoundError | UnreachableError)
        return self.settings.delete and not gone
