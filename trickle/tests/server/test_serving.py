"""A server by itself: it begins, is reached, and ends at once whatever it is doing."""

import socket
from contextlib import AsyncExitStack

import anyio
import pytest

from livepeer.trickle.server import TrickleServer, serve

from .server_wire import Served, served, until

MIB = 1024 * 1024


async def test_waiting_readers_and_publishers_are_told_when_the_server_ends():
    async with AsyncExitStack() as wires:
        async with served() as site:
            site.server.create("ch")
            reader, publisher = [await wires.enter_async_context(site.wire()) for _ in range(2)]
            await reader.ask("GET", "/ch/0")
            await publisher.preconnect("/ch/0")
            await site.readers_wait()
            segment = site.channel().held(0)
            assert segment is not None
            await until(lambda: segment.publishers == 1)

        for wire in (reader, publisher):
            answer = await wire.answer()
            assert (answer.status, answer.headers["lp-trickle-closed"]) == (200, "terminated")
            assert answer.headers["connection"] == "close"
            assert await wire.rest() == b""


async def test_a_server_ends_in_time_whoever_is_idle_writes_or_does_not_read():
    async with AsyncExitStack() as wires:
        with anyio.fail_after(5):
            async with served(abort_grace_seconds=60) as site:
                idle, stalled, publisher = [await wires.enter_async_context(site.wire()) for _ in range(3)]
                site.server.create("large").publish(bytes(32 * MIB))
                await stalled.ask("GET", "/large/0")
                assert (await stalled.head()).status == 200
                await publisher.preconnect("/ch/0")
                await publisher.chunk(b"half")
                await until(lambda: site.server.channel("ch") is not None and site.channel().next_seq == 1)

        assert await idle.rest() == b""


async def test_a_server_that_is_cancelled_leaves_nothing_behind():
    with anyio.CancelScope() as scope:
        async with served() as site:
            port = site.port
            scope.cancel()
            await anyio.sleep_forever()

    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


async def test_a_port_that_is_taken_is_an_error():
    async with served() as site:
        with pytest.raises(OSError, match="in use"):
            async with serve(TrickleServer(), port=site.port):
                pass


async def test_an_error_of_the_embedder_ends_the_server():
    with pytest.raises(ExceptionGroup) as caught:
        async with served():
            raise LookupError
    assert caught.group_contains(LookupError)


@pytest.mark.parametrize(
    ("host", "path", "pattern"),
    [("127.0.0.1", "", "http://127.0.0.1:{}/"), ("0.0.0.0", "a/b", "http://127.0.0.1:{}/a/b/")],
)
async def test_the_base_url_is_one_that_can_be_reached(host: str, path: str, pattern: str):
    server = TrickleServer(path=path)
    async with serve(server, host=host, port=0) as url:
        assert url == pattern.format(Served(server, url).port)
        assert (await Served(server, url).ask("POST", "ch")).status == 200
