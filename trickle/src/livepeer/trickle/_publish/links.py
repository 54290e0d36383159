"""A connection of a publisher, and the request on it."""

from livepeer.trickle._wire.chunks import Buffer
from livepeer.trickle._wire.heads import Answer
from livepeer.trickle._wire.sockets import Connection

from .outbox import Errand

_TEXT_BYTES = 200


class Link:
    """A connection, and the request on it."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.seq: int | None = None
        """The segment whose head it carries."""

        self.errand: Errand | None = None
        """The errand that it carries."""

        self.answer: Answer | None = None
        """The request on it; without one it is idle."""

        self.head = b""
        """What is left to send of the request's head."""

        self.blocked = False
        """Whether the network takes no more now."""

        self.watched = False
        """Whether the system is asked to tell when that has changed."""

        self.waits_since: float | None = None
        """Since when the server owes something: to take more, or to answer."""

        self.body_bytes = 0
        """How much of the answer's body has come."""

        self._text = b""

    def carry(self, answer: Answer, *, seq: int | None = None, errand: Errand | None = None) -> None:
        """Put a request on it."""
        self.answer, self.seq, self.errand = answer, seq, errand
        self.head = answer.head
        self.body_bytes = 0
        self._text = b""

    def rest(self) -> None:
        """Note that its request is over."""
        self.answer = self.seq = self.errand = self.waits_since = None

    def feed(self, data: bytes) -> None:
        """Take bytes of the answer; none are its end."""
        assert self.answer is not None
        if not data:
            self.answer.feed_eof()
            return
        for part in self.answer.feed(data):
            self.body_bytes += len(part)
            if len(self._text) < _TEXT_BYTES:
                self._text += part[:_TEXT_BYTES]

    @property
    def text(self) -> str:
        """The beginning of the answer's body."""
        return self._text[:_TEXT_BYTES].decode("utf-8", "replace").strip()

    def send(self, body: list[Buffer]) -> int:
        """Send what is left of the head, and then some bytes of the body.

        Returns:
            How much of the body was taken.

        Raises:
            OSError: The connection is broken.
        """
        buffers = [self.head, *body] if self.head else body
        taken = self.connection.send(buffers)
        self.blocked = taken < sum(map(len, buffers))
        if not self.head:
            return taken
        of_head = min(taken, len(self.head))
        self.head = self.head[of_head:]
        return taken - of_head
