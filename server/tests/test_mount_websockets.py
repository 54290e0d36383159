"""Mounted applications' WebSockets, through either worker."""

import json
import socket
import struct
import subprocess
import sys
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any

import anyio
import anyio.abc
import pytest
from edge_harness import Marks, Served, eventually
from mount_harness import ServeMounts, connected
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from livepeer.server import ServerOptions

pytestmark = pytest.mark.anyio

MIB = 1024 * 1024


def opened(served: Served, path: str, **extra: Any) -> AbstractAsyncContextManager[ClientConnection]:
    return connect(f"ws{served.url.removeprefix('http')}{path}", proxy=None, open_timeout=10, **extra)


async def refused(served: Served, path: str, **extra: Any) -> InvalidStatus:
    with pytest.raises(InvalidStatus) as caught:
        async with opened(served, path, **extra):
            pass
    return caught.value


async def closed(websocket: ClientConnection) -> tuple[int, str]:
    """How the server closes it."""
    with anyio.fail_after(10), suppress(ConnectionClosed):
        while True:
            await websocket.recv()
    return websocket.close_code or 0, websocket.close_reason or ""


def heard(marks: Marks) -> list[Any] | None:
    """Code and reason of the disconnect that the application got."""
    try:
        return json.loads((marks.folder / "ws.closed").read_text() or "null")
    except FileNotFoundError:
        return None


async def test_the_application_gets_the_scope_that_the_edge_has(serve_mounts: ServeMounts) -> None:
    async with (
        serve_mounts("Beside") as served,
        opened(
            served,
            "/app/scope/?a=%20b",
            subprotocols=[Subprotocol("one"), Subprotocol("two")],
            additional_headers=[("x-twice", "1"), ("x-twice", "2"), ("authorization", "theirs")],
        ) as websocket,
    ):
        scope = json.loads(await websocket.recv())
        assert await closed(websocket) == (1000, "")
    assert {key: scope[key] for key in ("type", "http_version", "scheme", "root_path", "path", "subprotocols")} == {
        "type": "websocket", "http_version": "1.1", "scheme": "ws", "root_path": "", "path": "/app/scope/",
        "subprotocols": ["one", "two"],
    }  # fmt: skip
    assert (scope["raw_path"], scope["query_string"]) == (["/app/scope/"], ["a=%20b"])
    assert scope["extensions"] == {"websocket.http.response": {}}
    assert scope["state"] == {"seen": [], "more": 1}
    sent = [(name[0], value[0]) for name, value in scope["headers"]]
    assert [item for item in sent if item[0] == "x-twice"] == [("x-twice", "1"), ("x-twice", "2")]
    assert ("authorization", "theirs") in sent
    assert dict(sent)["x-request-id"]


async def test_texts_and_bytes_come_back(serve_mounts: ServeMounts) -> None:
    messages: list[str | bytes] = [
        "", b"", "caf\xe9 😀", b"\x00\xff", "x" * 70_000, "é" * 40_000, b"y" * 3 * MIB, "small", "z" * 3 * MIB,
    ]  # fmt: skip
    async with serve_mounts("Beside") as served, opened(served, "/app/echo", max_size=None) as websocket:
        for message in messages:
            await websocket.send(message)
            assert await websocket.recv() == message
        assert websocket.protocol.extensions == []


async def test_a_subprotocol_and_headers_of_the_applications_reach_the_caller(serve_mounts: ServeMounts) -> None:
    async with (
        serve_mounts("Beside") as served,
        opened(served, "/app/echo?choose=two", subprotocols=[Subprotocol("one"), Subprotocol("two")]) as websocket,
    ):
        assert websocket.subprotocol == "two"
        assert websocket.response is not None
        assert websocket.response.headers["x-own"] == "1"


@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (1001, "away"), (4123, "my own é")])
async def test_the_application_hears_how_its_caller_closed(
    code: int, reason: str, serve_mounts: ServeMounts, marks: Marks
) -> None:
    async with serve_mounts("Beside") as served:
        async with opened(served, "/app/echo") as websocket:
            await websocket.close(code, reason)
        await eventually(lambda: heard(marks) == [code, reason])
        await served.until("IDLE")


async def test_the_caller_hears_how_the_application_closed(serve_mounts: ServeMounts, marks: Marks) -> None:
    async with serve_mounts("Beside") as served, opened(served, "/app/close") as websocket:
        assert await websocket.recv() == b"last words"
        assert await closed(websocket) == (4321, "enough")
        await eventually(lambda: heard(marks) == [4321, "enough"])
        await served.until("IDLE")


async def test_a_caller_that_vanishes_is_noticed(serve_mounts: ServeMounts, marks: Marks) -> None:
    async with serve_mounts("Beside") as served:
        async with opened(served, "/app/echo") as websocket:
            websocket.transport.abort()
        await eventually(lambda: heard(marks) is not None)
        found = heard(marks)
        assert found is not None
        assert found[0] in (1005, 1006)
        await served.until("IDLE")


async def test_a_caller_may_be_refused_or_denied(serve_mounts: ServeMounts) -> None:
    async with serve_mounts("Beside") as served:
        assert (await refused(served, "/app/refuse")).response.status_code == 403
        denial = (await refused(served, "/app/deny")).response
        assert (denial.status_code, denial.body, denial.headers["x-why"]) == (402, b"pay first", "because")
        await served.until("IDLE")


async def test_there_are_no_websockets_where_there_are_no_applications(serve_mounts: ServeMounts, serve: Any) -> None:
    async with serve_mounts("Beside") as served:
        for path in ("/nowhere", "/predict", "/health"):
            denial = (await refused(served, path)).response
            assert denial.status_code == 404
            assert json.loads(denial.body or b"")["code"] == "not_found"
    async with serve("SyncReturn") as served:
        assert (await refused(served, "/app")).response.status_code == 404


async def test_one_application_says_what_it_must_not(serve_mounts: ServeMounts, marks: Marks) -> None:
    async with serve_mounts("Beside") as served, opened(served, "/app/breaks-rules") as websocket:
        assert await websocket.recv() == "fine"
        await closed(websocket)
        await eventually(lambda: (marks.folder / "rules.list").exists())
        found = json.loads((marks.folder / "rules.list").read_text() or "[]")
        assert [bool(words) for words in found] == [True, False, True, True, False, False, True]


# Failing.


@pytest.mark.parametrize("path", ["/app/fail?when=before", "/app/returns"])
async def test_an_application_that_fails_before_it_lets_its_caller_in_is_a_typed_500(
    path: str, serve_mounts: ServeMounts
) -> None:
    async with serve_mounts("Beside") as served:
        denial = (await refused(served, path)).response
        assert denial.status_code == 500
        assert json.loads(denial.body or b"")["code"] == "model_failed"
        assert b"secret" not in (denial.body or b"")
        await served.until("IDLE")


@pytest.mark.parametrize("when", ["accepted", "later"])
async def test_an_application_that_fails_after_that_closes_with_1011(when: str, serve_mounts: ServeMounts) -> None:
    async with serve_mounts("Beside") as served, opened(served, f"/app/fail?when={when}") as websocket:
        if when == "later":
            assert await websocket.recv() == "one"
            await websocket.send("go")
        assert await closed(websocket) == (1011, "The model failed")
        await served.until("IDLE")


async def test_a_host_that_dies_is_a_typed_500_before_and_1011_after(serve_process: ServeMounts) -> None:
    async with serve_process("Beside") as served:
        denial = (await refused(served, "/app/fail?when=before&how=exit")).response
        assert denial.status_code == 500
        assert json.loads(denial.body or b"")["code"] == "host_crashed"
        await served.until("IDLE")
        async with opened(served, "/app/fail?when=later&how=exit") as websocket:
            assert await websocket.recv() == "one"
            await websocket.send("go")
            assert await closed(websocket) == (1011, "The model's process ended")


async def test_a_message_over_the_limit_closes_with_1009(serve_mounts: ServeMounts, marks: Marks) -> None:
    async with serve_mounts("Beside") as served, opened(served, "/app/echo", max_size=None) as websocket:
        await websocket.send(b"x" * 16 * MIB)
        assert len(await websocket.recv()) == 16 * MIB
        with anyio.fail_after(20), suppress(ConnectionClosed):
            await websocket.send(b"x" * (16 * MIB + 1))
        assert (await closed(websocket))[0] == 1009
        await eventually(lambda: (heard(marks) or [0])[0] == 1009)


# Backpressure.


async def test_an_application_that_floods_waits_for_its_caller_and_hears_when_it_leaves(
    serve_mounts: ServeMounts, marks: Marks
) -> None:
    async with serve_mounts("Beside") as served:
        async with connected(served) as stream:
            await handshake(stream, "/app/flood")
            await marks.wait("flood", "entered")
            assert (await served.client.get("/app/print")).status_code == 200
            assert not marks.has("flood", "gone")
            raw = stream.extra(anyio.abc.SocketAttribute.raw_socket)
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await marks.wait("flood", "gone")
        await served.until("IDLE")


async def test_a_caller_that_floods_waits_for_its_application(serve_mounts: ServeMounts, marks: Marks) -> None:
    size, most = 100_000, 200
    async with serve_mounts("Beside") as served, opened(served, "/app/slow") as websocket:
        sent = 0
        with anyio.move_on_after(1):
            while sent < most:
                await websocket.send(b"x" * size)
                sent += 1
        assert sent < most
        assert (await served.client.get("/app/print")).status_code == 200
        marks.go("slow")
        with anyio.fail_after(60):
            await websocket.send(b"end")
            count, total = map(int, str(await websocket.recv()).split())
        assert count in (sent, sent + 1)  # the one that the limit cut short may be there too
        assert total == count * size


async def test_a_flood_of_empty_messages_waits_too(serve_mounts: ServeMounts, marks: Marks) -> None:
    empty = b"\x82\x80\0\0\0\0"
    options = ServerOptions(drain_seconds=0.1)
    async with serve_mounts("Beside", options=options) as served, connected(served) as stream:
        await handshake(stream, "/app/slow")
        with anyio.move_on_after(1) as limit:
            await stream.send(empty * 4_000_000)
        assert limit.cancelled_caught
        assert (await served.client.get("/app/print")).status_code == 200
        marks.go("slow")


async def test_a_large_message_holds_up_nobody(serve_mounts: ServeMounts) -> None:
    async with serve_mounts("Beside") as served, opened(served, "/app/echo", max_size=None) as websocket:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(websocket.send, b"x" * 8 * MIB)
            for _ in range(20):
                with anyio.fail_after(2):
                    assert (await served.client.get("/app/print")).status_code == 200
        assert len(await websocket.recv()) == 8 * MIB


async def test_many_at_once(serve_mounts: ServeMounts) -> None:
    async with serve_mounts("Beside") as served:

        async def talk(number: int) -> None:
            async with opened(served, "/app/echo") as websocket:
                for turn in range(20):
                    text = f"{number} {turn} " + "x" * number * 100
                    await websocket.send(text)
                    assert await websocket.recv() == text

        async with anyio.create_task_group() as tasks:
            for number in range(30):
                tasks.start_soon(talk, number)
        await served.until("IDLE")


# Who may, and until when.


async def test_a_websocket_needs_the_token(serve_mounts: ServeMounts) -> None:
    async with serve_mounts("Beside", options=ServerOptions(token="t0ken")) as served:
        denial = (await refused(served, "/app/echo")).response
        assert (denial.status_code, denial.headers["www-authenticate"]) == (401, "Bearer")
        async with opened(served, "/app/scope", additional_headers={"authorization": "Bearer t0ken"}) as websocket:
            scope = json.loads(await websocket.recv())
            assert not [name for name, _ in scope["headers"] if name == ["authorization"]]


async def test_a_websocket_waits_for_its_model(serve_mounts: ServeMounts, marks: Marks) -> None:
    async with serve_mounts("SlowSetup", wait=False) as served:
        await eventually(lambda: served.server.lifecycle.description is not None)
        denial = (await refused(served, "/app/echo")).response
        assert (denial.status_code, denial.headers["retry-after"]) == (503, "1")
        marks.go("setup")


async def test_a_released_session_closes_its_websocket(serve_mounts: ServeMounts, marks: Marks) -> None:
    async with (
        serve_mounts("Beside") as served,
        opened(served, "/app/echo", additional_headers={"livepeer-session-id": "s1"}) as websocket,
    ):
        await websocket.send("a")
        assert await websocket.recv() == "a"
        served.server.lifecycle.sessions.end("s1")
        assert await closed(websocket) == (1001, "The session has ended")
        await eventually(lambda: heard(marks) == [1001, "The session has ended"])


async def test_at_the_end_of_the_drain_both_ends_hear_1012(serve_mounts: ServeMounts, marks: Marks) -> None:
    options = ServerOptions(drain_seconds=0.1, stuck_seconds=10)
    async with serve_mounts("Beside", options=options) as served, opened(served, "/app/echo") as websocket:
        await websocket.send("a")
        assert await websocket.recv() == "a"
        assert (await served.health())["status"] == "OK"
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(served.server.stop)
            assert (await closed(websocket))[0] == 1012
        found = heard(marks)
        assert found is not None
        assert found[0] == 1012


async def test_an_idle_websocket_outlives_the_clocks_of_http(serve_mounts: ServeMounts) -> None:
    async with serve_mounts("Beside") as served, opened(served, "/app/echo") as websocket:
        with anyio.move_on_after(5.5):  # a connection that asks for nothing is closed after five seconds
            await websocket.wait_closed()
        await websocket.send("still here")
        assert await websocket.recv() == "still here"


async def test_the_websocket_library_is_loaded_at_the_first_upgrade_alone() -> None:
    script = "import sys, livepeer.server, uvicorn; print(any('websockets' in name for name in sys.modules))"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: ASYNC221
    assert found.stdout.strip() == "False"


async def handshake(stream: anyio.abc.SocketStream, path: str) -> None:
    head = (
        f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
        "sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    await stream.send(head.encode())
    head = b""
    with anyio.fail_after(10):
        while b"\r\n\r\n" not in head:
            head += await stream.receive(1)


async def test_an_upgrade_behind_an_unanswered_request_is_none(serve_mounts: ServeMounts, marks: Marks) -> None:
    async with serve_mounts("Beside") as served:
        async with connected(served) as stream:
            upgrade = (
                "GET /app/echo HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
                "sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
            )
            await stream.send(f"GET /app/wait HTTP/1.1\r\nhost: x\r\n\r\n{upgrade}".encode())
            await marks.wait("wait", "entered")
        await marks.wait("wait", "gone")
        await served.until("IDLE")
