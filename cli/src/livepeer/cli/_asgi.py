"""Asking a server of this process, without a port."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import anyio

from livepeer.core import JSON_MEDIA_TYPE, SSE_MEDIA_TYPE, Problem
from livepeer.server import Server

REQUEST_ID = "predict"
"""Every request's id: the mark that the model's lines of output carry."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """How an answer begins."""

    status: int
    media_type: str

    @property
    def streams(self) -> bool:
        """Whether events follow."""
        return self.media_type == SSE_MEDIA_TYPE


async def post(server: Server, path: str, body: bytes, *, on_chunk: Callable[[Head, bytes], None]) -> None:
    """Send one request, and give each chunk of the answer to `on_chunk` as it comes.

    Args:
        server: A server that was started.
        path: The route.
        body: JSON.
        on_chunk: Takes the answer's head, the same each time, and some bytes.
    """
    exchange = _Exchange(body, on_chunk)
    headers = [(b"content-type", JSON_MEDIA_TYPE.encode()), (b"x-request-id", REQUEST_ID.encode())]
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers}
    await server(scope, exchange.receive, exchange.send)


def problem_line(body: bytes) -> str:
    """An error document in one line, for whoever made the call."""
    problem = Problem.model_validate_json(body)
    return f"{problem.title}: {problem.detail}"


class _Exchange:
    """The two ends of one request that an ASGI application holds."""

    def __init__(self, body: bytes, on_chunk: Callable[[Head, bytes], None]) -> None:
        self._body: bytes | None = body
        self._on_chunk = on_chunk
        self._head = Head(status=500, media_type="")

    async def receive(self) -> dict[str, Any]:
        if self._body is None:
            await anyio.sleep_forever()  # the caller stays until the answer is there, or this is cancelled
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            content_type: bytes = dict(message["headers"]).get(b"content-type", b"")
            media_type = content_type.partition(b";")[0].strip().decode("latin-1")
            self._head = Head(status=message["status"], media_type=media_type)
        else:
            self._on_chunk(self._head, message.get("body", b""))
