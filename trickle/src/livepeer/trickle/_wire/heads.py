"""One request of the protocol, and the reading of its answer.

httpx holds an answer back until the request's body is sent, which a segment that waits for its first byte never is
(trickle, section 0). So requests are written here: h11 makes and reads the heads, `bodies` the bodies.
"""

import re
from collections.abc import Mapping, Sequence

import h11

from livepeer.trickle._errors import ProtocolError

from .bodies import Body, UnsizedBody, body_of

Headers = Sequence[tuple[bytes, bytes]]

_ANY_REQUEST = h11.Request(method=b"POST", target=b"/", headers=[(b"Host", b"any")])
"""All that h11 has to know of a request to read its answer."""

_TARGET = re.compile(rb"[!-~]+")


class RequestHead:
    """The head of a request that is made again and again, each time with another target: h11 writes it once.

    Args:
        method: Of the requests.
        headers: `Host` among them; with `Transfer-Encoding` or `Content-Length` if a body follows the head.

    Raises:
        ValueError: A header cannot be sent.
    """

    def __init__(self, method: bytes, headers: Headers) -> None:
        try:
            request = h11.Request(method=method, target=b"/", headers=list(headers))
            head = h11.Connection(h11.CLIENT).send(request)
        except h11.LocalProtocolError as error:
            raise ValueError(f"a request with these headers cannot be sent: {error}") from None
        self._method = method
        self._rest = (head or b"").partition(b" / ")[2]

    def to(self, target: bytes) -> "Answer":
        """Return a request, and what reads its answer.

        Args:
            target: A path and a query.

        Raises:
            ValueError: It cannot be sent.
        """
        if not _TARGET.fullmatch(target):
            raise ValueError(f"a request to {target[:100]!r} cannot be sent: encode what is in it")
        return Answer(b"%b %b %b" % (self._method, target, self._rest))


class Answer:
    """A request, and its answer as far as it has come.

    Args:
        head: The head of the request.
    """

    def __init__(self, head: bytes) -> None:
        self._http = h11.Connection(h11.CLIENT)
        self._http.send(_ANY_REQUEST)

        self.head = head
        """The request's head, to be sent first."""

        self.status: int | None = None
        """The answer's status, once its head is here."""

        self.headers: Mapping[str, str] = {}
        """The answer's headers; their names in small letters."""

        self.provisional = 0
        """How many heads of status 100 to 199 came before it."""

        self.done = False
        """Whether the answer is whole."""

        self._closing = False
        self._body: Body | None = None

    @property
    def reusable(self) -> bool:
        """Whether the connection can carry another request, once all of this one's body is sent."""
        return self.done and not self._closing

    @property
    def closing(self) -> bool:
        """Whether the server says that it closes the connection after the answer."""
        return self._closing

    @property
    def seq(self) -> int | None:
        """The segment that the answer is about."""
        return self._number("lp-trickle-seq")

    @property
    def latest(self) -> int | None:
        """The segment that is to be written next, where the answer says it."""
        return self._number("lp-trickle-latest")

    @property
    def closed(self) -> bool:
        """Whether the channel has ended."""
        return "lp-trickle-closed" in self.headers

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes as they came from the network.

        Returns:
            The parts of the answer's body that were in them, none of them empty.

        Raises:
            ProtocolError: They are no answer.
        """
        if self._body is None:
            self._http.receive_data(data)
            self._read_heads()
            if self._body is None:
                return []
            data = self._http.trailing_data[0]
        parts = self._body.feed(data)
        self.done = self._body.done
        self._closing = self._closing or self._body.surplus
        return parts

    def feed_eof(self) -> None:
        """Take the end of what the server sends.

        Raises:
            ProtocolError: The answer is not whole.
        """
        self._closing = True
        if self.done:
            return
        if self.status is None:
            raise ProtocolError("the server closed the connection without an answer")
        if not isinstance(self._body, UnsizedBody):
            raise ProtocolError("the server closed the connection in the middle of an answer")
        self.done = True

    def _read_heads(self) -> None:
        try:
            event = self._http.next_event()
            while isinstance(event, h11.InformationalResponse):
                self.provisional += 1
                event = self._http.next_event()
        except h11.RemoteProtocolError as error:
            raise ProtocolError(f"the answer is no HTTP/1.1: {error}") from None
        if isinstance(event, h11.Response):
            self._read_head(event)

    def _read_head(self, response: h11.Response) -> None:
        self.status = response.status_code
        self.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in response.headers}
        keep_alive = response.http_version == b"1.1"
        self._body = body_of(self.status, self.headers)
        asked = "close" in self.headers.get("connection", "").lower()
        self._closing = asked or not keep_alive or isinstance(self._body, UnsizedBody)

    def _number(self, name: str) -> int | None:
        text = self.headers.get(name, "")
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
