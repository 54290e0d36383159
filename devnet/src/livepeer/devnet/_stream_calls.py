"""One request about a live stream, at a gateway or an orchestrator."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.types import Receive, Scope, Send

from ._inbound import RefusedError, Reply, base_url, drop_connection, read_body, request_header, run_while_connected
from ._job_request import JOB_HEADER
from ._sniffing import sniff_content_type

MAX_BODY_BYTES = 10 << 20
"""What a gateway takes of a caller's JSON."""


@dataclass(frozen=True, kw_only=True)
class StreamCall:
    """What was asked."""

    path_params: dict[str, Any]
    """What the route took from the path."""

    base_url: str
    """This node as the caller wrote it."""

    job_header: str
    """The `Livepeer` header."""

    content_type: str
    body: bytes


class NoAnswerError(Exception):
    """Raised when go-livepeer would fail without any answer."""


class StreamEndpoint:
    """An ASGI application that reads a request, and drops its work when the caller leaves."""

    def __init__(self, answer: Callable[[StreamCall, Reply], Awaitable[None]]) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            body = await read_body(receive)
        except ClientDisconnect:
            return
        call = StreamCall(
            path_params=scope["path_params"],
            base_url=base_url(HTTPConnection(scope)),
            job_header=request_header(scope, JOB_HEADER),
            content_type=request_header(scope, "Content-Type"),
            body=body,
        )
        is_answered = True

        async def run() -> None:
            nonlocal is_answered
            is_answered = await self._run(call, Reply(send))

        await run_while_connected(receive, run)
        if not is_answered:
            await drop_connection(scope, receive)

    async def _run(self, call: StreamCall, reply: Reply) -> bool:
        try:
            await self._answer(call, reply)
        except RefusedError as error:
            await reply.error(str(error), error.status)
        except NoAnswerError:
            return False
        return True


async def pass_answer(reply: Reply, status: int, body: bytes) -> None:
    """Send another node's answer on, with the content type that Go would guess."""
    if body:
        reply.headers["Content-Type"] = sniff_content_type(body)
    await reply.end(body, status=status)
