"""What a stream's lines do when the worker falls silent, or its server goes away."""

import socket
import struct

import anyio
import anyio.abc
import pytest

from livepeer.client import DisconnectedError, Gateway, TimedOutError, UnreachableError
from livepeer.client._live.events import EventLog
from livepeer.client._live.orders import Channels
from livepeer.client._live.trickle_lines import TrickleLines

from .networks import TRICKLE, Network

pytestmark = pytest.mark.timeout(60)


async def test_a_worker_that_reports_nothing_for_long_is_given_up(network: Network) -> None:
    events = network.create("quiet-events", "application/json")
    log = EventLog()
    channels = Channels(stream_id="quiet", events_url=f"{network.url}{TRICKLE}quiet-events")
    lines = TrickleLines(channels, log, True, silence_seconds=0.3)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lines.watch)
        events.publish(b'{"type": "status", "state": "running"}')
        with anyio.fail_after(10):
            await log.over.wait()
        tasks.cancel_scope.cancel()
    assert log.status == {"type": "status", "state": "running"}
    with pytest.raises(TimedOutError, match=r"nothing for 0\.3 s"):
        log.check()


async def test_a_server_that_is_not_there_is_said_to_be_out_of_reach(dead_url: str) -> None:
    log = EventLog()
    lines = TrickleLines(Channels(stream_id="x", events_url=f"{dead_url}/x-events"), log, True)
    with anyio.fail_after(10):
        await lines.watch()
    with pytest.raises(UnreachableError):
        log.check()
    assert [event async for event in log.read()] == []


async def test_a_reader_that_is_far_behind_gets_the_newest_reports() -> None:
    log = EventLog()
    log.add({"type": "event", "number": 0})
    reader = log.read()
    assert (await anext(reader))["number"] == 0
    for number in range(1, 2001):
        log.add({"type": "event", "number": number})
    log.end()
    assert [event["number"] async for event in reader] == list(range(1001, 2001))


async def test_a_connection_that_is_reset_without_a_word_is_named() -> None:
    async def reset(connection: anyio.abc.SocketStream) -> None:
        await connection.receive()
        raw = connection.extra(anyio.abc.SocketAttribute.raw_socket)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await connection.aclose()

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, reset)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        async with Gateway(gateway_url=f"http://127.0.0.1:{port}") as gateway:
            with pytest.raises(DisconnectedError, match=r"broke: \w"):
                async with gateway.live("model"):
                    raise AssertionError
        tasks.cancel_scope.cancel()
