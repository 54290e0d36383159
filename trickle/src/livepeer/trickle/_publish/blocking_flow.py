"""Drives a publication on its caller's thread: everything happens in the caller's own calls."""

from collections.abc import Callable
from math import inf
from time import monotonic

from livepeer.trickle._errors import ClosedError, TrickleError, UnreachableError
from livepeer.trickle._outcomes import Outcome
from livepeer.trickle._wire.connecting import Transport

from .channels import Channel
from .flows import FAREWELL_SECONDS, LEFT, Flow
from .posts import Post
from .settings import PublisherSettings

_LEAST_SECONDS = 0.05


class BlockingFlow(Flow):
    """The state behind a `Publisher`."""

    def __init__(self, settings: PublisherSettings) -> None:
        super().__init__(settings)
        self._channel = Channel(self.url, settings)
        self._deadline = inf  # Of the close.

    def start(self) -> None:
        """Create the channel if that is wanted, learn its next number, and put the first head on the wire."""
        if self.started or self.closed:
            raise ClosedError("a publisher is started once")
        self.started = True
        next_seq = self._channel.open()
        self.publication.begin(next_seq)
        try:
            self._turn()
        except BaseException:
            self._stop()
            raise

    def open(self) -> Post:
        """Begin the next segment; the one before ends."""
        self.begin_call()
        try:
            post = self._open()
            self._turn()
        finally:
            self.end_call()
        return post

    def write(self, post: Post, data: bytes) -> None:
        """Write to a segment."""
        self.begin_call()
        try:
            self._catch_up()
            self._write(post, data)
        finally:
            self.end_call()
        self.publication.check_outcome(post)

    def publish(self, data: bytes) -> Post:
        """Write a whole segment; its bytes leave before the next one's head."""
        self.begin_call()
        try:
            post = self._open()
            try:
                self._write(post, data, last=True)
            except BaseException:  # An interruption: what was written so far must not look like all of it.
                self.give_up(post)
                raise
        finally:
            self.end_call()
        self.publication.check_outcome(post)
        return post

    def end(self, post: Post) -> None:
        """End a segment."""
        self.publication.check_outcome(post)
        if post.ended:
            return
        self.begin_call()
        try:
            self.publication.end(post)
            self._turn()
        finally:
            self.end_call()

    def abort(self, post: Post) -> None:
        """Give a segment up that has not ended."""
        if post.ended or post.outcome is not None:
            return
        self.begin_call()
        try:
            self.give_up(post)
            self._turn()
        finally:
            self.end_call()

    def abort_current(self) -> None:
        """Give up the segment that is open, if one is."""
        if self.publication.current is not None:
            self.abort(self.publication.current)

    def outcome(self, post: Post) -> Outcome:
        """Wait for a segment's outcome."""
        if post.outcome is None:
            if not post.ended:
                raise ValueError("the segment is still open: end it before you wait for its outcome")
            self.begin_call()
            try:
                self._until(lambda: post.outcome is not None)
            finally:
                self.end_call()
        assert post.outcome is not None
        return post.outcome

    def flush(self) -> None:
        """Wait until the network has everything."""
        self.begin_call()
        try:
            self._until(lambda: not self.publication.unsent)
        finally:
            self.end_call()
        self.check_open()

    def poll(self) -> None:
        """Do what is due, without waiting."""
        self.begin_call()
        try:
            self._step()
        finally:
            self.end_call()

    def close(self, timeout_seconds: float) -> None:
        """End everything well, as far as time allows."""
        if self.closed or not self.started:
            self.closed = True
            return
        self.closed = True
        self._deadline = monotonic() + max(timeout_seconds - FAREWELL_SECONDS, timeout_seconds / 2)
        try:
            self.sender.finish()
            self._step()
            self._until(lambda: self.finished or monotonic() >= self._deadline)
            self._delete(self._deadline + min(FAREWELL_SECONDS, timeout_seconds / 2) - monotonic())
        finally:
            self._stop()

    def leave(self) -> None:
        """End as far as an interrupted program may: the channel is deleted, and nothing waited for."""
        if self.closed or not self.started:
            self.closed = True
            return
        self.closed = True
        self.publication.lose_all("aborted", LEFT)
        try:
            self._delete(FAREWELL_SECONDS)
        finally:
            self._stop()

    def _stop(self) -> None:
        self.publication.say_dropped(inf)
        self.publication.lose_all("closing", "the publisher was closed before the server had it")
        self.sender.retire_all()
        self.sender.pool.close()

    def _delete(self, seconds: float) -> None:
        if self.deletes and seconds > 0:
            self._channel.delete(seconds)

    def _open(self) -> Post:
        self._catch_up()
        if not self.may_open():
            self.publication.end_current()
            self._until(self.may_go_on)
        self.check_open()
        return self.publication.open()

    def _write(self, post: Post, data: bytes, *, last: bool = False) -> None:
        left = len(data)
        for piece in self.pieces(data):
            if not self.may_write(post, len(piece)):
                self._until(lambda: post.outcome is not None or self.may_go_on())
            self.add(post, piece)
            left -= len(piece)
            if last and not left:
                self.publication.end(post)
            self._turn()
        if self.drops and not self.publication.has_room(0):
            self.sender.make_room(monotonic())
            self._turn()

    def _turn(self) -> None:
        """Send what can be sent, over new connections if need be."""
        self.sender.pump(monotonic())
        while self.sender.wants_link:
            self._connect()
            self.sender.pump(monotonic())

    def _step(self) -> None:
        """Do all that is due."""
        self._catch_up()
        self._turn()

    def _catch_up(self, seconds: float = 0.0) -> None:
        """Take note of what has happened since the last call, and of what happens in so many seconds."""
        self.sender.collect(monotonic(), seconds)
        now = monotonic()
        self.sender.expire(now)
        trouble = self.publication.trouble
        if trouble.active and self.publication.failure is None and now >= trouble.retry_at:
            self._recover()

    def _until(self, ready: Callable[[], bool]) -> None:
        """Work and wait until something holds."""
        while not ready():
            now = monotonic()
            due = [self.sender.seconds_left(now), self._deadline - now]
            if self.publication.trouble.active:
                due.append(self.publication.trouble.retry_at - now)
            self._catch_up(max(0.0, min(due)))
            self._turn()

    def _connect(self) -> None:
        transport = self.transport
        if self._deadline < inf:
            transport = Transport(
                self.url,
                verify=self.settings.verify,
                ssl_context=self.settings.ssl_context,
                connect_seconds=self._seconds(),
            )
        try:
            self.sender.pool.add(transport.connect())
        except UnreachableError as error:
            self.publication.still_away(error, monotonic())

    def _recover(self) -> None:
        """Ask the server where it is."""
        try:
            next_seq, fresh = self._channel.reopen(self._seconds())
        except TrickleError as error:
            self.publication.still_away(error, monotonic())
        else:
            self.sender.resume(next_seq, fresh=fresh, now=monotonic())

    def _seconds(self) -> float:
        """Return how long a request may take."""
        return min(self.settings.connect_seconds, max(_LEAST_SECONDS, self._deadline - monotonic()))
