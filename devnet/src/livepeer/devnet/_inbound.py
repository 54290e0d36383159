"""The side of a node that is called: an answer written as Go writes it, a body, a caller who may leave."""

from collections.abc import AsyncGenerator, Awaitable, Callable

import anyio
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

TEXT = "text/plain; charset=utf-8"

DROP_EXTENSION = "livepeer.devnet.drop"
"""The ASGI extension by which our own server lets an application drop the connection without an answer."""


class RefusedError(Exception):
    """Raised when a request is answered before anything is passed on."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status

    def response(self) -> Response:
        """Return the answer: plain text and a newline, as Go's `http.Error` makes it."""
        headers = {"Content-Type": TEXT, "X-Content-Type-Options": "nosniff"}
        return Response(f"{self}\n", self.status, headers=headers)


async def no_such_page(_: Request, __: Exception) -> Response:
    """Answer as Go's router does where nothing is, so that callers can tell it from a worker's own 404."""
    return RefusedError("404 page not found", 404).response()


class Reply:
    """The answer to one request; like Go's, it begins with the first byte or at its end, with status 200."""

    def __init__(self, send: Send) -> None:
        self.headers: dict[str, str] = {}
        self._send = send
        self._started = False

    async def write(self, data: bytes) -> None:
        """Send part of the body at once."""
        if not self._started:
            await self._start(200)
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self, data: bytes = b"", *, status: int = 200) -> None:
        """Send the rest of the body; the status counts only if nothing was sent before."""
        if not self._started:
            self.headers["Content-Length"] = str(len(data))
            await self._start(status)
        await self._send({"type": "http.response.body", "body": data})

    async def error(self, message: str | bytes, status: int) -> None:
        """Send plain text and a newline, as Go's `http.Error` does."""
        self.headers |= {"Content-Type": TEXT, "X-Content-Type-Options": "nosniff"}
        text = message.encode() if isinstance(message, str) else message
        await self.end(text + b"\n", status=status)

    async def _start(self, status: int) -> None:
        self._started = True
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in self.headers.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})


async def read_body(receive: Receive) -> bytes:
    """Return the whole body of a request.

    Raises:
        ClientDisconnect: The caller left before its end.
    """
    return b"".join([part async for part in stream_body(receive)])


async def stream_body(receive: Receive) -> AsyncGenerator[bytes]:
    """Yield the body of a request as it arrives, without empty parts.

    Raises:
        ClientDisconnect: The caller left before its end.
    """
    more_body = True
    while more_body:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        if part := message.get("body", b""):
            yield part
        more_body = message.get("more_body", False)


async def run_while_connected(receive: Receive, work: Callable[[], Awaitable[None]]) -> None:
    """Run the work of a request whose body has been read; cancel it if the caller leaves."""
    async with anyio.create_task_group() as tasks:

        async def watch() -> None:
            await wait_for_disconnect(receive)
            tasks.cancel_scope.cancel()

        tasks.start_soon(watch)
        await work()
        tasks.cancel_scope.cancel()


async def wait_for_disconnect(receive: Receive) -> None:
    """Return once the caller has left, or has its whole answer."""
    while (await receive())["type"] not in ("http.disconnect", "websocket.disconnect"):
        pass


async def drop_connection(scope: Scope, receive: Receive) -> None:
    """Close the connection without an answer, as Go does when a handler panics.

    Raises:
        RuntimeError: Another server than ours serves the application, and cannot do it.
    """
    extension = scope.get("extensions", {}).get(DROP_EXTENSION)
    if extension is None:
        raise RuntimeError("this server cannot drop a connection without an answer")
    extension["drop"]()
    await wait_for_disconnect(receive)


def request_header(scope: Scope, name: str) -> str:
    """Return the first value of a header of a request, `""` if absent."""
    wanted = name.lower().encode()
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == wanted), "")


def base_url(connection: HTTPConnection) -> str:
    """Return the base URL of this node as the caller wrote it, without a final slash."""
    scheme = {"ws": "http", "wss": "https"}.get(connection.url.scheme, connection.url.scheme)
    return f"{scheme}://{connection.headers.get('Host', '')}"
