"""What comes over the socket that is no proper request, and callers that do not come to the point."""

import contextlib
import json
import logging
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import anyio.abc
import pytest
from edge_harness import Marks, Served, make_worker, serve_with

pytestmark = pytest.mark.anyio

REQUEST = b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n"


@asynccontextmanager
async def connected(served: Served) -> AsyncIterator[anyio.abc.SocketStream]:
    host, port = served.url.removeprefix("http://").split(":")
    async with await anyio.connect_tcp(host, int(port)) as stream:
        yield stream


async def read_all(stream: anyio.abc.SocketStream, seconds: float = 5) -> bytes:
    """What comes until the server closes."""
    answer = b""
    with anyio.fail_after(seconds), contextlib.suppress(anyio.EndOfStream, anyio.BrokenResourceError):
        while True:
            answer += await stream.receive()
    return answer


async def send_for_ever(stream: anyio.abc.SocketStream, piece: bytes) -> None:
    while True:
        await stream.send(piece)


def call(name: str, **fields: object) -> bytes:
    body = json.dumps(fields).encode()
    return b"POST /%b HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%b" % (name.encode(), len(body), body)


async def test_what_is_no_http_gets_a_problem_and_the_end() -> None:
    async with serve_with(make_worker("inline", "Echo")) as served, connected(served) as stream:
        await stream.send(b"nonsense\r\n\r\n")
        head, _, body = (await read_all(stream)).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\n")
        assert json.loads(body)["code"] == "malformed_request"


@pytest.mark.parametrize(
    "begin", [b"GET /", b"GET / HTTP/1.1\r\nname: ", b"GET / HTTP/1.1\r\n" + b"name: x\r\n" * 5_000]
)
async def test_a_head_over_the_limit_is_431(begin: bytes) -> None:
    async with serve_with(make_worker("inline", "Echo")) as served, connected(served) as stream:
        await stream.send(begin.ljust(64 * 1024 + 1, b"x"))
        answer = await read_all(stream)
        assert answer.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "head_too_large"


async def test_a_trailer_without_end_is_cut_off() -> None:
    async with serve_with(make_worker("inline", "Echo")) as served, connected(served) as stream:
        await stream.send(b"POST /predict HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n")
        with pytest.raises(anyio.BrokenResourceError), anyio.fail_after(5):
            await send_for_ever(stream, b"name: x\r\n" * 500)


@pytest.mark.parametrize("more", [b"", b"x"])
async def test_a_head_that_never_becomes_whole_is_given_up_however_much_comes(more: bytes) -> None:
    async with serve_with(make_worker("inline", "Echo")) as served, connected(served) as stream:
        await stream.send(b"GET / HTTP/1.1\r\nname: ")
        with anyio.fail_after(15), contextlib.suppress(anyio.EndOfStream, anyio.BrokenResourceError):
            while True:
                await stream.send(more)
                with anyio.move_on_after(0.1):
                    raise AssertionError(await stream.receive())


async def test_a_connection_that_never_asks_for_anything_is_closed() -> None:
    async with serve_with(make_worker("inline", "Echo")) as served, connected(served) as stream:
        assert await read_all(stream, 15) == b""


@pytest.mark.parametrize("length", [b"0" * 5_000 + b"12", b"12"])
async def test_a_length_may_have_zeros_before_it(length: bytes) -> None:
    body = b'{"text":"x"}'
    async with serve_with(make_worker("inline", "Echo")) as served, connected(served) as stream:
        head = b"POST /predict HTTP/1.1\r\nconnection: close\r\ncontent-length: " + length
        await stream.send(head + b"\r\n\r\n" + body)
        assert (await read_all(stream)).endswith(b'\r\n\r\n"x"')


async def test_nonsense_behind_a_call_leaves_its_answer_whole(marks: Marks) -> None:
    async with serve_with(make_worker("process", "AsyncHeld")) as served, connected(served) as stream:
        await stream.send(call("predict", gate="held"))
        await marks.wait("held", "entered")
        await stream.send(b"nonsense\r\n\r\n")
        await served.health()
        marks.go("held")
        answer = await read_all(stream)
        assert answer.count(b"HTTP/1.1 ") == 1
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert answer.endswith(b'\r\n\r\n"done"')


async def test_a_caller_that_leaves_with_more_requests_in_line_cancels_its_call(marks: Marks) -> None:
    async with serve_with(make_worker("process", "AsyncHeld")) as served:
        async with connected(served) as stream:
            await stream.send(call("predict", gate="held") + REQUEST * 3)
            await marks.wait("held", "entered")
        await marks.wait("held", "cancelled")
        await served.until("IDLE")


async def test_a_caller_that_resets_among_its_requests_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    async with serve_with(make_worker("inline", "Echo")) as served:
        for number in range(1, 40):
            async with connected(served) as stream:
                await stream.send(call("predict", text="x") * number)
                raw = stream.extra(anyio.abc.SocketAttribute.raw_socket)
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await served.until("IDLE")
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
