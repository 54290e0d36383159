"""The answer to one request, written as Go writes it."""

from http import HTTPStatus

from ._asgi import Headers, Scope, Send

EXTENSION = "livepeer.trickle"
"""The ASGI extension that `TrickleProtocol` offers: `keep_waiting`, and `break_off`."""

SEQ = b"lp-trickle-seq"
LATEST = b"lp-trickle-latest"
CLOSED = (b"lp-trickle-closed", b"terminated")
HANG_UP = (b"connection", b"close")
TEXT = (b"content-type", b"text/plain; charset=utf-8")
_ERROR: Headers = [TEXT, (b"x-content-type-options", b"nosniff")]


class Reply:
    """Sends one answer, whole or in parts."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._send = send
        self._line = scope.get("extensions", {}).get(EXTENSION)

    async def whole(self, status: int, headers: Headers, body: bytes = b"") -> None:
        """Send everything."""
        await self._start(status, [*headers, (b"content-length", b"%d" % len(body))])
        await self._send({"type": "http.response.body", "body": body})

    async def error(self, status: int, text: str, *headers: tuple[bytes, bytes]) -> None:
        """Send a line of text, as Go's `http.Error` does."""
        await self.whole(status, [*headers, *_ERROR], text.encode(errors="replace") + b"\n")

    async def begin(self, headers: Headers) -> None:
        """Send the head of an answer whose body follows in parts."""
        await self._start(HTTPStatus.OK, headers)

    async def part(self, data: bytes, *, last: bool) -> None:
        """Send part of the body."""
        await self._send({"type": "http.response.body", "body": data, "more_body": not last})

    def keep_waiting(self) -> None:
        """Tell the client that nothing is wrong, if the server has a way to (trickle, table 1, row 17)."""
        if self._line is not None:
            self._line["keep_waiting"]()

    def break_off(self) -> None:
        """Drop the connection, so that nobody takes the answer for whole.

        A server without our extension does it itself when the application returns before the end.
        """
        if self._line is not None:
            self._line["break_off"]()

    async def _start(self, status: int, headers: Headers) -> None:
        await self._send({"type": "http.response.start", "status": int(status), "headers": headers})
