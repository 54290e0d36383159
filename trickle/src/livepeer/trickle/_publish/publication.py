"""A publication: what the answers, the losses and the restarts of a server mean for its segments.

It knows no sockets and no clocks: `Sender` moves its bytes, and every `now` comes from outside.
"""

from collections.abc import Callable

from livepeer.trickle._errors import (
    ChannelClosedError,
    ChannelNotFoundError,
    ProtocolError,
    RefusedError,
    StalledError,
    TrickleError,
)
from livepeer.trickle._outcomes import Acknowledged, LostReason, Outcome, Refused
from livepeer.trickle._wire.heads import Answer

from .outbox import Errand, Outbox
from .posts import Post
from .trouble import Trouble

_CHECKED_SECONDS = 60.0
"""A segment that took longer may have lost its channel meanwhile; its answer does not tell (trickle, section 1)."""


class Publication(Outbox):
    """The state of one publisher, of either flavour.

    Args:
        url: Of the channel, for errors.
        max_buffered_bytes: How much may wait for the network.
        restart_seconds: How long the server may be away.
        on_outcome: Called with each segment's outcome.
    """

    def __init__(
        self,
        url: str,
        *,
        max_buffered_bytes: int,
        restart_seconds: float,
        on_outcome: Callable[[Outcome], None] | None = None,
    ) -> None:
        super().__init__(url, max_buffered_bytes=max_buffered_bytes, on_outcome=on_outcome)
        self.first_seq = 0
        """The first number after a start of this publisher, or of the server."""

        self.trouble = Trouble(restart_seconds)
        """Whether the server has to be asked where it is."""

        self._known_seq = 0  # What the server said or showed to be its next number.

    def begin(self, next_seq: int) -> None:
        """Start at the server's next number."""
        self.first_seq = self._known_seq = next_seq
        super().begin(next_seq)

    def took(self, post: Post, count: int, now: float) -> None:
        """Note that the network has taken some bytes of a segment."""
        self.unsent -= count
        post.took(count, now)

    def answered(self, seq: int, answer: Answer, text: str, now: float) -> None:
        """Note that the answer to a segment is whole."""
        post = self.window.find(seq)
        if answer.closed:
            self.fail(ChannelClosedError(self._url))
        elif post is not None and post.begun:
            self._judge(post, answer, text, now)
        elif post is not None:
            self._refuse_head(seq, answer.status or 0, text, now)

    def errand_done(self, errand: Errand, answer: Answer, count: int) -> None:
        """Note the answer to an errand, and how long its body was."""
        post = self.window.find(errand.seq)
        if errand.kind == "delete" or post is None:
            return
        has_it = count == post.size if errand.kind == "find" else (answer.latest or 0) > errand.seq
        if answer.status == 200 and has_it:
            self._acknowledge(post)
        elif errand.kind == "find" and answer.status != 404:
            self.settle(post, post.lost("evicted", "the server dropped it, for it had ended or its place was taken"))
        else:
            self.settle(post, post.lost("channel_closed", "the server knows nothing of it, though it answered it"))

    def unchecked(self, errand: Errand, reason: LostReason, detail: str) -> None:
        """Note that an errand was not answered."""
        post = self.window.find(errand.seq)
        if errand.kind != "delete" and post is not None:
            self.settle(post, post.lost(reason, detail))

    def broke(self, seq: int, error: TrickleError, now: float) -> None:
        """Note that the connection of a segment broke before its answer was whole."""
        self.tally.reconnections += 1
        post = self.window.find(seq)
        if post is not None and post.begun:
            post.broken = f"{error}; how much of it arrived is not known"
        self.upset(error, now)

    def stalled(self, seq: int, seconds: float, now: float) -> None:
        """Note that a segment made no progress for too long."""
        post = self.window.find(seq)
        detail = f"the server neither read nor answered for {seconds:g} s"
        if post is not None and post.begun:
            self.abort(post, "stalled", detail)
        else:
            self.upset(StalledError(detail), now)

    def upset(self, error: TrickleError, now: float) -> None:
        """Note that the server has to be asked where it is."""
        if self.failure is None and not self.trouble.begin(now):
            self.fail(error)

    def still_away(self, error: TrickleError, now: float) -> None:
        """Note that the server could not be asked, or no connection be opened."""
        final = isinstance(error, ChannelNotFoundError) or (isinstance(error, RefusedError) and error.status < 500)
        if self.failure is None and (final or not self.trouble.again(now)):
            self.fail(error)

    def resume(self, next_seq: int, *, fresh: bool, now: float) -> bool:
        """Go on at the server's next number.

        Args:
            next_seq: What it says.
            fresh: Whether the channel was made just now.
            now: The time.

        Returns:
            Whether the server has forgotten everything.
        """
        restarted = fresh or next_seq < self._known_seq
        self.trouble.end(now)
        self._known_seq = next_seq
        if restarted:
            self._restart(next_seq)
        else:
            self._go_on(next_seq)
        return restarted

    def _restart(self, next_seq: int) -> None:
        """Send again what is kept; the server has nothing of it."""
        self.tally.restarts += 1
        self.first_seq = next_seq
        self.errands.clear()
        for post in list(self.window.items):
            before = post.unsent
            if post.rewind():
                self.unsent += post.unsent - before
            else:
                detail = "the server restarted, and the segment is too long to be kept for that"
                self.settle(post, post.lost("disconnected", detail))
        self.window.renumber(next_seq)

    def _go_on(self, next_seq: int) -> None:
        for post in list(self.window.items):
            if post.broken is not None:
                self.abort(post, "disconnected", post.broken)
        self.window.renumber(max(next_seq, self.window.free_seq))

    def _refuse_head(self, seq: int, status: int, text: str, now: float) -> None:
        """Judge an answer that came before anything of the segment was sent."""
        if status == 200:
            self.upset(ProtocolError(f"the server ended segment {seq} before its first byte"), now)
        elif status == 404:
            self.upset(ChannelNotFoundError(self._url), now)
        else:
            error = RefusedError(f"segment {seq} was refused with status {status}: {text}", status=status)
            self.upset(error, now) if status >= 500 else self.fail(error)

    def _judge(self, post: Post, answer: Answer, text: str, now: float) -> None:
        """Judge the answer to a segment.

        A server that has dropped it for another says that it closes the connection (trickle, table 1, rows 19 and 24),
        as it does after an empty one (row 15). A proxy before it closes some connections too, so the segment itself is
        asked for: it is safe from the ring as long as it has no outcome.
        """
        outcome = post.judge(answer.status or 0, text=text)
        if isinstance(outcome, Refused) and outcome.status == 404:
            post.broken = "the server did not know the channel"  # It has nothing of it, so it can be sent again.
            self.upset(ChannelNotFoundError(self._url), now)
        elif not isinstance(outcome, Acknowledged):
            self.settle(post, outcome)
        elif answer.closing and post.size:
            self.errands.append(Errand(kind="find", seq=post.seq))
        elif post.begun_at is None or now - post.begun_at < _CHECKED_SECONDS:
            self._acknowledge(post)
        else:
            self.errands.append(Errand(kind="check", seq=post.seq))

    def _acknowledge(self, post: Post) -> None:
        self._known_seq = max(self._known_seq, post.seq + 1)
        self.trouble.forget()
        self.settle(post, post.acknowledged())
