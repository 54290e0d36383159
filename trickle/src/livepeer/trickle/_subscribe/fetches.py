"""A GET on its way: it is sent, it waits, its answer comes (trickle, table 1, rows 9 to 16)."""

from collections.abc import Mapping

from livepeer.trickle._errors import ProtocolError
from livepeer.trickle._wire.heads import Answer, RequestHead
from livepeer.trickle._wire.sockets import Connection
from livepeer.trickle._wire.urls import ChannelUrl

_RESERVED = frozenset({"host", "content-length", "transfer-encoding", "connection", "expect"})


class Fetch:
    """One GET over one connection.

    Args:
        connection: Without another request on it.
        answer: The request, and what reads its answer.
        asked: The number that is asked for; None if it is asked which segment is next.
        now: The time.
    """

    def __init__(self, connection: Connection, answer: Answer, *, asked: int | None, now: float) -> None:
        self.connection = connection
        self.answer = answer
        self.asked = asked
        self.asked_at = now

        self.heard_at = now
        """When bytes came last."""

        self.parts: list[bytes] = []
        """What came of the body together with the head."""

    @property
    def come(self) -> bool:
        """Whether the answer is here: a segment's first bytes, or the head of anything else."""
        answer = self.answer
        if answer.status == 200 and not answer.closed:
            return answer.done or bool(self.parts)
        return answer.status is not None

    def send(self) -> None:
        """Send the request.

        Raises:
            OSError: The connection is broken.
        """
        head = self.answer.head
        if self.connection.send([head]) < len(head):
            raise BlockingIOError("an idle connection takes no request")

    def look(self, now: float) -> bool:
        """See whether the answer has come.

        Raises:
            OSError: The connection is broken.
            ProtocolError: What came is no answer.
        """
        while not self.come:
            parts = self.receive(now)
            if parts is None:
                return False
            self.parts += parts
        return True

    def receive(self, now: float) -> list[bytes] | None:
        """Return what has come of the body; None if nothing has come.

        Raises:
            OSError: The connection is broken, or the server closed it before the answer was whole.
            ProtocolError: What came is no answer.
        """
        data = self.connection.receive()
        if data is None:
            return None
        self.heard_at = now
        if data:
            return self.answer.feed(data)
        try:
            self.answer.feed_eof()
        except ProtocolError as error:
            raise ConnectionResetError(str(error)) from error
        return []


class Fetches:
    """Makes the GETs of a subscription.

    Args:
        url: Of the channel.
        headers: Sent with each.

    Raises:
        ValueError: A header cannot be sent, or is set here.
    """

    def __init__(self, url: ChannelUrl, headers: Mapping[str, str]) -> None:
        taken = sorted(name for name in headers if name.lower() in _RESERVED)
        if taken:
            raise ValueError(f"the headers {', '.join(taken)} are set by the subscriber")
        self._url = url
        given = ((key.encode(), value.encode()) for key, value in headers.items())
        self._get = RequestHead(b"GET", [(b"Host", url.authority), *given])

    def begin(self, connection: Connection, asked: int | None, now: float) -> Fetch:
        """Return a GET that is to be sent.

        Args:
            connection: To send it over.
            asked: The segment, -2 for the newest, or None to ask which one is next.
            now: The time.
        """
        target = self._url.next_target if asked is None else self._url.segment(asked)
        return Fetch(connection, self._get.to(target), asked=asked, now=now)
