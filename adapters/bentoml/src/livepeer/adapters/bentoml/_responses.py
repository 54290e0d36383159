"""A response of Starlette's as an answer that crosses the wire."""

from collections.abc import MutableMapping
from typing import Any, cast

import anyio
from starlette.responses import Response
from starlette.types import Scope

from livepeer.core import Encoded, ModelFailedError

from . import _sdk
from ._requests import Body

RawHeaders = list[tuple[bytes, bytes]]

_FRAMING = (b"content-length", b"transfer-encoding")


async def encode_response(response: Response, scope: Scope) -> Encoded:
    """Send a response to memory. What it has for the background does not run.

    Args:
        response: Of any kind: a file's is read, a stream's is read to its end.
        scope: The request that it answers: a file's is read as far as that asks.
    """
    if isinstance(response, _sdk.IterableResponse):
        body = b"".join(cast("Any", response).body_iterator)
        return encoded(response.status_code, response.raw_headers, body)
    if type(response).__call__ is Response.__call__:
        return encoded(response.status_code, response.raw_headers, bytes(response.body))
    sent = Sent()
    background, response.background = response.background, None
    try:
        await response(scope, Body(b"").receive, sent.send)
    finally:
        response.background = background
    return sent.encoded()


def encoded(status: int, headers: RawHeaders, body: bytes) -> Encoded:
    """An answer of its parts, its headers as ASGI has them."""
    media_type = next((value for name, value in headers if name == b"content-type"), b"")
    kept = tuple(item for item in headers if item[0] != b"content-type" and item[0] not in _FRAMING)
    return Encoded(body, media_type.decode("latin-1"), status, kept)


class Sent:
    """What an application sent as its answer."""

    def __init__(self) -> None:
        self.started = anyio.Event()
        self.complete = anyio.Event()
        """Set by the last piece; whoever runs the application sets both if it ends without one."""
        self.status = 500
        self.whole = False
        """Whether nothing is missing."""
        self.headers: RawHeaders = []
        self._body: list[bytes] = []

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """Take a message of ASGI's."""
        match message["type"]:
            case "http.response.start":
                self.status = message["status"]
                self.headers = [(bytes(name).lower(), bytes(value)) for name, value in message.get("headers", ())]
                self.started.set()
            case "http.response.body":
                self._body.append(bytes(message.get("body", b"")))
                if not message.get("more_body", False):
                    self.whole = True
                    self.complete.set()
            case _:
                pass

    def encoded(self) -> Encoded:
        """The whole of it.

        Raises:
            ModelFailedError: If there is no more than a part.
        """
        if not self.whole:
            raise ModelFailedError("the service's application ended without an answer")
        return encoded(self.status, self.headers, b"".join(self._body))
