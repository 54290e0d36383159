"""Clients that leave while the server waits for them, and clients that are told to."""

import anyio
import pytest

from livepeer.trickle.server import TrickleProtocol

from .server_wire import Wire, served, until

MIB = 1024 * 1024


async def test_readers_that_leave_while_they_wait_are_forgotten():
    async with served() as site:
        site.server.create("ch")
        async with site.wire() as first, site.wire() as second:
            for wire in (first, second):
                await wire.ask("GET", "/ch/0")
            await site.readers_wait(count=2)
        await site.readers_wait(count=0)

        site.channel().publish(b"data")

        assert (await site.ask("GET", "ch/0")).body == b"data"


async def test_a_reader_that_leaves_in_the_middle_of_a_segment_is_forgotten():
    async with served() as site, site.wire() as publisher:
        await publisher.preconnect("/ch/0")
        await publisher.chunk(b"half")
        async with site.wire() as reader:
            await reader.ask("GET", "/ch/0")
            assert (await reader.head()).status == 200
            await site.readers_wait()
        await site.readers_wait(count=0)

        await publisher.send(b"0\r\n\r\n")
        assert (await publisher.answer()).status == 200


async def test_a_reader_that_shuts_its_side_has_left():
    async with served() as site, site.wire() as reader:
        site.server.create("ch")
        await reader.ask("GET", "/ch/0")
        await site.readers_wait()

        await reader.send_eof()

        assert await reader.rest() == b""
        await site.readers_wait(count=0)


@pytest.mark.parametrize(
    ("target", "status"), [("/unknown/0", 404), ("/ch/0", 200)], ids=["no channel", "finished segment"]
)
async def test_an_answer_that_hangs_up_reaches_a_client_that_is_still_sending(target: str, status: int):
    async with served(autocreate=False) as site, site.wire() as publisher:
        site.server.create("ch").publish(b"finished")
        await publisher.preconnect(target)
        for _ in range(16):
            await publisher.chunk(bytes(MIB))

        answer = await publisher.answer()

        assert (answer.status, answer.headers["connection"]) == (status, "close")
        assert await publisher.rest() == b""
        assert (await site.ask("GET", "ch/0")).body == b"finished"


async def test_nothing_is_served_on_a_connection_that_is_being_hung_up():
    async with served(autocreate=False) as site, site.wire() as publisher:
        site.server.create("ch")
        await publisher.preconnect("/unknown/0")
        assert (await publisher.answer()).status == 404

        await publisher.send(b"0\r\n\r\n")
        await publisher.ask("DELETE", "/ch")

        assert await publisher.rest() == b""
        for _ in range(10):
            assert (await site.ask("GET", "ch/next")).status == 200


async def test_a_client_that_ignores_the_end_is_left_in_the_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(TrickleProtocol, "linger_seconds", 0.05)
    async with served(autocreate=False) as site, site.wire() as publisher:
        await publisher.preconnect("/unknown/0")
        assert (await publisher.answer()).status == 404
        with anyio.fail_after(5), pytest.raises(anyio.BrokenResourceError):
            await send_for_ever(publisher)


async def send_for_ever(wire: Wire) -> None:
    while True:
        await wire.chunk(bytes(MIB))


async def test_requests_in_a_row_on_one_connection_are_answered_in_order():
    async with served() as site, site.wire() as wire:
        site.server.create("ch")
        await wire.ask("GET", "/ch/0")
        await wire.ask("GET", "/ch/next")
        await site.readers_wait()

        site.channel().publish(b"data")

        assert (await wire.answer()).body == b"data"
        assert (await wire.answer()).body == b"1"


async def test_a_refused_body_is_skipped_on_a_connection_that_is_kept():
    async with served() as site, site.wire() as wire:
        refused = await (await wire.ask("POST", "/ch/abc", body=bytes(4 * MIB))).answer()
        assert (refused.status, refused.body) == (400, b"Invalid idx\n")

        assert (await (await wire.ask("GET", "/ch/next")).answer()).body == b"0"


async def test_an_aborted_upload_and_waiting_readers_leave_nothing_behind():
    async with served(abort_grace_seconds=60) as site, site.wire() as reader:
        async with site.wire() as publisher:
            await publisher.preconnect("/ch/0")
            await publisher.chunk(b"half")
            await until(lambda: site.server.channel("ch") is not None and site.channel().next_seq == 1)
        await reader.ask("GET", "/ch/1")
        await site.readers_wait(1)
    # `served` looks for tasks that are left.
