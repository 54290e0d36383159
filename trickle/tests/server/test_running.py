"""A server as it was set up: without autocreate, with a changefeed, with idle channels swept, within other programs."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
import uvicorn

from livepeer.trickle.server import TrickleProtocol, TrickleServer
from livepeer.trickle.server._asgi import Message, Receive, Scope, Send

from .server_wire import Served, served, until


async def test_without_autocreate_only_the_embedder_makes_channels():
    async with served(autocreate=False) as site:
        for name in ("ch", "ch/0"):
            answer = await site.ask("POST", name, body=b"data")
            assert (answer.status, answer.body) == (404, b"Stream not found\n")

        site.server.create("ch", "text/x")

        assert (await site.ask("POST", "ch")).status == 200
        assert (await site.ask("POST", "ch/0", body=b"data")).status == 200
        answer = await site.ask("GET", "ch/0")
        assert (answer.body, answer.headers["content-type"]) == (b"data", "text/x")


async def test_what_the_embedder_publishes_is_read_over_http():
    async with served() as site:
        channel = site.server.create("ch")
        assert site.server.create("ch", "other/type") is channel
        async with site.wire() as wire:
            await wire.ask("GET", "/ch/0")
            await site.readers_wait()
            channel.publish(b"published")
            answer = await wire.answer()

    assert (answer.body, answer.headers["lp-trickle-seq"], answer.headers["content-type"]) == (b"published", "0", "")
    assert "lp-trickle-latest" not in answer.headers


async def test_a_deleted_channel_is_told_of_once():
    async with served() as site:
        site.server.create("ch")
        async with site.wire() as wire:
            await wire.ask("GET", "/ch/0")
            await site.readers_wait()
            assert site.server.delete("ch")
            answer = await wire.answer()

        assert (answer.status, answer.headers["lp-trickle-closed"], answer.body) == (200, "terminated", b"")
        assert (await site.ask("GET", "ch/0")).status == 404
        assert not site.server.delete("ch")


async def test_the_changefeed_tells_who_waits_of_every_channel():
    async with served(changefeed=True, idle_seconds=0, sweep_seconds=0.01) as site, site.wire() as wire:
        await wire.ask("GET", "/_changes/1")
        await site.readers_wait(1, name="_changes")
        site.server.create("ch")

        assert (await wire.answer()).body == b'{"added":["ch"]}'
        assert (await (await wire.ask("GET", "/_changes/2")).answer()).body == b'{"removed":["ch"]}'


async def test_an_idle_channel_is_swept_and_its_readers_are_told():
    async with served(idle_seconds=0.2, sweep_seconds=0.01) as site:
        site.server.create("ch")
        async with site.wire() as wire:
            answer = await (await wire.ask("GET", "/ch/0")).answer()

    assert (answer.status, answer.headers["lp-trickle-closed"]) == (200, "terminated")


async def test_a_server_runs_within_another_program_under_a_path_of_its_own():
    server = TrickleServer(idle_seconds=0, sweep_seconds=0.01)

    @asynccontextmanager
    async def life(scope: Scope, receive: Receive, send: Send):
        await receive()
        async with server.running():
            await send({"type": "lifespan.startup.complete"})
            await receive()
            yield
        await send({"type": "lifespan.shutdown.complete"})

    async def site_app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            async with life(scope, receive, send):
                pass
        else:
            assert scope["path"].startswith("/mount")
            await server({**scope, "root_path": "/mount"}, receive, send)

    async with plain_uvicorn(site_app, "httptools") as site:
        answer = await site.ask("POST", "mount/_ch/0", body=b"data")
        assert (answer.status, answer.headers["lp-trickle-seq"]) == (200, "0")
        redirected = await site.ask("GET", "mount//_ch/0")
        assert (redirected.status, redirected.headers["location"]) == (307, "/mount/_ch/0")
        server.create("idle")
        await until(lambda: server.channel("idle") is None)
    assert server.channel("_ch") is None


@pytest.mark.parametrize("http", ["httptools", "h11"])
async def test_a_server_works_without_its_own_protocol_class(http: str):
    server = TrickleServer(abort_grace_seconds=0.01, keepalive_seconds=0.01)
    async with plain_uvicorn(server, http) as site, site.wire() as reader:
        async with site.wire() as publisher:
            await publisher.preconnect("/ch/0")
            await until(lambda: site.server.channel("ch") is not None)
            await reader.ask("GET", "/ch/0")
            await site.readers_wait()
            await publisher.chunk(b"half")
            assert (await reader.head()).status == 200
            assert await reader.part() == b"half"
        assert await reader.rest() == b"", "what was broken off must not look whole"

        async with site.wire() as publisher:
            await publisher.preconnect("/ch/1")
            await until(lambda: site.channel().held(1) is not None)
            server.delete("ch")
            answer = await publisher.answer()
            assert (answer.status, answer.headers["lp-trickle-closed"]) == (200, "terminated")


class Recorder:
    """A transport that notes what is written to it at a time."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)
        self._transport.write(data)

    def writelines(self, parts: list[bytes]) -> None:
        self.written.append(b"".join(parts))
        self._transport.writelines(parts)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


async def test_head_and_body_of_an_answer_go_out_in_one_write():
    recorders: list[Recorder] = []

    class Recording(TrickleProtocol):
        def connection_made(self, transport: asyncio.Transport) -> None:
            recorders.append(Recorder(transport))
            super().connection_made(recorders[0])

    server = TrickleServer()
    server.create("ch").publish(b"data")
    async with plain_uvicorn(server, Recording) as site, site.wire() as wire:
        for target in ("/ch/0", "/ch/next", "/ch/9"):
            await (await wire.ask("GET", target)).answer()

    [recorder] = recorders
    assert [piece.partition(b"\r\n\r\n")[2] for piece in recorder.written] == [
        b"4\r\ndata\r\n0\r\n\r\n",
        b"1",
        b"Entry not found",
    ]


async def test_a_client_whose_machine_is_gone_will_be_noticed():
    options: list[int] = []

    class Looking(TrickleProtocol):
        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            options.append(transport.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))

    async with plain_uvicorn(TrickleServer(), Looking) as site:
        assert (await site.ask("POST", "ch")).status == 200

    assert options == [1]


async def test_a_server_can_listen_at_a_unix_socket(tmp_path: Path):
    path = str(tmp_path / "s")
    web = uvicorn.Server(uvicorn.Config(TrickleServer(), uds=path, http=TrickleProtocol, log_config=None))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(web._serve)
        await until(lambda: web.started)
        async with await anyio.connect_unix(path) as stream:
            await stream.send(b"POST /ch HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await stream.receive()).startswith(b"HTTP/1.1 200 OK\r\n")
        web.should_exit = True


async def test_a_websocket_is_refused():
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await TrickleServer()({"type": "websocket", "path": "/ch/0", "headers": []}, receive, send)

    assert sent == [{"type": "websocket.close"}]


@asynccontextmanager
async def plain_uvicorn(app: Any, http: Any) -> AsyncIterator[Served]:
    """Serve an application as any program may, not with `serve`."""
    config = uvicorn.Config(app, port=0, http=http, log_config=None, lifespan="auto", timeout_graceful_shutdown=1)
    web = uvicorn.Server(config)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(web._serve)
        await until(lambda: web.started)
        port = web.servers[0].sockets[0].getsockname()[1]
        server = app if isinstance(app, TrickleServer) else TrickleServer()
        try:
            yield Served(server, f"http://127.0.0.1:{port}/")
        finally:
            web.should_exit = True
