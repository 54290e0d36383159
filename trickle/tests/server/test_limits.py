"""Memory stays bounded, whoever sends too much or reads too little."""

import tracemalloc
from contextlib import AsyncExitStack

import anyio
import anyio.lowlevel
import pytest

from livepeer.trickle.server import TrickleServer
from livepeer.trickle.server._asgi import Message

from .server_wire import Served, served, until

KIB = 1024
MIB = 1024 * KIB


async def test_a_segment_that_is_too_large_is_refused_and_its_readers_are_broken_off():
    async with served(max_segment_bytes=100 * KIB) as site, site.wire() as publisher, site.wire() as reader:
        await publisher.preconnect("/ch/0")
        await publisher.chunk(bytes(100 * KIB))
        await reader.ask("GET", "/ch/0")
        assert (await reader.head()).status == 200
        assert await reader.part()

        await publisher.chunk(b"x")

        answer = await publisher.answer()
        assert (answer.status, answer.body, answer.headers["connection"]) == (413, b"segment too large\n", "close")
        assert await publisher.rest() == b""
        assert not (await reader.rest()).endswith(b"0\r\n\r\n")
        assert site.channel().next_seq == 1
        assert (await site.ask("POST", "ch/1", body=b"small")).status == 200


@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_a_publisher_that_still_sends_gets_its_refusal(framing: str):
    async with served(max_segment_bytes=100 * KIB) as site, site.wire() as publisher:
        if framing == "length":
            await publisher.ask("POST", "/ch/0", body=bytes(8 * MIB))
        else:
            await publisher.preconnect("/ch/0")
            for _ in range(8):
                await publisher.chunk(bytes(MIB))

        assert (await publisher.answer()).status == 413


async def test_the_first_write_alone_may_be_too_large():
    async with served(max_segment_bytes=10) as site, site.wire() as reader:
        await site.ask("POST", "ch")
        await reader.ask("GET", "/ch/0")
        await site.readers_wait()
        assert (await site.ask("POST", "ch/0", body=bytes(11))).status == 413

        assert await reader.rest() == b"", "there is nothing to answer with"


async def test_a_segment_of_the_largest_size_is_taken():
    async with served(max_segment_bytes=MIB) as site:
        assert (await site.ask("POST", "ch/0", body=bytes(MIB))).status == 200
        assert len((await site.ask("GET", "ch/0")).body) == MIB


async def test_a_channel_that_holds_too_much_loses_its_oldest_segments():
    async with served(max_segment_bytes=MIB, max_channel_bytes=3 * MIB) as site:
        for seq in range(5):
            assert (await site.ask("POST", f"ch/{seq}", body=bytes(MIB))).status == 200

        assert [(await site.ask("GET", f"ch/{seq}")).status for seq in range(5)] == [470, 470, 200, 200, 200]


async def test_a_reader_of_a_segment_that_had_to_go_is_broken_off():
    async with served(max_segment_bytes=16 * MIB, max_channel_bytes=16 * MIB) as site, site.wire() as reader:
        site.server.create("ch").publish(bytes(16 * MIB))
        await reader.ask("GET", "/ch/0")
        assert (await reader.head()).status == 200

        site.channel().publish(bytes(MIB))

        got = await reader.rest()
        assert len(got) < 16 * MIB
        assert not got.endswith(b"\r\n0\r\n\r\n")


async def test_readers_that_do_not_read_cost_no_copy_of_what_they_leave():
    readers = 8
    async with served(max_segment_bytes=32 * MIB) as site:
        part = bytes(64 * KIB)
        tracemalloc.start()
        try:
            await publish_before_stalled_readers(site, readers, part)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert peak < 32 * MIB + readers * MIB


async def publish_before_stalled_readers(site: Served, readers: int, part: bytes) -> None:
    segment = site.server.create("ch").segment_to_write(0)
    async with AsyncExitStack() as wires:
        for _ in range(readers):
            wire = await wires.enter_async_context(site.wire())
            await wire.ask("GET", "/ch/0")
        await site.readers_wait(count=readers)
        site.channel().advance(segment)
        for _ in range(512):
            # A copy each, as it is when it comes off a connection.
            site.channel().write(segment, bytes(bytearray(part)))
            await anyio.lowlevel.checkpoint()
        await until(lambda: not segment.growing)


async def test_a_segment_that_ends_while_its_reader_is_slow_ends_for_the_reader_too():
    """The end comes just when all that was written is on its way."""
    server = TrickleServer()
    segment = server.create("ch").segment_to_write(0)
    segment.write(b"data")
    sent: list[Message] = []

    async def receive() -> Message:
        return await anyio.sleep_forever()

    async def send(message: Message) -> None:
        sent.append(message)
        if message.get("body"):
            segment.close()

    with anyio.fail_after(5):
        await server({"type": "http", "method": "GET", "path": "/ch/0", "headers": []}, receive, send)

    assert [(message.get("body"), message.get("more_body")) for message in sent[1:]] == [(b"data", True), (b"", False)]


async def test_a_slow_reader_gets_everything_in_the_end():
    async with served() as site, site.wire() as slow, site.wire() as publisher:
        await publisher.preconnect("/ch/0")
        await publisher.chunk(b"begin")
        await slow.ask("GET", "/ch/0")
        assert (await slow.head()).status == 200
        for at in range(16):
            await publisher.chunk(bytes([at]) * MIB)
        await publisher.send(b"0\r\n\r\n")
        assert (await publisher.answer()).status == 200

        body = b""
        while part := await slow.part():
            body += part

    assert body == b"begin" + b"".join(bytes([at]) * MIB for at in range(16))
